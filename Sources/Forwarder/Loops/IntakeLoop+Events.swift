import ForwarderCore
import KafkaClient

extension IntakeLoop {
    func handle(_ event: KafkaEvent) {
        switch event {
        case .assigned(let partitions): assign(partitions)
        case .revoked(let partitions, let isLost): revoke(partitions, isLost: isLost)
        case .committed(let results): committed(results)
        case .positionLost(let partition, let asked, let error): positionLost(partition, asked, error)
        case .endOfPartition: break
        case .statistics(let json): take(statistics: json)
        case .partitionError(let partition, let offset, let error):
            telemetry.report(
                .partitionFaulted(
                    PartitionReport(topic: partition.topic, partition: partition.partition, offset: offset),
                    reason: error.name))
        // A thread that librdkafka was not given it never asks for again: without it a broker is never connected.
        case .error(let error): report(error, endsClient: error.code == .systemResource)
        case .log(let line):
            let severity: LogSettings.Level = line.level <= 3 ? .warning : line.level <= 5 ? .info : .debug
            telemetry.report(.kafkaReported(severity: severity, facility: line.facility, text: line.text))
        }
    }

    /// A client that cannot go on is not mended from inside: what is in flight is finished, and the next start makes
    /// another.
    func report(_ error: KafkaError, endsClient: Bool = false) {
        let isFatal = error.isFatal || endsClient
        telemetry.report(.kafkaFaulted(reason: error.name, text: error.text, isFatal: isFatal))
        if isFatal { end.ask(.orderly) }
    }

    // MARK: Numbers

    private func take(statistics json: [UInt8]) {
        guard let statistics = KafkaStatistics(json: json) else { return }
        kafka.brokersUp = statistics.brokersUp
        kafka.brokersKnown = statistics.brokersKnown
        kafka.isSettledInGroup = statistics.isSettledInGroup
        kafka.prefetched = statistics.partitions.reduce(0) { $0 + $1.prefetched }
        for partition in statistics.partitions {
            partitions[TopicPartition(partition.topic, partition.partition)]?.isHandedOut(to: partition.handedOutTo)
        }
    }

    func describeKafka() {
        assignments = assignments.filter { $0.value.progress.uncommittedCount > 0 || isCurrent($0.value) }
        kafka.partitions = partitions.values.map(describe).sorted {
            ($0.topic, $0.partition) < ($1.topic, $1.partition)
        }
        kafka.uncommitted = assignments.values.reduce(0) { $0 + $1.progress.uncommittedCount }
        kafka.stopped = partitions.values.reduce(0) { $0 + ($1.isStopped ? 1 : 0) }
        kafka.isPaused = isPaused
    }

    func isCurrent(_ assignment: AssignedPartition) -> Bool {
        partitions[assignment.partition] === assignment
    }

    private func describe(_ partition: AssignedPartition) -> Metrics.Partition {
        Metrics.Partition(
            topic: partition.partition.topic, partition: partition.partition.partition, position: partition.position,
            committed: partition.committed, lag: partition.lag(consumer.cachedWatermarks(partition.partition)))
    }

    // MARK: Positions

    /// The group has no offset there, or Kafka no longer holds it: what configuration says, and loudly.
    private func positionLost(_ partition: TopicPartition, _ asked: KafkaPosition, _ error: KafkaError) {
        guard let assigned = partitions[partition] else { return }
        let policy: KafkaSettings.OffsetReset
        var from: Int64?
        if case .offset(let offset) = asked {
            policy = plan.configuration.kafka.outOfRange
            from = offset
        } else {
            policy = plan.configuration.kafka.startFrom
        }
        let report = assigned.report(offset: from)
        if policy == .stop {
            assigned.isStopped = true
            return telemetry.report(.partitionStopped(report, reason: error.name))
        }
        let marks = try? consumer.queryWatermarks(partition, timeoutMilliseconds: 2000)
        let position: KafkaPosition =
            policy == .earliest ? .beginning : marks.map { .offset($0.high) } ?? .end
        do throws(KafkaError) {
            try consumer.seek(partition, to: position)
        } catch {
            assigned.isStopped = true
            telemetry.report(.partitionStopped(report, reason: error.name))
            return self.report(error, endsClient: true)
        }
        if case .offset(let start) = position {
            // Committed though nothing has come yet: else the next start would jump again, over what came meanwhile.
            begin(partition, held: nil, committed: nil, start: start)
        }
        partitions[partition]?.seek()
        forgetKeys()
        applyPauses()
        telemetry.report(
            .offsetReset(report, to: policy == .earliest ? marks?.low : marks?.high, policy: policy.rawValue))
    }
}
