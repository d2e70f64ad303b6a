import ForwarderCore
import Synchronization

/// Bounds what pages may cost the daemon: so many requests that ask the store or take an event apart at a time, and so
/// many in a while.
final class AskBudget: Sendable {
    private static let concurrent = 3
    private static let burst = 30.0
    private static let perSecond = 5.0

    private struct State {
        var running = 0
        var tokens = AskBudget.burst
        var filledAt: Uptime?
    }

    private let state = Mutex(State())

    /// Returns what `body` returns; nil if there is too much to do already.
    func spend<Answer>(now: Uptime, _ body: () -> Answer) -> Answer? {
        let isAdmitted = state.withLock { state in
            let elapsed = state.filledAt.map { Double((now - $0).milliseconds) / 1000 } ?? 0
            state.tokens = min(AskBudget.burst, state.tokens + max(0, elapsed) * AskBudget.perSecond)
            state.filledAt = now
            guard state.running < AskBudget.concurrent, state.tokens >= 1 else { return false }
            state.running += 1
            state.tokens -= 1
            return true
        }
        guard isAdmitted else { return nil }
        defer { state.withLock { $0.running -= 1 } }
        return body()
    }
}
