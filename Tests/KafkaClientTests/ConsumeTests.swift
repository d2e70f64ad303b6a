import KafkaClient
import MockKafka
import Testing

struct ConsumeTests {
    @Test(.timeLimit(.minutes(1)))
    func `every record of every partition arrives, in order and unchanged`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("orders", partitions: 3)
            let producer = try cluster.producer()
            for index in 0..<1000 {
                for partition: Int32 in 0..<3 {
                    try producer.produce(
                        "orders", partition: partition, key: Array("k\(index)".utf8),
                        value: Array("\(partition)-\(index)".utf8), timestamp: 1_786_000_000_000 + Int64(index))
                }
            }
            try producer.flush(timeoutMilliseconds: 10_000)
            #expect(producer.delivered == 3000 && producer.refused == 0)

            let member = try Member(cluster)
            try member.join(["orders"], partitions: 3)
            try member.run("3000 records") { member.records.count >= 3000 }
            try member.idle(milliseconds: 200)
            for partition: Int32 in 0..<3 {
                let expected = (0..<1000).map { index in
                    Seen(
                        partition: TopicPartition("orders", partition), offset: Int64(index), key: "k\(index)",
                        value: "\(partition)-\(index)", timestamp: 1_786_000_000_000 + Int64(index))
                }
                #expect(member.records.filter { $0.partition.partition == partition } == expected)
            }
            #expect(member.consumer.close(timeoutMilliseconds: 5000) { _ in })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a tombstone has no value, an empty value is no tombstone, and both may lack a key`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let producer = try cluster.producer()
            try producer.produce("t", key: Array("k".utf8), value: nil)
            try producer.produce("t", key: [], value: [])
            try producer.produce("t", value: [0x31])
            try producer.flush(timeoutMilliseconds: 10_000)

            let member = try Member(cluster)
            try member.join(["t"], partitions: 1)
            try member.run("3 records") { member.records.count == 3 }
            #expect(member.records.map(\.value) == [nil, "", "1"])
            #expect(member.records.map(\.key) == ["k", "", nil])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a poll hands out no more than its limit, and topics differ by their ID`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            for topic in ["a", "b"] {
                try cluster.createTopic(topic, partitions: 1)
                try cluster.fill(topic, partitions: 1, count: 50)
            }
            let member = try Member(cluster)
            try member.join(["a", "b"], partitions: 2)
            var names: [KafkaTopicID: Set<String>] = [:]
            var total = 0
            let end = ContinuousClock.now + .seconds(10)
            while total < 100, ContinuousClock.now < end {
                var count = 0
                _ = member.consumer.poll(timeoutMilliseconds: 100, limit: 7) { record in
                    count += 1
                    names[record.topicID, default: []].insert(record.topic)
                }
                #expect(count <= 7)
                total += count
            }
            #expect(total == 100)
            #expect(Set(names.values) == [["a"], ["b"]])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `log lines, statistics and the end of a partition are events`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            try cluster.fill("t", partitions: 1, count: 3)
            let member = try Member(
                cluster, [("debug", "cgrp"), ("statistics.interval.ms", "50"), ("enable.partition.eof", "true")])
            try member.join(["t"], partitions: 1)
            try member.run("an end") {
                member.events.contains(.endOfPartition(TopicPartition("t", 0), offset: 3))
            }
            #expect(member.records.count == 3)
            let lines = member.events.compactMap { if case .log(let line) = $0 { line } else { nil } }
            #expect(lines.contains { $0.level == 7 && $0.facility == "CGRPJOINSTATE" && !$0.text.isEmpty })
            let statistics = member.events.compactMap { if case .statistics(let json) = $0 { json } else { nil } }
            #expect(statistics.allSatisfy { $0.first == UInt8(ascii: "{") && $0.last == UInt8(ascii: "}") })
            #expect(!statistics.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `pausing and resuming at any point loses and repeats nothing`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            let partitions = (0..<3).map { TopicPartition("t", $0) }
            try cluster.createTopic("t", partitions: 3)
            try cluster.fill("t", partitions: 3, count: 2000)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 3)
            var random = SystemRandomNumberGenerator()
            var pauses = 0
            while member.records.count < 6000 {
                try member.step(limit: Int.random(in: 1...200, using: &random))
                let chosen = partitions.filter { _ in Bool.random(using: &random) }
                #expect(try member.consumer.pause(chosen) == [])
                let count = chosen.map { member.offsets($0).count }
                try member.step(milliseconds: 5, limit: Int.random(in: 1...200, using: &random))
                #expect(chosen.map { member.offsets($0).count } == count)
                #expect(try member.consumer.resume(chosen) == [])
                pauses += chosen.count
                try #require(pauses < 20_000, "\(member.records.count) records")
            }
            try member.idle(milliseconds: 200)
            #expect(pauses > 20)
            for partition in partitions { #expect(member.offsets(partition) == Array(0..<2000)) }
            let unknown = try member.consumer.pause([TopicPartition("elsewhere", 0)])
            #expect(unknown.map(\.error?.code) == [.unknownPartition])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `brokers that go away and come back cost nothing but time`() async throws {
        try await onThread {
            let cluster = try MockCluster(brokers: 2)
            try cluster.createTopic("t", partitions: 2)
            try cluster.fill("t", partitions: 2, count: 100)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 2)
            try member.run("200 records") { member.records.count == 200 }

            // On a slow machine the group may take the partitions away meanwhile, and give them back.
            member.start = { [unowned member] in .offset((member.offsets($0).last ?? -1) + 1) }
            try cluster.takeDown()
            try member.run("an error") {
                member.events.contains {
                    if case .error(let error) = $0 { error.code == .allBrokersDown } else { false }
                }
            }
            for case .error(let error) in member.events {
                #expect(error.isRetriable && !error.isFatal, "\(error)")
            }
            try cluster.bringUp()
            try cluster.fill("t", partitions: 2, count: 100)
            try member.run("400 records") { member.records.count >= 400 }
            for partition: Int32 in 0..<2 {
                #expect(member.offsets(TopicPartition("t", partition)) == Array(0..<200))
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a partition that moves to another broker is read on`() async throws {
        try await onThread {
            let cluster = try MockCluster(brokers: 2)
            let partition = TopicPartition("t", 0)
            try cluster.createTopic("t", partitions: 1)
            try cluster.setLeader(partition, broker: 1)
            try cluster.fill("t", partitions: 1, count: 10)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 1)
            try member.run("10 records") { member.records.count == 10 }
            try cluster.setLeader(partition, broker: 2)
            try cluster.fill("t", partitions: 1, count: 10)
            try member.run("20 records") { member.records.count >= 20 }
            #expect(member.offsets(partition) == Array(0..<20))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `resuming a partition that is not paused changes nothing`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            let partitions = (0..<2).map { TopicPartition("t", $0) }
            try cluster.createTopic("t", partitions: 2)
            try cluster.fill("t", partitions: 2, count: 1000)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 2)
            var resumed = 0
            while member.records.count < 2000 {
                try member.step(limit: 300)
                #expect(try member.consumer.resume(partitions) == [])
                resumed += 1
                try #require(resumed < 1000, "\(member.records.count) records")
            }
            try member.idle(milliseconds: 200)
            for partition in partitions {
                let offsets = member.offsets(partition)
                #expect(offsets.count == 1000 && offsets.elementsEqual(0..<1000))
            }
            let unknown = try member.consumer.resume([TopicPartition("elsewhere", 0)])
            #expect(unknown.map(\.error?.code) == [.unknownPartition])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an event ends the wait, and without one a poll waits`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let clock = ContinuousClock()
            // One tells of each heartbeat in its log, one has statistics, one has nothing to say.
            func events(_ properties: [(name: String, value: String)]) throws -> (Duration, KafkaEvent?) {
                let member = try Member(cluster, properties)
                try member.join(["t"], partitions: 1)
                try member.idle(milliseconds: 300)
                var event: KafkaEvent?
                let time = clock.measure { event = member.consumer.poll(timeoutMilliseconds: 3000) { _ in } }
                #expect(member.consumer.close(timeoutMilliseconds: 5000) { _ in })
                return (time, event)
            }
            let (logTime, log) = try events([("debug", "cgrp")])
            #expect(logTime < .seconds(1))
            if case .log? = log {} else { Issue.record("\(String(describing: log))") }
            let (statisticsTime, statistics) = try events([("statistics.interval.ms", "400")])
            #expect(statisticsTime < .seconds(1))
            if case .statistics? = statistics {} else { Issue.record("\(String(describing: statistics))") }
            let (time, nothing) = try events([])
            #expect(time >= .seconds(3))
            #expect(nothing == nil)
        }
    }
}
