/// Telephone numbers in E.164: `+`, the country code, the number; 7 to 15 digits. The plus sign is part of what
/// Microsoft hashes.
enum PhoneNumber {
    private static let digitRange = 7...15

    /// The number without separators, or nil if it cannot be E.164 without guessing: no international prefix, a
    /// bracketed trunk zero, an extension. Guessing would hash somebody else's number.
    static func normalized(_ text: Bytes, in arena: inout Arena) -> Bytes? {
        guard !holdsTrunkZero(text), let text = withoutUnicodeSeparators(text, in: &arena) else { return nil }
        let number = arena.allocate(text.count + 1)
        var count = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                number[count] = byte
                count += 1
            case UInt8(ascii: "+"):
                guard count == 0 else { return nil }
                number[count] = byte
                count += 1
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["),
                UInt8(ascii: "]"), 0x09...0x0D, 0x20:
                continue
            default:
                return nil
            }
        }
        var digits = Bytes(rebasing: number[..<count])
        if digits.first == UInt8(ascii: "+") {
            return isInternational(digits) ? digits : nil
        }
        // 00 is how most of the world dials a plus sign.
        guard digits.hasPrefix("00") else { return nil }
        number[1] = UInt8(ascii: "+")
        digits = Bytes(rebasing: number[1..<count])
        return isInternational(digits) ? digits : nil
    }

    private static func isInternational(_ number: Bytes) -> Bool {
        digitRange.contains(number.count - 1) && number[1] != UInt8(ascii: "0")
    }

    /// `+44 (0)20 …`: the zero is dialled only inside the country; whether to drop it is a guess.
    private static func holdsTrunkZero(_ text: Bytes) -> Bool {
        guard let open = text.firstIndex(of: UInt8(ascii: "(")), let close = text.firstIndex(of: UInt8(ascii: ")")),
            open < close
        else { return false }
        return text[(open + 1)..<close].filter(isDigit) == [UInt8(ascii: "0")]
    }

    /// Typographic dashes and spaces are separators too; any other character that is not ASCII is not.
    private static func withoutUnicodeSeparators(_ text: Bytes, in arena: inout Arena) -> Bytes? {
        if text.allSatisfy({ $0 < 0x80 }) { return text }
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
