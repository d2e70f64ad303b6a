/// Goals that take nothing (yet). What is for one that Microsoft does not know waits in the queue under the goal's name; one
/// delivery is sent every now and then to see whether the goal is there. What is for one that is too young waits like
/// anything whose time has not come.
struct HeldGoals: Sendable {
    private enum State: Sendable, Equatable {
        case held(probeAt: Uptime)
        /// Known again; what waited is being claimed, the next part from this moment on.
        case draining(from: Uptime)
    }

    /// Until when a goal that is too young is left alone, and Microsoft's code for that.
    struct Wait: Sendable, Equatable {
        var until: Uptime
        var code: String
    }

    private var states: [String: State] = [:]
    private var waits: [String: Wait] = [:]

    /// How many Microsoft does not know.
    var heldCount: Int { states.keys.count(where: isHeld) }

    var isEmpty: Bool { states.isEmpty && waits.isEmpty }

    func isHeld(_ goal: String) -> Bool {
        if case .held? = states[goal] { true } else { false }
    }

    /// Returns whether this is news. What comes while a goal is held does not put off its probe.
    @discardableResult
    mutating func hold(_ goal: String, probeAt: Uptime) -> Bool {
        waits[goal] = nil
        if isHeld(goal) { return false }
        states[goal] = .held(probeAt: probeAt)
        return true
    }

    /// Nothing is to be sent for the goal before that. Returns whether this is news: what else was on its way does not
    /// prolong the wait.
    mutating func putOff(_ goal: String, _ wait: Wait, at now: Uptime) -> Bool {
        if self.wait(for: goal, at: now) != nil { return false }
        waits[goal] = wait
        return true
    }

    func wait(for goal: String, at now: Uptime) -> Wait? {
        waits[goal].flatMap { $0.until > now ? $0 : nil }
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

    /// What is left of goals that are held no longer is to be looked for at once, and no goal is too young to be tried.
    mutating func hasten() {
        waits = [:]
        for (goal, state) in states {
            if case .draining = state { states[goal] = .draining(from: .distantPast) }
        }
    }

    /// A delivery of the goal was taken. Returns whether this is news.
    mutating func accepted(_ goal: String) -> Bool {
        waits[goal] = nil
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
            guard nextClaim(for: goal, state) <= now else { continue }
            if case .held = state { return (goal, true) } else { return (goal, false) }
        }
        return nil
    }

    /// When the next claim for a goal is due.
    var nextClaim: Uptime {
        states.lazy.map { nextClaim(for: $0.key, $0.value) }.min() ?? .distantFuture
    }

    private func nextClaim(for goal: String, _ state: State) -> Uptime {
        switch state {
        case .held(probeAt: let time), .draining(from: let time): max(time, waits[goal]?.until ?? .distantPast)
        }
    }
}
