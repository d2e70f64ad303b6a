/// Goals that Microsoft does not know (yet). Their deliveries wait in the queue under the goal's name; one of them is sent
/// every now and then to see whether the goal is there.
struct HeldGoals: Sendable {
    private enum State: Sendable, Equatable {
        case held(probeAt: Uptime)
        /// Known again; what waited is being claimed, the next part from this moment on.
        case draining(from: Uptime)
    }

    private var states: [String: State] = [:]

    var isEmpty: Bool { states.isEmpty }

    func isHeld(_ goal: String) -> Bool {
        if case .held? = states[goal] { true } else { false }
    }

    /// Returns whether this is news. What comes while a goal is held does not put off its probe.
    @discardableResult
    mutating func hold(_ goal: String, probeAt: Uptime) -> Bool {
        if isHeld(goal) { return false }
        states[goal] = .held(probeAt: probeAt)
        return true
    }

    /// What waits for the goal is being claimed. If that was a probe, and it is refused, the next one's turn is at `next`.
    mutating func claiming(_ goal: String, nextProbe next: Uptime) {
        states[goal] = isHeld(goal) ? .held(probeAt: next) : .draining(from: .distantFuture)
    }

    /// What the claim found: `next` is when there is, or may be, more; nil if there is nothing.
    mutating func claimed(_ goal: String, next: Uptime?) {
        guard case .draining(let from)? = states[goal] else { return }
        let earliest = min(from, next ?? .distantFuture)
        states[goal] = earliest == .distantFuture ? nil : .draining(from: earliest)
    }

    /// What is left of goals that are held no longer is to be looked for at once.
    mutating func hasten() {
        for (goal, state) in states {
            if case .draining = state { states[goal] = .draining(from: .distantPast) }
        }
    }

    /// A delivery of the goal was taken. Returns whether this is news.
    mutating func accepted(_ goal: String) -> Bool {
        guard isHeld(goal) else { return false }
        states[goal] = .draining(from: .distantPast)
        return true
    }

    /// Rows that wait for the goal are on disk now. They may come behind the claim that found no more of them.
    mutating func noteWaiting(_ goal: String) {
        if !isHeld(goal) { states[goal] = .draining(from: .distantPast) }
    }

    /// The goal whose waiting deliveries should be claimed now, and whether only as a probe.
    func claimable(at now: Uptime) -> (goal: String, isProbe: Bool)? {
        for (goal, state) in states.sorted(by: { $0.key < $1.key }) {
            switch state {
            case .draining(let from) where from <= now: return (goal, false)
            case .held(let probeAt) where probeAt <= now: return (goal, true)
            case .draining, .held: continue
            }
        }
        return nil
    }

    /// When the next claim for a goal is due.
    var nextClaim: Uptime {
        states.values.lazy.map { state in
            switch state {
            case .held(probeAt: let time), .draining(from: let time): time
            }
        }.min() ?? .distantFuture
    }
}
