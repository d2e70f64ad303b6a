/// Reading and writing what stands between the quotes of a JSON string.
enum JSONText {
    /// Appends the characters that an escaped string stands for. The escapes were checked by the parser. A surrogate
    /// without its partner becomes U+FFFD, as in browsers: storefronts cut titles in the middle of an emoji.
    static func unescape(_ raw: Bytes, to output: inout ByteBuffer) {
        var index = 0
        while index < raw.count {
            let byte = raw[index]
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                index += 1
                continue
            }
            index += 2
            switch raw[index - 1] {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "u"):
                let unit = codeUnit(raw, at: index)
                index += 4
                append(scalar(unit, raw, &index), to: &output)
            case let other: output.append(other)
            }
        }
    }

    /// Appends `text` in the form that may stand between the quotes of a JSON string.
    @inline(__always)
    static func escape(_ text: Bytes, to output: inout ByteBuffer) {
        var plainStart = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                index &+= 1
                continue
            }
            output.append(Bytes(rebasing: text[plainStart..<index]))
            appendEscape(byte, to: &output)
            index &+= 1
            plainStart = index
        }
        output.append(Bytes(rebasing: text[plainStart..<index]))
    }

    private static func appendEscape(_ byte: UInt8, to output: inout ByteBuffer) {
        switch byte {
        case UInt8(ascii: "\""): output.append("\\\"")
        case UInt8(ascii: "\\"): output.append("\\\\")
        case 0x08: output.append("\\b")
        case 0x09: output.append("\\t")
        case 0x0A: output.append("\\n")
        case 0x0C: output.append("\\f")
        case 0x0D: output.append("\\r")
        default:
            output.append("\\u00")
            output.append(ByteBuffer.hexDigit(byte >> 4))
            output.append(ByteBuffer.hexDigit(byte & 15))
        }
    }

    /// The scalar that starts with `unit`; takes the second half of a surrogate pair from `raw` if it is there.
    private static func scalar(_ unit: UInt32, _ raw: Bytes, _ index: inout Int) -> UInt32 {
        guard 0xD800...0xDFFF ~= unit else { return unit }
        let isPairPossible =
            unit < 0xDC00 && index + 6 <= raw.count && raw[index] == UInt8(ascii: "\\")
            && raw[index + 1] == UInt8(ascii: "u")
        guard isPairPossible else { return 0xFFFD }
        let second = codeUnit(raw, at: index + 2)
        guard 0xDC00...0xDFFF ~= second else { return 0xFFFD }
        index += 6
        return 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00)
    }

    private static func codeUnit(_ raw: Bytes, at index: Int) -> UInt32 {
        var unit: UInt32 = 0
        for offset in 0..<4 { unit = unit << 4 | UInt32(hexValue(raw[index + offset]) ?? 0) }
        return unit
    }

    private static func append(_ scalar: UInt32, to output: inout ByteBuffer) {
        for byte in UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter {
            output.append(byte)
        }
    }
}
