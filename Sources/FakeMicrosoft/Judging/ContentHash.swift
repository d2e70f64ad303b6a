import ForwarderCore

/// A fast 64-bit hash of texts, the same in every run, so that the books need not keep the texts themselves. It resists
/// chance, not malice.
struct ContentHash {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    static func of(_ bytes: Bytes) -> UInt64 {
        var hash = ContentHash()
        hash.add(bytes)
        return hash.value
    }

    static func of(_ text: some StringProtocol) -> UInt64 {
        Array(text.utf8).withUnsafeBufferPointer { of($0) }
    }

    /// Adds one text; two texts one after the other are not the same as both in one.
    mutating func add(_ bytes: Bytes) {
        var index = 0
        if let base = UnsafeRawPointer(bytes.baseAddress) {
            while index &+ 8 <= bytes.count {
                add(base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index &+= 8
            }
        }
        var rest: UInt64 = 0
        while index < bytes.count {
            rest = rest << 8 | UInt64(bytes[index])
            index &+= 1
        }
        add(rest)
        add(UInt64(bytes.count))
    }

    @inline(__always)
    mutating func add(_ word: UInt64) {
        let product = (word ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: value ^ 0xE703_7ED1_A0B4_28DB)
        value = product.high ^ product.low
    }
}
