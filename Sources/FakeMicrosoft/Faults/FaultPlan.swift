/// Which faults befall requests, and when: timed phases, counted from the moment the plan is put into force. When the
/// last phase is over everything works, so that a run can be expected to end well.
public struct FaultPlan: Sendable {
    public struct Phase: Sendable, Hashable {
        public var fault: Fault
        public var targets: FaultTargets
        /// Since the plan was put into force.
        public var window: Range<Duration>
        /// The share of requests that it befalls, 0 … 1.
        public var rate: Double
        /// It befalls at most so many requests; nil is no limit.
        public var most: Int?

        public init(
            _ fault: Fault, targets: FaultTargets = .all, window: Range<Duration> = Phase.always, rate: Double = 1,
            most: Int? = nil
        ) {
            self.fault = fault
            self.targets = targets
            self.window = window
            self.rate = rate
            self.most = most
        }

        /// A hundred years: until another plan takes over.
        public static let always = Duration.zero..<Duration.seconds(100 * 365 * 86_400)
    }

    public private(set) var phases: [Phase]

    public init(_ phases: [Phase]) {
        self.phases = phases
    }

    public static let none = FaultPlan([])

    /// From here on nothing goes wrong any more.
    public var end: Duration {
        phases.lazy.map(\.window.upperBound).max() ?? .zero
    }

    /// The fault that befalls a request; the first phase that hits wins. Poison is not chosen but looked for.
    mutating func choose(
        for target: FaultTargets, after elapsed: Duration, bodyBytes: Int, using rng: inout some RandomNumberGenerator
    ) -> Chosen? {
        for index in phases.indices {
            let phase = phases[index]
            guard phase.isActive(for: target, after: elapsed), phase.poison == nil,
                phase.fault.concerns(target, bodyBytes: bodyBytes),
                phase.rate >= 1 || Double.random(in: 0..<1, using: &rng) < phase.rate
            else { continue }
            if let most = phase.most { phases[index].most = most - 1 }
            return Chosen(fault: phase.fault, phase: index)
        }
        return nil
    }

    /// The hashes of the events that are poison at the moment.
    func poisons(for target: FaultTargets, after elapsed: Duration) -> [UInt64] {
        phases.compactMap { $0.isActive(for: target, after: elapsed) ? $0.poison : nil }
    }

    struct Chosen: Sendable {
        var fault: Fault
        /// Tells apart two phases of the same fault, which pick different events.
        var phase: Int
    }
}

extension FaultPlan.Phase {
    fileprivate func isActive(for target: FaultTargets, after elapsed: Duration) -> Bool {
        targets.contains(target) && window.contains(elapsed) && most != 0
    }

    fileprivate var poison: UInt64? {
        guard case .poison(let id) = fault else { return nil }
        return ContentHash.of(id)
    }
}
