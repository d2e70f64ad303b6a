import ForwarderCore

extension DeliveryStore {
    /// Remembers rejected records; one that is remembered already, as it was rejected before, is left out.
    func insertRejects(_ events: [RejectedEvent], _ change: inout StoreChange) throws(SQLiteError) {
        let insert = try connection.statement(
            """
            INSERT INTO rejects (destination, topic, partition, offset, reasons, rejected_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (topic, partition, offset, destination) DO NOTHING
            """)
        for event in events {
            let destination = event.destination ?? .all
            insert.bind(1, destination)
            insert.bind(2, try texts.id(event.topic))
            insert.bind(3, Int64(event.partition))
            insert.bind(4, event.offset)
            insert.bind(5, event.reasons.joined(separator: ","))
            insert.bind(6, event.at)
            try insert.run()
            change[destination].rejects += connection.changes
        }
    }
}

/// Which rejects are meant. Every condition that is given must hold.
public struct RejectFilter: Sendable, Equatable {
    /// Rejected for this destination alone; rejects for all are not meant.
    public var destination: DestinationID?
    /// Among its reasons.
    public var reason: String?
    /// Rejected at this time or later.
    public var since: Timestamp?
    public var limit: Int

    public init(
        destination: DestinationID? = nil, reason: String? = nil, since: Timestamp? = nil, limit: Int = 100
    ) {
        self.destination = destination
        self.reason = reason
        self.since = since
        self.limit = limit
    }
}

extension DeliveryStore {
    /// Rejected records, newest first.
    public func rejects(_ filter: RejectFilter) throws(StoreError) -> [RejectedEvent] {
        try read { () throws(SQLiteError) in
            let row = try connection.statement(
                """
                SELECT destination, topic, partition, offset, reasons, rejected_at FROM rejects
                WHERE (?1 IS NULL OR destination = ?1) AND (?2 IS NULL OR rejected_at >= ?2)
                AND (?3 IS NULL OR instr(',' || reasons || ',', ',' || ?3 || ',') > 0)
                ORDER BY id DESC LIMIT ?4
                """)
            defer { row.reset() }
            row.bind(1, filter.destination.map { Int64($0.rawValue) })
            row.bind(2, filter.since?.milliseconds)
            row.bind(3, filter.reason)
            row.bind(4, Int64(filter.limit))
            var events: [RejectedEvent] = []
            while try row.step() {
                let destination = row.destination(0)
                events.append(
                    RejectedEvent(
                        destination: destination == .all ? nil : destination,
                        topic: try texts.text(row.integer(1)) ?? "",
                        partition: Int32(truncatingIfNeeded: row.integer(2)), offset: row.integer(3),
                        reasons: row.text(4).split(separator: ",").map(String.init), at: row.time(5)))
            }
            return events
        }
    }
}
