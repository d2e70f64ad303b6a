import ForwarderCore

extension DeliveryStore {
    /// Moves rows of the queue to the dead letters. A dead letter of the same delivery that is there already stays as
    /// it is.
    func moveToDeadLetters(
        _ ends: [RowEnd], of destination: DestinationID, _ change: inout StoreChange
    ) throws(SQLiteError) {
        let move = try connection.statement(
            """
            INSERT INTO dead_letters (
                class, reason, dead_at, attempts, first_failure, last_failure, \(Schema.frozenColumns))
            SELECT ?3, ?4, ?5, ?6, first_failure, last_failure, \(Schema.frozenColumns)
            FROM queue WHERE id = ?1 AND destination = ?2
            ON CONFLICT (\(Schema.originColumns)) DO NOTHING
            """)
        move.bind(2, destination)
        for end in ends {
            move.bind(1, end.row.rawValue)
            move.bind(3, end.cause.reasonClass.rawValue)
            move.bind(4, end.cause.reason)
            move.bind(5, end.at)
            move.bind(6, Int64(end.attempts))
            try move.run()
            change[destination].deadLetters += connection.changes
        }
        try remove(ends.map(\.row), of: destination, &change)
    }

    /// Puts deliveries to the dead letters that never were in the queue.
    func insertDeadLetters(
        _ batch: DeliveryBatch, of destination: DestinationID, ends: [DeadLetterCause], at now: Timestamp,
        _ change: inout StoreChange
    ) throws(SQLiteError) {
        precondition(batch.recordForm == .neutral, "a record goes to disk only in its neutral form")
        precondition(ends.count == batch.count, "each dead letter needs its cause")
        let topics = try batch.topics.map { (topic) throws(SQLiteError) in try texts.id(topic) }
        let insert = try connection.statement(
            """
            INSERT INTO dead_letters (class, reason, dead_at, attempts, \(Schema.frozenColumns))
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
            ON CONFLICT (\(Schema.originColumns)) DO NOTHING
            """)
        insert.bind(3, now)
        var index = 0
        try batch.withFrozen(of: destination, topics: topics) { (delivery, frozen) throws(SQLiteError) in
            insert.bind(1, ends[index].reasonClass.rawValue)
            insert.bind(2, ends[index].reason)
            insert.bind(4, Int64(delivery.attempts))
            frozen.bind(to: insert, from: 5)
            try insert.run()
            change[destination].deadLetters += connection.changes
            index += 1
        }
    }
}

/// One dead letter.
public struct DeadLetter: Sendable, Equatable {
    public var id: DeadLetterID
    public var delivery: StoredDelivery
    public var cause: DeadLetterCause
    public var attempts: Int
    /// The first and the last failure after which it was tried again.
    public var firstFailure: String?
    public var lastFailure: String?
    public var deadAt: Timestamp
}

/// One dead letter and what would be sent.
public struct DeadLetterWithContent: Sendable, Equatable {
    public var letter: DeadLetter
    /// The frozen content: the inside of the request's list.
    public var content: [UInt8]
    /// The neutral event, to map it anew.
    public var event: [UInt8]
}

extension DeliveryStore {
    /// Dead letters, newest first.
    public func deadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> [DeadLetter] {
        try read { () throws(SQLiteError) in
            let row = try connection.statement(
                """
                SELECT \(DeadLetter.columns) FROM dead_letters
                WHERE \(DeadLetterFilter.condition) ORDER BY id DESC LIMIT ?7
                """)
            defer { row.reset() }
            filter.bind(to: row)
            var letters: [DeadLetter] = []
            while try row.step() { letters.append(try DeadLetter(row, texts)) }
            return letters
        }
    }

    /// One dead letter with its bytes; nil if there is none of this id.
    public func deadLetter(_ id: DeadLetterID) throws(StoreError) -> DeadLetterWithContent? {
        try read { () throws(SQLiteError) in
            let row = try connection.statement(
                "SELECT \(DeadLetter.columns), content, event FROM dead_letters WHERE id = ?1")
            defer { row.reset() }
            row.bind(1, id.rawValue)
            guard try row.step() else { return nil }
            return DeadLetterWithContent(
                letter: try DeadLetter(row, texts), content: Array(row.bytes(16)), event: Array(row.bytes(17)))
        }
    }
}

extension DeadLetter {
    fileprivate static let columns =
        "id, class, reason, attempts, first_failure, last_failure, dead_at, \(StoredDelivery.columns)"

    fileprivate init(_ row: SQLiteStatement, _ texts: TextTable) throws(SQLiteError) {
        id = DeadLetterID(row.integer(0))
        // A class that no release has written can only be damage; which one is shown makes no difference.
        cause = DeadLetterCause(DeadLetterCause.Class(rawValue: row.text(1)) ?? .data, row.text(2))
        attempts = Int(row.integer(3))
        firstFailure = try texts.text(row.optionalInteger(4))
        lastFailure = try texts.text(row.optionalInteger(5))
        deadAt = row.time(6)
        delivery = try StoredDelivery(row, from: 7, texts)
    }
}
