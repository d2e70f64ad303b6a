/// The shapes that identifiers come in.
enum UUIDText {
    /// 8-4-4-4-12 hexadecimal digits with dashes.
    static func isDashed(_ text: Bytes) -> Bool {
        guard text.count == 36 else { return false }
        // One bit for each place.
        var dashes: UInt64 = 0
        for index in 0..<36 where !isHexDigit(text[index]) {
            guard text[index] == UInt8(ascii: "-") else { return false }
            dashes |= 1 << UInt64(index)
        }
        return dashes == 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23
    }

    /// A dashed UUID of version 4 and the usual variant.
    static func isVersion4(_ text: Bytes) -> Bool {
        guard isDashed(text), text[14] == UInt8(ascii: "4") else { return false }
        switch lowercased(text[19]) {
        case UInt8(ascii: "8"), UInt8(ascii: "9"), UInt8(ascii: "a"), UInt8(ascii: "b"): return true
        default: return false
        }
    }

    /// The all-zero UUID, which phones report when the person does not want to be tracked.
    static func isZero(_ text: Bytes) -> Bool {
        text.allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "-") }
    }

    static func isHex(_ text: Bytes, count: Int) -> Bool {
        text.count == count && text.allSatisfy(isHexDigit)
    }

    /// Sixteen bytes as a dashed UUID of version 4.
    static func version4(from bytes: Bytes, in arena: inout Arena) -> Bytes {
        let text = arena.allocate(36)
        var index = 0
        for position in 0..<16 {
            if position == 4 || position == 6 || position == 8 || position == 10 {
                text[index] = UInt8(ascii: "-")
                index += 1
            }
            var byte = bytes[position]
            if position == 6 { byte = byte & 0x0F | 0x40 }
            if position == 8 { byte = byte & 0x3F | 0x80 }
            text[index] = ByteBuffer.hexDigit(byte >> 4)
            text[index + 1] = ByteBuffer.hexDigit(byte & 15)
            index += 2
        }
        return Bytes(text)
    }
}
