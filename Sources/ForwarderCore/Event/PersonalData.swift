/// Finds e-mail addresses and telephone numbers where they do not belong.
enum PersonalData {
    /// Whether the text holds what looks like an e-mail address.
    @inline(__always)
    static func containsEmail(_ text: Bytes) -> Bool {
        text.contains(UInt8(ascii: "@")) && email(in: text, from: 0) != nil
    }

    /// The first thing at or behind `start` that looks like an e-mail address.
    static func email(in text: Bytes, from start: Int) -> Range<Int>? {
        var at = start
        while at < text.count {
            guard text[at] == UInt8(ascii: "@") else {
                at += 1
                continue
            }
            var first = at
            while first > start, isLocalPart(text[first - 1]) { first -= 1 }
            var end = at + 1
            var dots = 0
            while end < text.count, isHostName(text[end]) {
                if text[end] == UInt8(ascii: "."), end > at + 1, end + 1 < text.count, isHostName(text[end + 1]) {
                    dots += 1
                }
                end += 1
            }
            if first < at, dots > 0 { return first..<end }
            at += 1
        }
        return nil
    }

    /// Whether the whole text is a telephone number with its international prefix. Digits alone may be an order number.
    static func isPhone(_ text: Bytes) -> Bool {
        text.first == UInt8(ascii: "+") && (7...15).contains(dialableDigits(text) ?? 0)
    }

    /// How many digits the text has, if it has nothing but digits and what people put between them.
    static func dialableDigits(_ text: Bytes) -> Int? {
        var digits = 0
        for (index, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "+") where index == 0: continue
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"),
                UInt8(ascii: "/"):
                continue
            default: return nil
            }
        }
        return digits
    }

    private static func isLocalPart(_ byte: UInt8) -> Bool {
        if isLetter(byte) || isDigit(byte) || byte >= 0x80 { return true }
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "'"): return true
        default: return false
        }
    }

    private static func isHostName(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte >= 0x80
    }
}
