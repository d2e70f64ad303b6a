/// At most so many events a second, with room for one second's worth at once.
public struct RateLimit: Sendable {
    private let eventsPerSecond: Int64?
    /// When everything that was let through would have gone out evenly spaced, in microseconds: at thousands of events a
    /// second one event is less than a millisecond.
    private var paidUntil = Int64.min

    public init(eventsPerSecond: Int?) {
        self.eventsPerSecond = eventsPerSecond.map(Int64.init)
    }

    /// Nothing may be sent before this.
    public func opensAt(now: Uptime) -> Uptime {
        guard eventsPerSecond != nil else { return now }
        return max(now, Uptime(milliseconds: paidUntil / 1000) + .seconds(-1))
    }

    public mutating func sent(_ events: Int, now: Uptime) {
        guard let eventsPerSecond else { return }
        paidUntil = max(paidUntil, now.milliseconds * 1000) + Int64(events) * 1_000_000 / eventsPerSecond
    }
}
