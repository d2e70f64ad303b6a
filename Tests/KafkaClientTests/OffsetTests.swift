import KafkaClient
import MockKafka
import Testing

struct OffsetTests {
    static let partition = TopicPartition("t", 0)

    @Test(.timeLimit(.minutes(1)))
    func `what is committed is read back, with its metadata`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 3)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 3)
            let partitions = (0..<3).map { TopicPartition("t", $0) }
            let written = try member.consumer.commit(
                [
                    OffsetToCommit(partitions[0], 7, metadata: "marker ü"), OffsetToCommit(partitions[1], 0),
                ], timeoutMilliseconds: 5000)
            #expect(written.map(\.error) == [nil, nil])
            #expect(written.map(\.offset) == [7, 0])
            let read = try member.consumer.committed(partitions, timeoutMilliseconds: 5000)
            #expect(read.map(\.partition) == partitions)
            #expect(read.map(\.offset) == [7, 0, nil])
            #expect(read.map(\.metadata) == ["marker ü", nil, nil])
            #expect(read.allSatisfy { $0.error == nil })
            #expect(try member.consumer.commit([], timeoutMilliseconds: 5000) == [])

            // Somebody who only looks need not join.
            let onlooker = try Member(cluster)
            #expect(try onlooker.consumer.committed(partitions, timeoutMilliseconds: 5000) == read)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the result of every commit is told, refusals included`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 1)
            func results() -> [[PartitionResult]] {
                member.events.compactMap { if case .committed(let results) = $0 { results } else { nil } }
            }
            try member.consumer.startCommit([OffsetToCommit(Self.partition, 1)])
            try member.run("the first result") { results().count == 1 }
            #expect(results()[0].map(\.error) == [nil])
            #expect(results()[0].map(\.offset) == [1])

            cluster.failNext(.offsetCommit, [.groupAuthorizationFailed])
            try member.consumer.startCommit([OffsetToCommit(Self.partition, 2)])
            try member.run("the second result") { results().count == 2 }
            #expect(results()[1].map(\.error?.code) == [.groupAuthorizationFailed])
            #expect(results()[1].map(\.error?.isRetriable) == [false])

            cluster.failNext(.offsetCommit, [.groupAuthorizationFailed])
            let refused = try member.consumer.commit([OffsetToCommit(Self.partition, 3)], timeoutMilliseconds: 5000)
            #expect(refused.map(\.error?.code) == [.groupAuthorizationFailed])
            #expect(
                try member.consumer.committed([Self.partition], timeoutMilliseconds: 5000).map(\.offset) == [1])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a commit without an answer ends in time`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 1)
            try cluster.delayNext(.offsetCommit, broker: 1, milliseconds: 1000)
            let start = ContinuousClock.now
            let error = #expect(throws: KafkaError.self) {
                try member.consumer.commit([OffsetToCommit(Self.partition, 1)], timeoutMilliseconds: 200)
            }
            #expect(error?.code == .timedOut)
            #expect(error?.isRetriable == true)
            #expect(ContinuousClock.now - start < .seconds(1))
            // The answer that comes after all goes nowhere.
            try member.idle(milliseconds: 1200)
            #expect(try member.consumer.committed([Self.partition], timeoutMilliseconds: 5000).map(\.offset) == [1])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a position that cannot be used is told, and reading goes on after a seek`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 2)
            try cluster.fill("t", partitions: 2, count: 10)
            let nowhere = TopicPartition("t", 1)
            let member = try Member(cluster)
            member.start = { $0 == nowhere ? .committed : .offset(1000) }
            try member.join(["t"], partitions: 2)
            func lost() -> [TopicPartition: KafkaPosition] {
                var result: [TopicPartition: KafkaPosition] = [:]
                for case .positionLost(let partition, let asked, let error) in member.events {
                    result[partition] = asked
                    #expect(error.code == .autoOffsetReset && !error.isFatal)
                }
                return result
            }
            try member.run("two lost positions") { lost().count == 2 }
            #expect(lost() == [Self.partition: .offset(1000), nowhere: .committed])
            #expect(member.records.isEmpty)

            try member.consumer.seek(Self.partition, to: .beginning)
            try member.consumer.seek(nowhere, to: .offset(8))
            try member.run("12 records") { member.records.count >= 12 }
            #expect(member.offsets(Self.partition) == Array(0..<10))
            #expect(member.offsets(nowhere) == [8, 9])

            // In a partition that is being read a seek does the same.
            member.records = []
            try member.consumer.seek(Self.partition, to: .offset(5))
            try member.run("5 records") { member.records.count >= 5 }
            try member.consumer.seek(Self.partition, to: .end)
            try cluster.fill("t", partitions: 1, count: 0)
            try member.idle(milliseconds: 200)
            #expect(member.offsets(Self.partition) == Array(5..<10))

            try member.consumer.seek(Self.partition, to: .offset(2000))
            try member.run("a third lost position") { lost()[Self.partition] == .offset(2000) }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `records that Kafka has dropped are told before anything newer is read`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            // The mock keeps about 5 MB.
            let producer = try cluster.producer()
            let value = [UInt8](repeating: 0x78, count: 100_000)
            for _ in 0..<100 { try producer.produce("t", partition: 0, value: value) }
            try producer.flush(timeoutMilliseconds: 10_000)
            let member = try Member(cluster)
            member.start = { _ in .offset(0) }
            try member.join(["t"], partitions: 1)
            try member.run("a lost position") {
                member.events.contains {
                    if case .positionLost(Self.partition, asked: .offset(0), _) = $0 { true } else { false }
                }
            }
            #expect(member.records.isEmpty)
            let marks = try member.consumer.queryWatermarks(Self.partition, timeoutMilliseconds: 5000)
            #expect(marks.low > 0 && marks.high == 100)
            try member.consumer.seek(Self.partition, to: .beginning)
            try member.run("the rest") { member.records.last?.offset == 99 }
            #expect(member.offsets(Self.partition) == Array(marks.low..<100))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `ends, times, positions and topics can be asked for`() async throws {
        try await onThread {
            let cluster = try MockCluster(brokers: 2)
            try cluster.createTopic("t", partitions: 1)
            try cluster.fill("t", partitions: 1, count: 10)
            let member = try Member(cluster)
            #expect(member.consumer.cachedWatermarks(Self.partition) == nil)
            try member.join(["t"], partitions: 1)
            #expect(try member.consumer.position([Self.partition]).map(\.offset) == [nil])
            try member.run("10 records") { member.records.count == 10 }
            #expect(try member.consumer.position([Self.partition]).map(\.offset) == [10])
            let marks = try member.consumer.queryWatermarks(Self.partition, timeoutMilliseconds: 5000)
            #expect((marks.low, marks.high) == (0, 10))
            #expect(member.consumer.cachedWatermarks(Self.partition)?.high == 10)
            #expect(member.consumer.cachedWatermarks(TopicPartition("other", 0)) == nil)

            cluster.setTopicError("missing", .unknownTopicOrPartition)
            let metadata = try member.consumer.metadata(topics: ["t", "missing"], timeoutMilliseconds: 5000)
            #expect(metadata.brokers.map(\.id).sorted() == [1, 2])
            #expect(metadata.brokers.allSatisfy { $0.host == "127.0.0.1" && $0.port > 0 })
            #expect(metadata.topics.map(\.name) == ["t", "missing"])
            #expect(metadata.topics.map(\.partitionCount) == [1, 0])
            #expect(metadata.topics.map(\.error?.code) == [nil, .unknownTopicOrPartition])
        }
    }
}
