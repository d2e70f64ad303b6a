/// One JSON text taken apart into a flat list of its values, in the order in which they stand.
///
/// The tape is made to be filled again and again: parsing a text of a size seen before allocates nothing. It holds
/// positions, not copies, so it says nothing without the bytes it was parsed from.
///
/// RFC 8259 is enforced to the letter, with bounds on depth and size; the whole text is checked to be UTF-8. A byte
/// order mark in front is skipped. Lone surrogates in `\u` escapes are accepted here and read as U+FFFD.
public struct JSONTape: ~Copyable {
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

    private var base: UnsafeMutablePointer<Entry>
    private var capacity: Int
    public private(set) var count = 0

    public init() {
        capacity = 256
        base = .allocate(capacity: capacity)
    }

    deinit {
        base.deallocate()
    }

    public subscript(index: Int) -> Entry {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "no such entry")
            return base[index]
        }
    }

    /// Copies of all entries.
    public var entries: [Entry] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Replaces what is on the tape by the values of `text`; entry 0 is the root. After a fault the tape is empty.
    public mutating func parse(_ text: Bytes) throws(JSONFault) {
        count = 0
        guard text.count <= JSONTape.sizeLimit else { throw .tooLarge }
        // A value that is complete takes two bytes (a comma, a colon or a closing bracket is one); what is open when the
        // text ends is no more than the nesting allows.
        let most = text.count / 2 + JSONTape.depthLimit + 2
        if capacity < most {
            base.deallocate()
            capacity = most
            base = .allocate(capacity: capacity)
        }
        count = try JSONParser.parse(text, into: base)
    }

    @inline(__always)
    public func bytes(_ index: Int, of text: Bytes) -> Bytes {
        let entry = self[index]
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
