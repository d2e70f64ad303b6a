/// Fills a tape from one text. Lives for one parse.
struct JSONParser {
    private let text: Bytes
    private var position = 0
    /// Room for every value the text can have.
    private let entries: UnsafeMutablePointer<JSONTape.Entry>
    private(set) var count = 0

    init(text: Bytes, entries: UnsafeMutablePointer<JSONTape.Entry>) {
        self.text = text
        self.entries = entries
    }

    mutating func run() throws(JSONFault) {
        skipByteOrderMark()
        skipSpace()
        try value(depth: 0)
        skipSpace()
        guard position == text.count else { throw .trailingBytes(at: position) }
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(JSONFault) {
        guard position < text.count else { throw .truncated }
        switch text[position] {
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "{"): try object(depth: depth)
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        case UInt8(ascii: "t"): try word("true", .true)
        case UInt8(ascii: "f"): try word("false", .false)
        case UInt8(ascii: "n"): try word("null", .null)
        default: throw .unexpectedByte(at: position)
        }
    }

    private mutating func object(depth: Int) throws(JSONFault) {
        guard depth < JSONTape.depthLimit else { throw .tooDeep }
        let index = open(.object)
        skipSpace()
        if take(UInt8(ascii: "}")) { return close(index) }
        while true {
            guard position < text.count else { throw .truncated }
            guard text[position] == UInt8(ascii: "\"") else { throw .unexpectedByte(at: position) }
            try string()
            skipSpace()
            try expect(UInt8(ascii: ":"))
            skipSpace()
            try value(depth: depth + 1)
            skipSpace()
            if take(UInt8(ascii: "}")) { return close(index) }
            try expect(UInt8(ascii: ","))
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(JSONFault) {
        guard depth < JSONTape.depthLimit else { throw .tooDeep }
        let index = open(.array)
        skipSpace()
        if take(UInt8(ascii: "]")) { return close(index) }
        while true {
            try value(depth: depth + 1)
            skipSpace()
            if take(UInt8(ascii: "]")) { return close(index) }
            try expect(UInt8(ascii: ","))
            skipSpace()
        }
    }

    private mutating func open(_ kind: JSONTape.Kind) -> Int {
        append(kind, start: position, end: position)
        position += 1
        return count - 1
    }

    private mutating func close(_ index: Int) {
        entries[index].end = UInt32(truncatingIfNeeded: position)
        entries[index].next = UInt32(truncatingIfNeeded: count)
    }

    @inline(__always)
    private mutating func append(_ kind: JSONTape.Kind, isEscaped: Bool = false, start: Int, end: Int) {
        entries[count] = JSONTape.Entry(
            kind: kind, isEscaped: isEscaped, start: UInt32(truncatingIfNeeded: start),
            end: UInt32(truncatingIfNeeded: end), next: UInt32(truncatingIfNeeded: count + 1))
        count &+= 1
    }

    private mutating func word(_ literal: StaticString, _ kind: JSONTape.Kind) throws(JSONFault) {
        let start = position
        for offset in 0..<literal.utf8CodeUnitCount {
            guard position < text.count else { throw .truncated }
            guard text[position] == literal.utf8Start[offset] else { throw .unexpectedByte(at: position) }
            position += 1
        }
        append(kind, start: start, end: position)
    }

    // MARK: Numbers

    private mutating func number() throws(JSONFault) {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            // A leading zero stands alone.
        } else {
            try digits(from: start)
        }
        if take(UInt8(ascii: ".")) { try digits(from: start) }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits(from: start)
        }
        if position < text.count, isDigit(text[position]) { throw .invalidNumber(at: start) }
        append(.number, start: start, end: position)
    }

    private mutating func digits(from start: Int) throws(JSONFault) {
        let first = position
        while position < text.count, isDigit(text[position]) { position += 1 }
        guard position > first else {
            throw position == text.count ? .truncated : .invalidNumber(at: start)
        }
    }

    // MARK: Strings

    private mutating func string() throws(JSONFault) {
        let start = position + 1
        position = start
        var isEscaped = false
        // Collects the high bits; may pick up bytes behind the string, which costs no more than a needless check.
        var seen: UInt64 = 0
        while true {
            skipPlainWords(&seen)
            guard position < text.count else { throw .truncated }
            let byte = text[position]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try escape()
            } else if byte < 0x20 {
                throw .controlCharacter(at: position)
            } else {
                seen |= UInt64(byte)
                position &+= 1
            }
        }
        if seen & JSONParser.highBits != 0, !isValidUTF8(Bytes(rebasing: text[start..<position])) { throw .invalidUTF8 }
        append(.string, isEscaped: isEscaped, start: start, end: position)
        position += 1
    }

    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Steps eight bytes at a time to the next quote, backslash or control, or to the last few bytes of the text.
    @inline(__always)
    private mutating func skipPlainWords(_ seen: inout UInt64) {
        guard let base = UnsafeRawPointer(text.baseAddress) else { return }
        while position &+ 8 <= text.count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            seen |= word
            let special = JSONParser.specials(word)
            guard special == 0 else {
                position &+= special.trailingZeroBitCount >> 3
                return
            }
            position &+= 8
        }
    }

    /// The high bit of each byte that is `"`, `\` or below 0x20. Exact up to and including the first one; what is above
    /// it may be wrong, as the subtraction borrows from there.
    @inline(__always)
    static func specials(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let isQuote = (quote &- ones) & ~quote
        let isBackslash = (backslash &- ones) & ~backslash
        let isControl = (word &- (ones &* 0x20)) & ~word
        return (isQuote | isBackslash | isControl) & highBits
    }

    private mutating func escape() throws(JSONFault) {
        let start = position
        guard position + 1 < text.count else { throw .truncated }
        position += 2
        switch text[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"):
            guard position + 4 <= text.count else { throw .truncated }
            for offset in 0..<4 where hexValue(text[position + offset]) == nil { throw .invalidEscape(at: start) }
            position += 4
        default:
            throw .invalidEscape(at: start)
        }
    }

    // MARK: Small steps

    private mutating func skipByteOrderMark() {
        if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { position = 3 }
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return
            }
        }
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position &+= 1
        return true
    }

    @inline(__always)
    private mutating func expect(_ byte: UInt8) throws(JSONFault) {
        guard position < text.count else { throw .truncated }
        guard text[position] == byte else { throw .unexpectedByte(at: position) }
        position &+= 1
    }
}
