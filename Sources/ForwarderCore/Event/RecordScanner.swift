/// Finds the fields of one record after the other. All its memory is used again, so an ordinary event costs no allocation.
///
/// Everything that is lent (texts, what is in the arena) is valid until the next `open`, and only while the record's bytes
/// are.
struct RecordScanner: ~Copyable {
    private let map: FieldMap
    private let maxEventBytes: Int

    private var tape = JSONTape()
    /// The entry of each field's value, by `EventField.rawValue`; 0, the root, stands for absent.
    private var places = [UInt32](repeating: 0, count: EventField.allCases.count)
    private var canonical: UInt64 = 0
    private(set) var record = Bytes(start: nil, count: 0)
    var arena = Arena()
    private var scratch = ByteBuffer(capacity: 1 << 10)

    init(_ settings: InputSettings) {
        map = FieldMap(settings)
        maxEventBytes = settings.maxEventBytes
    }

    /// Finds the fields of a record. Returns what is wrong with the record as a whole.
    mutating func open(_ record: Bytes) -> RejectReason? {
        self.record = record
        arena.reset()
        canonical = 0
        for index in places.indices { places[index] = 0 }
        guard record.count <= maxEventBytes else { return .eventTooLarge }
        do {
            try tape.parse(record)
        } catch {
            return RecordScanner.reason(error)
        }
        guard tape[0].kind == .object else { return .notAnObject }
        find(FieldMap.root, 0)
        return nil
    }

    private static func reason(_ fault: JSONFault) -> RejectReason {
        switch fault {
        case .tooDeep: .tooDeep
        case .tooLarge: .eventTooLarge
        case .invalidUTF8: .invalidUTF8
        case .unexpectedByte, .truncated, .invalidEscape, .invalidNumber, .controlCharacter, .trailingBytes:
            .malformedJSON
        }
    }

    /// Notes the places of all fields below one object or array.
    private mutating func find(_ node: Int, _ container: Int) {
        let end = Int(tape[container].next)
        var index = container + 1
        if tape[container].kind == .array { return findInArray(node, index, end) }
        while index < end {
            let value = index + 1
            if let target = map.target(of: key(index), in: node) { note(target, value) }
            index = Int(tape[value].next)
        }
    }

    /// Only configured paths step into arrays; their elements go by their number.
    private mutating func findInArray(_ node: Int, _ first: Int, _ end: Int) {
        var index = first
        var number = 0
        while index < end {
            let name = arena.copy(String(number).utf8)
            if let target = map.target(of: name, in: node) { note(target, index) }
            index = Int(tape[index].next)
            number += 1
        }
    }

    @inline(__always)
    private mutating func note(_ target: FieldMap.Target, _ value: Int) {
        switch target {
        case .field(let field, let isCanonical):
            if tape[value].kind == .null { return }
            if isCanonical {
                canonical |= field.bit
            } else if canonical & field.bit != 0 {
                return
            }
            places[Int(field.rawValue)] = UInt32(truncatingIfNeeded: value)
        case .child(let node):
            switch tape[value].kind {
            case .object, .array: find(node, value)
            default: return
            }
        }
    }

    @inline(__always)
    mutating func key(_ index: Int) -> Bytes {
        let raw = tape.bytes(index, of: record)
        return tape[index].isEscaped ? unescaped(raw) : raw
    }

    private mutating func unescaped(_ raw: Bytes) -> Bytes {
        scratch.removeAll()
        JSONText.unescape(raw, to: &scratch)
        return scratch.withBytes { arena.copy($0) }
    }

    // MARK: Values

    /// The place of a field's value, or nil if the event does not have it.
    @inline(__always)
    func place(of field: EventField) -> Int? {
        let place = Int(places[Int(field.rawValue)])
        return place == 0 ? nil : place
    }

    @inline(__always)
    func kind(at place: Int) -> JSONTape.Kind {
        tape[place].kind
    }

    /// The first place inside of an object or array, and the place behind its last.
    @inline(__always)
    func inside(_ place: Int) -> (first: Int, end: Int) {
        (place + 1, Int(tape[place].next))
    }

    /// The place behind a value.
    @inline(__always)
    func next(_ place: Int) -> Int {
        Int(tape[place].next)
    }

    enum Value {
        case absent
        case text(EventText)
        /// A truth value, an object or an array.
        case other
    }

    @inline(__always)
    mutating func value(_ field: EventField) -> Value {
        guard let place = place(of: field) else { return .absent }
        return value(at: place)
    }

    /// A number where a text is expected is taken literally.
    @inline(__always)
    mutating func value(at place: Int) -> Value {
        let entry = tape[place]
        switch entry.kind {
        case .string:
            let raw = tape.bytes(place, of: record)
            if raw.isEmpty { return .absent }
            return .text(
                entry.isEscaped ? EventText(bytes: unescaped(raw), needsEscaping: true) : EventText(plain: raw))
        case .number:
            return .text(EventText(plain: tape.bytes(place, of: record)))
        case .null:
            return .absent
        case .object, .array, .true, .false:
            return .other
        }
    }

    /// The field's text as it stands in the event, for routing; absent where it is no text.
    mutating func rawText(_ field: EventField) -> EventText {
        if case .text(let text) = value(field) { return text }
        return .absent
    }

    /// Granted or denied, as the storefront says it.
    mutating func adStorage() -> AdStorage {
        switch value(.adStorage) {
        case .absent: return .missing
        case .text(let text):
            if text.bytes.equals("granted") || text.bytes.equals("G") { return .granted }
            if text.bytes.equals("denied") || text.bytes.equals("D") { return .denied }
            return .missing
        case .other: return .missing
        }
    }
}
