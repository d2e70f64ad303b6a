import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc

/// A program that empties a topic into the sink: the daemon, or somebody else's.
struct Contestant {
    enum Program {
        /// The daemon with `copies` CAPI destinations and, if asked for, offline conversions.
        case forwarder(copies: Int = 1, hasOffline: Bool = false, concurrency: Int? = nil)
        /// Started with its place, topic and sink in the environment (`BENCH_…`); runs until SIGTERM.
        case command(String, environment: [String] = [])
    }

    /// What the sink has of a topic in the end.
    enum Work: String {
        /// Entries as Microsoft takes them.
        case mapped = "capi"
        /// Of the records those that name an event id, as they are.
        case raw
        /// Of these the ones that are JSON.
        case objects
    }

    var name: String
    var program: Program
    var work = Work.mapped
    var isSecure = false
    /// How long the sink takes for each answer.
    var delay = Duration.zero

    /// Empties the topic once. Throws if the sink does not have exactly what it should have in the end.
    /// - Parameter onBody: gets every body that the sink is sent.
    func run(
        _ ground: Ground, topic: String, _ expectation: Expectation, onBody: (@Sendable ([UInt8]) -> Void)? = nil
    ) throws(HarnessFailure) -> Figures {
        let sink = try Microsoft.start(
            mode: .sink(SinkSettings(delay: delay, onBody: onBody)), tls: isSecure ? ground.identity : nil)
        defer { sink.stop() }
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        switch program {
        case .forwarder(let copies, let hasOffline, let concurrency):
            var settings = ground.settings(topic: topic, sink)
            settings.hasOffline = hasOffline
            if let concurrency { settings.capi = ["concurrency: \(concurrency)"] }
            settings.more = (1..<max(copies, 1)).flatMap { copy in
                [
                    "  - {name: capi\(copy), type: capi, endpoint: \"\(sink.endpoint)\", uet_tag_id: \"\(copy)\",",
                    "     token: {file: \(directory.path)/capi-token}}",
                ]
            }
            try settings.write(to: directory)
            let tags = [Microsoft.tag] + (1..<max(copies, 1)).map { "\($0)" }
            let wanted = SinkExpectation(expectation, tags: tags, hasOffline: hasOffline)
            return try runDaemon(ground, in: directory, sink, wanted, records: expectation.records)
        case .command(let path, let environment):
            let places = [
                "BENCH_BROKERS=\(ground.brokers)", "BENCH_TOPIC=\(topic)", "BENCH_GROUP=\(ground.nextGroup())",
                "BENCH_URL=\(sink.endpoint)", "BENCH_CA=\(ground.certificates.authority)",
                "BENCH_WORK=\(directory.path)",
            ]
            // Bound to this process: nothing goes on where the benchmark is broken off.
            let process = try ChildProcess(
                "/usr/bin/setpriv", ["--pdeathsig", "KILL", path],
                environment: DaemonProcess.environment + environment + places,
                output: .file("\(directory.path)/out"))
            return try run(process, sink, SinkExpectation(expectation, work), records: expectation.records)
        }
    }

    private func runDaemon(
        _ ground: Ground, in directory: DaemonDirectory, _ sink: FakeMicrosoftServer, _ wanted: SinkExpectation,
        records: Int
    ) throws(HarnessFailure) -> Figures {
        var figures = Figures()
        let daemon = try DaemonProcess(ground.binary, directory, isBound: true)
        figures.eventsPerSecond =
            Double(records) / (try wanted.seconds(sink, of: name) { daemon.exitCode(timeout: .zero) })
        try daemon.waitUntilSettled()
        try daemon.stop()
        try wanted.check(sink, of: name)
        try wanted.check(booksOf: directory)
        figures.take(daemon.usage, events: records)
        return figures
    }

    private func run(
        _ process: ChildProcess, _ sink: FakeMicrosoftServer, _ wanted: SinkExpectation, records: Int
    ) throws(HarnessFailure) -> Figures {
        var figures = Figures()
        // Also one that failed is gone before the next one starts.
        defer {
            process.send(SIGKILL)
            _ = process.exitCode(timeout: .seconds(10))
        }
        figures.eventsPerSecond =
            Double(records) / (try wanted.seconds(sink, of: name) { process.exitCode(timeout: .zero) })
        process.send(SIGTERM)
        guard let code = process.exitCode(timeout: .seconds(40)), code == 0 else {
            throw HarnessFailure("\(name) does not end in order when it is asked to")
        }
        // Whoever repeats does so at the end.
        try wanted.check(sink, of: name)
        figures.take(process.usage, events: records)
        return figures
    }
}
