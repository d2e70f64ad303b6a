/// A point of wall-clock time, in milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// `seconds` since 1970; the result is clamped where the milliseconds would not fit 64 bits.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    public static let distantPast = Timestamp(milliseconds: .min)
    public static let distantFuture = Timestamp(milliseconds: .max)

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 {
        let quotient = milliseconds / 1000
        return milliseconds % 1000 < 0 ? quotient - 1 : quotient
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    public static func + (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds.addingClamped(duration.milliseconds))
    }

    public static func - (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds.subtractingClamped(duration.milliseconds))
    }

    public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .milliseconds(later.milliseconds.subtractingClamped(earlier.milliseconds))
    }
}

/// What the clocks say at one moment. The wall clock decides what a person or Microsoft would look at (an event's age, a
/// due time that outlives the process); the uptime, which no clock step touches, decides how long to wait.
public struct Moment: Hashable, Sendable {
    public var wall: Timestamp
    /// Monotonic milliseconds from an arbitrary start.
    public var uptime: Uptime

    public init(wall: Timestamp, uptime: Uptime) {
        self.wall = wall
        self.uptime = uptime
    }

    /// The moment `duration` later, if neither clock is stepped in between.
    public static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(wall: moment.wall + duration, uptime: moment.uptime + duration)
    }
}

/// A reading of the monotonic clock, in milliseconds from an arbitrary start.
public struct Uptime: Hashable, Comparable, Sendable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static let distantPast = Uptime(milliseconds: .min)
    public static let distantFuture = Uptime(milliseconds: .max)

    public static func < (left: Uptime, right: Uptime) -> Bool { left.milliseconds < right.milliseconds }

    public static func + (time: Uptime, duration: Duration) -> Uptime {
        Uptime(milliseconds: time.milliseconds.addingClamped(duration.milliseconds))
    }

    public static func - (later: Uptime, earlier: Uptime) -> Duration {
        .milliseconds(later.milliseconds.subtractingClamped(earlier.milliseconds))
    }
}

extension Duration {
    /// Whole milliseconds, rounded toward zero; clamped to 64 bits.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        return product.addingClamped(attoseconds / 1_000_000_000_000_000)
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}

extension Timestamp {
    /// A date and time with a zone, as in `2026-08-06T07:06:40Z`.
    public init?(iso8601 text: String) {
        var copy = text
        guard let seconds = copy.withUTF8({ ISO8601.seconds($0) }) else { return nil }
        self.init(seconds: seconds)
    }

    /// To the second, in UTC.
    public var iso8601: String {
        var text = ByteBuffer()
        ISO8601.append(seconds, to: &text)
        return text.withBytes { String(decoding: $0, as: UTF8.self) }
    }
}
