import ForwarderCore

extension DeliveryStore {
    /// Most index entries of rows a claim can't take that it passes over in search of those it can.
    static let scanLimit = 10_000
    /// Most damaged rows that a claim puts aside; the next claim goes on.
    static let damageLimit = 1000

    /// Takes due deliveries, so that no other claim gets them until they are rescheduled or released. Nothing is
    /// written, unless rows have to be put aside.
    ///
    /// A claim that is given urgent deliveries is filled up with others that are due. Neither the contents, commas
    /// included, nor the neutral events of a claim exceed `maxBytes`, unless its one delivery does.
    public func claim(_ request: ClaimRequest) throws(StoreError) -> Claim {
        precondition(access == .readWrite, "the store was opened to be read")
        let gathering = try healing { () throws(SQLiteError) in
            var gathering = Gathering(request)
            guard let hold = try texts.id(knownForHold: request.hold) else { return gathering }
            let row = try connection.statement(
                "SELECT due_at, attempts, strikes, \(Schema.frozenColumns) FROM queue WHERE id = ?1")
            try gatherUrgent(&gathering, hold: hold, reading: row)
            try gatherDue(&gathering, hold: hold, reading: row)
            return gathering
        }
        if !gathering.damaged.isEmpty {
            try quarantine(gathering.damaged, of: request.destination, at: request.now)
        }
        for delivery in gathering.batch.deliveries { claimed.insert(delivery.row) }
        return Claim(
            batch: gathering.batch, nextDue: gathering.batch.isEmpty ? gathering.nextDue : nil,
            quarantined: gathering.damaged.count)
    }

    /// Makes claimed rows claimable again as they are. Writes nothing.
    public func release(_ rows: [RowID]) {
        claimed.subtract(rows)
    }

    /// Due rows that must be sent soon, soonest first.
    private func gatherUrgent(_ gathering: inout Gathering, hold: Int64, reading row: SQLiteStatement)
        throws(SQLiteError)
    {
        let request = gathering.request
        let scan = try connection.statement(
            """
            SELECT id, strikes, due_at FROM queue INDEXED BY queue_send_by
            WHERE destination = ?1 AND hold = ?2 AND send_by < ?3 ORDER BY send_by, due_at, strikes, id
            """)
        defer { scan.reset() }
        scan.bind(1, request.destination)
        scan.bind(2, hold)
        scan.bind(3, request.urgentBefore)
        var passedOver = 0
        while gathering.goesOn, passedOver < Self.scanLimit, try scan.step() {
            let id = RowID(scan.integer(0))
            if claimed.contains(id) { continue }
            if scan.time(2) > request.now || !gathering.accepts(strikes: scan.integer(1)) {
                passedOver += 1
            } else {
                try take(id, into: &gathering, reading: row)
            }
        }
    }

    /// Due rows in the order in which they are due.
    private func gatherDue(_ gathering: inout Gathering, hold: Int64, reading row: SQLiteStatement) throws(SQLiteError)
    {
        let request = gathering.request
        let scan = try connection.statement(
            """
            SELECT id, strikes, due_at FROM queue INDEXED BY queue_due
            WHERE destination = ?1 AND hold = ?2 ORDER BY due_at, strikes, id
            """)
        defer { scan.reset() }
        scan.bind(1, request.destination)
        scan.bind(2, hold)
        var passedOver = 0
        while gathering.goesOn, passedOver < Self.scanLimit, try scan.step() {
            let id = RowID(scan.integer(0))
            if claimed.contains(id) || gathering.hasSeen(id) { continue }
            let dueAt = scan.time(2)
            if dueAt > request.now {
                gathering.nextDue = dueAt
                return
            }
            if gathering.accepts(strikes: scan.integer(1)) {
                try take(id, into: &gathering, reading: row)
            } else {
                passedOver += 1
            }
        }
        // It stopped before it came to the end, so there may be more that is due.
        gathering.nextDue = gathering.goesOn ? nil : request.now
    }

    /// Reads a row into the batch if it fits, or notes that it is damaged.
    private func take(
        _ id: RowID, into gathering: inout Gathering, reading row: SQLiteStatement
    ) throws(SQLiteError) {
        defer { row.reset() }
        row.bind(1, id.rawValue)
        guard try row.step() else { throw .corruptIndex }
        guard let frozen = FrozenColumns(verifying: row, from: 3), let topic = try texts.text(frozen.topic),
            let delivery = Delivery(
                row: id, dueAt: row.integer(0), attempts: row.integer(1), strikes: row.integer(2), frozen)
        else {
            gathering.noteDamaged(id)
            return
        }
        guard frozen.destination == gathering.request.destination else { throw .corruptIndex }
        gathering.add(delivery, frozen, topic: topic)
    }

    /// Moves damaged rows out of the queue, so that they hold up nothing.
    private func quarantine(
        _ rows: [RowID], of destination: DestinationID, at now: Timestamp
    ) throws(StoreError) {
        try change { (change) throws(SQLiteError) in
            let columns = """
                hold, due_at, attempts, strikes, first_failure, last_failure, queued_at, \
                \(Schema.frozenColumnsButDestination)
                """
            let copy = try connection.statement(
                """
                INSERT INTO quarantine (quarantined_at, queue_row, destination, \(columns))
                SELECT ?2, id, ?3, \(columns) FROM queue WHERE id = ?1
                """)
            copy.bind(2, now)
            copy.bind(3, destination)
            for row in rows {
                copy.bind(1, row.rawValue)
                try copy.run()
            }
            // Of any destination: which one it is may be what is damaged.
            try remove(rows, of: nil, &change)
            change[destination].quarantined += rows.count
        }
    }
}

/// A claim while it is put together.
private struct Gathering {
    let request: ClaimRequest
    private(set) var batch = DeliveryBatch(recordForm: .neutral, topics: [], goals: [])
    private(set) var damaged: [RowID] = []
    var nextDue: Timestamp?
    private var isFull = false
    private var seen: Set<RowID> = []
    private var topics: [String: UInt16] = [:]
    private var goals: [String: UInt16] = [:]

    init(_ request: ClaimRequest) {
        precondition(!request.maxEventsByStrikes.isEmpty, "a claim must say how many events it may take")
        precondition(request.maxBytes <= UInt32.max, "a delivery names its bytes with 32 bits")
        self.request = request
    }

    /// Whether there is room for more.
    var goesOn: Bool { !isFull && damaged.count < DeliveryStore.damageLimit }

    func hasSeen(_ row: RowID) -> Bool { seen.contains(row) }

    /// Whether a row with so many strikes may be in this claim: the first one decides.
    func accepts(strikes: Int64) -> Bool {
        batch.isEmpty || Int64(batch.deliveries[0].strikes) == strikes
    }

    mutating func noteDamaged(_ row: RowID) {
        seen.insert(row)
        damaged.append(row)
    }

    /// Takes the delivery; if there is no room for it any more, the claim is full.
    mutating func add(_ delivery: Delivery, _ frozen: FrozenColumns, topic: String) {
        guard
            batch.isEmpty
                || batch.contents.count + 1 + frozen.content.count <= request.maxBytes
                    && batch.records.count + frozen.event.count <= request.maxBytes
        else {
            isFull = true
            return
        }
        var delivery = delivery
        delivery.topic = Self.index(of: topic, in: &batch.topics, known: &topics)
        delivery.goal = Self.index(of: frozen.goal, in: &batch.goals, known: &goals)
        if !batch.isEmpty { batch.contents.append(UInt8(ascii: ",")) }
        delivery.contentStart = UInt32(batch.contents.count)
        batch.contents.append(contentsOf: frozen.content)
        delivery.contentEnd = UInt32(batch.contents.count)
        delivery.recordStart = UInt32(batch.records.count)
        batch.records.append(contentsOf: frozen.event)
        delivery.recordEnd = UInt32(batch.records.count)
        batch.deliveries.append(delivery)
        seen.insert(delivery.row)
        // A batch names its topics and goals with 16 bits.
        let limits = request.maxEventsByStrikes
        isFull = batch.count >= min(limits[min(Int(delivery.strikes), limits.count - 1)], Int(UInt16.max))
    }

    private static func index(of text: String, in texts: inout [String], known: inout [String: UInt16]) -> UInt16 {
        if let index = known[text] { return index }
        let index = UInt16(texts.count)
        texts.append(text)
        known[text] = index
        return index
    }
}

extension Delivery {
    /// A delivery as a row has it; nil if a number is one that nobody can have written. Where its bytes stand is left
    /// open.
    fileprivate init?(row: RowID, dueAt: Int64, attempts: Int64, strikes: Int64, _ frozen: FrozenColumns) {
        guard let attempts = Int32(exactly: attempts), let strikes = UInt8(exactly: strikes),
            let partition = Int32(exactly: frozen.partition), let items = UInt8(exactly: frozen.items),
            let matchKeys = UInt8(exactly: frozen.matchKeys)
        else { return nil }
        self.init(
            topic: 0, partition: partition, offset: frozen.offset, assignment: .none, sequence: 0,
            eventTime: frozen.eventTime, sendBy: Timestamp(milliseconds: frozen.sendBy), content: 0..<0, record: 0..<0)
        payloadHash = frozen.payloadHash
        transaction = TransactionKey(rawValue: frozen.transaction)
        itemCount = items
        self.matchKeys = MatchKeys(rawValue: matchKeys)
        self.attempts = attempts
        self.strikes = strikes
        self.row = row
        self.dueAt = Timestamp(milliseconds: dueAt)
    }
}
