/// What Microsoft says of the conversions of one goal that it processed on one day.
public struct GoalDay: Sendable, Equatable {
    /// The goal's name as it is configured.
    public var goal: String
    public var day: CalendarDay
    public var counts: GoalCounts

    public init(goal: String, day: CalendarDay, counts: GoalCounts) {
        self.goal = goal
        self.day = day
        self.counts = counts
    }
}

public struct GoalCounts: Sendable, Equatable {
    public var attributed = 0
    public var unattributed = 0
    /// Why they were not. Need not add up to `unattributed`.
    public var reasons: [UnattributedReason: Int] = [:]

    public init(attributed: Int = 0, unattributed: Int = 0, reasons: [UnattributedReason: Int] = [:]) {
        self.attributed = attributed
        self.unattributed = unattributed
        self.reasons = reasons
    }

    public var isMostlyUnattributed: Bool { unattributed > attributed }

    /// The most frequent one first.
    public var sortedReasons: [(reason: UnattributedReason, count: Int)] {
        reasons.filter { $0.value > 0 }.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { ($0.key, $0.value) }
    }

    public static func += (sum: inout GoalCounts, other: GoalCounts) {
        sum.attributed += other.attributed
        sum.unattributed += other.unattributed
        sum.reasons.merge(other.reasons, uniquingKeysWith: +)
    }

    /// As members of a JSON object.
    public func write(_ writer: inout JSONWriter) {
        writer.member("attributed", attributed)
        writer.member("unattributed", unattributed)
        writer.name("reasons")
        writer.object { writer in
            for (reason, count) in sortedReasons { writer.member(reason.name, count) }
        }
    }
}

/// A day from midnight to midnight UTC.
public struct CalendarDay: Hashable, Comparable, Sendable {
    /// Since 1970-01-01.
    public var number: Int64

    public init(of time: Timestamp) {
        let seconds = time.seconds
        number = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    }

    /// The day that `2026-08-06` or `2026-08-06T00:00:00` begins with.
    public init?(_ text: String) {
        guard let midnight = Timestamp(iso8601: "\(text.prefix(10))T00:00:00Z") else { return nil }
        self.init(of: midnight)
    }

    public var start: Timestamp { Timestamp(seconds: number * 86_400) }

    /// `2026-08-06`.
    public var text: String { String(ConfigUnits.text(start).prefix(10)) }

    public static func < (left: CalendarDay, right: CalendarDay) -> Bool { left.number < right.number }

    public static func + (day: CalendarDay, count: Int64) -> CalendarDay {
        var day = day
        day.number += count
        return day
    }
}
