/// Telephone numbers in E.164: `+`, the country code, the number; 7 to 15 digits. The plus sign is part of what
/// Microsoft hashes.
enum PhoneNumber {
    private static let digitRange = 7...15

    /// The number without separators, or nil if it cannot be E.164 without guessing: no international prefix, a
    /// bracketed trunk zero, an extension. Guessing would hash somebody else's number.
    static func normalized(_ text: Bytes, in arena: inout Arena) -> Bytes? {
        guard let text = withoutUnicodeSeparators(text, in: &arena) else { return nil }
        let number = arena.allocate(text.count)
        var count = 0
        // How much of the number stood in front of the bracket that is open.
        var bracket: Int?
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                number[count] = byte
                count &+= 1
            case UInt8(ascii: "+"):
                guard count == 0 else { return nil }
                number[count] = byte
                count = 1
            case UInt8(ascii: "("), UInt8(ascii: "["):
                bracket = count
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                // `+44 (0)20 …`: the zero is dialled only inside the country; whether to drop it is a guess.
                if let bracket, count == bracket + 1, number[bracket] == UInt8(ascii: "0") { return nil }
                bracket = nil
            case UInt8(ascii: "-"), UInt8(ascii: "."), 0x09...0x0D, 0x20:
                continue
            default:
                return nil
            }
        }
        var start = 0
        if count >= 2, number[0] == UInt8(ascii: "0"), number[1] == UInt8(ascii: "0") {
            // 00 is how most of the world dials a plus sign.
            number[1] = UInt8(ascii: "+")
            start = 1
        }
        let digits = count - start - 1
        guard digitRange.contains(digits), number[start] == UInt8(ascii: "+"), number[start + 1] != UInt8(ascii: "0")
        else { return nil }
        return Bytes(rebasing: number[start..<count])
    }

    /// Typographic dashes and spaces are separators too; any other character that is not ASCII is not.
    private static func withoutUnicodeSeparators(_ text: Bytes, in arena: inout Arena) -> Bytes? {
        if text.isASCII { return text }
        var plain: [UInt8] = []
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.isASCII {
                plain.append(UInt8(scalar.value))
            } else if !scalar.properties.isWhitespace, scalar.properties.generalCategory != .dashPunctuation {
                return nil
            }
        }
        return arena.copy(plain)
    }
}
