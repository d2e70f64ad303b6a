import ForwarderCore

/// What one slice of a move between queues did.
public struct MoveResult: Sendable, Equatable {
    public var moved = 0
    /// Still where they were: the other destination has, or had, the same event.
    public var alreadyThere = 0
    /// Still where they were: they are being sent.
    public var claimed = 0
    /// Where the next slice goes on; nil when this was the last.
    public var next: RowID?
    public var depths: [DestinationID: QueueDepth] = [:]
}

extension DeliveryStore {
    /// How many rows of a queue were put there at that time or later.
    public func rows(of destination: DestinationID, queuedSince time: Timestamp) throws(StoreError) -> Int {
        try read { () throws(SQLiteError) in
            let row = try connection.statement(
                "SELECT count(*) FROM queue WHERE destination = ?1 AND queued_at >= ?2")
            defer { row.reset() }
            row.bind(1, destination)
            row.bind(2, time)
            return try row.step() ? Int(row.integer(0)) : 0
        }
    }

    /// Gives rows that nobody has claimed to another destination, due at `now`. Their content stays as it is. Damaged ones
    /// are passed over: a claim puts them aside.
    /// - Parameter limit: most rows that one call looks at.
    public func move(
        from source: DestinationID, to target: DestinationID, after: RowID = .none, now: Timestamp, limit: Int = 1000
    ) throws(StoreError) -> MoveResult {
        try change { (change) throws(SQLiteError) in
            var result = MoveResult()
            let row = try connection.statement(
                """
                SELECT id, \(Schema.frozenColumns), EXISTS (
                    SELECT 1 FROM dead_letters AS dead WHERE dead.destination = ?4 AND dead.topic = queue.topic
                    AND dead.partition = queue.partition AND dead.offset = queue.offset AND dead.item = queue.item
                    AND dead.payload_hash = queue.payload_hash)
                FROM queue WHERE destination = ?1 AND id > ?2 ORDER BY id LIMIT ?3
                """)
            row.bind(1, source)
            row.bind(2, after.rawValue)
            row.bind(3, Int64(limit))
            row.bind(4, target)
            var movable: [(id: Int64, checksum: Int64, payload: Int64)] = []
            var seen = 0
            do {
                defer { row.reset() }
                while try row.step() {
                    seen += 1
                    let id = row.integer(0)
                    result.next = RowID(id)
                    if claimed.contains(RowID(id)) {
                        result.claimed += 1
                    } else if row.integer(16) != 0 {
                        result.alreadyThere += 1
                    } else if var frozen = FrozenColumns(verifying: row, from: 1) {
                        frozen.destination = target
                        movable.append((id, frozen.checksum, frozen.payloadBytes))
                    }
                }
            }
            if seen < limit { result.next = nil }
            let update = try connection.statement(
                """
                UPDATE OR IGNORE queue SET destination = ?2, checksum = ?3, strikes = 0,
                    hold = iif(transaction_key = 0, 0, ?5), due_at = max(?4, event_time * 1000) WHERE id = ?1
                """)
            update.bind(5, try texts.id(hold: TransactionKey.hold))
            update.bind(2, target)
            update.bind(4, now)
            for row in movable {
                update.bind(1, row.id)
                update.bind(3, row.checksum)
                try update.run()
                if connection.changes == 1 {
                    change[source].dequeued(payload: row.payload)
                    change[target].enqueued(payload: row.payload)
                    result.moved += 1
                } else {
                    result.alreadyThere += 1
                }
            }
            result.depths = change.depths
            return result
        }
    }
}
