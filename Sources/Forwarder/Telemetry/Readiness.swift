import ForwarderCore
import Synchronization

/// Whether the daemon does what it is there for. Asked by `/readyz` and `status`; judged once a second.
final class Readiness: Sendable {
    /// Lag without progress for this long means that nothing moves although something should.
    private static let stallLimit = Duration.seconds(60)
    /// librdkafka connects anew by itself; a short gap says nothing.
    private static let brokersLimit = Duration.seconds(30)
    /// So long a member may have no partition and be on its way into the group: others may take their time to let it in.
    private static let joinLimit = Duration.seconds(60)

    private struct State {
        var reasons = ["starting"]
        var consumed = 0
        var lag: Int64 = 0
        var movedAt: Uptime?
        var brokersSeenAt: Uptime?
        var joinedAt: Uptime?
    }

    private let state = Mutex(State())

    /// Why it is not ready, in words that stay the same; empty when it is.
    var reasons: [String] { state.withLock { $0.reasons } }

    func judge(_ metrics: Metrics, stalled: [String], now: Uptime) {
        state.withLock { state in
            var reasons = stalled.map { "\($0)_loop_stalled" }
            if !Readiness.isMember(metrics, &state, now) { reasons.append("not_in_the_group") }
            if metrics.kafka.stopped > 0 { reasons.append("partition_stopped") }
            if !Readiness.hasBrokers(metrics, &state, now) { reasons.append("kafka_unreachable") }
            if !Readiness.moves(metrics, &state, now) { reasons.append("lag_without_progress") }
            if !metrics.store.isWritable { reasons.append("store_not_writable") }
            if metrics.unaccounted != 0 { reasons.append("unaccounted") }
            state.reasons = reasons
        }
    }

    /// A member without partitions may be one too many; one that the group does not take back does nothing either.
    private static func isMember(_ metrics: Metrics, _ state: inout State, _ now: Uptime) -> Bool {
        guard metrics.kafka.rebalances > 0 else { return false }
        let isIn = metrics.kafka.isSettledInGroup || !metrics.kafka.partitions.isEmpty
        let joinedAt = isIn ? now : state.joinedAt ?? now
        state.joinedAt = joinedAt
        return now - joinedAt <= joinLimit
    }

    private static func hasBrokers(_ metrics: Metrics, _ state: inout State, _ now: Uptime) -> Bool {
        let seenAt = metrics.kafka.brokersUp > 0 ? now : state.brokersSeenAt ?? now
        state.brokersSeenAt = seenAt
        return now - seenAt <= brokersLimit
    }

    /// Something was read, or committed, or there is nothing to do. A pause has reasons of its own.
    private static func moves(_ metrics: Metrics, _ state: inout State, _ now: Uptime) -> Bool {
        let consumed = metrics.destinations.map(\.intake.consumed).max() ?? 0
        let lag = metrics.kafka.partitions.reduce(0) { $0 + ($1.lag ?? 0) }
        let hasMoved = consumed != state.consumed || lag < state.lag || lag == 0 || metrics.kafka.isPaused
        state.consumed = consumed
        state.lag = lag
        let movedAt = hasMoved ? now : state.movedAt ?? now
        state.movedAt = movedAt
        return now - movedAt <= stallLimit
    }
}
