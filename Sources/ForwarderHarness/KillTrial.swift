import FakeMicrosoft
import Forwarder
import ForwarderCore
import Glibc

/// Publishes, runs the daemon, kills it in the middle, runs it again, and looks whether Microsoft has everything.
public struct KillTrial {
    public struct Report: Sendable {
        public var records = 0
        public var differences: [String] = []
        public var unaccounted = 0
        public var repeats = 0
        public var accepted = 0
        public var acceptedOffline = 0
        public var secondsPublishing = 0.0
        public var secondsAfterKill = 0.0

        public var isGood: Bool { differences.isEmpty && unaccounted == 0 }
    }

    public var binary: String
    public var brokers: String
    public var topic: String
    public var records: Int
    /// Records a second; nil: as fast as it goes.
    public var rate: Int?
    public var seed: UInt64
    public var plan = FaultPlan.none
    /// Share of the records after whose publication the daemon is killed; nil: it is not.
    public var killAt: Double? = 0.5
    public var producer: [(name: String, value: String)] = []
    public var kafka: [String] = []
    public var destination = ["retry: {cap: 5s}"]
    public var settleTimeout = Duration.seconds(120)
    public var keepsDirectory = false

    public init(binary: String, brokers: String, topic: String, records: Int, seed: UInt64) {
        self.binary = binary
        self.brokers = brokers
        self.topic = topic
        self.records = records
        self.seed = seed
    }

    public func run(say: (String) -> Void = { _ in }) throws(HarnessFailure) -> Report {
        let directory = try DaemonDirectory()
        say("directory: \(directory.path)")
        let microsoft = try Microsoft.start(plan: plan, seed: seed)
        defer { microsoft.stop() }
        var settings = DaemonSettings(
            brokers: brokers, topic: topic, endpoint: microsoft.endpoint, authority: microsoft.authority)
        settings.kafka = kafka
        settings.capi = destination
        settings.offline = destination
        try settings.write(to: directory)
        var daemon = try DaemonProcess(binary, directory)
        try daemon.waitUntilReading()

        var report = Report()
        let publisher = try Publisher(
            brokers: brokers, topic: topic, seed: seed, name: "trial\(seed)", properties: producer)
        let began = SystemClock.now.uptime
        var killPoint = killAt.map { Int(Double(records) * $0) } ?? .max
        try publisher.publish(records, rate: rate) { (done) throws(HarnessFailure) in
            guard done >= killPoint else { return }
            killPoint = .max
            say("killing the daemon after \(done) records")
            daemon.kill()
            daemon = try DaemonProcess(binary, directory)
        }
        report.secondsPublishing = Double((SystemClock.now.uptime - began).milliseconds) / 1000
        say("published \(publisher.expectation.records) records in \(report.secondsPublishing) seconds")
        try daemon.waitUntilReading(.seconds(60))
        try daemon.waitUntilSettled(settleTimeout)
        report.secondsAfterKill = Double((SystemClock.now.uptime - began).milliseconds) / 1000
        try daemon.stop()

        report.records = publisher.expectation.records
        report.differences = publisher.expectation.differences(microsoft)
        report.unaccounted = directory.logLines("metrics").reduce(0) { $0 + Int($1["unaccounted"]?.integer ?? 1) }
        (report.accepted, report.repeats, report.acceptedOffline) = microsoft.withModel { model in
            let capi = model.books(of: Microsoft.capi)
            return (
                capi?.accepted ?? 0, capi?.duplicates ?? 0, model.books(of: Microsoft.offline)?.accepted ?? 0
            )
        }
        if report.isGood, !keepsDirectory { directory.remove() } else { say("left behind: \(directory.path)") }
        return report
    }
}
