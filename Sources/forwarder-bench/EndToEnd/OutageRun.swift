import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc

/// Nobody answers: a whole topic goes into the queue. Then somebody does: the queue is drained.
struct OutageRun {
    struct Report {
        var into = Figures()
        var out = Figures()
        /// From the start of the process until it is at work, with nothing in its queue and with all that.
        var emptyStart = 0.0
        /// How large the store is for each delivery in it.
        var bytesEach = 0.0
        var fullStart = 0.0
    }

    var ground: Ground
    var topic: String
    var expectation: Expectation

    func run() throws(HarnessFailure) -> Report {
        var report = Report()
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        // A port that is free, and will be there when it is wanted.
        let sink = try Microsoft.start(mode: .sink())
        let port = sink.port
        try ground.settings(topic: topic, sink).write(to: directory)
        sink.stop()
        try fill(directory, &report)
        try drain(directory, port, &report)
        return report
    }

    private func fill(_ directory: DaemonDirectory, _ report: inout Report) throws(HarnessFailure) {
        let before = ChildTimes.now
        let daemon = try start(directory, took: &report.emptyStart)
        try daemon.waitUntilReading()
        let began = SystemClock.now.uptime
        try daemon.wait(.seconds(600), for: "everything to be in the queue") { status in
            let partitions = status["assignments"]?.elements ?? []
            let pending = status["destinations"]?.elements?.first?["pending"]?.integer ?? 0
            return partitions.allSatisfy { $0["lag"]?.integer == 0 } && pending == Int64(expectation.capi.count)
        }
        let seconds = Double((SystemClock.now.uptime - began).milliseconds) / 1000
        report.into.recordsPerSecond = Double(expectation.records) / seconds
        report.into.note(ProcessUsage(daemon.id))
        try daemon.stop()
        try requireBalance(directory)
        report.into.takeTimes(since: before, records: expectation.records)
        var file = stat()
        if stat("\(directory.state)/store.sqlite", &file) == 0 {
            report.bytesEach = Double(file.st_size) / Double(expectation.capi.count)
        }
    }

    private func drain(
        _ directory: DaemonDirectory, _ port: UInt16, _ report: inout Report
    ) throws(HarnessFailure) {
        let before = ChildTimes.now
        let sink = try Microsoft.start(mode: .sink(), port: port)
        defer { sink.stop() }
        let daemon = try start(directory, took: &report.fullStart)
        let contestant = Contestant(name: "draining", program: .forwarder())
        try report.out.watch(sink, expectation, contestant) { daemon.exitCode(timeout: .zero) }
        try daemon.waitUntilSettled()
        report.out.note(ProcessUsage(daemon.id))
        try daemon.stop()
        try requireBalance(directory)
        guard sink.sinkCounts.events == expectation.capi.count else {
            throw HarnessFailure("draining: \(sink.sinkCounts.events) arrived of \(expectation.capi.count)")
        }
        report.out.takeTimes(since: before, records: expectation.capi.count)
    }

    private func start(
        _ directory: DaemonDirectory, took milliseconds: inout Double
    ) throws(HarnessFailure) -> DaemonProcess {
        let before = directory.logLines("daemon.became_ready").count
        let began = SystemClock.now.uptime
        let daemon = try DaemonProcess(ground.binary, directory)
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
