/// Texts that many rows repeat, kept once and named by number: topics, goals that rows are held for, failures.
final class TextTable {
    private let connection: SQLiteConnection
    private var ids: [String: Int64] = [:]
    private var texts: [Int64: String] = [:]

    /// Beyond it a new failure is stored as `otherFailure`: topics and held goals come from the configuration, but
    /// failures may come from outside.
    static let failureLimit = 4096
    static let otherFailure = "other"

    init(_ connection: SQLiteConnection) {
        self.connection = connection
    }

    /// What was remembered may come from a transaction that was undone.
    func forget() {
        ids = [:]
        texts = [:]
    }

    func text(_ id: Int64) throws(SQLiteError) -> String? {
        if let known = texts[id] { return known }
        let statement = try connection.statement("SELECT text FROM texts WHERE id = ?1")
        defer { statement.reset() }
        statement.bind(1, id)
        guard try statement.step() else { return nil }
        let text = statement.text(0)
        remember(id, text)
        return text
    }

    func text(_ id: Int64?) throws(SQLiteError) -> String? {
        guard let id else { return nil }
        return try text(id)
    }

    /// The number of a text, if it has one.
    func id(knownFor text: String) throws(SQLiteError) -> Int64? {
        if let known = ids[text] { return known }
        let statement = try connection.statement("SELECT id FROM texts WHERE text = ?1")
        defer { statement.reset() }
        statement.bind(1, text)
        guard try statement.step() else { return nil }
        let id = statement.integer(0)
        remember(id, text)
        return id
    }

    /// The number of a text, which is given one if it has none. Only inside a change.
    func id(_ text: String) throws(SQLiteError) -> Int64 {
        if let known = try id(knownFor: text) { return known }
        let statement = try connection.statement("INSERT INTO texts (text) VALUES (?1)")
        statement.bind(1, text)
        try statement.run()
        let id = connection.lastInsertedRow
        remember(id, text)
        return id
    }

    /// As `id`, for a text of which there may be too many.
    func id(failure text: String?) throws(SQLiteError) -> Int64? {
        guard let text else { return nil }
        if let known = try id(knownFor: text) { return known }
        let highest = try connection.integer("SELECT max(id) FROM texts") ?? 0
        return try id(highest < Self.failureLimit ? text : Self.otherFailure)
    }

    /// The number of the goal rows are held for; 0 for rows that flow.
    func id(hold text: String?) throws(SQLiteError) -> Int64 {
        guard let text else { return 0 }
        return try id(text)
    }

    /// As `id(hold:)`, without giving a number to a goal that has none: nothing is held for it.
    func id(knownForHold text: String?) throws(SQLiteError) -> Int64? {
        guard let text else { return 0 }
        return try id(knownFor: text)
    }

    private func remember(_ id: Int64, _ text: String) {
        ids[text] = id
        texts[id] = text
    }
}
