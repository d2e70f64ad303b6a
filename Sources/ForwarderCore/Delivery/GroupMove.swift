/// Where a consumer group is to go on reading one partition, and what that repeats or leaves out.
public struct GroupMove: Sendable, Equatable {
    public enum Target: Sendable, Equatable {
        /// The oldest record that is still there.
        case earliest
        /// Behind the newest record.
        case latest
        case offset(Int64)
        /// The first record published then or later.
        case time(Timestamp)

        /// `earliest`, `latest`, an offset, `2h` (ago), or a time.
        public init?(_ text: String, now: Timestamp) {
            switch text {
            case "earliest": self = .earliest
            case "latest": self = .latest
            default:
                if let offset = Int64(text) {
                    guard offset >= 0 else { return nil }
                    self = .offset(offset)
                } else if let time = PastTime.parse(text, now: now) {
                    self = .time(time)
                } else {
                    return nil
                }
            }
        }
    }

    /// The offset that the group goes on with.
    public var offset: Int64
    /// Offsets that were settled and will be read again.
    public var repeated: Int64
    /// Offsets that nobody has settled and nobody will read.
    public var leftOut: Int64

    /// - Parameters:
    ///   - low: the offset of the oldest record.
    ///   - high: the offset that the next record gets.
    ///   - committed: what the group goes on with now; without it, it begins with the oldest record.
    ///   - found: for a target in time, the first record then or later; nil if there is none.
    public init(to target: Target, low: Int64, high: Int64, committed: Int64?, found: Int64? = nil) {
        let wanted: Int64 =
            switch target {
            case .earliest: low
            case .latest: high
            case .offset(let offset): offset
            case .time: found ?? high
            }
        // What is not there is neither repeated nor left out.
        let current = min(max(committed ?? low, low), high)
        offset = min(max(wanted, low), high)
        repeated = max(0, current - offset)
        leftOut = max(0, offset - current)
    }
}
