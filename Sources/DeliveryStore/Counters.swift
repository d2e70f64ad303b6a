import ForwarderCore

/// How many rows there are, kept in a table of its own: counting a million rows takes too long to do it at every start,
/// or whenever somebody asks.
struct Counters: Equatable {
    var queue = QueueDepth()
    var deadLetters = 0
    var rejects = 0
    var quarantined = 0

    /// What a row takes on disk beyond its content and event: columns, index entries and the unused rest of its page.
    /// Measured: 269 bytes.
    static let rowOverhead: Int64 = 272

    static func bytes(ofPayload payload: Int64) -> Int64 { payload + rowOverhead }

    mutating func enqueued(payload: Int64) {
        queue.rows += 1
        queue.bytes += Self.bytes(ofPayload: payload)
    }

    mutating func dequeued(payload: Int64) {
        queue.rows -= 1
        queue.bytes -= Self.bytes(ofPayload: payload)
    }

    static func load(_ connection: SQLiteConnection) throws(SQLiteError) -> [DestinationID: Counters] {
        try read(
            connection, "SELECT destination, queue_rows, queue_bytes, dead_letters, rejects, quarantined FROM counters")
    }

    func save(_ destination: DestinationID, _ connection: SQLiteConnection) throws(SQLiteError) {
        let statement = try connection.statement("INSERT OR REPLACE INTO counters VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        statement.bind(1, destination)
        statement.bind(2, Int64(queue.rows))
        statement.bind(3, queue.bytes)
        statement.bind(4, Int64(deadLetters))
        statement.bind(5, Int64(rejects))
        statement.bind(6, Int64(quarantined))
        try statement.run()
    }

    /// Counts the rows themselves.
    static func count(_ connection: SQLiteConnection) throws(SQLiteError) -> [DestinationID: Counters] {
        try read(
            connection,
            """
            SELECT destination, sum(queue), sum(bytes), sum(dead), sum(reject), sum(quarantined) FROM (
                SELECT destination, count(*) AS queue, sum(length(content) + length(event) + \(rowOverhead)) AS bytes,
                    0 AS dead, 0 AS reject, 0 AS quarantined FROM queue GROUP BY destination
                UNION ALL SELECT destination, 0, 0, count(*), 0, 0 FROM dead_letters GROUP BY destination
                UNION ALL SELECT destination, 0, 0, 0, count(*), 0 FROM rejects GROUP BY destination
                UNION ALL SELECT destination, 0, 0, 0, 0, count(*) FROM quarantine GROUP BY destination
            ) GROUP BY destination
            """)
    }

    private static func read(
        _ connection: SQLiteConnection, _ sql: String
    ) throws(SQLiteError) -> [DestinationID: Counters] {
        var counters: [DestinationID: Counters] = [:]
        let row = try connection.statement(sql)
        defer { row.reset() }
        while try row.step() {
            counters[row.destination(0)] = Counters(
                queue: QueueDepth(rows: Int(row.integer(1)), bytes: row.integer(2)), deadLetters: Int(row.integer(3)),
                rejects: Int(row.integer(4)), quarantined: Int(row.integer(5)))
        }
        return counters
    }
}

extension DestinationID {
    /// Under which the store keeps what concerns no single destination. Issued ids start at 1.
    static let all = DestinationID(0)
}
