import Forwarder
import ForwarderHarness
import Glibc
import MockKafka
import ScenarioKit
import Testing

struct ChildProcessTests {
    /// The mock Kafka's sockets are open for every child: one that it closes would live on in a child, and a daemon would
    /// wait on it for answers.
    @Test(.timeLimit(.minutes(15)))
    func `a child has its three streams and nothing else of its parent's`() async throws {
        try await onThread {
            let inherited = fcntl(STDIN_FILENO, F_DUPFD, 900)
            try require(inherited >= 900, "no descriptor: \(errno)")
            defer { close(inherited) }
            let run = try CommandRun("/bin/ls", ["/proc/self/fd"])
            // The fourth is the directory that is listed.
            try requireEqual(run.output, "0\n1\n2\n3\n", "descriptors of the child")
        }
    }

    /// The port of a broker that goes down is bound anew, which fails while a child that is not yet another program holds a
    /// copy of the listener. librdkafka's mock then ends this process.
    @Test(.timeLimit(.minutes(15)))
    func `a broker goes down while a child is being started`() async throws {
        try await onThread {
            let directory = try DaemonDirectory()
            defer { directory.remove() }
            let fifo = "\(directory.path)/fifo"
            try require(mkfifo(fifo, 0o600) == 0, "no FIFO: \(errno)")
            let cluster = try MockCluster()
            Thread.start(name: "starts a child") {
                // Until somebody writes to it, what opens it is a child that has not closed anything yet.
                let child = try? ChildProcess("/bin/true", [], environment: [], input: .file(fifo))
                _ = child?.exitCode(timeout: .seconds(60))
            }
            Thread.start(name: "lets it go on") {
                usleep(600_000)
                let end = open(fifo, O_WRONLY | O_CLOEXEC)
                usleep(100_000)
                close(end)
            }
            usleep(300_000)
            try cluster.takeDown()
            try cluster.bringUp()
        }
    }
}
