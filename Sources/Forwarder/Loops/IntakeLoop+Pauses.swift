import ForwarderCore
import KafkaClient

/// Reading stops where nothing more can be held. Polling goes on, so the group keeps us.
extension IntakeLoop {
    /// Memory may be full for this long before partitions are paused: a pause throws away what was prefetched.
    private static let backedUpLimit = Duration.seconds(2)
    /// What librdkafka has refused is asked of it again after this long.
    private static let retryInterval = Duration.seconds(1)

    func regulate() {
        backedUpSince = pressure.isBackedUp ? backedUpSince ?? now.uptime : nil
        let isStuck = backedUpSince.map { now.uptime - $0 > IntakeLoop.backedUpLimit } ?? false
        let shouldPause = pressure.isQueueFull || isStuck
        var isChanged = false
        if shouldPause != isPaused {
            isPaused = shouldPause
            isChanged = true
            let reason = pressure.isQueueFull ? "queue_full" : "memory_full"
            telemetry.report(shouldPause ? .intakePaused(reason: reason) : .intakeResumed)
        }
        for partition in partitions.values {
            let isOverfull = partition.judgeOverfull(partitions: partitions.count)
            if isOverfull != partition.isOverfull {
                partition.isOverfull = isOverfull
                isChanged = true
            }
        }
        if isChanged || nextPauses <= now.uptime { applyPauses() }
    }

    /// Tells librdkafka where it does not know yet; a pause may outlive an assignment.
    func applyPauses() {
        let changed = partitions.values.filter { $0.isPaused != (isPaused || $0.isOverfull) }
        let paused = changed.filter { isPaused || $0.isOverfull }
        let flowing = changed.filter { !isPaused && !$0.isOverfull }
        nextPauses = .distantFuture
        do throws(KafkaError) {
            if !paused.isEmpty { try check(consumer.pause(paused.map(\.partition)), of: paused, isPaused: true) }
            if !flowing.isEmpty { try check(consumer.resume(flowing.map(\.partition)), of: flowing, isPaused: false) }
        } catch {
            nextPauses = now.uptime + IntakeLoop.retryInterval
            telemetry.report(.kafkaReported(severity: .warning, facility: "PAUSE", text: error.description))
        }
    }

    private func check(_ failures: [PartitionResult], of asked: [AssignedPartition], isPaused: Bool) {
        for partition in asked { partition.isPaused = isPaused }
        for failure in failures {
            partitions[failure.partition]?.isPaused = nil
            nextPauses = now.uptime + IntakeLoop.retryInterval
            telemetry.report(
                .kafkaReported(
                    severity: .warning, facility: "PAUSE", text: "\(failure.partition): \(failure.error?.name ?? "")"))
        }
    }
}
