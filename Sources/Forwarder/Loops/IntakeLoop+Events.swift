import ForwarderCore
import KafkaClient

extension IntakeLoop {
    /// How long an assignment may wait for the group's coordinator and for the store.
    private static let assignmentTimeout = Duration.seconds(30)

    func handle(_ event: KafkaEvent, _ now: Moment) {
        switch event {
        case .assigned(let partitions): assign(partitions)
        case .revoked(let partitions, let isLost): revoke(partitions, isLost: isLost)
        case .committed(let results): committed(results)
        case .positionLost(let partition, let asked, let error): positionLost(partition, asked, error)
        case .endOfPartition, .statistics: break
        case .partitionError(let partition, let offset, let error):
            telemetry.report(
                .partitionFaulted(
                    PartitionReport(topic: partition.topic, partition: partition.partition, offset: offset),
                    reason: error.name))
        case .error(let error):
            telemetry.report(.kafkaFaulted(reason: error.name, text: error.text, isFatal: error.isFatal))
        case .log(let line):
            let severity: LogSettings.Level = line.level <= 3 ? .warning : line.level <= 5 ? .info : .debug
            telemetry.report(.kafkaReported(severity: severity, facility: line.facility, text: line.text))
        }
    }

    // MARK: Rebalance

    private func assign(_ assigned: [TopicPartition]) {
        kafka.rebalances += 1
        let committed = committedOffsets(assigned)
        var positions: [TopicPartition: KafkaPosition] = [:]
        var reports: [PartitionReport] = []
        for partition in assigned {
            let offset = committed?[partition]?.offset
            // Without an answer librdkafka asks again by itself.
            positions[partition] = committed == nil ? .committed : offset.map { .offset($0) } ?? start
            begin(partition, held: held(partition, from: offset ?? 0), committed: offset)
            checkMarker(committed?[partition]?.metadata)
            reports.append(PartitionReport(topic: partition.topic, partition: partition.partition, offset: offset))
        }
        do throws(KafkaError) {
            try consumer.assign { positions[$0] ?? .committed }
        } catch {
            telemetry.report(.kafkaFaulted(reason: error.name, text: error.text, isFatal: error.isFatal))
        }
        applyPauses()
        telemetry.report(.partitionsAssigned(reports))
    }

    private func revoke(_ revoked: [TopicPartition], isLost: Bool) {
        kafka.rebalances += 1
        let reports = revoked.map {
            PartitionReport(topic: $0.topic, partition: $0.partition, offset: partitions[$0]?.progress.watermark)
        }
        end(revoked, isLost: isLost)
        do throws(KafkaError) {
            try consumer.unassign()
        } catch {
            telemetry.report(.kafkaFaulted(reason: error.name, text: error.text, isFatal: error.isFatal))
        }
        telemetry.report(.partitionsRevoked(reports, isLost: isLost))
    }

    /// nil if the coordinator could not be asked.
    private func committedOffsets(_ partitions: [TopicPartition]) -> [TopicPartition: PartitionResult]? {
        do throws(KafkaError) {
            let timeout = Int32(IntakeLoop.assignmentTimeout.milliseconds)
            let results = try consumer.committed(partitions, timeoutMilliseconds: timeout)
            if let error = results.compactMap(\.error).first { throw error }
            return Dictionary(results.map { ($0.partition, $0) }, uniquingKeysWith: { first, _ in first })
        } catch {
            telemetry.report(.kafkaFaulted(reason: error.name, text: error.text, isFatal: error.isFatal))
            return nil
        }
    }

    /// What the store has of the partition at or behind an offset. Nothing is read of it before this is known: a record
    /// that is in the queue already must not be sent a second time.
    private func held(_ partition: TopicPartition, from offset: Int64) -> [HeldPosition] {
        let reply = Reply<[HeldPosition]>()
        mailboxes.store.put(.held(topic: partition.topic, partition: partition.partition, from: offset, reply))
        // Without an answer the worst is a repeat, which Microsoft recognises.
        return reply.wait(timeout: IntakeLoop.assignmentTimeout) ?? []
    }

    /// The last commit names the store that held what was not delivered then.
    private func checkMarker(_ metadata: String?) {
        guard let metadata, let marker = StoreMarker(metadata) else { return }
        if marker.replica == StoreMarker.thisReplica, marker.identity != plan.storeIdentity, !hasReportedMissingStore {
            hasReportedMissingStore = true
            telemetry.report(.storeMissing(remembered: marker.identity, present: plan.storeIdentity))
        }
    }

    // MARK: Positions

    private var start: KafkaPosition {
        switch plan.configuration.kafka.startFrom {
        case .earliest, .stop: .beginning
        case .latest: .end
        }
    }

    /// The group has no offset there, or Kafka no longer holds it: what configuration says, and loudly.
    private func positionLost(_ partition: TopicPartition, _ asked: KafkaPosition, _ error: KafkaError) {
        let policy: KafkaSettings.OffsetReset
        var from: Int64?
        if case .offset(let offset) = asked {
            policy = plan.configuration.kafka.outOfRange
            from = offset
        } else {
            policy = plan.configuration.kafka.startFrom
        }
        let report = PartitionReport(topic: partition.topic, partition: partition.partition, offset: from)
        let position: KafkaPosition
        switch policy {
        case .earliest: position = .beginning
        case .latest: position = .end
        case .stop: return telemetry.report(.partitionStopped(report, reason: error.name))
        }
        do throws(KafkaError) {
            let marks = try? consumer.queryWatermarks(partition, timeoutMilliseconds: 5000)
            try consumer.seek(partition, to: position)
            applyPauses()
            let to = policy == .earliest ? marks?.low : marks?.high
            telemetry.report(.offsetReset(report, to: to, policy: policy.rawValue))
        } catch {
            telemetry.report(.partitionStopped(report, reason: error.name))
        }
    }
}
