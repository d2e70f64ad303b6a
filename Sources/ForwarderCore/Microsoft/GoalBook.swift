/// What Microsoft last said of a destination's goals, day by day.
public struct GoalBook: Sendable {
    /// Attribution goes on for some days; what is older than a request reaches back is forgotten.
    public static let daysKept: Int64 = 7

    private struct Key: Hashable {
        var goal: String
        var day: CalendarDay
    }

    private var days: [Key: GoalCounts] = [:]

    public init() {}

    /// Enters what was read. Returns what is new, or not as it was.
    public mutating func enter(_ read: [GoalDay], now: Timestamp) -> [GoalDay] {
        let oldest = CalendarDay(of: now) + (1 - GoalBook.daysKept)
        days = days.filter { $0.key.day >= oldest }
        return read.filter { days.updateValue($0.counts, forKey: Key(goal: $0.goal, day: $0.day)) != $0.counts }
            .sorted { ($0.goal, $0.day) < ($1.goal, $1.day) }
    }

    /// The sums of today and yesterday, by the goals in question: a break shows in them soon, and a new day does not begin
    /// with nothing.
    public func recent(of goals: [String], now: Timestamp) -> [GoalSum] {
        let today = CalendarDay(of: now)
        return goals.map { goal in
            var sum = GoalCounts()
            for day in [today + -1, today] { sum += days[Key(goal: goal, day: day)] ?? GoalCounts() }
            return GoalSum(goal: goal, counts: sum)
        }
    }
}

/// The counts of one goal over some time.
public struct GoalSum: Sendable, Equatable {
    public var goal: String
    public var counts: GoalCounts

    public init(goal: String, counts: GoalCounts) {
        self.goal = goal
        self.counts = counts
    }
}
