import ForwarderCore

/// What the store holds of a partition although Kafka sends it again. Records come in rising order, and so do these: one
/// look forward for each record is enough.
struct HeldRecords {
    private var positions: [HeldPosition]
    private var next = 0

    init(_ positions: [HeldPosition] = []) {
        self.positions = positions.sorted { $0.offset < $1.offset }
    }

    var isEmpty: Bool { positions.isEmpty }

    /// What is held at an offset, which is not lower than the one asked for before.
    mutating func take(at offset: Int64) -> ArraySlice<HeldPosition> {
        while next < positions.count, positions[next].offset < offset { next += 1 }
        let first = next
        while next < positions.count, positions[next].offset == offset { next += 1 }
        let found = positions[first..<next]
        if next == positions.count { self = HeldRecords() }
        return found
    }
}
