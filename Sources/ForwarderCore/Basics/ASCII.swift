import Glibc

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
}

@inline(__always)
func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26
}

/// The value of one hexadecimal digit of either case.
@inline(__always)
func hexValue(_ byte: UInt8) -> UInt8? {
    let digit = byte &- UInt8(ascii: "0")
    if digit < 10 { return digit }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter &+ 10 : nil
}

@inline(__always)
func isHexDigit(_ byte: UInt8) -> Bool {
    hexValue(byte) != nil
}

/// An upper-case ASCII letter made lower-case; every other byte as it is.
@inline(__always)
func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
}

/// Space, tab, line feed, vertical tab, form feed or carriage return.
@inline(__always)
func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte &- 0x09 < 5
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether the bytes are those of `literal`.
    @inline(__always)
    func equals(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && (count == 0 || memcmp(baseAddress!, literal.utf8Start, count) == 0)
    }

    @inline(__always)
    func equals(_ other: Bytes) -> Bool {
        count == other.count && (count == 0 || memcmp(baseAddress!, other.baseAddress!, count) == 0)
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        guard let baseAddress else { return false }
        return memchr(baseAddress, Int32(byte), count) != nil
    }

    func hasPrefix(_ literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && (length == 0 || memcmp(baseAddress!, literal.utf8Start, length) == 0)
    }

    /// Whether the bytes are those of `literal`, which has no capitals, in letters of either case.
    @inline(__always)
    func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && hasPrefixIgnoringCase(literal)
    }

    /// Whether the bytes begin with `literal`, which has no capitals, in letters of either case.
    @inline(__always)
    func hasPrefixIgnoringCase(_ literal: StaticString) -> Bool {
        guard count >= literal.utf8CodeUnitCount else { return false }
        for index in 0..<literal.utf8CodeUnitCount where lowercased(self[index]) != literal.utf8Start[index] {
            return false
        }
        return true
    }

    /// The bytes without ASCII white space at both ends.
    func trimmed() -> Bytes {
        var start = 0
        var end = count
        while start < end, isSpace(self[start]) { start &+= 1 }
        while end > start, isSpace(self[end &- 1]) { end &-= 1 }
        return Bytes(rebasing: self[start..<end])
    }
}
