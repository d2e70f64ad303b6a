import ForwarderCore

/// Transactions that were delivered, so that none counts twice and each can be refunded.
extension DeliveryStore {
    /// Notes deliveries. What came again from the same record stays as it was noted first.
    func remember(
        _ transactions: [RememberedTransaction], of destination: DestinationID, at now: Timestamp
    ) throws(SQLiteError) {
        let insert = try insertIntoLedger()
        for transaction in transactions {
            var row = LedgerRow(destination: destination, key: transaction.key, deliveredAt: now)
            row.topic = try texts.id(transaction.origin.topic)
            row.origin = transaction.origin
            row.conversion = transaction.conversion
            if try self.insert(row, by: insert) { continue }
            guard let known = try ledgerRow(of: transaction.key, of: destination) else {
                try replace(row)
                continue
            }
            if known.origin == transaction.origin { continue }
            // The same order once more, and what was taken back of it stays so.
            row.refunds = known.refunds
            try replace(row)
        }
    }

    /// Whether deliveries are the first of their transactions, in the order in which they were asked for.
    public func identify(_ inquiry: TransactionInquiry) throws(StoreError) -> [TransactionInquiry.Answer] {
        // Where nothing is queued there is nothing to be behind.
        let mayBeQueued = depth(of: inquiry.destination).rows > 0
        return try read { () throws(SQLiteError) in
            try connection.snapshot { () throws(SQLiteError) in
                var answers: [TransactionInquiry.Answer] = []
                answers.reserveCapacity(inquiry.entries.count)
                let find = try findInLedger()
                for entry in inquiry.entries {
                    let known = try ledgerRow(of: entry.key, of: inquiry.destination, by: find)?.entry
                    if known?.isDuplicate(entry.origin, since: inquiry.since) == true {
                        answers.append(.duplicate)
                    } else {
                        let isQueued = mayBeQueued ? try isQueued(entry.key, of: inquiry.destination) : false
                        answers.append(isQueued ? .behind : .first)
                    }
                }
                return answers
            }
        }
    }

    /// What the ledger has of a transaction.
    public func ledgerEntry(
        of key: TransactionKey, of destination: DestinationID
    ) throws(StoreError) -> LedgerEntry? {
        try read { () throws(SQLiteError) in try ledgerRow(of: key, of: destination)?.entry }
    }

    /// Whether a delivery of the transaction is in the queue.
    func isQueued(_ key: TransactionKey, of destination: DestinationID) throws(SQLiteError) -> Bool {
        try hasRow(
            key, of: destination,
            """
            SELECT 1 FROM queue INDEXED BY queue_transaction
            WHERE destination = ?1 AND transaction_key = ?2 AND transaction_key <> 0 LIMIT 1
            """)
    }

    /// Whether one of its deliveries was given up.
    func hasDeadLetter(_ key: TransactionKey, of destination: DestinationID) throws(SQLiteError) -> Bool {
        try hasRow(
            key, of: destination,
            """
            SELECT 1 FROM dead_letters INDEXED BY dead_letters_transaction
            WHERE destination = ?1 AND transaction_key = ?2 AND transaction_key <> 0 LIMIT 1
            """)
    }

    private func hasRow(
        _ key: TransactionKey, of destination: DestinationID, _ query: String
    ) throws(SQLiteError) -> Bool {
        let row = try connection.statement(query)
        defer { row.reset() }
        row.bind(1, destination)
        row.bind(2, key.rawValue)
        return try row.step()
    }

    // MARK: Rows

    /// nil if there is none, or none that can be believed.
    func ledgerRow(of key: TransactionKey, of destination: DestinationID) throws(SQLiteError) -> LedgerRow? {
        try ledgerRow(of: key, of: destination, by: try findInLedger())
    }

    private func findInLedger() throws(SQLiteError) -> SQLiteStatement {
        try connection.statement(
            """
            SELECT topic, partition, offset, payload_hash, delivered_at, conversion, refunds, checksum FROM ledger
            WHERE destination = ?1 AND transaction_key = ?2
            """)
    }

    private func ledgerRow(
        of key: TransactionKey, of destination: DestinationID, by row: SQLiteStatement
    ) throws(SQLiteError) -> LedgerRow? {
        defer { row.reset() }
        row.bind(1, destination)
        row.bind(2, key.rawValue)
        guard try row.step() else { return nil }
        var known = LedgerRow(destination: destination, key: key, deliveredAt: row.time(4))
        known.topic = row.optionalInteger(0)
        let name = try texts.text(known.topic)
        known.origin = name.map {
            RecordOrigin(
                topic: $0, partition: Int32(truncatingIfNeeded: row.integer(1)), offset: row.integer(2),
                payloadHash: row.integer(3))
        }
        known.conversion = Array(row.bytes(5))
        known.refunds = Array(row.bytes(6))
        return known.checksum == row.integer(7) ? known : nil
    }

    private func insertIntoLedger() throws(SQLiteError) -> SQLiteStatement {
        try connection.statement(
            """
            INSERT INTO ledger (
                destination, transaction_key, topic, partition, offset, payload_hash, delivered_at, conversion, refunds,
                checksum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (destination, transaction_key) DO NOTHING
            """)
    }

    /// Returns false if there is one of that transaction.
    private func insert(_ row: LedgerRow, by insert: SQLiteStatement) throws(SQLiteError) -> Bool {
        insert.bind(1, row.destination)
        insert.bind(2, row.key.rawValue)
        insert.bind(3, row.topic)
        insert.bind(4, Int64(row.origin?.partition ?? 0))
        insert.bind(5, row.origin?.offset ?? 0)
        insert.bind(6, row.origin?.payloadHash ?? 0)
        insert.bind(7, row.deliveredAt)
        insert.bind(10, row.checksum)
        try row.conversion.withUnsafeBufferPointer { (conversion) throws(SQLiteError) in
            try row.refunds.withUnsafeBufferPointer { (refunds) throws(SQLiteError) in
                insert.bind(8, conversion)
                insert.bind(9, refunds)
                try insert.run()
            }
        }
        return connection.changes == 1
    }

    /// A new row takes the place of the old one: rows are purged in the order in which they were written.
    func replace(_ row: LedgerRow) throws(SQLiteError) {
        let delete = try connection.statement("DELETE FROM ledger WHERE destination = ?1 AND transaction_key = ?2")
        delete.bind(1, row.destination)
        delete.bind(2, row.key.rawValue)
        try delete.run()
        guard try insert(row, by: try insertIntoLedger()) else { throw .corruptIndex }
    }
}

/// One row of the ledger.
struct LedgerRow {
    let destination: DestinationID
    let key: TransactionKey
    /// The number of the origin's topic.
    var topic: Int64?
    var origin: RecordOrigin?
    var deliveredAt: Timestamp
    var conversion: [UInt8] = []
    var refunds: [UInt8] = []

    init(destination: DestinationID, key: TransactionKey, deliveredAt: Timestamp) {
        self.destination = destination
        self.key = key
        self.deliveredAt = deliveredAt
    }

    var entry: LedgerEntry {
        LedgerEntry(origin: origin, deliveredAt: deliveredAt, conversion: conversion, refunds: refunds)
    }

    var checksum: Int64 {
        var checksum = Checksum()
        checksum.add(Int64(destination.rawValue))
        checksum.add(key.rawValue)
        checksum.add(topic ?? -1)
        checksum.add(Int64(origin?.partition ?? 0))
        checksum.add(origin?.offset ?? 0)
        checksum.add(origin?.payloadHash ?? 0)
        checksum.add(deliveredAt.milliseconds)
        conversion.withUnsafeBufferPointer { checksum.add($0) }
        refunds.withUnsafeBufferPointer { checksum.add($0) }
        return checksum.value
    }
}
