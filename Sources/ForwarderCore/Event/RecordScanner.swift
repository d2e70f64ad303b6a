/// Finds the fields of one record after the other. All its memory is used again, so an ordinary event costs no allocation.
///
/// Everything that is lent (texts, what is in the arena) is valid until the next `open`, and only while the record's bytes
/// are.
struct RecordScanner: ~Copyable {
    private let map: FieldMap
    private let maxEventBytes: Int
    /// The category of consent that stands for advertising, in the segment preset.
    private let consentCategory: [UInt8]

    private var tape = JSONTape()
    /// The fields that the event has, and those it has under their proper name, as field bits.
    private var present: UInt64 = 0
    private var canonical: UInt64 = 0
    /// The tape's entry of each field's value, by the number of its bit; says something only where `present` does.
    private let places = UnsafeMutablePointer<UInt32>.allocate(capacity: 64)
    private(set) var record = Bytes(start: nil, count: 0)
    var arena = Arena()
    private var scratch = ByteBuffer(capacity: 1 << 10)

    init(_ settings: InputSettings) {
        map = FieldMap(settings)
        maxEventBytes = settings.maxEventBytes
        consentCategory = Array(settings.consentCategory.utf8)
    }

    deinit {
        places.deallocate()
    }

    /// Finds the fields of a record. Returns what is wrong with the record as a whole.
    mutating func open(_ record: Bytes) -> RejectReason? {
        close()
        self.record = record
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

    /// Forgets the record and takes back everything that was lent.
    mutating func close() {
        record = Bytes(start: nil, count: 0)
        arena.reset()
        present = 0
        canonical = 0
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

    // MARK: Finding

    /// Notes the places of all fields inside of one object or array.
    private mutating func find(_ node: Int, _ container: Int) {
        var (place, end) = inside(container)
        guard tape[container].kind == .object else { return findElements(node, place, end) }
        while place < end {
            if let target = map.target(of: name(at: place), in: node) { note(target, place + 1) }
            place = next(place + 1)
        }
    }

    /// Only configured paths step into arrays; their elements go by their number.
    private mutating func findElements(_ node: Int, _ first: Int, _ end: Int) {
        var place = first
        for number in 0..<map.elementLimit(of: node) {
            guard place < end else { return }
            scratch.removeAll()
            scratch.append(decimal: number)
            if let target = scratch.withBytes({ map.target(of: $0, in: node) }) { note(target, place) }
            place = next(place)
        }
    }

    @inline(__always)
    private mutating func note(_ target: FieldMap.Target, _ place: Int) {
        let entry = tape[place]
        // Null and empty are absent, and keep nothing else from being found.
        if entry.kind == .null || entry.kind == .string && entry.start == entry.end { return }
        canonical |= target.canonical
        guard target.child == 0 else { return noteContainer(target, place, entry.kind) }
        note(fields: target.canonical | target.other & ~canonical, place)
    }

    /// What fields stand inside of. An object is read, and by another spelling it is no field itself; anything else may be.
    private mutating func noteContainer(_ target: FieldMap.Target, _ place: Int, _ kind: JSONTape.Kind) {
        note(fields: target.canonical | (kind == .object ? 0 : target.other & ~canonical), place)
        if kind == .object || kind == .array { find(target.child, place) }
    }

    @inline(__always)
    private mutating func note(fields: UInt64, _ place: Int) {
        present |= fields
        var rest = fields
        while rest != 0 {
            places[rest.trailingZeroBitCount] = UInt32(truncatingIfNeeded: place)
            rest &= rest &- 1
        }
    }

    // MARK: Values

    /// Makes a value the field's.
    mutating func note(_ place: Int, as field: EventField) {
        note(fields: field.bit, place)
    }

    /// Whether the configuration gives the field a place of its own.
    func isElsewhere(_ field: EventField) -> Bool {
        map.isOverridden(field)
    }

    func isConsentCategory(_ text: Bytes) -> Bool {
        consentCategory.withUnsafeBufferPointer { text.equals($0) }
    }

    /// What was noted last in a place of the list.
    @inline(__always)
    func notedPlace(_ number: Int) -> Int {
        Int(places[number])
    }

    /// The place of a field's value, or nil if the event does not have it.
    @inline(__always)
    func place(of field: EventField) -> Int? {
        present & field.bit == 0 ? nil : Int(places[Int(field.rawValue)])
    }

    /// Whether the event has one of the fields, given as field bits.
    @inline(__always)
    func hasAny(of fields: UInt64) -> Bool {
        present & fields != 0
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

    /// The name of the member whose value is in the next place.
    @inline(__always)
    mutating func name(at place: Int) -> Bytes {
        let raw = tape.bytes(place, of: record)
        return tape[place].isEscaped ? unescaped(raw) : raw
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

    /// A number where a text is expected is taken literally; a text of nothing but white space is none.
    @inline(__always)
    mutating func value(at place: Int) -> Value {
        let entry = tape[place]
        switch entry.kind {
        case .string:
            let raw = tape.bytes(place, of: record)
            let text =
                entry.isEscaped ? EventText(bytes: unescaped(raw), needsEscaping: true) : EventText(plain: raw)
            guard let first = text.bytes.first else { return .absent }
            return isSpace(first) && text.bytes.trimmed().isEmpty ? .absent : .text(text)
        case .number:
            return .text(EventText(plain: tape.bytes(place, of: record)))
        case .null:
            return .absent
        case .object, .array, .true, .false:
            return .other
        }
    }

    private mutating func unescaped(_ raw: Bytes) -> Bytes {
        scratch.removeAll()
        JSONText.unescape(raw, to: &scratch)
        return scratch.withBytes { arena.copy($0) }
    }

    /// The field's text as it stands in the event, without white space around it; empty where it is no text.
    mutating func rawText(_ field: EventField) -> EventText {
        guard case .text(let text) = value(field) else { return .absent }
        return EventText(bytes: text.bytes.trimmed(), needsEscaping: text.needsEscaping)
    }

    /// What the storefront says of consent.
    mutating func adStorage() -> AdStorage {
        guard let place = place(of: .adStorage) else { return segmentConsent() }
        switch kind(at: place) {
        case .true: return .granted
        case .false: return .denied
        case .null: return .missing
        case .number, .object, .array: return .unreadable
        case .string:
            let word = rawText(.adStorage).bytes
            if word.isEmpty { return .missing }
            if word.equalsIgnoringCase("granted") || word.equalsIgnoringCase("g") { return .granted }
            if word.equalsIgnoringCase("denied") || word.equalsIgnoringCase("d") { return .denied }
            return .unreadable
        }
    }
}
