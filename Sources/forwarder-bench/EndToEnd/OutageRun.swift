import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc

/// Nobody answers: a whole topic goes into the queue. Then somebody does: the queue is drained. Each delivery counts as an
/// event.
struct OutageRun {
    struct Report {
        var into = Figures()
        var out = Figures()
        /// From the start of the process until it is at work, in milliseconds, with nothing in its queue and with all that.
        var emptyStart = 0.0
        var fullStart = 0.0
        /// How large the store is for each delivery in it.
        var bytesEach = 0.0
    }

    var ground: Ground
    var topic: String
    var expectation: Expectation

    private var deliveries: Int { expectation.capi.count }

    func run() throws(HarnessFailure) -> Report {
        var report = Report()
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        // A port that is free, and will be there when it is wanted.
        let sink = try Microsoft.start(mode: .sink(), tls: ground.identity)
        let port = sink.port
        try ground.settings(topic: topic, sink).write(to: directory)
        sink.stop()
        try fill(directory, &report)
        try drain(directory, port, &report)
        return report
    }

    private func fill(_ directory: DaemonDirectory, _ report: inout Report) throws(HarnessFailure) {
        let daemon = try start(directory, took: &report.emptyStart)
        try daemon.waitUntilReading()
        let began = SystemClock.now.uptime
        try daemon.wait(.seconds(600), for: "everything to be in the queue") { status in
            let partitions = status["assignments"]?.elements ?? []
            let pending = status["destinations"]?.elements?.first?["pending"]?.integer ?? 0
            return partitions.allSatisfy { $0["lag"]?.integer == 0 } && pending == Int64(deliveries)
        }
        report.into.eventsPerSecond =
            Double(deliveries) * 1000 / Double((SystemClock.now.uptime - began).milliseconds)
        try daemon.stop()
        try requireBalance(directory)
        report.into.take(daemon.usage, events: deliveries)
        var file = stat()
        if stat("\(directory.state)/store.sqlite", &file) == 0 {
            report.bytesEach = Double(file.st_size) / Double(deliveries)
        }
    }

    private func drain(
        _ directory: DaemonDirectory, _ port: UInt16, _ report: inout Report
    ) throws(HarnessFailure) {
        let sink = try Microsoft.start(mode: .sink(), port: port, tls: ground.identity)
        defer { sink.stop() }
        let daemon = try start(directory, took: &report.fullStart)
        let wanted = SinkExpectation(expectation, tags: [Microsoft.tag])
        let seconds = try wanted.seconds(sink, of: "draining") { daemon.exitCode(timeout: .zero) }
        report.out.eventsPerSecond = Double(deliveries) / seconds
        try daemon.waitUntilSettled()
        try daemon.stop()
        try wanted.check(sink, of: "draining")
        try wanted.check(booksOf: directory)
        report.out.take(daemon.usage, events: deliveries)
    }

    private func start(
        _ directory: DaemonDirectory, took milliseconds: inout Double
    ) throws(HarnessFailure) -> DaemonProcess {
        let before = directory.logLines("daemon.became_ready").count
        let began = SystemClock.now.uptime
        let daemon = try DaemonProcess(ground.binary, directory, isBound: true)
        while directory.logLines("daemon.became_ready").count == before {
            guard daemon.exitCode(timeout: .zero) == nil, SystemClock.now.uptime - began < .seconds(60) else {
                throw HarnessFailure("the daemon does not start; log: \(directory.log)")
            }
            usleep(1000)
        }
        milliseconds = Double((SystemClock.now.uptime - began).milliseconds)
        return daemon
    }
}
