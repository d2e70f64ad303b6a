import KafkaClient
import MockKafka
import Testing

/// What the owner of a consumer is told when an answer is a refusal, or does not come.
struct FaultTests {
    private static let partition = TopicPartition("t", 0)
    private static let nowhere = TopicPartition("t", 99)

    private static func joined() throws -> (MockCluster, Member) {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 1)
        let member = try Member(cluster)
        try member.join(["t"], partitions: 1)
        return (cluster, member)
    }

    @Test(.timeLimit(.minutes(1)))
    func `committed offsets that are refused or do not come are errors, not the absence of offsets`() async throws {
        try await onThread {
            let (cluster, member) = try Self.joined()
            _ = try member.consumer.commit([OffsetToCommit(Self.partition, 7)], timeoutMilliseconds: 5000)
            func committed(_ timeout: Int32 = 5000) throws -> [PartitionResult] {
                try member.consumer.committed([Self.partition], timeoutMilliseconds: timeout)
            }
            cluster.failNext(.offsetFetch, [.groupAuthorizationFailed])
            let refused = #expect(throws: KafkaError.self) { try committed() }
            #expect(refused?.code == .groupAuthorizationFailed)
            #expect(refused?.isRetriable == false)
            try cluster.delayNext(.offsetFetch, broker: 1, milliseconds: 1000)
            let late = #expect(throws: KafkaError.self) { try committed(100) }
            #expect(late?.code == .timedOut)
            #expect(late?.isRetriable == true)
            #expect(try committed().map(\.offset) == [7])
            let unknown = try member.consumer.committed([Self.nowhere], timeoutMilliseconds: 5000)
            #expect(unknown.map(\.offset) == [nil])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `ends, times and topics that are refused or do not come are errors, in time`() async throws {
        try await onThread {
            let (cluster, member) = try Self.joined()
            try cluster.fill("t", partitions: 1, count: 3)
            func ends(_ partition: TopicPartition = Self.partition, _ timeout: Int32 = 5000) throws -> Watermarks {
                try member.consumer.queryWatermarks(partition, timeoutMilliseconds: timeout)
            }
            cluster.failNext(.listOffsets, [.topicAuthorizationFailed])
            let refused = #expect(throws: KafkaError.self) { try ends() }
            #expect(refused?.code == .topicAuthorizationFailed)
            let unknown = #expect(throws: KafkaError.self) { try ends(Self.nowhere) }
            #expect(unknown?.code == .unknownPartition)

            try cluster.takeDown()
            let start = ContinuousClock.now
            let questions: [() throws -> Void] = [
                { _ = try ends(Self.partition, 300) },
                { _ = try member.consumer.offsets(of: [Self.partition], since: 0, timeoutMilliseconds: 300) },
                { _ = try member.consumer.metadata(topics: ["t"], timeoutMilliseconds: 300) },
                { _ = try member.consumer.committed([Self.partition], timeoutMilliseconds: 300) },
            ]
            for question in questions {
                let error = #expect(throws: KafkaError.self) { try question() }
                #expect(error?.isRetriable == true, "\(String(describing: error))")
            }
            #expect(ContinuousClock.now - start < .seconds(10))

            try cluster.bringUp()
            try member.run("three records") { member.records.count == 3 }
            let marks = try ends()
            #expect((marks.low, marks.high) == (0, 3))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a pause or resume of a topic that is unknown is told for it alone`() async throws {
        try await onThread {
            let (_, member) = try Self.joined()
            let both = [Self.partition, TopicPartition("other", 0)]
            for results in [try member.consumer.pause(both), try member.consumer.resume(both)] {
                #expect(results.map(\.partition) == [both[1]])
                #expect(results.map(\.error?.code) == [.unknownPartition])
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `after a fatal error a commit and a subscription say so`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let member = try Member(cluster, [("group.instance.id", "one")])
            try member.join(["t"], partitions: 1)
            // The instance is fenced: somebody else has its name.
            cluster.failNext(.heartbeat, [KafkaError.Code(rawValue: 82)])
            try member.run("a fatal error") {
                member.events.contains { if case .error(let error) = $0 { error.isFatal } else { false } }
            }
            let results = try member.consumer.commit([OffsetToCommit(Self.partition, 1)], timeoutMilliseconds: 1000)
            #expect(results.map(\.error?.code) == [.fatal])
            let error = #expect(throws: KafkaError.self) { try member.consumer.subscribe(["t"]) }
            #expect(error?.code == .fatal)
        }
    }
}
