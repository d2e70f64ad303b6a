import ForwarderCore

/// What one slice of a purge deleted.
public struct PurgeResult: Sendable, Equatable {
    public var deadLetters: [DestinationID: Int] = [:]
    public var rejects = 0
    public var quarantined = 0
    public var ledger = 0
    /// False when there may be more: call again, when nothing else waits.
    public var isComplete = true
}

/// What the ledger may keep.
public struct LedgerLimits: Sendable, Equatable {
    /// As long as Microsoft takes corrections of a conversion.
    public var age = Duration.seconds(90 * 86_400)
    public var rows = 50_000_000

    public init() {}
}

extension DeliveryStore {
    /// Deletes dead letters, rejects and quarantined rows that are older than `keepFor`, the oldest dead letters and
    /// rejects beyond `keepRows` of each, and what is beyond the limits of the ledger. It holds its thread up, so it deletes only a slice.
    public func purge(
        now: Timestamp, keepFor: Duration, keepRows: Int, ledger: LedgerLimits = LedgerLimits(), slice: Int = 1000
    ) throws(StoreError) -> PurgeResult {
        try change { (change) throws(SQLiteError) in
            let outdated = now - keepFor
            let totals = change.totals
            let letters = try purge(
                "dead_letters", at: "dead_at", before: outdated, excess: totals.deadLetters - keepRows, slice: slice)
            for (destination, count) in letters { change[destination].deadLetters -= count }
            let rejects = try purge(
                "rejects", at: "rejected_at", before: outdated, excess: totals.rejects - keepRows, slice: slice)
            for (destination, count) in rejects { change[destination].rejects -= count }
            let quarantined = try purge(
                "quarantine", at: "quarantined_at", before: outdated, excess: 0, slice: slice)
            for (destination, count) in quarantined { change[destination].quarantined -= count }
            let excess = try ledgerSpan() - ledger.rows
            let forgotten = try purge(
                "ledger", at: "delivered_at", before: now - ledger.age, excess: excess, slice: slice)
            return PurgeResult(
                deadLetters: letters, rejects: rejects.values.reduce(0, +),
                quarantined: quarantined.values.reduce(0, +), ledger: forgotten.values.reduce(0, +),
                isComplete: [letters, rejects, quarantined, forgotten].allSatisfy { $0.values.reduce(0, +) < slice })
        }
    }

    /// At least as many as there are rows: those that were replaced have left their numbers unused.
    private func ledgerSpan() throws(SQLiteError) -> Int {
        let first = try connection.integer("SELECT min(id) FROM ledger") ?? 0
        let last = try connection.integer("SELECT max(id) FROM ledger") ?? -1
        return Int(last - first + 1)
    }

    /// Deletes, of the `slice` oldest rows of a table, those that are outdated or among the first `excess`.
    private func purge(
        _ table: String, at time: String, before outdated: Timestamp, excess: Int, slice: Int
    ) throws(SQLiteError) -> [DestinationID: Int] {
        // Ids rise with each insert, so the oldest rows are the first ones.
        let row = try connection.statement("SELECT id, destination, \(time) FROM \(table) ORDER BY id LIMIT ?1")
        row.bind(1, Int64(slice))
        var doomed: [Int64] = []
        var counts: [DestinationID: Int] = [:]
        do {
            defer { row.reset() }
            var seen = 0
            while try row.step() {
                if seen < excess || row.time(2) < outdated {
                    doomed.append(row.integer(0))
                    counts[row.destination(1), default: 0] += 1
                }
                seen += 1
            }
        }
        let delete = try connection.statement("DELETE FROM \(table) WHERE id = ?1")
        for id in doomed {
            delete.bind(1, id)
            try delete.run()
        }
        return counts
    }
}
