/// Takes one text apart. Lives for one parse.
///
/// One loop, not a recursion: where the text stands is in registers, and no text can exhaust the stack.
struct JSONParser {
    private let text: Bytes
    private var position = 0
    /// Room for every value the text can have.
    private let entries: UnsafeMutablePointer<JSONTape.Entry>
    private var count = 0
    /// Where the last eight bytes of the text start.
    private let lastWord: Int
    /// Collects the bits of all strings; may pick up bytes behind one, which costs no more than a needless check.
    private var seen: UInt64 = 0
    /// The containers that are open: how many, and the innermost. While one is open, its `next` is the one around it.
    private var depth = 0
    private var innermost = 0

    /// Fills `entries`, which must have room for every value that `text` can have. Returns how many there are.
    static func parse(_ text: Bytes, into entries: UnsafeMutablePointer<JSONTape.Entry>) throws(JSONFault) -> Int {
        var parser = JSONParser(text: text, entries: entries)
        parser.skipByteOrderMark()
        var isInObject = false
        while true {
            if isInObject { try parser.name() }
            switch try parser.nextByte() {
            case UInt8(ascii: "{"):
                try parser.open(.object)
                isInObject = true
                if try parser.nextByte() != UInt8(ascii: "}") { continue }
            case UInt8(ascii: "["):
                try parser.open(.array)
                isInObject = false
                if try parser.nextByte() != UInt8(ascii: "]") { continue }
            case UInt8(ascii: "\""): try parser.string()
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                parser.append(.number, end: try endOfNumber(text, parser.position))
            case UInt8(ascii: "t"): parser.append(.true, end: try endOfWord("true", text, parser.position))
            case UInt8(ascii: "f"): parser.append(.false, end: try endOfWord("false", text, parser.position))
            case UInt8(ascii: "n"): parser.append(.null, end: try endOfWord("null", text, parser.position))
            default: throw .unexpectedByte(at: parser.position)
            }
            // A value ends here, and with it perhaps what it stands in.
            while true {
                guard parser.depth > 0 else { return try parser.finish() }
                isInObject = entries[parser.innermost].kind == .object
                let byte = try parser.nextByte()
                if byte == UInt8(ascii: ",") { break }
                guard byte == (isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw .unexpectedByte(at: parser.position)
                }
                parser.close()
            }
            parser.position &+= 1
        }
    }

    private init(text: Bytes, entries: UnsafeMutablePointer<JSONTape.Entry>) {
        self.text = text
        lastWord = text.count - 8
        self.entries = entries
    }

    /// Behind the root value. Returns the number of values.
    @inline(__always)
    private mutating func finish() throws(JSONFault) -> Int {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: throw .trailingBytes(at: position)
            }
        }
        if seen & ByteWord.highBits != 0, !isValidUTF8(text) { throw .invalidUTF8 }
        return count
    }

    // MARK: Members and containers

    @inline(__always)
    private mutating func name() throws(JSONFault) {
        guard try nextByte() == UInt8(ascii: "\"") else { throw .unexpectedByte(at: position) }
        try string()
        guard try nextByte() == UInt8(ascii: ":") else { throw .unexpectedByte(at: position) }
        position &+= 1
    }

    @inline(__always)
    private mutating func open(_ kind: JSONTape.Kind) throws(JSONFault) {
        guard depth < JSONTape.depthLimit else { throw .tooDeep }
        append(kind, start: position, end: position)
        entries[count &- 1].next = UInt32(truncatingIfNeeded: innermost)
        innermost = count &- 1
        depth &+= 1
        position &+= 1
    }

    @inline(__always)
    private mutating func close() {
        position &+= 1
        let closed = innermost
        innermost = Int(entries[closed].next)
        depth &-= 1
        entries[closed].end = UInt32(truncatingIfNeeded: position)
        entries[closed].next = UInt32(truncatingIfNeeded: count)
    }

    /// Appends a value that starts here, and goes on behind it.
    @inline(__always)
    private mutating func append(_ kind: JSONTape.Kind, end: Int) {
        append(kind, start: position, end: end)
        position = end
    }

    @inline(__always)
    private mutating func append(_ kind: JSONTape.Kind, isEscaped: Bool = false, start: Int, end: Int) {
        entries[count] = JSONTape.Entry(
            kind: kind, isEscaped: isEscaped, start: UInt32(truncatingIfNeeded: start),
            end: UInt32(truncatingIfNeeded: end), next: UInt32(truncatingIfNeeded: count &+ 1))
        count &+= 1
    }

    // MARK: Words and numbers

    /// Where the word that starts at `start` ends.
    private static func endOfWord(_ word: StaticString, _ text: Bytes, _ start: Int) throws(JSONFault) -> Int {
        for offset in 0..<word.utf8CodeUnitCount {
            guard start + offset < text.count else { throw .truncated }
            guard text[start + offset] == word.utf8Start[offset] else { throw .unexpectedByte(at: start + offset) }
        }
        return start + word.utf8CodeUnitCount
    }

    /// Where the number that starts at `start` ends.
    private static func endOfNumber(_ text: Bytes, _ start: Int) throws(JSONFault) -> Int {
        func has(_ byte: UInt8, at index: Int) -> Bool { index < text.count && text[index] == byte }
        func endOfDigits(_ first: Int) throws(JSONFault) -> Int {
            var index = first
            while index < text.count, isDigit(text[index]) { index &+= 1 }
            guard index > first else { throw index == text.count ? .truncated : .invalidNumber(at: start) }
            return index
        }
        var index = has(UInt8(ascii: "-"), at: start) ? start + 1 : start
        // A leading zero stands alone.
        index = try has(UInt8(ascii: "0"), at: index) ? index + 1 : endOfDigits(index)
        if has(UInt8(ascii: "."), at: index) { index = try endOfDigits(index + 1) }
        if has(UInt8(ascii: "e"), at: index) || has(UInt8(ascii: "E"), at: index) {
            index += 1
            if has(UInt8(ascii: "+"), at: index) || has(UInt8(ascii: "-"), at: index) { index += 1 }
            index = try endOfDigits(index)
        }
        if index < text.count, isDigit(text[index]) { throw .invalidNumber(at: start) }
        return index
    }

    // MARK: Strings

    /// A string whose opening quote is the next byte.
    @inline(__always)
    private mutating func string() throws(JSONFault) {
        let start = position &+ 1
        var isEscaped = false
        position = start
        while true {
            skipPlainWords()
            guard position < text.count else { throw .truncated }
            let byte = text[position]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                position = try JSONParser.endOfEscape(text, position)
            } else if byte < 0x20 {
                throw .controlCharacter(at: position)
            } else {
                seen |= UInt64(byte)
                position &+= 1
            }
        }
        append(.string, isEscaped: isEscaped, start: start, end: position)
        position &+= 1
    }

    /// Steps eight bytes at a time to the next byte that is special, or to the last few bytes of the text.
    @inline(__always)
    private mutating func skipPlainWords() {
        guard let base = text.baseAddress else { return }
        while position <= lastWord {
            let word = ByteWord(base, at: position)
            seen |= word.bits
            let special = word.specials
            guard special == 0 else {
                position &+= special.trailingZeroBitCount &>> 3
                return
            }
            position &+= 8
        }
    }

    /// Where the text goes on behind the escape that starts at `start`.
    @inline(never)
    private static func endOfEscape(_ text: Bytes, _ start: Int) throws(JSONFault) -> Int {
        guard start + 1 < text.count else { throw .truncated }
        switch text[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            guard start + 6 <= text.count else { throw .truncated }
            guard text[(start + 2)..<(start + 6)].allSatisfy(isHexDigit) else { throw .invalidEscape(at: start) }
            return start + 6
        default:
            throw .invalidEscape(at: start)
        }
    }

    // MARK: Small steps

    private mutating func skipByteOrderMark() {
        if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { position = 3 }
    }

    /// The next byte that is not white space; stays in front of it.
    @inline(__always)
    private mutating func nextByte() throws(JSONFault) -> UInt8 {
        while position < text.count {
            let byte = text[position]
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return byte
            }
        }
        throw .truncated
    }
}
