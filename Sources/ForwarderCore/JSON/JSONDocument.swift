/// A parsed JSON text that owns its bytes: the comfortable way to read JSON where speed is not the point (answers of
/// Microsoft, control requests, tests).
public struct JSONDocument: Sendable {
    let bytes: [UInt8]
    let entries: [JSONTape.Entry]

    public init(_ bytes: [UInt8]) throws(JSONFault) {
        var tape = JSONTape()
        // A typed error does not cross withUnsafeBufferPointer's rethrow; a result does.
        let fault: JSONFault? = bytes.withUnsafeBufferPointer { text in
            do throws(JSONFault) {
                try tape.parse(text)
                return nil
            } catch {
                return error
            }
        }
        if let fault { throw fault }
        self.bytes = bytes
        entries = tape.entries
    }

    public init(_ text: some StringProtocol) throws(JSONFault) {
        try self.init(Array(text.utf8))
    }

    public var root: JSONElement { JSONElement(document: self, index: 0) }
}

/// One value of a document.
public struct JSONElement: Sendable {
    let document: JSONDocument
    let index: Int

    private var entry: JSONTape.Entry { document.entries[index] }

    public var kind: JSONTape.Kind { entry.kind }

    public var isNull: Bool { kind == .null }

    /// The text of the value as it stands in the document; a string without its quotes, escapes untouched.
    public var rawText: String {
        String(decoding: document.bytes[Int(entry.start)..<Int(entry.end)], as: UTF8.self)
    }

    /// The whole value as JSON text, byte for byte.
    public var json: [UInt8] {
        let quotes = kind == .string ? 1 : 0
        return Array(document.bytes[(Int(entry.start) - quotes)..<(Int(entry.end) + quotes)])
    }

    public var string: String? {
        guard kind == .string else { return nil }
        guard entry.isEscaped else { return rawText }
        var plain = ByteBuffer()
        document.bytes[Int(entry.start)..<Int(entry.end)].withUnsafeBufferPointer {
            JSONText.unescape($0, to: &plain)
        }
        return plain.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// A number without fraction or exponent that fits 64 bits.
    public var integer: Int64? {
        kind == .number ? Int64(rawText) : nil
    }

    public var double: Double? {
        kind == .number ? Double(rawText) : nil
    }

    public var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The elements of an array; nil for anything else.
    public var elements: [JSONElement]? {
        guard kind == .array else { return nil }
        var elements: [JSONElement] = []
        var child = index + 1
        while child < Int(entry.next) {
            elements.append(JSONElement(document: document, index: child))
            child = Int(document.entries[child].next)
        }
        return elements
    }

    /// The members of an object in their order; nil for anything else.
    public var members: [(name: String, value: JSONElement)]? {
        guard kind == .object else { return nil }
        var members: [(String, JSONElement)] = []
        var child = index + 1
        while child < Int(entry.next) {
            let name = JSONElement(document: document, index: child)
            members.append((name.string ?? "", JSONElement(document: document, index: child + 1)))
            child = Int(document.entries[child + 1].next)
        }
        return members
    }

    /// The member of that name; the last one if there are several.
    public subscript(name: String) -> JSONElement? {
        members?.last { $0.name == name }?.value
    }
}
