import ForwarderCore

/// What a row says about its delivery that never changes: `Schema.frozenColumns` as values.
struct FrozenColumns {
    var destination: DestinationID
    var topic: Int64
    var partition: Int64
    var offset: Int64
    /// Which of several deliveries of one event to one destination.
    var item: Int64 = 0
    var payloadHash: Int64
    var eventTime: Int64
    var sendBy: Int64
    var goal: String
    var items: Int64
    var matchKeys: Int64
    var content: Bytes
    var event: Bytes
    /// `TransactionKey`; 0 is none.
    var transaction: Int64 = 0

    var checksum: Int64 {
        var checksum = Checksum()
        checksum.add(Int64(destination.rawValue))
        checksum.add(topic)
        checksum.add(partition)
        checksum.add(offset)
        checksum.add(item)
        checksum.add(payloadHash)
        checksum.add(eventTime)
        checksum.add(sendBy)
        checksum.add(items)
        checksum.add(matchKeys)
        checksum.add(goal)
        checksum.add(content)
        checksum.add(event)
        // Rows of the first schema had none, and their checksums stay good.
        if transaction != 0 { checksum.add(transaction) }
        return checksum.value
    }

    var payloadBytes: Int64 { Int64(content.count + event.count) }
}

extension FrozenColumns {
    /// - Parameter topic: the number of the delivery's topic in the store.
    init(
        _ delivery: Delivery, of destination: DestinationID, topic: Int64, goals: [String], contents: Bytes,
        records: Bytes
    ) {
        self.init(
            destination: destination, topic: topic, partition: Int64(delivery.partition), offset: delivery.offset,
            payloadHash: delivery.payloadHash, eventTime: delivery.eventTime, sendBy: delivery.sendBy.milliseconds,
            goal: goals[Int(delivery.goal)], items: Int64(delivery.itemCount),
            matchKeys: Int64(delivery.matchKeys.rawValue), content: Bytes(rebasing: contents[delivery.content]),
            event: Bytes(rebasing: records[delivery.record]), transaction: delivery.transaction.rawValue)
    }

    /// Binds the columns, the first of them at `first`. The bytes must stay where they are until the statement ran.
    func bind(to statement: SQLiteStatement, from first: Int32) {
        statement.bind(first, destination)
        statement.bind(first + 1, topic)
        statement.bind(first + 2, partition)
        statement.bind(first + 3, offset)
        statement.bind(first + 4, item)
        statement.bind(first + 5, payloadHash)
        statement.bind(first + 6, eventTime)
        statement.bind(first + 7, sendBy)
        statement.bind(first + 8, goal)
        statement.bind(first + 9, items)
        statement.bind(first + 10, matchKeys)
        statement.bind(first + 11, content)
        statement.bind(first + 12, event)
        statement.bind(first + 13, checksum)
        statement.bind(first + 14, transaction)
    }

    /// The columns of the row a statement stands on, the first of them at `first`, if they are what was written. The
    /// bytes are valid until the statement's next step.
    init?(verifying row: SQLiteStatement, from first: Int32) {
        self.init(
            destination: row.destination(first), topic: row.integer(first + 1), partition: row.integer(first + 2),
            offset: row.integer(first + 3), item: row.integer(first + 4), payloadHash: row.integer(first + 5),
            eventTime: row.integer(first + 6), sendBy: row.integer(first + 7), goal: row.text(first + 8),
            items: row.integer(first + 9), matchKeys: row.integer(first + 10), content: row.bytes(first + 11),
            event: row.bytes(first + 12), transaction: row.integer(first + 14))
        guard checksum == row.integer(first + 13) else { return nil }
    }
}

extension SQLiteStatement {
    func bind(_ index: Int32, _ destination: DestinationID) {
        bind(index, Int64(destination.rawValue))
    }

    func destination(_ column: Int32) -> DestinationID {
        DestinationID(Int32(truncatingIfNeeded: integer(column)))
    }

    func bind(_ index: Int32, _ time: Timestamp) {
        bind(index, time.milliseconds)
    }

    func time(_ column: Int32) -> Timestamp {
        Timestamp(milliseconds: integer(column))
    }
}
