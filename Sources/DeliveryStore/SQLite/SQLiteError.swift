import CSQLite

/// A result code of SQLite, extended form. An open set: a newer library may return codes that have no name here.
struct SQLiteCode: RawRepresentable, Hashable, Sendable {
    var rawValue: Int32

    /// The code without its extension.
    var primary: SQLiteCode { SQLiteCode(rawValue: rawValue & 0xFF) }

    static let ok = SQLiteCode(rawValue: SQLITE_OK)
    static let busy = SQLiteCode(rawValue: SQLITE_BUSY)
    static let cannotOpen = SQLiteCode(rawValue: SQLITE_CANTOPEN)
    static let corrupt = SQLiteCode(rawValue: SQLITE_CORRUPT)
    /// A row and the indexes of its table contradict each other.
    static let corruptIndex = SQLiteCode(rawValue: SQLITE_CORRUPT | 3 << 8)
    static let full = SQLiteCode(rawValue: SQLITE_FULL)
    static let ioError = SQLiteCode(rawValue: SQLITE_IOERR)
    static let locked = SQLiteCode(rawValue: SQLITE_LOCKED)
    static let notADatabase = SQLiteCode(rawValue: SQLITE_NOTADB)
    static let permission = SQLiteCode(rawValue: SQLITE_PERM)
    static let sync = SQLiteCode(rawValue: SQLITE_IOERR | 4 << 8)
    static let directorySync = SQLiteCode(rawValue: SQLITE_IOERR | 5 << 8)
    static let readOnly = SQLiteCode(rawValue: SQLITE_READONLY)
}

/// What SQLite answered instead of doing what was asked.
struct SQLiteError: Error, Equatable {
    var code: SQLiteCode
    /// The `errno` behind an input or output error; 0 if there is none.
    var systemError: Int32
    /// SQLite's own words. They name tables and columns, never a bound value.
    var text: String

    /// The error that the last call on `database` left behind.
    init(_ code: Int32, _ database: OpaquePointer?) {
        self.code = SQLiteCode(rawValue: code)
        switch self.code.primary {
        case .ioError, .cannotOpen, .full: systemError = sqlite3_system_errno(database)
        default: systemError = 0
        }
        text = database == nil ? String(cString: sqlite3_errstr(code)) : String(cString: sqlite3_errmsg(database))
    }
}

extension SQLiteError {
    /// Found by a reader that was led astray by an index.
    static var corruptIndex: SQLiteError { SQLiteError(SQLiteCode.corruptIndex.rawValue, nil) }
}
