/// Notices that most of what is sent is refused for good: a wrong deploy must not empty the topic into the dead letters.
public struct HaltRule: Sendable {
    /// Below this number of settled events nothing is concluded.
    public static let minimumEvents = 200
    static let window = Duration.seconds(300)
    private static let slotLength: Int64 = 10_000

    private struct Slot: Sendable {
        var index: Int64
        var settled = 0
        var refused = 0
    }

    private var slots: [Slot] = []

    public init() {}

    /// Counts settled events, and says whether half or more of those within the window were refused. `undecided` events are
    /// being sent again, as it is not known which of them are to be refused: what is refused is known first.
    public mutating func count(delivered: Int, refused: Int, undecided: Int, now: Uptime) -> Bool {
        guard delivered + refused > 0 else { return false }
        let index = now.milliseconds / HaltRule.slotLength
        if slots.last?.index != index { slots.append(Slot(index: index)) }
        slots[slots.count - 1].settled += delivered + refused
        slots[slots.count - 1].refused += refused
        let oldest = index - HaltRule.window.milliseconds / HaltRule.slotLength
        slots.removeAll { $0.index <= oldest }
        let settled = slots.reduce(0) { $0 + $1.settled }
        let refusedInWindow = slots.reduce(0) { $0 + $1.refused }
        return refused > 0 && settled >= HaltRule.minimumEvents && refusedInWindow * 2 >= settled + undecided
    }

    /// Forgets what was counted: an operator has looked at it.
    public mutating func reset() {
        slots.removeAll()
    }
}
