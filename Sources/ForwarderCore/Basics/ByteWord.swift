/// Eight bytes that are looked at together.
///
/// A test gives a mask in which the high bit of each byte that passes is set. The mask is exact up to the lowest byte
/// that passes; above it the subtraction may have borrowed. So it tells whether there is one, and where the first is.
struct ByteWord {
    static let highBits: UInt64 = 0x8080_8080_8080_8080
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// The first byte is the lowest.
    let bits: UInt64

    /// The eight bytes at `offset`.
    @inline(__always)
    init(_ base: UnsafePointer<UInt8>, at offset: Int) {
        bits = UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Up to eight bytes, the rest filled with a letter.
    init(_ bytes: Bytes) {
        var bits: UInt64 = 0x6161_6161_6161_6161
        for byte in bytes { bits = bits << 8 | UInt64(byte) }
        self.bits = bits
    }

    /// The bytes that are not ASCII.
    @inline(__always)
    var nonASCII: UInt64 { bits & ByteWord.highBits }

    /// The bytes that are `byte`, which is ASCII.
    @inline(__always)
    func equal(to byte: Unicode.Scalar) -> UInt64 {
        let difference = bits ^ (ByteWord.ones &* UInt64(UInt8(ascii: byte)))
        return (difference &- ByteWord.ones) & ~bits & ByteWord.highBits
    }

    /// The bytes below `limit`, which is at most 0x80.
    @inline(__always)
    func below(_ limit: UInt8) -> UInt64 {
        (bits &- ByteWord.ones &* UInt64(limit)) & ~bits & ByteWord.highBits
    }

    /// How many of the bytes are digits.
    @inline(__always)
    var digitCount: Int {
        // Without their high bits no byte carries into the next: exact for each of them.
        let low = bits & ~ByteWord.highBits
        let notBelow = low &+ ByteWord.ones &* UInt64(0x80 - UInt8(ascii: "0"))
        let above = low &+ ByteWord.ones &* UInt64(0x7F - UInt8(ascii: "9"))
        let digits = (notBelow & ~above & ~bits & ByteWord.highBits) &>> 7
        // The sum of all bytes, in the highest one.
        return Int((digits &* ByteWord.ones) &>> 56)
    }

    /// What JSON must escape in a string: quotes, backslashes and controls.
    @inline(__always)
    var specials: UInt64 {
        equal(to: "\"") | equal(to: "\\") | below(0x20)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether a byte of the text passes `test`.
    @inline(__always)
    func hasByte(_ test: (ByteWord) -> UInt64) -> Bool {
        guard let baseAddress else { return false }
        guard count >= 8 else { return test(ByteWord(self)) != 0 }
        var offset = 0
        while offset &+ 8 <= count {
            if test(ByteWord(baseAddress, at: offset)) != 0 { return true }
            offset &+= 8
        }
        return test(ByteWord(baseAddress, at: count &- 8)) != 0
    }

    /// How many bytes are digits.
    var digitCount: Int {
        guard let baseAddress else { return 0 }
        var offset = 0
        var digits = 0
        while offset &+ 8 <= count {
            digits &+= ByteWord(baseAddress, at: offset).digitCount
            offset &+= 8
        }
        return digits &+ ByteWord(Bytes(rebasing: self[offset...])).digitCount
    }

    @inline(__always)
    var isASCII: Bool { !hasByte(\.nonASCII) }
}
