import ForwarderCore
import Synchronization

/// Whether the daemon does what it is there for. Asked by `/readyz` and `status`; judged once a second.
final class Readiness: Sendable {
    /// Lag without progress for this long means that nothing moves although something should.
    private static let stallLimit = Duration.seconds(60)

    private struct State {
        var reasons = ["starting"]
        var consumed = 0
        var movedAt = Uptime.distantPast
    }

    private let state = Mutex(State())

    /// Why it is not ready; empty when it is.
    var reasons: [String] { state.withLock { $0.reasons } }

    func judge(_ metrics: Metrics?, stalled: [String], now: Uptime) {
        state.withLock { state in
            guard let metrics else { return }
            var reasons = stalled.map { "\($0)_loop_stalled" }
            let consumed = metrics.destinations.first?.intake.consumed ?? 0
            let lag = metrics.kafka.partitions.reduce(0) { $0 + ($1.lag ?? 0) }
            if consumed != state.consumed || lag == 0 || metrics.kafka.isPaused {
                state.consumed = consumed
                state.movedAt = now
            }
            if state.movedAt == .distantPast { state.movedAt = now }
            if metrics.kafka.rebalances == 0 { reasons.append("not_in_the_group") }
            if now - state.movedAt > Readiness.stallLimit { reasons.append("lag_without_progress") }
            if !metrics.store.isWritable { reasons.append("store_not_writable") }
            if metrics.unaccounted != 0 { reasons.append("unaccounted") }
            state.reasons = reasons
        }
    }
}
