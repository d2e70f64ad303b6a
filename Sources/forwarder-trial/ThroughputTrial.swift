import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import KafkaClient
import MockKafka

/// How fast the real daemon empties a topic into a Microsoft that only reads and counts.
///
/// Everything is published first. The records wait in a mock Kafka, which keeps 5 MB of a partition, so there are many
/// partitions; or in a broker that was started beforehand.
struct ThroughputTrial {
    var binary: String
    /// nil: a mock Kafka in this process.
    var brokers: String?
    var topic: String
    var records: Int
    var hasOffline = false
    var seed: UInt64
    var properties: [String] = []
    var producer: [(name: String, value: String)] = []
    /// Events for the delivery log, as a list of the configuration; nil: those of the default.
    var logged: String?

    struct Report {
        var records = 0
        var seconds = 0.0
        var userMicroseconds = 0.0
        var systemMicroseconds = 0.0
        var peakMegabytes = 0
        var unaccounted = 0
        var logKilobytes = 0
    }

    private static let mockPartitions: Int32 = 64

    func run() throws -> Report {
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        let microsoft = try Microsoft.start(mode: .sink())
        defer { microsoft.stop() }
        let mock = try brokers == nil ? MockCluster() : nil
        try mock?.createTopic(topic, partitions: ThroughputTrial.mockPartitions)
        guard let servers = brokers ?? mock?.bootstrapServers else { return Report() }
        let publisher = try Publisher(
            brokers: servers, topic: topic, seed: seed, name: "bench",
            properties: [("compression.type", "lz4"), ("linger.ms", "50"), ("batch.num.messages", "2000")] + producer)
        try publisher.publish(records)

        var settings = DaemonSettings(
            brokers: servers, topic: topic, endpoint: microsoft.endpoint, authority: microsoft.authority)
        settings.hasOffline = hasOffline
        if !properties.isEmpty { settings.kafka = ["properties:"] + properties.map { "  " + $0 } }
        if let logged { settings.capi = ["delivery_log: {events: \(logged)}"] }
        try settings.write(to: directory)
        let expected = publisher.expectation.capi.count + (hasOffline ? publisher.expectation.offline : 0)
        let daemon = try DaemonProcess(binary, directory)
        var report = try measure(daemon, microsoft, expected: expected)
        report.records = records
        try daemon.stop()
        report.logKilobytes = directory.logBytes().count / 1000
        report.unaccounted = directory.logLines("metrics").reduce(0) { $0 + Int($1["unaccounted"]?.integer ?? 1) }
        return report
    }

    private func measure(
        _ daemon: DaemonProcess, _ microsoft: FakeMicrosoftServer, expected: Int
    ) throws(HarnessFailure) -> Report {
        var report = Report()
        var began: Uptime?
        var last = 0
        var lastMoved = SystemClock.now.uptime
        while true {
            let count = microsoft.sinkCounts.events
            let now = SystemClock.now.uptime
            if count > 0, began == nil { began = now }
            if count != last {
                last = count
                lastMoved = now
            }
            if count >= expected {
                report.seconds = Double((now - (began ?? now)).milliseconds) / 1000
                break
            }
            guard now - lastMoved < .seconds(30) else {
                throw HarnessFailure("\(count) of \(expected) events arrived, and no more for 30 seconds")
            }
            usleep(5000)
        }
        let usage = ProcessUsage(daemon.id)
        report.userMicroseconds = usage.userSeconds * 1e6 / Double(records)
        report.systemMicroseconds = usage.systemSeconds * 1e6 / Double(records)
        report.peakMegabytes = usage.peakKilobytes / 1024
        return report
    }
}
