import ForwarderCore

extension DeliveryStore {
    /// What the store holds of a partition from an offset on, in its queues and dead letters: deliveries that are taken
    /// care of although Kafka may send their records again. By destination, then by offset.
    public func heldPositions(
        topic: String, partition: Int32, from offset: Int64
    ) throws(StoreError) -> [HeldPosition] {
        try read { () throws(SQLiteError) in
            guard let topic = try texts.id(knownFor: topic) else { return [] }
            let row = try connection.statement(
                """
                SELECT destination, offset, payload_hash FROM queue
                WHERE destination IN (SELECT id FROM destinations) AND topic = ?1 AND partition = ?2 AND offset >= ?3
                UNION
                SELECT destination, offset, payload_hash FROM dead_letters
                WHERE destination IN (SELECT id FROM destinations) AND topic = ?1 AND partition = ?2 AND offset >= ?3
                ORDER BY destination, offset
                """)
            defer { row.reset() }
            row.bind(1, topic)
            row.bind(2, Int64(partition))
            row.bind(3, offset)
            var held: [HeldPosition] = []
            while try row.step() {
                held.append(
                    HeldPosition(
                        destination: row.destination(0), offset: row.integer(1), payloadHash: row.integer(2)))
            }
            return held
        }
    }
}
