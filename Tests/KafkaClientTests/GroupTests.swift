import KafkaClient
import MockKafka
import Testing

struct GroupTests {
    @Test(.timeLimit(.minutes(1)))
    func `a member that joins and one that leaves neither lose nor repeat a committed record`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            let partitions = (0..<4).map { TopicPartition("t", $0) }
            try cluster.createTopic("t", partitions: 4)
            try cluster.fill("t", partitions: 4, count: 200)

            let first = try Member(cluster)
            let second = try Member(cluster)
            var refused: Set<TopicPartition> = []
            for member in [first, second] {
                member.start = { _ in .committed }
                member.onRevoke = { consumer, revoked in
                    let offsets = try consumer.position(revoked).compactMap { result in
                        result.offset.map { OffsetToCommit(result.partition, $0) }
                    }
                    let results = try consumer.commit(offsets, timeoutMilliseconds: 5000)
                    // Refused when the group is already on its way to the next generation: then the next owner repeats.
                    refused.formUnion(results.filter { $0.error != nil }.map(\.partition))
                }
            }
            // Nothing is committed yet: where to begin is the owner's to say.
            first.start = { _ in .beginning }
            try first.join(["t"], partitions: 4)
            try first.run("some records") { !first.records.isEmpty }

            first.start = { _ in .committed }
            second.start = { [consumer = second.consumer] partition in
                let committed = try? consumer.committed([partition], timeoutMilliseconds: 5000)
                return committed?.first?.offset == nil ? .beginning : .committed
            }
            try second.consumer.subscribe(["t"])
            let end = ContinuousClock.now + .seconds(40)
            while first.consumer.partitions.count != 2 || second.consumer.partitions.count != 2 {
                try #require(ContinuousClock.now < end, "\(first.events) \(second.events)")
                try first.step(limit: 1)
                try second.step(limit: 1)
            }
            let given = Set(second.consumer.partitions)
            #expect(given.isDisjoint(with: first.consumer.partitions))
            let handedOver = first.records.count { given.contains($0.partition) }

            try cluster.fill("t", partitions: 4, count: 200)
            func total() -> Int {
                partitions.map { Set(first.offsets($0) + second.offsets($0)).count }.reduce(0, +)
            }
            while total() < 1600 {
                try #require(ContinuousClock.now < end, "\(first.records.count) and \(second.records.count) records")
                try first.step()
                try second.step()
            }
            try first.idle(milliseconds: 200)
            // Nothing of what it gave back, not even what had been fetched before.
            #expect(first.records.count { given.contains($0.partition) } == handedOver)
            for partition in partitions {
                let offsets = first.offsets(partition) + second.offsets(partition)
                #expect((refused.contains(partition) ? Set(offsets).sorted() : offsets) == Array(0..<400))
            }
            #expect(
                first.events.contains {
                    if case .revoked(let gone, isLost: false) = $0 { Set(gone) == given } else { false }
                })

            // The mock hands over 3 s after a member has left; one that just disappears is only missed after another 4 s.
            var last: [TopicPartition] = []
            let leaving = ContinuousClock.now
            #expect(
                second.consumer.close(timeoutMilliseconds: 5000) { event in
                    guard case .revoked(let revoked, isLost: false) = event else { return }
                    last = revoked
                    #expect(throws: Never.self) { try second.onRevoke(second.consumer, revoked) }
                })
            #expect(Set(last) == given)
            try first.run("all partitions") { first.consumer.partitions.count == 4 }
            #expect(ContinuousClock.now - leaving < .seconds(6))
            try cluster.fill("t", partitions: 4, count: 1)
            try first.run("4 records") { total() == 1604 }
            for partition in partitions {
                let offsets = (first.offsets(partition) + second.offsets(partition)).sorted()
                #expect((refused.contains(partition) ? Set(offsets).sorted() : offsets) == Array(0...400))
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the eager protocol is answered as well`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            let partitions = (0..<2).map { TopicPartition("t", $0) }
            try cluster.createTopic("t", partitions: 2)
            try cluster.fill("t", partitions: 2, count: 100)
            let first = try Member(cluster, [("partition.assignment.strategy", "range")])
            try first.join(["t"], partitions: 2)
            try first.run("200 records") { first.records.count == 200 }
            first.records = []
            try first.consumer.seek(partitions[0], to: .offset(95))
            try first.run("5 records") { first.records.count >= 5 }
            try first.idle(milliseconds: 100)
            #expect(first.offsets(partitions[0]) == Array(95..<100))
            #expect(first.offsets(partitions[1]) == [])

            let second = try Member(cluster, [("partition.assignment.strategy", "range")])
            try second.consumer.subscribe(["t"])
            let end = ContinuousClock.now + .seconds(40)
            while first.consumer.partitions.count != 1 || second.consumer.partitions.count != 1 {
                try #require(ContinuousClock.now < end, "\(first.events) \(second.events)")
                try first.step()
                try second.step()
            }
            #expect(first.events.contains { if case .revoked(let all, _) = $0 { all.count == 2 } else { false } })
            #expect(first.consumer.close(timeoutMilliseconds: 5000) { _ in })
            try second.run("both partitions") { second.consumer.partitions.count == 2 }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a consumer that is dropped leaves the group too`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 2)
            let stays = try Member(cluster)
            try stays.consumer.subscribe(["t"])
            try {
                let goes = try Member(cluster)
                try goes.consumer.subscribe(["t"])
                let end = ContinuousClock.now + .seconds(40)
                while stays.consumer.partitions.count != 1 || goes.consumer.partitions.count != 1 {
                    try #require(ContinuousClock.now < end)
                    try stays.step()
                    try goes.step()
                }
            }()
            let leaving = ContinuousClock.now
            try stays.run("both partitions") { stays.consumer.partitions.count == 2 }
            #expect(ContinuousClock.now - leaving < .seconds(6))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an assignment that is lost is told as lost, and another one follows`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            let partition = TopicPartition("t", 0)
            try cluster.createTopic("t", partitions: 1)
            try cluster.fill("t", partitions: 1, count: 10)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 1)
            try member.run("10 records") { member.records.count == 10 }
            // What a broker says that took the member for dead.
            cluster.failNext(.heartbeat, [.unknownMember])
            try member.run("a loss") { member.events.contains(.revoked([partition], isLost: true)) }
            #expect(member.consumer.partitions == [])
            try member.run("the partition") { member.consumer.partitions == [partition] }
            try member.run("20 records") { member.records.count >= 20 }
            #expect(member.offsets(partition) == Array(0..<10) + Array(0..<10))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a fatal error is told, and the consumer can still be closed`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let member = try Member(cluster, [("group.instance.id", "one")])
            try member.join(["t"], partitions: 1)
            let fencedInstanceID = KafkaError.Code(rawValue: 82)
            cluster.failNext(.heartbeat, [fencedInstanceID])
            func fatal() -> [KafkaError.Code] {
                member.events.compactMap { if case .error(let error) = $0, error.isFatal { error.code } else { nil } }
            }
            try member.run("a fatal error") { !fatal().isEmpty }
            #expect(fatal() == [fencedInstanceID])
            var told: [KafkaEvent] = []
            #expect(member.consumer.close(timeoutMilliseconds: 5000) { told.append($0) })
            #expect(told.contains { if case .error(let error) = $0 { error.code == fencedInstanceID } else { false } })
        }
    }

    /// Before 2.3.0 librdkafka can abort the process here, before 2.4.0 it can wait for ever: see `close`.
    @Test(.timeLimit(.minutes(1)))
    func `closing at any moment of a join comes to its end`() async throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 3)
        // Makes every step of the join last.
        try cluster.setRoundTrip(milliseconds: 100)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<16 {
                group.addTask {
                    try await onThread {
                        let member = try Member(cluster, [("group.id", "group-\(index / 4)")])
                        try member.consumer.subscribe(["t"])
                        try member.idle(milliseconds: 3200 + 120 * index)
                        #expect(member.consumer.close(timeoutMilliseconds: 10_000) { _ in })
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an unanswered assignment, be it empty, does not keep a consumer from closing`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let first = try Member(cluster)
            let second = try Member(cluster)
            /// Waits for an offer, does not answer it, and returns it with what `close` then tells.
            func close(
                _ member: Member, meanwhile: () throws -> Void
            ) throws -> (offer: [TopicPartition], told: [KafkaEvent]) {
                try member.consumer.subscribe(["t"])
                let end = ContinuousClock.now + .seconds(40)
                while ContinuousClock.now < end {
                    try meanwhile()
                    guard case .assigned(let offer) = member.consumer.poll(timeoutMilliseconds: 20, { _ in }) else {
                        continue
                    }
                    var told: [KafkaEvent] = []
                    #expect(member.consumer.close(timeoutMilliseconds: 5000) { told.append($0) })
                    return (offer, told)
                }
                throw NeverHappened(what: "an offer")
            }
            try first.join(["t"], partitions: 1)
            #expect(try close(second) { try first.step() }.offer == [])
            #expect(first.consumer.close(timeoutMilliseconds: 5000) { _ in })

            let (offer, told) = try close(try Member(cluster)) {}
            #expect(offer == [TopicPartition("t", 0)])
            // What was never taken is not taken away.
            #expect(!told.contains { if case .revoked = $0 { true } else { false } })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an unanswered revocation does not keep a consumer from closing`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 2)
            let first = try Member(cluster)
            try first.join(["t"], partitions: 2)
            let second = try Member(cluster)
            try second.consumer.subscribe(["t"])
            var offer: [TopicPartition] = []
            let end = ContinuousClock.now + .seconds(40)
            while offer.isEmpty {
                try #require(ContinuousClock.now < end)
                try second.step()
                if case .revoked(let partitions, _) = first.consumer.poll(timeoutMilliseconds: 20, { _ in }) {
                    offer = partitions
                }
            }
            var told: [TopicPartition] = []
            #expect(
                first.consumer.close(timeoutMilliseconds: 5000) {
                    if case .revoked(let partitions, _) = $0 { told += partitions }
                })
            // It has been told of the other one already.
            #expect(offer.count == 1 && told.count == 1 && offer != told)
            try second.run("both partitions") { second.consumer.partitions.count == 2 }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `closing does not wait for brokers that are gone`() async throws {
        try await onThread {
            let cluster = try MockCluster()
            try cluster.createTopic("t", partitions: 1)
            let member = try Member(cluster)
            try member.join(["t"], partitions: 1)
            try cluster.takeDown()
            let start = ContinuousClock.now
            _ = member.consumer.close(timeoutMilliseconds: 2000) { _ in }
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }
}
