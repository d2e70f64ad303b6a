import ForwarderCore

/// The queue of one destination in numbers.
public struct QueueStats: Sendable, Equatable {
    public var destination: DestinationID
    public var depth: QueueDepth
    /// Seconds since 1970: the event time of the row that must be sent soonest.
    public var oldestEventTime: Int64?
    public var soonestSendBy: Timestamp?
    /// When the next row is due, claimed ones and those held back included.
    public var nextDue: Timestamp?
    /// Rows by the goal they are held back for; the others flow.
    public var heldRows: [String: Int]
    /// Rows by their last failure; those of the others nothing failed yet.
    public var failedRows: [String: Int]
}

/// One row of a queue, without its content.
public struct QueueRow: Sendable, Equatable {
    public var row: RowID
    public var delivery: StoredDelivery
    public var dueAt: Timestamp
    public var hold: String?
    public var attempts: Int
    public var strikes: Int
    public var firstFailure: String?
    public var lastFailure: String?
    public var queuedAt: Timestamp
    public var isClaimed: Bool
}

/// Which rows of the queues are meant. Every condition that is given must hold.
public struct QueueFilter: Sendable, Equatable {
    public var destination: DestinationID?
    public var lastFailure: String?
    /// Held back for this goal.
    public var hold: String?
    /// Queued at this time or later.
    public var since: Timestamp?
    public var limit: Int

    public init(
        destination: DestinationID? = nil, lastFailure: String? = nil, hold: String? = nil, since: Timestamp? = nil,
        limit: Int = 100
    ) {
        self.destination = destination
        self.lastFailure = lastFailure
        self.hold = hold
        self.since = since
        self.limit = limit
    }
}

extension DeliveryStore {
    /// The queues of all destinations that have rows. Looks at every entry of an index, which takes half a second for a
    /// million rows.
    public func queueStats() throws(StoreError) -> [QueueStats] {
        try read { () throws(SQLiteError) in
            var stats: [DestinationID: QueueStats] = [:]
            let row = try connection.statement(
                """
                SELECT destination, hold, last_failure, count(*), min(due_at)
                FROM queue INDEXED BY queue_due GROUP BY destination, hold, last_failure
                """)
            defer { row.reset() }
            while try row.step() {
                let destination = row.destination(0)
                var known =
                    stats[destination]
                    ?? QueueStats(
                        destination: destination, depth: depth(of: destination), heldRows: [:], failedRows: [:])
                let rows = Int(row.integer(3))
                known.nextDue = [known.nextDue, row.time(4)].compactMap(\.self).min()
                if row.integer(1) != 0, let goal = try texts.text(row.integer(1)) {
                    known.heldRows[goal, default: 0] += rows
                }
                if let id = row.optionalInteger(2), let failure = try texts.text(id) {
                    known.failedRows[failure, default: 0] += rows
                }
                stats[destination] = known
            }
            for destination in stats.keys {
                let front = try front(of: destination)
                stats[destination]?.oldestEventTime = front?.eventTime
                stats[destination]?.soonestSendBy = front?.sendBy
            }
            return stats.values.sorted { $0.destination < $1.destination }
        }
    }

    /// The delivery of a queue that must be sent soonest: its event time, in seconds, and when. However long the queue
    /// is, the answer takes no time.
    public func queueFront(of destination: DestinationID) throws(StoreError) -> (eventTime: Int64, sendBy: Timestamp)? {
        try read { () throws(SQLiteError) in try front(of: destination) }
    }

    private func front(of destination: DestinationID) throws(SQLiteError) -> (eventTime: Int64, sendBy: Timestamp)? {
        let row = try connection.statement(
            """
            \(Self.holds) SELECT event_time, send_by FROM queue WHERE id IN (
                SELECT (SELECT id FROM queue WHERE destination = ?1 AND hold = number ORDER BY send_by LIMIT 1)
                FROM holds)
            ORDER BY send_by LIMIT 1
            """)
        defer { row.reset() }
        row.bind(1, destination)
        return try row.step() ? (row.integer(0), row.time(1)) : nil
    }

    /// The goals that deliveries of a destination are held back for. Takes no time either.
    public func heldGoals(of destination: DestinationID) throws(StoreError) -> [String] {
        try read { () throws(SQLiteError) in
            let row = try connection.statement(
                "\(Self.holds) SELECT text FROM holds JOIN texts ON texts.id = number ORDER BY text")
            defer { row.reset() }
            row.bind(1, destination)
            var goals: [String] = []
            while try row.step() { goals.append(row.text(0)) }
            return goals
        }
    }

    /// The different holds of destination ?1, found by leaping from one to the next instead of looking at each row.
    static let holds = """
        WITH RECURSIVE holds (number) AS (
            SELECT min(hold) FROM queue WHERE destination = ?1
            UNION ALL
            SELECT (SELECT min(hold) FROM queue WHERE destination = ?1 AND hold > number) FROM holds
            WHERE number IS NOT NULL)
        """

    /// Rows of the queues: by destination, those that flow first, in the order in which they are due.
    public func queueRows(_ filter: QueueFilter) throws(StoreError) -> [QueueRow] {
        try read { () throws(SQLiteError) in
            let row = try connection.statement(
                """
                SELECT id, due_at, hold, attempts, strikes, first_failure, last_failure, queued_at,
                    \(StoredDelivery.columns)
                FROM queue WHERE (?1 IS NULL OR destination = ?1) AND (?2 IS NULL OR queued_at >= ?2)
                AND (?3 IS NULL OR last_failure = (SELECT id FROM texts WHERE text = ?3))
                AND (?4 IS NULL OR hold = (SELECT id FROM texts WHERE text = ?4))
                ORDER BY destination, hold, due_at, strikes, id LIMIT ?5
                """)
            defer { row.reset() }
            row.bind(1, filter.destination.map { Int64($0.rawValue) })
            row.bind(2, filter.since?.milliseconds)
            row.bind(3, filter.lastFailure)
            row.bind(4, filter.hold)
            row.bind(5, Int64(filter.limit))
            var rows: [QueueRow] = []
            while try row.step() {
                let id = RowID(row.integer(0))
                rows.append(
                    QueueRow(
                        row: id, delivery: try StoredDelivery(row, from: 8, texts), dueAt: row.time(1),
                        hold: try texts.text(row.integer(2)), attempts: Int(row.integer(3)),
                        strikes: Int(row.integer(4)), firstFailure: try texts.text(row.optionalInteger(5)),
                        lastFailure: try texts.text(row.optionalInteger(6)), queuedAt: row.time(7),
                        isClaimed: claimed.contains(id)))
            }
            return rows
        }
    }

    /// Deletes rows of a queue that nobody has claimed, first those that are due first.
    /// - Parameter limit: most rows of one call, which holds its thread up.
    public func discardQueue(of destination: DestinationID, limit: Int = 1000) throws(StoreError) -> DiscardResult {
        try change { (change) throws(SQLiteError) in
            let row = try connection.statement(
                "SELECT id FROM queue WHERE destination = ?1 ORDER BY destination, hold, due_at, strikes, id")
            row.bind(1, destination)
            var rows: [RowID] = []
            do {
                defer { row.reset() }
                while rows.count < limit, try row.step() {
                    let id = RowID(row.integer(0))
                    if !claimed.contains(id) { rows.append(id) }
                }
            }
            try remove(rows, of: destination, &change)
            return DiscardResult(
                discarded: rows.isEmpty ? [:] : [destination: rows.count], isComplete: rows.count < limit,
                depths: change.depths)
        }
    }
}
