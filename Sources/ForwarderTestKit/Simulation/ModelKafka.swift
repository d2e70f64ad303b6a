import ForwarderCore

/// One topic: what was published, and how far the group has committed. Offsets have holes, as compaction and
/// transactions leave them.
struct ModelKafka {
    struct Record {
        var offset: Int64
        var value: [UInt8]?
        var fate: SimulatedShop.Fate
    }

    struct Partition {
        var records: [Record] = []
        var nextOffset: Int64 = 0
        /// Offset of the next record to be read; nil before the first commit.
        var committed: Int64?
        /// How many records stand before it.
        var committedCount = 0
    }

    static let topic = "events"
    var partitions: [Partition]

    init(partitions count: Int) {
        partitions = Array(repeating: Partition(), count: count)
    }

    mutating func publish(_ record: SimulatedShop.Record, hole: Int64) {
        let partition = record.partition
        let offset = partitions[partition].nextOffset + hole
        partitions[partition].records.append(Record(offset: offset, value: record.value, fate: record.fate))
        partitions[partition].nextOffset = offset + 1
    }

    /// Moves the group. Returns the records that are behind it now and were not before.
    mutating func commit(_ partition: Int, _ offset: Int64) -> ArraySlice<Record> {
        let first = partitions[partition].committedCount
        let records = partitions[partition].records
        var end = first
        while end < records.count, records[end].offset < offset { end += 1 }
        partitions[partition].committed = offset
        partitions[partition].committedCount = end
        return records[first..<end]
    }

    var isAllCommitted: Bool { partitions.allSatisfy { $0.committedCount == $0.records.count } }
}
