/// The bytes of a file as a program sees them, and as the disk has them for certain.
struct ModelFile {
    static let sectorSize = 4096
    private static let zeros = [UInt8](repeating: 0, count: sectorSize)

    private(set) var size = 0
    private var sectors: [[UInt8]] = []
    private var synced: [[UInt8]] = []
    private var syncedSize = 0
    private var unsynced: Set<Int> = []
    /// Written before a sync that failed: the kernel takes them for clean now, so that no later sync writes them. Only
    /// who writes them again can have them on the disk.
    private var forgotten: Set<Int> = []
    /// Whether its name is on the disk.
    var isNameSynced = false

    init() {}

    /// A file that has been on the disk for long.
    init(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0, at: 0) }
        sync()
        isNameSynced = true
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for sector in sectors { bytes += sector }
        return Array(bytes[..<size])
    }

    /// - Returns: how many bytes there were.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let count = max(0, min(buffer.count, size - offset))
        var done = 0
        while done < count {
            let (sector, start) = (offset + done).quotientAndRemainder(dividingBy: Self.sectorSize)
            let part = min(count - done, Self.sectorSize - start)
            sectors[sector].withUnsafeBytes {
                buffer.baseAddress!.advanced(by: done).copyMemory(from: $0.baseAddress! + start, byteCount: part)
            }
            done += part
        }
        return count
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        grow(to: offset + bytes.count)
        var done = 0
        while done < bytes.count {
            let (sector, start) = (offset + done).quotientAndRemainder(dividingBy: Self.sectorSize)
            let part = min(bytes.count - done, Self.sectorSize - start)
            sectors[sector].withUnsafeMutableBytes {
                ($0.baseAddress! + start).copyMemory(from: bytes.baseAddress! + done, byteCount: part)
            }
            touch(sector)
            done += part
        }
    }

    mutating func truncate(to newSize: Int) {
        grow(to: newSize)
        guard newSize < size else { return }
        size = newSize
        sectors.removeLast(sectors.count - (newSize + Self.sectorSize - 1) / Self.sectorSize)
        let rest = newSize % Self.sectorSize
        if rest > 0 {
            for index in rest..<Self.sectorSize { sectors[sectors.count - 1][index] = 0 }
            touch(sectors.count - 1)
        }
    }

    private mutating func grow(to newSize: Int) {
        while sectors.count * Self.sectorSize < newSize {
            touch(sectors.count)
            sectors.append(Self.zeros)
        }
        size = max(size, newSize)
    }

    private mutating func touch(_ sector: Int) {
        unsynced.insert(sector)
        forgotten.remove(sector)
    }

    mutating func sync() {
        let before = synced
        synced = sectors
        for sector in forgotten where sector < synced.count {
            synced[sector] = sector < before.count ? before[sector] : Self.zeros
        }
        syncedSize = size
        unsynced = []
    }

    mutating func failToSync() {
        forgotten.formUnion(unsynced)
        unsynced = []
    }

    /// What is there after the power was cut.
    func afterPowerCut(_ fate: inout PowerCut) -> ModelFile {
        let last = fate.keeps() ? size : syncedSize
        var bytes: [UInt8] = []
        for index in 0..<(last + Self.sectorSize - 1) / Self.sectorSize {
            let old = index < synced.count ? synced[index] : Self.zeros
            let isSafe = !unsynced.contains(index) && !forgotten.contains(index) || index >= sectors.count
            bytes += isSafe ? old : fate.of(sectors[index], over: old)
        }
        bytes.removeLast(bytes.count - last)
        return ModelFile(bytes)
    }
}

/// What becomes of each thing that was written and not synced when the power is cut.
struct PowerCut {
    enum Choice {
        case keepAll, dropAll
        case chance(seed: UInt64)
    }

    private let choice: Choice
    private var random: Seeded

    init(_ choice: Choice) {
        self.choice = choice
        if case .chance(let seed) = choice { random = Seeded(seed) } else { random = Seeded(0) }
    }

    mutating func keeps() -> Bool {
        switch choice {
        case .keepAll: true
        case .dropAll: false
        case .chance: Bool.random(using: &random)
        }
    }

    /// A sector as it was, as it was to be, or torn at any byte.
    mutating func of(_ new: [UInt8], over old: [UInt8]) -> [UInt8] {
        guard case .chance = choice, Int.random(in: 0..<3, using: &random) == 0 else { return keeps() ? new : old }
        let cut = Int.random(in: 0...new.count, using: &random)
        let (first, second) = keeps() ? (new, old) : (old, new)
        return Array(first[..<cut]) + Array(second[cut...])
    }
}
