/// Finds e-mail addresses and telephone numbers where they do not belong.
enum PersonalData {
    /// Addresses that were encoded for a redirect inside of a redirect are decoded this often.
    private static let decodings = 3
    /// A telephone number has at least this many digits.
    private static let fewestDigits = 7

    /// Whether the text holds what looks like an e-mail address or an international telephone number, percent-encoded
    /// or not.
    @inline(__always)
    static func isHeld(in text: Bytes, _ arena: inout Arena) -> Bool {
        isMarked(text) && isHeldDecoded(text, &arena)
    }

    /// Whether the text has a byte without which there is neither an address nor an international number in it. Almost
    /// none has, so almost none is looked at closely.
    @inline(__always)
    static func isMarked(_ text: Bytes) -> Bool {
        text.hasByte { $0.equal(to: "@") | $0.equal(to: "+") | $0.equal(to: "%") }
    }

    /// Every stage of the decoding is looked at: what is decoded once too often may be no address any more.
    @inline(never)
    private static func isHeldDecoded(_ text: Bytes, _ arena: inout Arena) -> Bool {
        var current = text
        for _ in 0..<decodings {
            if holdsEmail(current) || holdsInternationalPhone(current) { return true }
            guard current.contains(UInt8(ascii: "%")) else { return false }
            current = decodedOnce(current, in: &arena)
        }
        return holdsEmail(current) || holdsInternationalPhone(current)
    }

    /// Whether something in the text looks like an e-mail address: a name, an `@`, and a host whose last label begins
    /// with a letter (so `package@1.2.3` is none).
    private static func holdsEmail(_ text: Bytes) -> Bool {
        var index = 0
        while let at = text[index...].firstIndex(of: UInt8(ascii: "@")) {
            index = at + 1
            guard at > 0, isLocalPart(text[at - 1]) else { continue }
            while index < text.count, isHostName(text[index]) {
                let isBehindDot = index > at + 2 && text[index - 1] == UInt8(ascii: ".")
                if isBehindDot, isLetter(text[index]) || text[index] >= 0x80 { return true }
                index += 1
            }
        }
        return false
    }

    /// Whether a plus sign somewhere is followed by the digits of a telephone number. Digits without it may be anything.
    private static func holdsInternationalPhone(_ text: Bytes) -> Bool {
        guard let plus = text.firstIndex(of: UInt8(ascii: "+")) else { return false }
        // Separators are counted as part of a number, plus signs among them: in a query they are spaces.
        var digits = 0
        var isInNumber = true
        for byte in text[plus...] {
            if isDigit(byte) {
                if isInNumber { digits += 1 }
                if digits >= fewestDigits { return true }
            } else if byte == UInt8(ascii: "+") && !isInNumber {
                isInNumber = true
                digits = 0
            } else if !isPhoneSeparator(byte) {
                isInNumber = false
                digits = 0
            }
        }
        return false
    }

    /// Whether the text has as many digits as a telephone number.
    static func mayBeDialable(_ text: Bytes) -> Bool {
        text.digitCount >= fewestDigits
    }

    /// Whether the text has nothing but enough digits for a telephone number, and what people put between them.
    static func isDialable(_ text: Bytes) -> Bool {
        var digits = 0
        for byte in text {
            if isDigit(byte) {
                digits += 1
            } else if !isPhoneSeparator(byte) {
                return false
            }
        }
        return digits >= fewestDigits
    }

    /// The text percent-decoded until nothing is left to decode, a few times at most.
    static func decoded(_ text: Bytes, in arena: inout Arena) -> Bytes {
        var current = text
        for _ in 0..<decodings where current.contains(UInt8(ascii: "%")) { current = decodedOnce(current, in: &arena) }
        return current
    }

    private static func decodedOnce(_ text: Bytes, in arena: inout Arena) -> Bytes {
        let room = arena.allocate(text.count)
        var count = 0
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count, let high = hexValue(text[index + 1]),
                let low = hexValue(text[index + 2])
            {
                room[count] = high << 4 | low
                index += 3
            } else {
                room[count] = text[index]
                index += 1
            }
            count += 1
        }
        return Bytes(rebasing: room[..<count])
    }

    private static func isPhoneSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "/"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// What a local part can end in. Not what stands in front of a handle (`/@shop.example`).
    private static func isLocalPart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x20, UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "&"), UInt8(ascii: ":"),
            UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "<"),
            UInt8(ascii: ">"), UInt8(ascii: "@"), 0x7F:
            false
        default: true
        }
    }

    private static func isHostName(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte >= 0x80
    }
}
