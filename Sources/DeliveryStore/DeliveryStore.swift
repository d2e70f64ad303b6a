import ForwarderCore

/// What is owed and not yet delivered, on disk: the retry queues of all destinations, their dead letters, and the
/// rejects.
///
/// It belongs to one thread, whose calls it holds up until the disk has answered. One process at a time can have a
/// directory open. What a call has changed is durable when it returns; what it threw at has changed nothing, on disk
/// or in memory. The exception is `stateUnknown`: then the transaction may be found, whole, when the store is opened
/// again, and until then every call is refused. (After any other error of the disk a transaction may be found again
/// too, but only if the machine or the process dies before the next one succeeds: what SQLite gives up in its log is
/// overwritten then.)
public final class DeliveryStore {
    public enum Access: Sendable {
        /// For the daemon. Makes the directory and the database if they are missing.
        case readWrite
        /// For looking at it while no daemon runs. Creates and changes nothing; only reading calls are allowed.
        case readOnly
    }

    public let directory: String
    /// A random UUID made together with the database: tells a database from another one in the same place.
    public let identity: String
    /// Whether opening it made the database: what an earlier one held, if there was one, is gone.
    public let wasCreated: Bool

    /// The file of the database.
    public let path: String
    let connection: SQLiteConnection
    let texts: TextTable
    let access: Access
    /// Why nobody knows any more what is on the disk; nil as long as every sync succeeded. It ends the store's use.
    public private(set) var unknownState: StoreError?
    /// Why the log could not be copied into the main file when it was due. Nothing is lost, but until it can the log
    /// grows without a bound.
    public private(set) var checkpointFault: StoreError?
    /// So many pages in the log make a checkpoint due.
    var checkpointPages = 500
    private let lock: DirectoryLock
    /// As committed.
    private(set) var counters: [DestinationID: Counters]
    /// Rows that somebody is working on. Memory only: after a crash everything can be claimed again.
    var claimed: Set<RowID> = []

    /// Opens the store of a directory.
    public convenience init(directory: String, access: Access = .readWrite) throws(StoreError) {
        try self.init(directory: directory, access: access, steps: Schema.steps)
    }

    /// - Parameter vfs: the way to the disk, for a test that puts another one there.
    init(directory: String, access: Access, steps: [String], vfs: String? = nil) throws(StoreError) {
        if access == .readWrite { try StoreOpening.makeDirectory(directory) }
        let lock = try DirectoryLock(directory: directory, mayCreate: access == .readWrite)
        let connection: SQLiteConnection
        switch access {
        case .readWrite:
            let opened = try StoreOpening.openForWriting(directory: directory, steps: steps, vfs: vfs)
            connection = opened.connection
            wasCreated = opened.foundVersion == 0
        case .readOnly:
            connection = try StoreOpening.openForReading(directory: directory, steps: steps)
            wasCreated = false
        }
        self.directory = directory
        self.access = access
        self.lock = lock
        self.connection = connection
        path = directory + "/" + StoreOpening.fileName
        texts = TextTable(connection)
        (identity, counters) = try mapErrors(at: path) { () throws(SQLiteError) in
            (
                try connection.text("SELECT value FROM meta WHERE key = 'identity'") ?? "",
                try Counters.load(connection)
            )
        }
    }

    deinit {
        release()
    }

    /// The lock last: nobody else may open what is still open here.
    private func release() {
        connection.close()
        lock.release()
    }

    /// The highest row in the queues; the next one to be named is above it.
    public func highestRow() throws(StoreError) -> RowID {
        RowID(try read { () throws(SQLiteError) in try connection.integer("SELECT max(id) FROM queue") } ?? 0)
    }

    /// Copies what was written lately into the main file, so that the log becomes empty. A log that grows is copied after
    /// a change too (`checkpointPages`), but keeps its length.
    func checkpoint() throws(StoreError) {
        precondition(access == .readWrite, "the store was opened to be read")
        try call { () throws(SQLiteError) in try connection.checkpoint() }
    }

    /// Tidies up and gives the directory back; the store cannot be used any more. If tidying fails the store is closed
    /// all the same, and nothing is lost: the log is read when it is opened next.
    public func close() throws(StoreError) {
        defer { release() }
        if access == .readWrite { try checkpoint() }
    }
}

// MARK: Transactions

extension DeliveryStore {
    /// Runs what only reads.
    func read<Result>(_ body: () throws(SQLiteError) -> Result) throws(StoreError) -> Result {
        try call(body)
    }

    /// Every way to the disk leads through here.
    private func call<Result>(_ body: () throws(SQLiteError) -> Result) throws(StoreError) -> Result {
        if let unknownState { throw unknownState }
        do throws(StoreError) {
            return try mapErrors(at: path, body)
        } catch {
            if error.kind == .stateUnknown { unknownState = error }
            throw error
        }
    }

    /// Runs all changes of `body` in one transaction. Memory follows only when it is committed.
    func change<Result>(
        _ body: (inout StoreChange) throws(SQLiteError) -> Result
    ) throws(StoreError) -> Result {
        precondition(access == .readWrite, "the store was opened to be read")
        let result = try healing { () throws(SQLiteError) in try commit(body) }
        if connection.pagesInLog >= checkpointPages { checkpointBetweenChanges() }
        return result
    }

    /// The change before is committed, whatever comes of this.
    private func checkpointBetweenChanges() {
        do throws(StoreError) {
            try call { () throws(SQLiteError) in try connection.checkpointPassively() }
            checkpointFault = nil
        } catch {
            checkpointFault = error
        }
    }

    /// Runs `body`, and runs it again on new indexes if it finds rows and indexes to contradict each other: then a bit
    /// has flipped in an index, or in a column that one covers. The rows are the truth. Needs a store that may write.
    func healing<Result>(_ body: () throws(SQLiteError) -> Result) throws(StoreError) -> Result {
        try call { () throws(SQLiteError) in
            do throws(SQLiteError) {
                return try body()
            } catch {
                guard error.code == .corruptIndex else { throw error }
                try commit { (change) throws(SQLiteError) in
                    try connection.execute("REINDEX")
                    try change.recount(connection)
                }
                return try body()
            }
        }
    }

    private func commit<Result>(
        _ body: (inout StoreChange) throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        var change = StoreChange(counters)
        let result: Result
        do {
            result = try connection.transaction { () throws(SQLiteError) in
                let result = try body(&change)
                try change.saveCounters(connection)
                return result
            }
        } catch {
            texts.forget()
            throw error
        }
        counters = change.counters
        for (row, isClaimed) in change.claims {
            if isClaimed { claimed.insert(row) } else { claimed.remove(row) }
        }
        return result
    }
}

/// What a transaction changes in memory, kept apart until it is committed.
struct StoreChange {
    private(set) var counters: [DestinationID: Counters]
    private var touched: Set<DestinationID> = []
    /// Rows whose claim changes: true for those that are claimed now.
    var claims: [RowID: Bool] = [:]

    init(_ counters: [DestinationID: Counters]) {
        self.counters = counters
    }

    subscript(_ destination: DestinationID) -> Counters {
        get { counters[destination] ?? Counters() }
        set {
            counters[destination] = newValue
            touched.insert(destination)
        }
    }

    /// The queues of the destinations that were changed.
    var depths: [DestinationID: QueueDepth] {
        var depths: [DestinationID: QueueDepth] = [:]
        for destination in touched where destination != .all { depths[destination] = self[destination].queue }
        return depths
    }

    /// Of all destinations together.
    var totals: Counters {
        counters.values.reduce(into: Counters()) { totals, counters in
            totals.deadLetters += counters.deadLetters
            totals.rejects += counters.rejects
        }
    }

    func saveCounters(_ connection: SQLiteConnection) throws(SQLiteError) {
        for destination in touched { try self[destination].save(destination, connection) }
    }

    mutating func recount(_ connection: SQLiteConnection) throws(SQLiteError) {
        touched.formUnion(counters.keys)
        counters = try Counters.count(connection)
        touched.formUnion(counters.keys)
    }
}
