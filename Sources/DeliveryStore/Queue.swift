import ForwarderCore

/// What came of a transaction.
public struct StoreResult: Sendable, Equatable {
    /// Rows an enqueue named that are not there, as their delivery was already in the queue under another row.
    public var leftOut: [DestinationID: [RowID]]
    /// How much now waits in the queue of each destination that was touched.
    public var depths: [DestinationID: QueueDepth]
    /// Rows whose time had run out and that are dead letters now.
    public var expired: [DestinationID: Int]

    public init(
        leftOut: [DestinationID: [RowID]] = [:], depths: [DestinationID: QueueDepth] = [:],
        expired: [DestinationID: Int] = [:]
    ) {
        self.leftOut = leftOut
        self.depths = depths
        self.expired = expired
    }
}

extension DeliveryStore {
    /// Carries out all of `works`, in their order, in one transaction. Rows that are no longer there are passed over.
    public func perform(_ works: [StoreWork]) throws(StoreError) -> StoreResult {
        if works.isEmpty { return StoreResult() }
        return try change { (change) throws(SQLiteError) in
            var leftOut: [DestinationID: [RowID]] = [:]
            var expired: [DestinationID: Int] = [:]
            for work in works {
                switch work {
                case .enqueue(let destination, let batch, let entry):
                    let rows = try enqueue(batch, of: destination, as: entry, &change)
                    if !rows.isEmpty { leftOut[destination, default: []] += rows }
                case .remove(let destination, let rows):
                    try remove(rows, of: destination, &change)
                case .remember(let destination, let transactions, let now):
                    try remember(transactions, of: destination, at: now)
                case .reschedule(let destination, let rows, let failure, let hold):
                    try reschedule(rows, of: destination, failure: failure, hold: hold, &change)
                case .deadLetterRows(let destination, let ends):
                    try moveToDeadLetters(ends, of: destination, &change)
                case .deadLetter(let destination, let batch, let ends, let now):
                    try insertDeadLetters(batch, of: destination, ends: ends, at: now, &change)
                case .expire(let destination, let now, let limit):
                    expired[destination, default: 0] += try expire(destination, at: now, limit: limit, &change)
                case .reject(let events):
                    try insertRejects(events, &change)
                case .setState(let destination, let state):
                    try setState(state, of: destination)
                }
            }
            return StoreResult(leftOut: leftOut, depths: change.depths, expired: expired)
        }
    }

    /// Makes up to `limit` rows due at `now` that have to wait longer, but none before its event has happened: the clock by
    /// which they were told to wait was ahead. In slices, as each row that changes is written anew with all it holds.
    /// - Returns: whether there may be more.
    public func hasten(_ destination: DestinationID, at now: Timestamp, limit: Int) throws(StoreError) -> Bool {
        try change { (_) throws(SQLiteError) in
            let update = try connection.statement(
                """
                UPDATE queue SET due_at = max(?2, event_time * 1000) WHERE id IN (
                    \(Self.holds) SELECT id FROM holds JOIN queue ON destination = ?1 AND hold = number
                    WHERE due_at > ?2 AND due_at > event_time * 1000 LIMIT ?3)
                """)
            update.bind(1, destination)
            update.bind(2, now)
            update.bind(3, Int64(limit))
            try update.run()
            return connection.changes == limit
        }
    }

    /// How much waits in the queue of a destination; from memory.
    public func depth(of destination: DestinationID) -> QueueDepth {
        counters[destination]?.queue ?? QueueDepth()
    }

    /// - Returns: the rows that were left out.
    func enqueue(
        _ batch: DeliveryBatch, of destination: DestinationID, as entry: QueueEntry, _ change: inout StoreChange
    ) throws(SQLiteError) -> [RowID] {
        precondition(batch.recordForm == .neutral, "a record goes to disk only in its neutral form")
        let topics = try batch.topics.map { (topic) throws(SQLiteError) in try texts.id(topic) }
        let failure = try texts.id(failure: entry.failure)
        let insert = try connection.statement(
            """
            INSERT INTO queue (
                id, hold, due_at, attempts, strikes, first_failure, last_failure, queued_at,
                \(Schema.frozenColumns))
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
            ON CONFLICT (\(Schema.originColumns)) DO NOTHING
            """)
        insert.bind(2, try texts.id(hold: entry.hold))
        insert.bind(6, failure)
        insert.bind(7, entry.queuedAt)
        var counters = change[destination]
        var leftOut: [RowID] = []
        try batch.withFrozen(of: destination, topics: topics) { (delivery, frozen) throws(SQLiteError) in
            precondition(delivery.isStored, "a delivery needs a row before it is put into the queue")
            insert.bind(1, delivery.row.rawValue)
            insert.bind(3, delivery.dueAt)
            insert.bind(4, Int64(delivery.attempts))
            insert.bind(5, Int64(delivery.strikes))
            frozen.bind(to: insert, from: 8)
            try insert.run()
            if connection.changes == 0 {
                leftOut.append(delivery.row)
            } else {
                counters.enqueued(payload: frozen.payloadBytes)
                if entry.isClaimed { change.claims[delivery.row] = true }
            }
        }
        change[destination] = counters
        return leftOut
    }

    /// Deletes the rows that are there.
    /// - Parameter destination: whose rows they must be; nil for any.
    func remove(
        _ rows: [RowID], of destination: DestinationID?, _ change: inout StoreChange
    ) throws(SQLiteError) {
        let find = try connection.statement(
            "SELECT destination, length(content) + length(event) FROM queue WHERE id = ?1")
        // Not one DELETE ... RETURNING: that takes three times as long (10 instead of 3 microseconds).
        let delete = try connection.statement("DELETE FROM queue WHERE id = ?1")
        for row in rows {
            find.bind(1, row.rawValue)
            guard try find.step() else { continue }
            let owner = find.destination(0)
            let payload = find.integer(1)
            find.reset()
            guard destination == nil || destination == owner else { continue }
            delete.bind(1, row.rawValue)
            try delete.run()
            change[owner].dequeued(payload: payload)
            change.claims[row] = false
        }
    }

    /// - Returns: how many rows were moved.
    private func expire(
        _ destination: DestinationID, at now: Timestamp, limit: Int, _ change: inout StoreChange
    ) throws(SQLiteError) -> Int {
        let find = try connection.statement(
            """
            \(Self.holds) SELECT id, attempts FROM holds JOIN queue ON destination = ?1 AND hold = number
            WHERE send_by < ?2
            """)
        find.bind(1, destination)
        find.bind(2, now)
        var ends: [RowEnd] = []
        // Claimed rows do not count, or as many of them as the limit would keep all others from their end.
        while ends.count < limit, try find.step() {
            let row = RowID(find.integer(0))
            // A row may have been claimed a moment ago, in this transaction.
            if change.claims[row] ?? claimed.contains(row) { continue }
            let attempts = Int32(clamping: find.integer(1))
            ends.append(RowEnd(row: row, cause: DeadLetterCause(.expired, "expired"), attempts: attempts, at: now))
        }
        find.reset()
        // The holds come one after the other. Dead letters are purged in the order in which they were written.
        ends.sort { $0.row < $1.row }
        try moveToDeadLetters(ends, of: destination, &change)
        return ends.count
    }

    private func reschedule(
        _ rows: [Reschedule], of destination: DestinationID, failure: String?, hold: String?,
        _ change: inout StoreChange
    ) throws(SQLiteError) {
        let failure = try texts.id(failure: failure)
        let update = try connection.statement(
            """
            UPDATE queue SET due_at = ?3, attempts = ?4, strikes = ?5, hold = ?6,
                first_failure = coalesce(first_failure, ?7), last_failure = coalesce(?7, last_failure)
            WHERE id = ?1 AND destination = ?2
            """)
        update.bind(2, destination)
        update.bind(6, try texts.id(hold: hold))
        update.bind(7, failure)
        for row in rows {
            update.bind(1, row.row.rawValue)
            update.bind(3, row.dueAt)
            update.bind(4, Int64(row.attempts))
            update.bind(5, Int64(row.strikes))
            try update.run()
            // Nobody makes free what another destination has claimed.
            if connection.changes == 1 { change.claims[row.row] = false }
        }
    }
}

extension DeliveryBatch {
    /// Calls `body` with each delivery and its columns, whose bytes are lent for the time of the call.
    /// - Parameter topics: the numbers of `self.topics` in the store.
    func withFrozen(
        of destination: DestinationID, topics: [Int64],
        _ body: (Delivery, FrozenColumns) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        try contents.withUnsafeBufferPointer { (contents) throws(SQLiteError) in
            try records.withUnsafeBufferPointer { (records) throws(SQLiteError) in
                for delivery in deliveries {
                    let frozen = FrozenColumns(
                        delivery, of: destination, topic: topics[Int(delivery.topic)], goals: goals,
                        contents: contents, records: records)
                    try body(delivery, frozen)
                }
            }
        }
    }
}
