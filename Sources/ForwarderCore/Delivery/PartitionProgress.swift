/// How far one assignment of one partition is: which consumed records are settled for every destination, and so what may
/// be committed. The watermark moves in consumed order; compaction and transaction markers leave holes in the offsets,
/// and destinations answer in any order.
public struct PartitionProgress: Sendable {
    private var offsets: [Int64] = []
    /// How many destinations have not settled the record.
    private var open: [UInt16] = []
    /// Index into the arrays of the first record that is not settled.
    private var head = 0
    /// Sequence of the record at index 0.
    private var base: UInt64 = 0

    /// What may be committed: the offset behind the last record of the settled prefix. nil before there is one.
    public private(set) var watermark: Int64?
    /// Highest sequence for which something was settled after the record was consumed: what stands before it and is not
    /// settled would be sent twice if it were left to Kafka.
    public private(set) var lastSettled: UInt64?

    public init() {}

    /// The sequence that the next record gets.
    public var nextSequence: UInt64 { base + UInt64(offsets.count) }

    /// Consumed records behind the watermark.
    public var uncommittedCount: Int { offsets.count - head }

    /// Takes note of a consumed record that `open` destinations (or rejects on their way to disk) must settle.
    public mutating func consume(offset: Int64, open destinations: Int) {
        offsets.append(offset)
        open.append(UInt16(destinations))
        if destinations == 0 { advance() }
    }

    /// One destination has settled the record of that sequence.
    public mutating func settle(_ sequence: UInt64) {
        precondition(sequence >= base && sequence < nextSequence, "a record that was not consumed cannot be settled")
        let index = Int(sequence - base)
        precondition(open[index] > 0, "a record is settled once for each destination")
        open[index] -= 1
        lastSettled = max(lastSettled ?? 0, sequence)
        if index == head { advance() }
    }

    /// Whether every destination has settled the record.
    public func isSettled(_ sequence: UInt64) -> Bool {
        sequence < base || open[Int(sequence - base)] == 0
    }

    private mutating func advance() {
        while head < open.count, open[head] == 0 {
            watermark = offsets[head] + 1
            head += 1
        }
        // Moving what is left costs no more than what was taken out before.
        if head >= 4096, head * 2 >= open.count {
            offsets.removeFirst(head)
            open.removeFirst(head)
            base += UInt64(head)
            head = 0
        }
    }
}
