import KafkaClient
import MockKafka
import Testing

struct ErrorTests {
    static let partition = TopicPartition("t", 0)
    static let invalidTopic = KafkaError.Code(rawValue: 17)

    @Test(.timeLimit(.minutes(1)))
    func `an error is put down to its partition, and one of a whole topic is not put down to partition 0`() async throws
    {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let member = try Member(cluster, [("topic.metadata.refresh.interval.ms", "100")])
            /// Of the errors whose text begins so, to which partitions they are put down.
            func partitions(_ prefix: String) -> Set<TopicPartition?> {
                var result: Set<TopicPartition?> = []
                for event in member.events {
                    switch event {
                    case .partitionError(let partition, _, let error) where error.text.hasPrefix(prefix):
                        result.insert(partition)
                    case .error(let error) where error.text.hasPrefix(prefix):
                        result.insert(nil)
                    default:
                        break
                    }
                }
                return result
            }
            // The beginning has to be asked for.
            cluster.failNext(.listOffsets, [.topicAuthorizationFailed])
            try member.join(["t"], partitions: 1)
            try member.run("a failed look-up") { !partitions("Failed to query logical offset").isEmpty }
            #expect(partitions("Failed to query logical offset") == [Self.partition])

            cluster.setTopicError("t", Self.invalidTopic)
            try member.run("a vanished partition") { !partitions("t [0]: ").isEmpty }
            #expect(partitions("t [0]: ") == [Self.partition])
            try member.run("a vanished topic") { !partitions("Subscribed topic not available: t").isEmpty }
            #expect(partitions("Subscribed topic not available: t") == [nil])
        }
    }

    /// Before 2.1.0 librdkafka never ends such a client: see `close`.
    @Test(.timeLimit(.minutes(1)))
    func `a topic that has vanished does not keep a consumer from closing`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let member = try Member(cluster, [("topic.metadata.refresh.interval.ms", "100")])
            try member.join(["t"], partitions: 1)
            cluster.setTopicError("t", Self.invalidTopic)
            try member.run("a vanished partition") {
                member.events.contains { if case .partitionError = $0 { true } else { false } }
            }
            let start = ContinuousClock.now
            let isClosed = member.consumer.close(timeoutMilliseconds: 2000) { _ in }
            #expect(isClosed == (KafkaConsumer.libraryVersion >= 0x0201_0000))
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }
}
