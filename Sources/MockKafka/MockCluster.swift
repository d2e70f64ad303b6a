import CRdKafka
import KafkaClient
import Synchronization

/// A Kafka in this process, which clients reach over loopback: groups, commits and rebalances work, and it fails on
/// request. For the demo, benchmarks and tests.
///
/// Mind: it keeps about 5 MB of each partition and drops older records without a word (which does make positions go out
/// of range), and the first member of a group waits three seconds to be let in.
///
/// Every method may be called from any thread.
public final class MockCluster: @unchecked Sendable {
    // @unchecked: the three members never change, and every rd_kafka_mock_* function either takes the cluster's own lock
    // or posts an operation to the cluster's thread and waits for it.
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    /// For the property of the same name.
    public let bootstrapServers: String

    /// The broker ids are 1...`brokers`.
    public init(brokers: Int32 = 1) throws(KafkaError) {
        let configuration = ClientConfiguration()
        // The client only carries the cluster and has nothing to tell.
        rd_kafka_conf_set_log_cb(configuration.raw, nil)
        let client = try configuration.makeClient(RD_KAFKA_PRODUCER)
        guard let cluster = rd_kafka_mock_cluster_new(client, brokers),
            let servers = rd_kafka_mock_cluster_bootstraps(cluster)
        else {
            rd_kafka_destroy(client)
            throw KafkaError(.invalidArgument, "starting a mock Kafka cluster of \(brokers) brokers")
        }
        self.client = client
        self.cluster = cluster
        bootstrapServers = String(cString: servers)
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    /// Without this a topic comes to life, with four partitions, when something is produced to it.
    public func createTopic(_ name: String, partitions: Int32) throws(KafkaError) {
        try check(rd_kafka_mock_topic_create(cluster, name, partitions, 1), "creating topic \(name)")
    }

    // MARK: Faults

    /// The next requests of this kind, to whichever broker, fail with `codes`, one each; `transport` cuts the connection
    /// and `noError` lets one pass.
    public func failNext(_ request: Request, _ codes: [KafkaError.Code]) {
        let errors = codes.map(\.raw)
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
    }

    /// The next request of this kind to `broker` is answered, with `code`, after `milliseconds` more than usual.
    public func delayNext(
        _ request: Request, broker: Int32, milliseconds: Int32, _ code: KafkaError.Code = .noError
    ) throws(KafkaError) {
        try check(
            forwarder_mock_push_error_rtt(cluster, broker, request.rawValue, code.raw, milliseconds),
            "delaying a request to broker \(broker)")
    }

    /// Forgets what is left of `failNext` for this kind of request.
    public func stopFailing(_ request: Request) {
        rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
    }

    /// Cuts all connections of a broker, or of all, and takes no new ones.
    public func takeDown(broker: Int32? = nil) throws(KafkaError) {
        let code = MockCluster.goingDown.withLock { _ in rd_kafka_mock_broker_set_down(cluster, broker ?? -1) }
        try check(code, "taking a broker down")
    }

    /// Runs `body`, which starts a child process, while no broker is being taken down.
    ///
    /// The listener of a broker that goes down is closed and its port bound anew. Until a child is another program it holds a
    /// copy of the listener; the port is then taken, and librdkafka ends the process over that (2.0.2, rdkafka_mock.c).
    public static func whileNoneGoesDown<Result>(_ body: () -> Result) -> Result {
        goingDown.withLock { _ in body() }
    }

    private static let goingDown = Mutex(())

    public func bringUp(broker: Int32? = nil) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_up(cluster, broker ?? -1), "bringing a broker up")
    }

    /// How long a broker, or every one, takes over each answer.
    public func setRoundTrip(milliseconds: Int32, broker: Int32? = nil) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_rtt(cluster, broker ?? -1, milliseconds), "setting a round-trip time")
    }

    /// Moves a partition to `broker`; nil leaves it without a leader.
    public func setLeader(_ partition: TopicPartition, broker: Int32?) throws(KafkaError) {
        try check(
            rd_kafka_mock_partition_set_leader(cluster, partition.topic, partition.partition, broker ?? -1),
            "moving \(partition)")
    }

    /// Moves a group to `broker`, which need not exist.
    public func setCoordinator(group: String, broker: Int32) throws(KafkaError) {
        try check(rd_kafka_mock_coordinator_set(cluster, "group", group, broker), "moving group \(group)")
    }

    /// What metadata says of a topic from now on; `noError` mends it.
    public func setTopicError(_ topic: String, _ code: KafkaError.Code) {
        rd_kafka_mock_topic_set_error(cluster, topic, code.raw)
    }

    private func check(_ code: rd_kafka_resp_err_t, _ action: String) throws(KafkaError) {
        if let error = KafkaError(code, while: action) { throw error }
    }

    /// A kind of request, by its number in Kafka's protocol.
    public struct Request: RawRepresentable, Hashable, Sendable {
        public var rawValue: Int16

        public init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        public static let produce = Request(rawValue: 0)
        public static let fetch = Request(rawValue: 1)
        public static let listOffsets = Request(rawValue: 2)
        public static let metadata = Request(rawValue: 3)
        public static let offsetCommit = Request(rawValue: 8)
        public static let offsetFetch = Request(rawValue: 9)
        public static let findCoordinator = Request(rawValue: 10)
        public static let joinGroup = Request(rawValue: 11)
        public static let heartbeat = Request(rawValue: 12)
        public static let leaveGroup = Request(rawValue: 13)
        public static let syncGroup = Request(rawValue: 14)
    }
}
