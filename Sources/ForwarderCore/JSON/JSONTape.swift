/// One JSON text taken apart into a flat list of its values, in the order in which they stand.
///
/// The tape is made to be filled again and again: parsing a text of a size seen before allocates nothing. It holds
/// positions, not copies, so it says nothing without the bytes it was parsed from.
///
/// RFC 8259 is enforced to the letter, with bounds on depth and size; the whole text is checked to be UTF-8. A byte
/// order mark in front is skipped. Lone surrogates in `\u` escapes are accepted here and read as U+FFFD.
public struct JSONTape: Sendable {
    public enum Kind: UInt8, Sendable {
        case object, array, string, number, `true`, `false`, null
    }

    /// One value. The members of an object follow their object: name, value, name, value, …
    public struct Entry: Sendable {
        public var kind: Kind
        /// A string that holds a backslash escape.
        public var isEscaped: Bool
        /// Where the text starts: behind the opening quote of a string, at the first byte of anything else.
        public var start: UInt32
        /// Where the text ends: at the closing quote of a string, behind the last byte of anything else.
        public var end: UInt32
        /// The entry behind this value and all it contains.
        public var next: UInt32
    }

    /// Deepest nesting that is read.
    public static let depthLimit = 32
    /// Longest text that is read, in bytes; positions must fit the entries.
    public static let sizeLimit = 1 << 30

    public private(set) var entries: [Entry] = []

    public init() {
        entries.reserveCapacity(256)
    }

    /// Replaces what is on the tape by the values of `text`; entry 0 is the root. After a fault the tape is empty.
    public mutating func parse(_ text: Bytes) throws(JSONFault) {
        entries.removeAll(keepingCapacity: true)
        guard text.count <= JSONTape.sizeLimit else { throw .tooLarge }
        do {
            // The list leaves the tape for the time of the parse: one owner, so appending never has to ask.
            var parser = JSONParser(text: text, entries: entries)
            entries = []
            defer { entries = parser.entries }
            try parser.run()
        } catch {
            entries.removeAll(keepingCapacity: true)
            throw error
        }
    }

    @inline(__always)
    public func bytes(_ index: Int, of text: Bytes) -> Bytes {
        let entry = entries[index]
        return Bytes(rebasing: text[Int(entry.start)..<Int(entry.end)])
    }
}

/// Why a text is not JSON that is read here.
public enum JSONFault: Error, Hashable, Sendable {
    case unexpectedByte(at: Int)
    case truncated
    case tooDeep
    case tooLarge
    case invalidUTF8
    case invalidEscape(at: Int)
    case invalidNumber(at: Int)
    case controlCharacter(at: Int)
    case trailingBytes(at: Int)
}
