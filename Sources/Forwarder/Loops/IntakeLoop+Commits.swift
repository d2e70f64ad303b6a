import ForwarderCore
import KafkaClient

/// Kafka learns how far everything is settled; never more, and never less than before.
extension IntakeLoop {
    func commitIfDue() {
        guard nextCommit <= now.uptime else { return }
        nextCommit = now.uptime + plan.configuration.kafka.commitInterval
        let due = takeCommitable(of: partitions.values)
        guard !due.isEmpty else { return }
        do throws(KafkaError) {
            try consumer.startCommit(due)
        } catch {
            refused(due, error)
        }
    }

    /// Commits and waits for it. Returns whether everything that could be committed is.
    func commitNow(_ partitions: [AssignedPartition], timeoutMilliseconds: Int32) -> Bool {
        for partition in partitions { partition.committing = nil }
        let due = takeCommitable(of: partitions)
        guard !due.isEmpty else { return true }
        do throws(KafkaError) {
            let results = try consumer.commit(due, timeoutMilliseconds: timeoutMilliseconds)
            committed(results)
            return results.allSatisfy { $0.error == nil }
        } catch {
            refused(due, error)
            return false
        }
    }

    /// The commit says which store holds what is not delivered, so that a store that vanished is noticed.
    private func takeCommitable(of partitions: some Sequence<AssignedPartition>) -> [OffsetToCommit] {
        let marker = StoreMarker.text(plan.storeIdentity)
        return partitions.compactMap { partition in
            guard let offset = partition.commitable else { return nil }
            partition.committing = offset
            return OffsetToCommit(partition.partition, offset, metadata: marker)
        }
    }

    /// How commits ended. A refused one is tried again with the next.
    func committed(_ results: [PartitionResult]) {
        for result in results { ended(result.partition, result.offset, result.error) }
    }

    private func refused(_ offsets: [OffsetToCommit], _ error: KafkaError) {
        for offset in offsets { ended(offset.partition, offset.offset, error) }
        if error.isFatal { report(error) }
    }

    private func ended(_ partition: TopicPartition, _ offset: Int64?, _ error: KafkaError?) {
        if let error {
            kafka.commitsRefused += 1
            telemetry.report(
                .commitRefused(
                    PartitionReport(topic: partition.topic, partition: partition.partition, offset: offset),
                    reason: error.name))
        } else {
            kafka.commits += 1
        }
        // An answer to an earlier assignment's commit says nothing about this one's.
        guard let assigned = partitions[partition], let offset, assigned.committing == offset else { return }
        assigned.committing = nil
        if error == nil { assigned.confirm(offset) }
    }
}
