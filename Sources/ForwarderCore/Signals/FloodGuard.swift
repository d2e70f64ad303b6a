/// Lets a burst of like lines through, then one every now and then, and counts what it held back.
public struct FloodGuard: Sendable {
    public static let burst = 20
    public static let interval = Duration.seconds(10)

    private struct Flood: Sendable {
        var since: Uptime
        var written = 0
        var heldBack = 0
    }

    private var floods: [String: Flood] = [:]

    public init() {}

    /// Whether a line of that kind is to be written, and how many like it were not since the last one.
    public mutating func admit(_ key: String, now: Uptime) -> (isAdmitted: Bool, heldBack: Int) {
        var flood = floods[key] ?? Flood(since: now)
        defer { floods[key] = flood }
        if flood.since + FloodGuard.interval <= now {
            let heldBack = flood.heldBack
            // After a flood one line per interval, after quiet a burst again.
            flood = Flood(since: now, written: heldBack > 0 ? FloodGuard.burst : 1)
            return (true, heldBack)
        }
        if flood.written < FloodGuard.burst {
            flood.written += 1
            return (true, 0)
        }
        flood.heldBack += 1
        return (false, 0)
    }
}
