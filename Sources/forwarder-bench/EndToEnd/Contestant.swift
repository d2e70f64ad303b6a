import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc

/// A program that empties a topic into the sink: the daemon, or somebody else's.
struct Contestant {
    enum Program {
        /// The daemon with `copies` CAPI destinations and, if asked for, offline conversions.
        case forwarder(copies: Int = 1, hasOffline: Bool = false)
        /// Started with its place, topic and sink in the environment (`BENCH_…`); runs until SIGTERM.
        case command(String, environment: [String] = [])
    }

    /// What the sink has of a topic in the end.
    enum Work: String {
        /// Entries as Microsoft takes them.
        case mapped = "capi"
        /// Records as they are.
        case raw
        /// Of the records those that are JSON objects.
        case objects
    }

    var name: String
    var program: Program
    var work = Work.mapped
    var isSecure = false
    /// How long the sink takes for each answer.
    var delay = Duration.zero

    func expected(_ expectation: Expectation) -> Int {
        switch (program, work) {
        case (.forwarder(let copies, let hasOffline), _):
            expectation.capi.count * copies + (hasOffline ? expectation.offline : 0)
        case (.command, .mapped): expectation.capi.count
        case (.command, .raw): expectation.named
        case (.command, .objects): expectation.objects
        }
    }

    /// Empties the topic once. Throws if the sink does not have exactly what it should have in the end.
    /// - Parameter onBody: gets every body that the sink is sent.
    func run(
        _ ground: Ground, topic: String, _ expectation: Expectation, onBody: (@Sendable ([UInt8]) -> Void)? = nil
    ) throws(HarnessFailure) -> Figures {
        let sink = try Microsoft.start(
            mode: .sink(SinkSettings(delay: delay, onBody: onBody)), tls: isSecure ? ground.identity : nil)
        defer { sink.stop() }
        let before = ChildTimes.now
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        var figures: Figures
        switch program {
        case .forwarder(let copies, let hasOffline):
            var settings = ground.settings(topic: topic, sink)
            settings.hasOffline = hasOffline
            settings.more = (1..<max(copies, 1)).flatMap { copy in
                [
                    "  - {name: capi\(copy), type: capi, endpoint: \"\(sink.endpoint)\", uet_tag_id: \"\(copy)\",",
                    "     token: {file: \(directory.path)/capi-token}}",
                ]
            }
            try settings.write(to: directory)
            figures = try runDaemon(ground, in: directory, sink, expectation)
        case .command(let path, let environment):
            let places = [
                "BENCH_BROKERS=\(ground.brokers)", "BENCH_TOPIC=\(topic)", "BENCH_GROUP=\(ground.nextGroup())",
                "BENCH_URL=\(sink.endpoint)", "BENCH_CA=\(ground.certificates.authority)",
            ]
            let process = try ChildProcess(
                path, [], environment: DaemonProcess.environment + environment + places,
                output: .file("\(directory.path)/out"))
            figures = try run(process, sink, expectation)
        }
        // Whoever repeats does so at the end.
        let count = sink.sinkCounts.events
        guard count == expected(expectation) else {
            throw HarnessFailure("\(name): \(count) events arrived instead of \(expected(expectation))")
        }
        figures.takeTimes(since: before, records: expectation.records)
        return figures
    }

    private func runDaemon(
        _ ground: Ground, in directory: DaemonDirectory, _ sink: FakeMicrosoftServer, _ expectation: Expectation
    ) throws(HarnessFailure) -> Figures {
        var figures = Figures()
        let daemon = try DaemonProcess(ground.binary, directory)
        try figures.watch(sink, expectation, self) { daemon.exitCode(timeout: .zero) }
        try daemon.waitUntilSettled()
        figures.note(ProcessUsage(daemon.id))
        try daemon.stop()
        try requireBalance(directory)
        return figures
    }

    private func run(
        _ process: ChildProcess, _ sink: FakeMicrosoftServer, _ expectation: Expectation
    ) throws(HarnessFailure) -> Figures {
        var figures = Figures()
        // Also one that failed is gone, and its time taken, before the next one starts.
        defer {
            process.send(SIGKILL)
            _ = process.exitCode(timeout: .seconds(10))
        }
        try figures.watch(sink, expectation, self) { process.exitCode(timeout: .zero) }
        figures.note(ProcessUsage(process.id))
        process.send(SIGTERM)
        guard process.exitCode(timeout: .seconds(20)) != nil else {
            throw HarnessFailure("\(name) does not end when it is asked to")
        }
        return figures
    }
}

/// The daemon's own books must be even in all that it said.
func requireBalance(_ directory: DaemonDirectory) throws(HarnessFailure) {
    let lines = directory.logLines("metrics")
    guard !lines.isEmpty, lines.allSatisfy({ $0["unaccounted"]?.integer == 0 }) else {
        throw HarnessFailure("the daemon's books do not balance; log: \(directory.log)")
    }
}

extension Figures {
    /// Waits until the sink has everything, and takes the time from the first event to the last.
    mutating func watch(
        _ sink: FakeMicrosoftServer, _ expectation: Expectation, _ contestant: Contestant,
        hasEnded: () -> Int32?
    ) throws(HarnessFailure) {
        let expected = contestant.expected(expectation)
        var began: Uptime?
        var last = 0
        var lastMoved = SystemClock.now.uptime
        while true {
            let count = sink.sinkCounts.events
            let now = SystemClock.now.uptime
            if count > 0, began == nil { began = now }
            if count != last { (last, lastMoved) = (count, now) }
            if let began, count >= expected {
                recordsPerSecond = Double(expectation.records) * 1000 / Double(max(1, (now - began).milliseconds))
                return
            }
            if let code = hasEnded() { throw HarnessFailure("\(contestant.name) ended with exit code \(code)") }
            guard now - lastMoved < .seconds(60) else {
                throw HarnessFailure(
                    "\(contestant.name): \(count) of \(expected) events arrived, and then none for a minute")
            }
            usleep(2000)
        }
    }

    mutating func note(_ usage: ProcessUsage) {
        peakMebibytes = Double(usage.peakKilobytes) / 1024
        writtenMebibytes = Double(usage.writtenBytes) / Double(1 << 20)
    }

    /// The process has ended.
    mutating func takeTimes(since before: ChildTimes, records: Int) {
        let now = ChildTimes.now
        user = (now.user - before.user) * 1e6 / Double(records)
        system = (now.system - before.system) * 1e6 / Double(records)
    }
}
