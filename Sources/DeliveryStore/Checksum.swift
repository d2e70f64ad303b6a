import ForwarderCore

/// A 64-bit check against flipped bits, not against an adversary: FNV-1a's loop over eight bytes at a time, with the
/// upper half folded into the lower one after each multiplication. Every step is a bijection of the state and of the
/// word, so a change within one word never goes unseen; any other one goes unseen once in 2^64.
struct Checksum {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ word: Int64) {
        state = (state ^ UInt64(bitPattern: word)) &* 0x9FB2_1C65_1E98_DF25
        state ^= state >> 32
    }

    /// The bytes and how many they are; the last word is filled up with zeros.
    mutating func add(_ bytes: Bytes) {
        add(Int64(bytes.count))
        let raw = UnsafeRawBufferPointer(bytes)
        var index = 0
        while index + 8 <= raw.count {
            add(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: Int64.self)))
            index += 8
        }
        if index < raw.count {
            var last: UInt64 = 0
            for (place, byte) in raw[index...].enumerated() { last |= UInt64(byte) << (UInt64(place) * 8) }
            add(Int64(bitPattern: last))
        }
    }

    mutating func add(_ text: String) {
        add(Int64(text.utf8.count))
        for byte in text.utf8 { add(Int64(byte)) }
    }

    var value: Int64 { Int64(bitPattern: state) }
}
