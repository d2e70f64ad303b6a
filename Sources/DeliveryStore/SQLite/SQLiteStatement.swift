import CSQLite
import ForwarderCore

/// One prepared statement. Bind, then `run` or `step` until it says false; a statement that was stepped is reset before
/// it is used again. Parameters count from 1, columns from 0, as in SQLite.
final class SQLiteStatement {
    private let handle: OpaquePointer
    /// The first bind that did not succeed; told by the next step, so that binding reads as a list.
    private var bindFault = SQLITE_OK

    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    /// Called by the connection, which owns it.
    func finalize() {
        sqlite3_finalize(handle)
    }

    var isRunning: Bool { sqlite3_stmt_busy(handle) != 0 }

    // MARK: Binding

    func bind(_ index: Int32, _ value: Int64) {
        note(sqlite3_bind_int64(handle, index, value))
    }

    func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { note(sqlite3_bind_null(handle, index)) }
    }

    func bind(_ index: Int32, _ value: String) {
        // Copied, because a Swift string has no address that outlives this call.
        value.withCString { text in
            note(forwarder_sqlite3_bind_text_copied(handle, index, text, Int32(clamping: value.utf8.count)))
        }
    }

    func bind(_ index: Int32, _ value: String?) {
        if let value { bind(index, value) } else { note(sqlite3_bind_null(handle, index)) }
    }

    /// The bytes are not copied: they must stay where they are until the statement has been reset.
    func bind(_ index: Int32, _ value: Bytes) {
        if let start = value.baseAddress {
            note(sqlite3_bind_blob64(handle, index, start, UInt64(value.count), nil))
        } else {
            note(sqlite3_bind_zeroblob(handle, index, 0))
        }
    }

    private func note(_ code: Int32) {
        if code != SQLITE_OK, bindFault == SQLITE_OK { bindFault = code }
    }

    // MARK: Running

    /// Goes to the next row. False at the end, where the statement has been reset.
    func step() throws(SQLiteError) -> Bool {
        guard bindFault == SQLITE_OK else {
            let error = SQLiteError(bindFault, sqlite3_db_handle(handle))
            reset()
            throw error
        }
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        let error = code == SQLITE_DONE ? nil : SQLiteError(code, sqlite3_db_handle(handle))
        reset()
        if let error { throw error }
        return false
    }

    /// Runs to the end a statement that returns no rows.
    func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Makes it ready to be bound and run again. The bound values stay.
    func reset() {
        // What it returns is the error of the last step, which was thrown already.
        sqlite3_reset(handle)
        bindFault = SQLITE_OK
    }

    // MARK: Columns of the row it stands on

    func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    func optionalInteger(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : integer(column)
    }

    /// Null reads as the empty text; bytes that are not UTF-8 are replaced.
    func text(_ column: Int32) -> String {
        optionalText(column) ?? ""
    }

    func optionalText(_ column: Int32) -> String? {
        guard let start = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: Bytes(start: start, count: count), as: UTF8.self)
    }

    /// Valid until the next step or reset. Null reads as no bytes.
    func bytes(_ column: Int32) -> Bytes {
        let start = sqlite3_column_blob(handle, column)?.assumingMemoryBound(to: UInt8.self)
        return Bytes(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
    }
}
