import CSQLite
import Glibc

/// The way from a directory to an open database of the right kind.
enum StoreOpening {
    static let fileName = "store.sqlite"

    /// Makes the directory if it is missing. Its parent must exist.
    static func makeDirectory(_ directory: String) throws(StoreError) {
        if mkdir(directory, 0o700) == 0 {
            do throws(StoreError) {
                try sync(directory + "/..")
            } catch {
                // The next start, which would find it, would not sync its entry.
                rmdir(directory)
                throw error
            }
        } else if errno != EEXIST {
            throw StoreError(systemError: errno, path: directory)
        }
    }

    /// Opens the database for the daemon; creates it, or takes it to the newest schema.
    /// - Returns: the connection and the schema version that was found; 0 if there was none.
    static func openForWriting(
        directory: String, steps: [String], vfs: String?
    ) throws(StoreError) -> (connection: SQLiteConnection, foundVersion: Int) {
        let path = directory + "/" + fileName
        try refuseLoneLog(path)
        try createFile(path)
        let connection = try mapErrors(at: path) { () throws(SQLiteError) in
            try SQLiteConnection(path, flags: SQLITE_OPEN_READWRITE, vfs: vfs)
        }
        let found = try mapErrors(at: path) { () throws(SQLiteError) in
            try connection.execute(settings)
            return try schemaVersion(of: connection)
        }
        guard let found else { throw StoreError(.notADatabase, path: path) }
        guard found <= steps.count else { throw StoreError(.newerSchema(found: found, known: steps.count), path: path) }
        let mode = try mapErrors(at: path) { () throws(SQLiteError) in
            try connection.text("PRAGMA journal_mode = WAL")
        }
        guard mode == "wal" else {
            throw StoreError(.ioError, path: path, text: "its file system cannot hold a write-ahead log")
        }
        try mapErrors(at: path) { () throws(SQLiteError) in
            try connection.secureLog()
            try Schema.migrate(connection, from: found, steps: steps)
        }
        // A queue that a power failure took away with its directory entry would be lost unnoticed; and who made it may
        // have died before this.
        try sync(directory)
        return (connection, found)
    }

    /// Opens the database to look at it, leaving the directory exactly as it is.
    static func openForReading(directory: String, steps: [String]) throws(StoreError) -> SQLiteConnection {
        let path = directory + "/" + fileName
        try refuseLoneLog(path)
        guard sizeOfFile(path) != nil else { throw StoreError(systemError: errno, path: path) }
        // A daemon that died has left a log behind. It is read without the shared index file that SQLite would create,
        // which takes exclusive locking, which takes a file opened for writing; and it is left as evidence. Without a
        // log nothing can change, as this process holds the lock, and "immutable" keeps SQLite from creating one.
        let hasLog = (sizeOfFile(path + "-wal") ?? 0) > 0
        let connection = try mapErrors(at: path) { () throws(SQLiteError) in
            hasLog
                ? try SQLiteConnection(path, flags: SQLITE_OPEN_READWRITE)
                : try SQLiteConnection(
                    "file:\(percentEncoded(path))?immutable=1", flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
        }
        let found = try mapErrors(at: path) { () throws(SQLiteError) in
            if hasLog {
                try connection.keepLogOnClose()
                try connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            }
            try connection.execute("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")
            return try schemaVersion(of: connection)
        }
        guard let found else { throw StoreError(.notADatabase, path: path) }
        guard found > 0 else { throw StoreError(.missing, path: path, text: "the file is empty") }
        guard found <= steps.count else { throw StoreError(.newerSchema(found: found, known: steps.count), path: path) }
        guard found == steps.count else { throw StoreError(.olderSchema(found: found, known: steps.count), path: path) }
        return connection
    }

    /// The settings of a connection that writes.
    ///
    /// Measured with rows of 700 + 600 bytes, 1,000 a transaction (Debian's SQLite 3.40, ext4 on a virtual disk):
    /// - Pages of 16 KiB hold ten rows: 1.6 KB of file a row and twice the rows a second of 4 KiB pages, which hold two.
    /// - A checkpoint at 500 pages (8 MB, `DeliveryStore.checkpointPages`) keeps the 99th percentile of a commit at 10 to 15 ms; at 4,000 pages it is 50
    ///   to 100 ms and nothing is gained.
    ///   A transaction then takes 6 ms (99th percentile 18 ms): 80,000 to 135,000 rows a second in, and as many claimed
    ///   and removed, depending on what else the two cores do.
    /// - Caches of 8 to 64 MiB make no difference: it must only hold what a transaction writes.
    /// - Debian overwrites all that is deleted (`secure_delete` on); FAST does so where the page is written anyway.
    private static let settings = """
        PRAGMA page_size = 16384;
        PRAGMA synchronous = FULL;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA busy_timeout = 2000;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -16384;
        PRAGMA secure_delete = FAST;
        PRAGMA trusted_schema = OFF;
        """

    /// SQLite deletes a log whose database is missing or empty, and with it what nobody has copied into the database.
    private static func refuseLoneLog(_ path: String) throws(StoreError) {
        guard (sizeOfFile(path + "-wal") ?? 0) > 0, (sizeOfFile(path) ?? 0) == 0 else { return }
        throw StoreError(.loneLog, path: path)
    }

    /// SQLite itself would make the file readable for all. Its log files take over the mode of the database.
    private static func createFile(_ path: String) throws(StoreError) {
        let created = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard created >= 0 else { throw StoreError(systemError: errno, path: path) }
        close(created)
    }

    /// How many steps of the schema the database has behind it; 0 for an empty file, nil for somebody else's database.
    private static func schemaVersion(of connection: SQLiteConnection) throws(SQLiteError) -> Int? {
        let application = try connection.integer("PRAGMA application_id")
        if application == Schema.applicationID { return Int(try connection.integer("PRAGMA user_version") ?? 0) }
        return try connection.integer("SELECT count(*) FROM sqlite_schema") == 0 && application == 0 ? 0 : nil
    }

    private static func sizeOfFile(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// Makes the entries of a directory durable.
    private static func sync(_ directory: String) throws(StoreError) {
        let opened = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw StoreError(systemError: errno, path: directory) }
        defer { close(opened) }
        guard fsync(opened) == 0 else {
            throw StoreError(.stateUnknown, path: directory, systemError: errno, text: String(cString: strerror(errno)))
        }
    }

    /// The path inside a `file:` address, where three characters mean something.
    private static func percentEncoded(_ path: String) -> String {
        path.unicodeScalars.reduce(into: "") { encoded, scalar in
            switch scalar {
            case "%": encoded += "%25"
            case "?": encoded += "%3F"
            case "#": encoded += "%23"
            default: encoded.unicodeScalars.append(scalar)
            }
        }
    }
}

/// Runs what talks to SQLite and says in its errors which file it was.
func mapErrors<Result>(
    at path: String, _ body: () throws(SQLiteError) -> Result
) throws(StoreError) -> Result {
    do { return try body() } catch { throw StoreError(error, path: path) }
}
