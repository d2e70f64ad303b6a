import ForwarderCore
import KafkaClient

/// What the group gives and takes. While an assignment is not answered the group stands still and nothing is polled, so
/// every wait here is short, or gone on with in slices that look whether the process is stopping.
extension IntakeLoop {
    /// How long an assignment may wait for the group's coordinator, and for the store.
    private static let assignmentTimeout = Duration.seconds(30)
    /// Most that one question to the coordinator waits: nothing interrupts it, and a stop waits for it.
    private static let longestPatience = Duration.seconds(8)
    /// How long, for all partitions together, for the ends of those that begin there.
    private static let endsTimeout = Duration.seconds(10)

    func assign(_ assigned: [TopicPartition]) {
        kafka.rebalances += 1
        let committed = committedOffsets(assigned)
        var positions: [TopicPartition: KafkaPosition] = [:]
        if let committed {
            positions = begin(assigned, committed)
        } else {
            // librdkafka asks the coordinator again by itself; the store is asked when the first record says where.
            for partition in assigned { begin(partition, held: nil, committed: nil) }
        }
        do throws(KafkaError) {
            try consumer.assign { positions[$0] ?? .committed }
        } catch {
            return report(error, endsClient: true)
        }
        applyPauses()
        telemetry.report(
            .partitionsAssigned(assigned.compactMap { partitions[$0]?.report(offset: committed?[$0]?.offset) }))
    }

    func revoke(_ revoked: [TopicPartition], isLost: Bool) {
        kafka.rebalances += 1
        // What was settled in the meantime still counts.
        if isLost { takeOrders() } else { settleRejects() }
        let gone = revoked.compactMap { partitions[$0] }
        let reports = gone.map { $0.report(offset: $0.progress.watermark) }
        if !isLost { _ = commitNow(gone, timeoutMilliseconds: 5000) }
        end(gone)
        do throws(KafkaError) {
            try consumer.unassign()
        } catch {
            report(error, endsClient: true)
        }
        telemetry.report(.partitionsRevoked(reports, isLost: isLost))
    }

    /// Forgets assignments. What is not settled of them is released: the next owner reads it again.
    private func end(_ gone: [AssignedPartition]) {
        let ids = Set(gone.map(\.id))
        flushRejects()
        for destination in intake.destinations { destination.release(ids) }
        for partition in gone {
            partitions[partition.partition] = nil
            assignments[partition.id] = nil
        }
        forgetKeys()
        sendNumbers([])
        mailboxes.delivery.put(.revoked(ids))
    }

    // MARK: Where to begin

    private func begin(
        _ assigned: [TopicPartition], _ committed: [TopicPartition: PartitionResult]
    ) -> [TopicPartition: KafkaPosition] {
        let deadline = SystemClock.now.uptime + IntakeLoop.endsTimeout
        var positions: [TopicPartition: KafkaPosition] = [:]
        let offsets = assigned.map { committed[$0]?.offset }
        let held = held(zip(assigned, offsets).map { ($0, $1 ?? 0) })
        for (index, partition) in assigned.enumerated() {
            checkMarker(committed[partition]?.metadata)
            var start: Int64?
            if let offset = offsets[index] {
                positions[partition] = .offset(offset)
            } else {
                (positions[partition], start) = beginning(of: partition, until: deadline)
            }
            begin(partition, held: held[index], committed: offsets[index], start: start)
        }
        return positions
    }

    /// Where a partition begins in which the group has committed nothing.
    private func beginning(of partition: TopicPartition, until deadline: Uptime) -> (KafkaPosition, Int64?) {
        switch plan.configuration.kafka.startFrom {
        case .earliest: return (.beginning, nil)
        // Read as `committed`, it becomes a lost position, and a stopped partition.
        case .stop: return (.committed, nil)
        case .latest:
            let left = deadline - SystemClock.now.uptime
            guard left > .zero, !pressure.isStopping else { return (.end, nil) }
            heartbeats.beat(.intake, at: SystemClock.now.uptime)
            let marks = try? consumer.queryWatermarks(
                partition, timeoutMilliseconds: Int32(min(left, .seconds(2)).milliseconds))
            return marks.map { (.offset($0.high), $0.high) } ?? (.end, nil)
        }
    }

    /// nil if the coordinator could not be asked.
    private func committedOffsets(_ partitions: [TopicPartition]) -> [TopicPartition: PartitionResult]? {
        let deadline = SystemClock.now.uptime + IntakeLoop.assignmentTimeout
        // Each try waits twice as long: a slow coordinator would never answer short ones.
        var patience = Duration.seconds(2)
        while true {
            heartbeats.beat(.intake, at: SystemClock.now.uptime)
            do throws(KafkaError) {
                let results = try consumer.committed(partitions, timeoutMilliseconds: Int32(patience.milliseconds))
                if let error = results.compactMap(\.error).first { throw error }
                return Dictionary(results.map { ($0.partition, $0) }, uniquingKeysWith: { first, _ in first })
            } catch {
                report(error)
                if error.isFatal || pressure.isStopping || SystemClock.now.uptime + patience > deadline { return nil }
            }
            patience = min(patience + patience, IntakeLoop.longestPatience)
            doorbell.wait(timeout: .milliseconds(200))
        }
    }

    /// What the store has of partitions at or behind an offset. Nothing is read of them before this is known: a record
    /// that is in the queue already must not be sent a second time. (Without an answer the worst is a repeat, which
    /// Microsoft recognises.)
    func held(_ questions: [(partition: TopicPartition, from: Int64)]) -> [[HeldPosition]] {
        let reply = Reply<[[HeldPosition]]>()
        mailboxes.store.put(
            .held(
                questions.map {
                    HeldQuestion(topic: $0.partition.topic, partition: $0.partition.partition, from: $0.from)
                }, reply))
        let deadline = SystemClock.now.uptime + IntakeLoop.assignmentTimeout
        while SystemClock.now.uptime < deadline, !pressure.isStopping {
            heartbeats.beat(.intake, at: SystemClock.now.uptime)
            if let answer = reply.wait(timeout: .seconds(1)) { return answer }
        }
        return questions.map { _ in [] }
    }

    /// The last commit names the store that held what was not delivered then.
    private func checkMarker(_ metadata: String?) {
        guard let metadata, let marker = StoreMarker(metadata) else { return }
        if marker.replica == StoreMarker.thisReplica, marker.identity != plan.storeIdentity, !hasReportedMissingStore {
            hasReportedMissingStore = true
            telemetry.report(.storeMissing(remembered: marker.identity, present: plan.storeIdentity))
        }
    }
}
