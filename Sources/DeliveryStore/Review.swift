import ForwarderCore

extension DeliveryStore {
    /// Looks through rows that wait behind another delivery of their transaction, and carries out what is decided about
    /// each. A slice, as large as the request says.
    /// - Parameter original: whose ledger is asked: another destination's, for adjustments of what that one delivered.
    public func review(
        _ request: ReviewRequest, original: DestinationID?, decide: (WaitingRow) -> WaitingDecision
    ) throws(StoreError) -> ReviewResult {
        let hold = try read { () throws(SQLiteError) in try texts.id(knownForHold: TransactionKey.hold) }
        // Nothing is written as long as there is nothing to decide.
        guard let hold, try read({ () throws(SQLiteError) in try isWaiting(request, hold) }) else {
            var result = ReviewResult()
            result.depth = depth(of: request.destination)
            return result
        }
        return try change { (change) throws(SQLiteError) in
            var result = ReviewResult()
            let found = try waitingRows(request, hold, &result)
            for candidate in found {
                let row = try waitingRow(candidate, request, hold, original)
                try carryOut(decide(row), candidate, row, request, original, &result, &change)
            }
            result.depth = change[request.destination].queue
            return result
        }
    }

    private struct Candidate {
        var id: RowID
        var key: TransactionKey
        var origin: RecordOrigin
        var queuedAt: Timestamp
        var attempts: Int32
        var event: [UInt8]
    }

    private func isWaiting(_ request: ReviewRequest, _ hold: Int64) throws(SQLiteError) -> Bool {
        let row = try connection.statement("SELECT 1 FROM queue WHERE destination = ?1 AND hold = ?2 LIMIT 1")
        defer { row.reset() }
        row.bind(1, request.destination)
        row.bind(2, hold)
        return try row.step()
    }

    private func waitingRows(
        _ request: ReviewRequest, _ hold: Int64, _ result: inout ReviewResult
    ) throws(SQLiteError) -> [Candidate] {
        let scan = try connection.statement(
            """
            SELECT id, due_at, strikes FROM queue INDEXED BY queue_due
            WHERE destination = ?1 AND hold = ?2 AND (due_at, strikes, id) > (?3, ?4, ?5) AND id <= ?7
            AND id > ?8
            ORDER BY due_at, strikes, id LIMIT ?6
            """)
        scan.bind(1, request.destination)
        scan.bind(2, hold)
        scan.bind(3, request.after?.dueAt ?? .distantPast)
        scan.bind(4, request.after?.strikes ?? 0)
        scan.bind(5, request.after?.row.rawValue ?? 0)
        scan.bind(6, Int64(request.limit))
        scan.bind(7, request.upTo.rawValue)
        scan.bind(8, request.above.rawValue)
        var ids: [RowID] = []
        do {
            defer { scan.reset() }
            while try scan.step() {
                ids.append(RowID(scan.integer(0)))
                result.next = .init(dueAt: scan.time(1), strikes: scan.integer(2), row: RowID(scan.integer(0)))
            }
        }
        if ids.count < request.limit { result.next = nil }
        let row = try connection.statement(
            "SELECT queued_at, attempts, \(Schema.frozenColumns) FROM queue WHERE id = ?1")
        var found: [Candidate] = []
        for id in ids {
            defer { row.reset() }
            row.bind(1, id.rawValue)
            guard try row.step() else { throw .corruptIndex }
            guard let frozen = FrozenColumns(verifying: row, from: 2), let topic = try texts.text(frozen.topic) else {
                result.damaged += 1
                try free(id)
                continue
            }
            let origin = RecordOrigin(
                topic: topic, partition: Int32(truncatingIfNeeded: frozen.partition), offset: frozen.offset,
                payloadHash: frozen.payloadHash)
            found.append(
                Candidate(
                    id: id, key: TransactionKey(rawValue: frozen.transaction), origin: origin, queuedAt: row.time(0),
                    attempts: Int32(clamping: row.integer(1)), event: Array(frozen.event)))
        }
        return found
    }

    /// A row that cannot be read flows, and the claim that finds it puts it aside.
    private func free(_ id: RowID) throws(SQLiteError) {
        let update = try connection.statement("UPDATE queue SET hold = 0 WHERE id = ?1")
        update.bind(1, id.rawValue)
        try update.run()
    }

    private func waitingRow(
        _ candidate: Candidate, _ request: ReviewRequest, _ hold: Int64, _ original: DestinationID?
    ) throws(SQLiteError) -> WaitingRow {
        let others = try connection.statement(
            """
            SELECT 1 FROM queue INDEXED BY queue_transaction
            WHERE destination = ?1 AND transaction_key = ?2 AND transaction_key <> 0 AND id <> ?3
            AND (hold <> ?4 OR (partition, offset, id) < (?5, ?6, ?3)) LIMIT 1
            """)
        defer { others.reset() }
        others.bind(1, request.destination)
        others.bind(2, candidate.key.rawValue)
        others.bind(3, candidate.id.rawValue)
        others.bind(4, hold)
        // By their places in Kafka: of what was sent before a crash and comes again, the one that was sent is the first.
        others.bind(5, Int64(candidate.origin.partition))
        others.bind(6, candidate.origin.offset)
        let isBehind = try others.step() || request.open.contains(candidate.key)
        var row = WaitingRow(
            origin: candidate.origin, queuedAt: candidate.queuedAt, event: candidate.event, isBehind: isBehind,
            entry: try ledgerRow(of: candidate.key, of: original ?? request.destination)?.entry)
        if let original { row.isOriginalWaiting = try isQueued(candidate.key, of: original) }
        row.hasDeadLetter = try hasDeadLetter(candidate.key, of: request.destination)
        return row
    }

    private func carryOut(
        _ decision: WaitingDecision, _ candidate: Candidate, _ row: WaitingRow, _ request: ReviewRequest,
        _ original: DestinationID?, _ result: inout ReviewResult, _ change: inout StoreChange
    ) throws(SQLiteError) {
        let destination = request.destination
        switch decision {
        case .wait: result.waiting += 1
        case .duplicate:
            try remove([candidate.id], of: destination, &change)
            result.duplicates += 1
        case .send:
            let update = try connection.statement(
                "UPDATE queue SET hold = 0, due_at = max(?2, event_time * 1000) WHERE id = ?1")
            update.bind(1, candidate.id.rawValue)
            update.bind(2, request.now)
            try update.run()
            result.released += 1
        case .adjust(let content, let conversion, let refunds, let earliest):
            var entry = LedgerRow(
                destination: original ?? destination, key: candidate.key,
                deliveredAt: row.entry?.deliveredAt ?? request.now)
            entry.origin = row.entry?.origin
            entry.topic = try entry.origin.map { (origin) throws(SQLiteError) in try texts.id(origin.topic) }
            entry.conversion = conversion
            entry.refunds = refunds
            try replace(entry)
            try setContent(content, of: candidate, request, at: max(request.now, earliest), &change)
            result.released += 1
        case .giveUp(let reason):
            let end = RowEnd(
                row: candidate.id, cause: DeadLetterCause(.data, reason), attempts: candidate.attempts, at: request.now)
            try moveToDeadLetters([end], of: destination, &change)
            result.givenUp.append((reason, candidate.origin))
        }
    }

    /// From here on it is frozen as every other.
    private func setContent(
        _ content: [UInt8], of candidate: Candidate, _ request: ReviewRequest, at dueAt: Timestamp,
        _ change: inout StoreChange
    ) throws(SQLiteError) {
        let row = try connection.statement("SELECT \(Schema.frozenColumns) FROM queue WHERE id = ?1")
        let update = try connection.statement(
            "UPDATE queue SET hold = 0, due_at = max(?2, event_time * 1000), content = ?3, checksum = ?4 WHERE id = ?1")
        try content.withUnsafeBufferPointer { (content) throws(SQLiteError) in
            row.bind(1, candidate.id.rawValue)
            let checksum: Int64
            do {
                defer { row.reset() }
                guard try row.step(), var frozen = FrozenColumns(verifying: row, from: 0) else { throw .corruptIndex }
                change[request.destination].dequeued(payload: frozen.payloadBytes)
                frozen.content = content
                change[request.destination].enqueued(payload: frozen.payloadBytes)
                checksum = frozen.checksum
            }
            update.bind(1, candidate.id.rawValue)
            update.bind(2, dueAt)
            update.bind(3, content)
            update.bind(4, checksum)
            try update.run()
        }
    }
}
