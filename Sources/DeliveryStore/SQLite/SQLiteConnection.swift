import CSQLite

/// One open database: the handle itself, for one thread. It knows nothing of what is stored in it.
///
/// Statements are prepared once for each text and kept, so every text must be a constant: values are bound, never
/// written into it.
final class SQLiteConnection {
    let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]
    private var isOpen = true

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
    }

    deinit {
        close()
    }

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
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    /// The first column of the first row.
    func text(_ sql: String) throws(SQLiteError) -> String? {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// Rows that the last finished insert, update or delete changed.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    /// The id of the row that was inserted last.
    var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Does all of `body` and makes it durable, or none of it.
    func transaction<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try execute("BEGIN IMMEDIATE")
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
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(code, handle) }
    }
}
