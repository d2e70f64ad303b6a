/// What one person's deliveries are recognised by in what is kept on disk: the hashes and ids exactly as the mappings and
/// the neutral event write them.
public struct PersonMarks: Sendable, Equatable {
    /// Pieces of JSON, each beginning with a quotation mark.
    public private(set) var marks: [String] = []
    /// Ids of transactions, which the delivery log holds as well.
    public private(set) var transactionIDs: [String] = []

    public init() {}

    public init(marks: [String], transactionIDs: [String]) {
        self.marks = marks
        self.transactionIDs = transactionIDs
    }

    public var isEmpty: Bool { marks.isEmpty }

    /// Both forms in which Microsoft wants an address. Returns false if it is none.
    public mutating func add(email: String) -> Bool {
        var arena = Arena()
        let hasher = SHA256()
        let hashes = Array(email.utf8).withUnsafeBufferPointer { text -> [String] in
            if let given = PersonMarks.givenHash(text) { return [given] }
            let address = EmailAddress(text, in: &arena)
            let forms = [address.conversionsAPI, address.enhanced].compactMap(\.self)
            return forms.map { String(decoding: hasher.hexDigest($0, in: &arena), as: UTF8.self) }
        }
        for hash in hashes { add("\"\(hash)\"") }
        return !hashes.isEmpty
    }

    /// Returns false if it is no number in E.164.
    public mutating func add(phone: String) -> Bool {
        var arena = Arena()
        let hash = Array(phone.utf8).withUnsafeBufferPointer { text -> String? in
            if let given = PersonMarks.givenHash(text) { return given }
            return PhoneNumber.normalized(text, in: &arena).map {
                String(decoding: SHA256().hexDigest($0, in: &arena), as: UTF8.self)
            }
        }
        if let hash { add("\"\(hash)\"") }
        return hash != nil
    }

    public mutating func add(externalID: String) { add(externalID, "externalId", "external_id") }
    public mutating func add(anonymousID: String) { add(anonymousID, "anonymousId", "anonymous_id") }

    public mutating func add(eventID: String) { add(eventID, "eventId", "event_id") }

    public mutating func add(transactionID: String) {
        add(transactionID, "transactionId", "transaction_id")
        transactionIDs.append(transactionID)
    }

    /// 64 digits are a hash that the shop made, as in an event.
    private static func givenHash(_ text: Bytes) -> String? {
        let trimmed = text.trimmed()
        guard UUIDText.isHex(trimmed, count: 64) else { return nil }
        return String(decoding: trimmed.map(lowercased), as: UTF8.self)
    }

    private mutating func add(_ value: String, _ names: String...) {
        for name in names {
            var output = ByteBuffer()
            output.append(json: name)
            output.append(UInt8(ascii: ":"))
            output.append(json: value)
            add(output.withBytes { String(decoding: $0, as: UTF8.self) })
        }
    }

    private mutating func add(_ mark: String) {
        if !marks.contains(mark) { marks.append(mark) }
    }

    /// A search for them that is made once and used for many rows.
    public func makeFinder() -> Finder { Finder(marks.map { Array($0.utf8) }) }

    public struct Finder: Sendable {
        private let marks: [[UInt8]]

        init(_ marks: [[UInt8]]) {
            self.marks = marks
        }

        /// Whether one of them stands in these bytes.
        public func finds(in bytes: Bytes) -> Bool {
            var start = 0
            while start < bytes.count {
                if bytes[start] == UInt8(ascii: "\"") {
                    for mark in marks where mark.count <= bytes.count - start {
                        var index = 1
                        while index < mark.count, bytes[start + index] == mark[index] { index += 1 }
                        if index == mark.count { return true }
                    }
                }
                start += 1
            }
            return false
        }
    }
}
