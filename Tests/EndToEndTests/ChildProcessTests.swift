import ForwarderHarness
import Glibc
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
}
