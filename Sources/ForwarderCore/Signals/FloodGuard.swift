/// Lets a burst of like lines through, then some every now and then, and counts what it held back.
public struct FloodGuard: Sendable {
    /// How many like lines are written.
    public struct Limit: Sendable {
        public var interval: Duration
        /// Within an interval, after a quiet one.
        public var burst: Int
        /// Within an interval, as long as the flood lasts.
        public var steady: Int

        public static let usual = Limit(interval: .seconds(10), burst: 20, steady: 1)
        /// Whoever asks for these lines wants each; more than this no pixel is called.
        public static let fires = Limit(interval: .seconds(1), burst: 1000, steady: 1000)
        /// One for each request of an ordinary day: a batch lingers 200 ms.
        public static let attempts = Limit(interval: .seconds(1), burst: 10, steady: 10)
    }

    private struct Flood: Sendable {
        var since: Uptime
        var rest: Int
        var heldBack = 0
    }

    private var floods: [String: Flood] = [:]

    public init() {}

    /// Whether a line of that kind is to be written, and how many like it were not since the last one.
    public mutating func admit(_ key: String, _ limit: Limit = .usual, now: Uptime) -> (isAdmitted: Bool, heldBack: Int)
    {
        var flood = floods[key] ?? Flood(since: now, rest: limit.burst)
        defer { floods[key] = flood }
        if flood.since + limit.interval <= now {
            flood.rest = flood.heldBack > 0 ? limit.steady : limit.burst
            flood.since = now
        }
        guard flood.rest > 0 else {
            flood.heldBack += 1
            return (false, 0)
        }
        flood.rest -= 1
        defer { flood.heldBack = 0 }
        return (true, flood.heldBack)
    }
}
