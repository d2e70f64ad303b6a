import ForwarderCore

/// How far an erasure has come; it is done in slices.
public struct ErasePlace: Sendable, Equatable {
    /// By their names in the schema.
    public enum Table: String, Sendable, CaseIterable {
        case queue, deadLetters = "dead_letters", quarantine, ledger

        /// What of a row may hold a person's marks, and what tells where it came from.
        fileprivate var columns: String {
            switch self {
            case .queue, .deadLetters, .quarantine: "topic, partition, offset, content, event, transaction_key"
            case .ledger: "topic, partition, offset, conversion, x'', transaction_key"
            }
        }
    }

    public var table = Table.queue
    var after: Int64 = 0

    /// Where all begins.
    public init() {}
}

/// What one slice of an erasure found.
public struct EraseResult: Sendable, Equatable {
    public var queue: [DestinationID: Int] = [:]
    public var deadLetters = 0
    public var quarantined = 0
    public var rejects = 0
    /// Conversions of which only that they were is left.
    public var ledger = 0
    /// Rows of the queue that stay, as they are being sent.
    public var claimed = 0
    /// The ids of the events they were made of.
    public var eventIDs: Set<String> = []
    /// Where the next slice goes on; nil when all was looked at.
    public var next: ErasePlace?
    public var depths: [DestinationID: QueueDepth] = [:]
}

extension DeliveryStore {
    /// Deletes what belongs to one person, with the rejects of the same records, and overwrites its bytes. Rows that are
    /// claimed stay.
    /// - Parameters:
    ///   - transactions: delivered ones that are that person's, whatever is in them.
    ///   - isDryRun: only counts.
    ///   - limit: most rows that one call looks at.
    public func erase(
        _ finder: PersonMarks.Finder, transactions: Set<TransactionKey> = [], from place: ErasePlace,
        isDryRun: Bool = false, limit: Int = 2000
    ) throws(StoreError) -> EraseResult {
        if isDryRun {
            return try read { () throws(SQLiteError) in
                let (rows, next) = try find(finder, transactions, place, limit)
                return tally(rows, next, place.table)
            }
        }
        // Elsewhere only what costs nothing is overwritten; see StoreOpening.
        try read { () throws(SQLiteError) in try connection.execute("PRAGMA secure_delete = ON") }
        let result = Result { () throws(StoreError) in
            try change { (change) throws(SQLiteError) in
                let (rows, next) = try find(finder, transactions, place, limit)
                var result = tally(rows, next, place.table)
                try delete(rows.filter { !$0.isClaimed }, from: place.table, &result, &change)
                result.depths = change.depths
                return result
            }
        }
        try read { () throws(SQLiteError) in try connection.execute("PRAGMA secure_delete = FAST") }
        return try result.get()
    }

    private struct Found {
        var id: Int64
        var destination: DestinationID
        var topic: Int64
        var partition: Int64
        var offset: Int64
        var eventID: String?
        var isClaimed: Bool
    }

    private func find(
        _ finder: PersonMarks.Finder, _ transactions: Set<TransactionKey>, _ place: ErasePlace, _ limit: Int
    ) throws(SQLiteError) -> ([Found], ErasePlace?) {
        let row = try connection.statement(
            """
            SELECT id, destination, \(place.table.columns) FROM \(place.table.rawValue)
            WHERE id > ?1 ORDER BY id LIMIT ?2
            """)
        defer { row.reset() }
        row.bind(1, place.after)
        row.bind(2, Int64(limit))
        var found: [Found] = []
        var seen = 0
        var last = place.after
        while try row.step() {
            seen += 1
            last = row.integer(0)
            let event = row.bytes(6)
            let isMeant =
                place.table == .ledger && transactions.contains(TransactionKey(rawValue: row.integer(7)))
                && !row.bytes(5).isEmpty
            guard isMeant || finder.finds(in: row.bytes(5)) || finder.finds(in: event) else { continue }
            let root = (try? JSONDocument(Array(event)))?.root
            found.append(
                Found(
                    id: last, destination: row.destination(1), topic: row.integer(2), partition: row.integer(3),
                    offset: row.integer(4), eventID: root?["event_id"]?.string,
                    isClaimed: place.table == .queue && claimed.contains(RowID(last))))
        }
        var next: ErasePlace? = place
        next?.after = last
        if seen < limit {
            let tables = ErasePlace.Table.allCases
            let following = tables.drop { $0 != place.table }.dropFirst().first
            next = following.map { table in
                var place = ErasePlace()
                place.table = table
                return place
            }
        }
        return (found, next)
    }

    private func tally(_ rows: [Found], _ next: ErasePlace?, _ table: ErasePlace.Table) -> EraseResult {
        var result = EraseResult()
        result.next = next
        for row in rows {
            if row.isClaimed {
                result.claimed += 1
                continue
            }
            switch table {
            case .queue: result.queue[row.destination, default: 0] += 1
            case .deadLetters: result.deadLetters += 1
            case .quarantine: result.quarantined += 1
            case .ledger: result.ledger += 1
            }
            if let id = row.eventID { result.eventIDs.insert(id) }
        }
        return result
    }

    private func delete(
        _ rows: [Found], from table: ErasePlace.Table, _ result: inout EraseResult, _ change: inout StoreChange
    ) throws(SQLiteError) {
        switch table {
        case .queue: try remove(rows.map { RowID($0.id) }, of: nil, &change)
        // That the order was delivered is nobody's mark; without it, it could count twice.
        case .ledger: return try forgetConversions(rows.map(\.id))
        case .deadLetters, .quarantine:
            let delete = try connection.statement(
                "DELETE FROM \(table.rawValue) WHERE id = ?1")
            for row in rows {
                delete.bind(1, row.id)
                try delete.run()
                if table == .deadLetters {
                    change[row.destination].deadLetters -= 1
                } else {
                    change[row.destination].quarantined -= 1
                }
            }
        }
        let rejects = try connection.statement(
            "SELECT id, destination FROM rejects WHERE topic = ?1 AND partition = ?2 AND offset = ?3")
        let forget = try connection.statement("DELETE FROM rejects WHERE id = ?1")
        for row in rows {
            rejects.bind(1, row.topic)
            rejects.bind(2, row.partition)
            rejects.bind(3, row.offset)
            var ids: [(Int64, DestinationID)] = []
            while try rejects.step() { ids.append((rejects.integer(0), rejects.destination(1))) }
            for (id, destination) in ids {
                forget.bind(1, id)
                try forget.run()
                change[destination].rejects -= 1
                result.rejects += 1
            }
        }
    }

    private func forgetConversions(_ ids: [Int64]) throws(SQLiteError) {
        let find = try connection.statement("SELECT destination, transaction_key FROM ledger WHERE id = ?1")
        for id in ids {
            find.bind(1, id)
            guard try find.step() else { continue }
            let (destination, key) = (find.destination(0), TransactionKey(rawValue: find.integer(1)))
            find.reset()
            guard var row = try ledgerRow(of: key, of: destination) else { continue }
            row.conversion = []
            try replace(row)
        }
    }

    /// Overwrites what deleted rows have left in pages of the file that nobody uses now, and empties the log of changes.
    /// - Parameter limit: most bytes; beyond it nothing is overwritten. It is all one transaction, which takes as much
    ///   room on the disk.
    /// - Returns: bytes of free pages that were not overwritten.
    public func overwriteFreePages(limit: Int64 = .max) throws(StoreError) -> Int64 {
        let pageSize = try read { () throws(SQLiteError) in try connection.integer("PRAGMA page_size") ?? 0 }
        let free = try freePages() * pageSize
        if free > 0, free <= limit {
            try change { (_) throws(SQLiteError) in
                try connection.execute("CREATE TABLE blank (bytes BLOB)")
                let fill = try connection.statement("INSERT INTO blank VALUES (zeroblob(?1))")
                // Of each page a few bytes are SQLite's own; what a blob leaves over, smaller ones take.
                var pages = try connection.integer("PRAGMA freelist_count") ?? 0
                while pages > 0 {
                    let taken = min(pages, 4096)
                    fill.bind(1, max(1, taken - 1) * (pageSize - 4))
                    try fill.run()
                    pages = try connection.integer("PRAGMA freelist_count") ?? 0
                }
                try connection.execute("DROP TABLE blank")
            }
        }
        try checkpoint()
        return free <= limit ? 0 : free
    }

    private func freePages() throws(StoreError) -> Int64 {
        try read { () throws(SQLiteError) in try connection.integer("PRAGMA freelist_count") ?? 0 }
    }
}
