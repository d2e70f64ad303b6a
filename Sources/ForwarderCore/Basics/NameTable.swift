/// Values by name, for a set of names that is known when it is made and looked up for every member of every event: a
/// hash table with open addressing, never more than half full, whose look-up touches no reference count.
struct NameTable<Value: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    // @unchecked: the memory behind `slots` and `names` is written in init only and freed with the one owner.
    struct Entry {
        /// The same name can stand for different values in different scopes.
        var scope = 0
        var name: String
        var value: Value
    }

    private struct Slot {
        var name: Bytes
        var scope: Int
        var value: Value
    }

    private let slots: UnsafeMutableBufferPointer<Slot?>
    private let mask: Int
    private var names: Arena

    /// The first entry of a name and scope counts.
    init(_ entries: [Entry]) {
        var size = 4
        while size < entries.count * 2 { size *= 2 }
        slots = .allocate(capacity: size)
        slots.initialize(repeating: nil)
        mask = size - 1
        names = Arena(capacity: entries.reduce(64) { $0 + $1.name.utf8.count })
        for entry in entries {
            let name = names.copy(entry.name.utf8)
            guard find(name, in: entry.scope) == nil else { continue }
            var index = start(name, entry.scope)
            while slots[index] != nil { index = (index + 1) & mask }
            slots[index] = Slot(name: name, scope: entry.scope, value: entry.value)
        }
    }

    deinit {
        slots.deallocate()
    }

    @inline(__always)
    func find(_ name: Bytes, in scope: Int = 0) -> Value? {
        var index = start(name, scope)
        while let slot = slots[index] {
            if slot.scope == scope, slot.name.equals(name) { return slot.value }
            index = (index &+ 1) & mask
        }
        return nil
    }

    /// Length and three bytes tell almost all names apart; the names are the program's and its operator's, so nobody
    /// can make them collide from outside.
    @inline(__always)
    private func start(_ name: Bytes, _ scope: Int) -> Int {
        guard let first = name.first, let last = name.last else { return scope & mask }
        let middle = name[name.count / 2]
        var hash = UInt32(truncatingIfNeeded: name.count &+ scope &* 37) &* 0x9E37_79B1
        hash ^= UInt32(first) | UInt32(last) << 8 | UInt32(middle) << 16
        hash = hash &* 0x85EB_CA6B
        return Int(hash ^ hash &>> 15) & mask
    }
}
