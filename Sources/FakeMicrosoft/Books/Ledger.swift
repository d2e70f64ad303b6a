/// Which events were accepted, how often, and whether each time the same. Keeps hashes only: a million events take
/// about 50 MB.
struct Ledger: Sendable {
    enum Entry {
        case new
        case identical
        /// Seen before with other content: the first is kept.
        case changed
    }

    private struct Record {
        var content: UInt32
        var times: UInt32
    }

    private var records: [UInt64: Record] = [:]

    mutating func enter(_ key: UInt64, content: UInt32) -> Entry {
        guard var record = records[key] else {
            records[key] = Record(content: content, times: 1)
            return .new
        }
        guard record.content == content else { return .changed }
        record.times &+= 1
        records[key] = record
        return .identical
    }

    /// How often the event was accepted, repeats included.
    func times(_ key: UInt64) -> Int {
        records[key].map { Int($0.times) } ?? 0
    }
}
