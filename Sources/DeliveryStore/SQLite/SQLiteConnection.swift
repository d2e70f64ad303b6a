import CSQLite

/// One open database: the handle itself, for one thread. It knows nothing of what is stored in it.
///
/// Statements are prepared once for each text and kept, so every text must be a constant: values are bound, never
/// written into it.
final class SQLiteConnection {
    let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]
    private var isOpen = true
    private let logLength = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    /// - Parameters:
    ///   - name: a path, or with `SQLITE_OPEN_URI` a `file:` address.
    ///   - flags: of `sqlite3_open_v2`.
    ///   - vfs: through which SQLite comes to the disk; nil for the one that it uses by itself.
    init(_ name: String, flags: Int32, vfs: String? = nil) throws(SQLiteError) {
        var opened: OpaquePointer?
        // One thread owns a connection, so SQLite need not lock it.
        let code = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs)
        guard code == SQLITE_OK, let opened else {
            // Even a failed open hands out a handle (unless memory is short), which carries the error.
            let error = SQLiteError(code, opened)
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        logLength.initialize(to: 0)
        // Instead of SQLite's own, which does the checkpoint itself and tells nobody when it fails.
        sqlite3_wal_hook(
            handle,
            { length, _, _, pages in
                length?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            }, logLength)
    }

    deinit {
        close()
        logLength.deallocate()
    }

    /// Pages in the write-ahead log as of the last commit.
    var pagesInLog: Int { Int(logLength.pointee) }

    /// Gives the database back. No statement may be running, and none may be used afterwards.
    func close() {
        guard isOpen else { return }
        isOpen = false
        for statement in statements.values { statement.finalize() }
        statements = [:]
        sqlite3_close_v2(handle)
    }

    /// The kept statement of a text. It must not be in use: a statement cannot run inside itself.
    func statement(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        precondition(isOpen, "the database was closed")
        if let kept = statements[sql] {
            precondition(!kept.isRunning, "a statement was started while it ran")
            return kept
        }
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw SQLiteError(code, handle) }
        let statement = SQLiteStatement(prepared)
        statements[sql] = statement
        return statement
    }

    /// Runs statements that bind and return nothing.
    func execute(_ sql: String) throws(SQLiteError) {
        precondition(isOpen, "the database was closed")
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(code, handle) }
    }

    /// The first column of the first row.
    func integer(_ sql: String) throws(SQLiteError) -> Int64? {
        try first(sql) { $0.integer(0) }
    }

    /// The first column of the first row.
    func text(_ sql: String) throws(SQLiteError) -> String? {
        try first(sql) { $0.text(0) }
    }

    private func first<Value>(
        _ sql: String, _ value: (SQLiteStatement) -> Value
    ) throws(SQLiteError) -> Value? {
        let statement = try statement(sql)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        let value = value(statement)
        // To its end: what a pragma changes is committed only there, and may fail.
        try statement.run()
        return value
    }

    /// Rows that the last finished insert, update or delete changed.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    /// The id of the row that was inserted last.
    var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Does all of `body` and makes it durable, or none of it.
    func transaction<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try between("BEGIN IMMEDIATE", body)
    }

    /// Reads everything in `body` as of one moment: the file is locked once, not for each statement.
    func snapshot<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try between("BEGIN", body)
    }

    private func between<Result>(
        _ begin: String, _ body: () throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        try execute(begin)
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // Some errors (a full disk is one) have rolled back by themselves.
            if sqlite3_get_autocommit(handle) == 0 { try execute("ROLLBACK") }
            throw error
        }
    }

    /// Leaves the write-ahead log where it is when the connection closes.
    func keepLogOnClose() throws(SQLiteError) {
        let code = forwarder_sqlite3_no_checkpoint_on_close(handle)
        guard code == SQLITE_OK else { throw SQLiteError(code, handle) }
    }

    /// Copies the log into the database and cuts it to nothing.
    func checkpoint() throws(SQLiteError) {
        try checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
    }

    /// Copies of the log into the database what nobody reads there any more, so that the next commit can begin it anew.
    func checkpointPassively() throws(SQLiteError) {
        try checkpoint(SQLITE_CHECKPOINT_PASSIVE)
    }

    private func checkpoint(_ mode: Int32) throws(SQLiteError) {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(code, handle) }
    }

    /// Writes the log once more as it reads, and waits for the disk.
    ///
    /// SQLite takes for committed what it finds in a log. But it may have come there from a process that died before
    /// its sync, or whose sync failed, and then it stands in the memory of the system alone. A sync by itself would not
    /// do: pages of a sync that failed count as clean.
    func secureLog() throws(SQLiteError) {
        // Nobody else may write to it meanwhile; a shell, for instance.
        try transaction { () throws(SQLiteError) in
            var found: UnsafeMutablePointer<sqlite3_file>?
            let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &found)
            guard code == SQLITE_OK else { throw SQLiteError(code, handle) }
            guard let log = found, let methods = log.pointee.pMethods?.pointee,
                let getSize = methods.xFileSize, let read = methods.xRead, let write = methods.xWrite,
                let sync = methods.xSync
            else {
                // A log that is not open has not been secured.
                throw SQLiteError(SQLITE_NOTFOUND, nil)
            }
            var size: Int64 = 0
            var result = getSize(log, &size)
            // SQLite's own way to the disk takes less than 128 KiB at once.
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
            defer { chunk.deallocate() }
            var offset: Int64 = 0
            while result == SQLITE_OK, offset < size {
                let count = Int32(min(Int64(chunk.count), size - offset))
                result = read(log, chunk.baseAddress, count, offset)
                if result == SQLITE_OK { result = write(log, chunk.baseAddress, count, offset) }
                offset += Int64(count)
            }
            if result == SQLITE_OK, size > 0 { result = sync(log, SQLITE_SYNC_NORMAL) }
            // These calls go past the connection, which knows no words for their errors.
            guard result == SQLITE_OK else { throw SQLiteError(result, nil) }
        }
    }
}
