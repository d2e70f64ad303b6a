/// Short-lived bytes made while one record is processed: unescaped texts, hashes, cleaned URLs. What is handed out stays
/// where it is until `reset`, so texts of a record can be passed around without copies or reference counts.
struct Arena: ~Copyable {
    private var blocks: [UnsafeMutableBufferPointer<UInt8>]
    private var block = 0
    private var used = 0

    init(capacity: Int = 16 << 10) {
        blocks = [.allocate(capacity: capacity)]
    }

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Takes everything back that was handed out. Memory beyond the first block is given up, so that one large record
    /// does not stay in memory for months.
    mutating func reset() {
        while blocks.count > 1 { blocks.removeLast().deallocate() }
        block = 0
        used = 0
    }

    /// Uninitialised room for `count` bytes.
    mutating func allocate(_ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
        if blocks[block].count - used < count {
            blocks.append(.allocate(capacity: max(count, blocks[block].count * 2)))
            block = blocks.count - 1
            used = 0
        }
        let room = UnsafeMutableBufferPointer(rebasing: blocks[block][used..<(used + count)])
        used += count
        return room
    }

    mutating func copy(_ bytes: Bytes) -> Bytes {
        let room = allocate(bytes.count)
        _ = room.update(fromContentsOf: bytes)
        return Bytes(room)
    }

    mutating func copy(_ bytes: some Collection<UInt8>) -> Bytes {
        let room = allocate(bytes.count)
        _ = room.update(fromContentsOf: bytes)
        return Bytes(room)
    }
}
