import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import HTTPServer
import KafkaClient
import MockKafka

/// What all runs share: a broker with its topics, the daemon's program, who signed the sink's certificate.
final class Ground {
    let brokers: String
    let binary: String
    let certificates: Certificates
    let identity: TLSIdentity
    /// Where no broker was given.
    private let mock: MockCluster?
    private var groups = 0

    /// The mock keeps 5 MB of a partition.
    static let mockPartitions: Int32 = 64
    static let mockRecords = 300_000

    /// What the broker of the benchmarks needs of a client; with them a group is joined in three seconds.
    private static let kafka = ["session.timeout.ms: 6000", "heartbeat.interval.ms: 500", "fetch.wait.max.ms: 20"]
    /// What the publisher sends as.
    static let producer = [("compression.type", "lz4"), ("linger.ms", "50"), ("batch.num.messages", "2000")]

    /// - Parameter brokers: nil for a mock Kafka in this process.
    init(brokers: String?, binary: String) throws(HarnessFailure) {
        do throws(KafkaError) {
            mock = brokers == nil ? try MockCluster() : nil
            for topic in ["bench", "paced"] { try mock?.createTopic(topic, partitions: Ground.mockPartitions) }
        } catch {
            throw HarnessFailure("the mock Kafka does not start: \(error)")
        }
        self.brokers = brokers ?? mock?.bootstrapServers ?? ""
        self.binary = binary
        certificates = try Certificates()
        identity = try certificates.identity()
    }

    /// A group that nobody has read in.
    func nextGroup() -> String {
        groups += 1
        return "bench-\(getpid())-\(groups)"
    }

    /// Publishes the events of a shop, and says what should become of them.
    func publish(_ records: Int, to topic: String) throws(HarnessFailure) -> Expectation {
        let publisher = try Publisher(
            brokers: brokers, topic: topic, seed: 1, name: topic, properties: Ground.producer)
        try publisher.publish(records)
        return publisher.expectation
    }

    /// What the daemon of a run reads and where it sends it.
    /// - Parameter isIdle: nothing will come, and Kafka is asked as seldom as by default.
    func settings(topic: String, _ sink: FakeMicrosoftServer, isIdle: Bool = false) -> DaemonSettings {
        var settings = DaemonSettings(
            brokers: brokers, topic: topic, endpoint: sink.endpoint, authority: sink.authority)
        settings.kafka = ["group_id: \(nextGroup())", "properties:"]
        let properties = isIdle ? Ground.kafka.filter { $0.hasPrefix("session") } : Ground.kafka
        settings.kafka += properties.map { "  " + $0 }
        settings.other = ["http: {ca_file: \(certificates.authority)}", "log: {level: info}"]
        settings.hasOffline = false
        return settings
    }
}
