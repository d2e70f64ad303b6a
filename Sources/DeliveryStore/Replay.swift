import ForwarderCore

/// What one slice of a replay did, by destination.
public struct ReplayResult: Sendable, Equatable {
    /// Back in the queue and due.
    public var moved: [DestinationID: Int] = [:]
    /// Still dead letters, as the last moment to send them has passed.
    public var refused: [DestinationID: Int] = [:]
    /// Not dead letters any more, but not added to the queue either: it held the delivery already.
    public var alreadyQueued: [DestinationID: Int] = [:]
    /// Still dead letters, as their event is not to be sent by the configuration of now; and why, where an event may have
    /// several reasons. Only when they are mapped anew.
    public var kept = 0
    public var notRemapped: [String: Int] = [:]
    /// How many were looked at.
    public var selected = 0
    /// Where the next slice goes on; nil when this was the last.
    public var next: DeadLetterID?
    public var depths: [DestinationID: QueueDepth] = [:]

    public init() {}
}

/// What one slice of a discard did, by destination.
public struct DiscardResult: Sendable, Equatable {
    public var discarded: [DestinationID: Int] = [:]
    /// False when there may be more.
    public var isComplete = true
    public var depths: [DestinationID: QueueDepth] = [:]
}

extension DeliveryStore {
    /// Moves dead letters, oldest first, back into the queue of their destination, due at `now`. They keep their
    /// attempts and failures; strikes start anew.
    /// - Parameter nextRow: names the row of each one that is moved.
    public func replay(
        _ filter: DeadLetterFilter, now: Timestamp, nextRow: () -> RowID
    ) throws(StoreError) -> ReplayResult {
        try change { (change) throws(SQLiteError) in
            let selected = try select(filter)
            let move = try connection.statement(
                """
                INSERT INTO queue (
                    id, hold, due_at, attempts, strikes, first_failure, last_failure, queued_at,
                    \(Schema.frozenColumns))
                SELECT ?2, iif(transaction_key = 0, 0, ?4), ?3, attempts, 0, first_failure, last_failure, ?3, \(Schema.frozenColumns)
                FROM dead_letters WHERE id = ?1
                ON CONFLICT (\(Schema.originColumns)) DO NOTHING
                """)
            move.bind(3, now)
            // Another record of its transaction may have been delivered in the meantime.
            move.bind(4, try texts.id(hold: TransactionKey.hold))
            var result = ReplayResult()
            for letter in selected {
                guard letter.sendBy >= now else {
                    result.refused[letter.destination, default: 0] += 1
                    continue
                }
                move.bind(1, letter.id.rawValue)
                move.bind(2, nextRow().rawValue)
                try move.run()
                if connection.changes == 1 {
                    change[letter.destination].enqueued(payload: letter.payload)
                    result.moved[letter.destination, default: 0] += 1
                } else {
                    result.alreadyQueued[letter.destination, default: 0] += 1
                }
                try delete(letter, &change)
            }
            result.selected = selected.count
            result.next = selected.count == filter.limit ? selected.last?.id : nil
            result.depths = change.depths
            return result
        }
    }

    /// As `replay`, with each dead letter mapped anew from its neutral event. What is not to be sent any more stays a
    /// dead letter.
    public func replayRemapped(
        _ filter: DeadLetterFilter, now: Moment, nextRow: () -> RowID,
        remap: (DestinationID, [UInt8]) -> Remapper.Outcome?
    ) throws(StoreError) -> ReplayResult {
        try change { (change) throws(SQLiteError) in
            let selected = try select(filter)
            var result = ReplayResult()
            for letter in selected {
                let (event, old) = try origin(of: letter.id)
                switch remap(letter.destination, event) {
                case nil: result.notRemapped["not_configured", default: 0] += 1
                case .skipped(let reason)?: result.notRemapped[reason, default: 0] += 1
                case .rejected(let reasons)?:
                    for reason in reasons { result.notRemapped[reason, default: 0] += 1 }
                case .delivery(let batch)?:
                    guard batch.deliveries[0].sendBy >= now.wall else {
                        result.refused[letter.destination, default: 0] += 1
                        continue
                    }
                    var batch = batch
                    batch.topics = [old.topic]
                    batch.deliveries[0].topic = 0
                    batch.deliveries[0].partition = old.partition
                    batch.deliveries[0].offset = old.offset
                    batch.deliveries[0].payloadHash = old.payloadHash
                    batch.deliveries[0].attempts = old.attempts
                    batch.deliveries[0].row = nextRow()
                    batch.deliveries[0].dueAt = max(now.wall, batch.deliveries[0].dueAt)
                    let hold = batch.deliveries[0].transaction == .none ? nil : TransactionKey.hold
                    let leftOut = try enqueue(
                        batch, of: letter.destination, as: QueueEntry(hold: hold, queuedAt: now.wall), &change)
                    if leftOut.isEmpty {
                        result.moved[letter.destination, default: 0] += 1
                    } else {
                        result.alreadyQueued[letter.destination, default: 0] += 1
                    }
                    try delete(letter, &change)
                    continue
                }
                result.kept += 1
            }
            result.selected = selected.count
            result.next = selected.count == filter.limit ? selected.last?.id : nil
            result.depths = change.depths
            return result
        }
    }

    private struct Origin {
        var topic: String
        var partition: Int32
        var offset: Int64
        var payloadHash: Int64
        var attempts: Int32
    }

    private func origin(of letter: DeadLetterID) throws(SQLiteError) -> (event: [UInt8], Origin) {
        let row = try connection.statement(
            "SELECT event, topic, partition, offset, payload_hash, attempts FROM dead_letters WHERE id = ?1")
        defer { row.reset() }
        row.bind(1, letter.rawValue)
        guard try row.step() else { throw .corruptIndex }
        return (
            Array(row.bytes(0)),
            Origin(
                topic: try texts.text(row.integer(1)) ?? "", partition: Int32(truncatingIfNeeded: row.integer(2)),
                offset: row.integer(3), payloadHash: row.integer(4), attempts: Int32(clamping: row.integer(5)))
        )
    }

    /// Deletes dead letters, oldest first.
    public func discardDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> DiscardResult {
        try change { (change) throws(SQLiteError) in
            let selected = try select(filter)
            var result = DiscardResult()
            for letter in selected {
                try delete(letter, &change)
                result.discarded[letter.destination, default: 0] += 1
            }
            result.isComplete = selected.count < filter.limit
            result.depths = change.depths
            return result
        }
    }

    private struct Selected {
        var id: DeadLetterID
        var destination: DestinationID
        var sendBy: Timestamp
        var payload: Int64
    }

    private func select(_ filter: DeadLetterFilter) throws(SQLiteError) -> [Selected] {
        let row = try connection.statement(
            """
            SELECT id, destination, send_by, length(content) + length(event) FROM dead_letters
            WHERE \(DeadLetterFilter.condition) ORDER BY id LIMIT ?7
            """)
        defer { row.reset() }
        filter.bind(to: row)
        var selected: [Selected] = []
        while try row.step() {
            selected.append(
                Selected(
                    id: DeadLetterID(row.integer(0)), destination: row.destination(1), sendBy: row.time(2),
                    payload: row.integer(3)))
        }
        return selected
    }

    private func delete(_ letter: Selected, _ change: inout StoreChange) throws(SQLiteError) {
        let delete = try connection.statement("DELETE FROM dead_letters WHERE id = ?1")
        delete.bind(1, letter.id.rawValue)
        try delete.run()
        change[letter.destination].deadLetters -= 1
    }
}
