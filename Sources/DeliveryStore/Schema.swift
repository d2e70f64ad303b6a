import CSQLite

/// The tables, as a list of steps from an empty file to the newest form. Steps are only ever appended: a database says
/// in `user_version` how many it has behind it.
enum Schema {
    /// "CFwd" in the file's header: tells the store from any other SQLite database.
    static let applicationID: Int64 = 0x4346_7764

    static let steps = [version1, version2]

    /// Takes the steps the database does not have behind it yet, each in a transaction of its own.
    static func migrate(_ connection: SQLiteConnection, from version: Int, steps: [String]) throws(SQLiteError) {
        for number in version..<steps.count {
            try connection.transaction { () throws(SQLiteError) in
                try connection.execute(steps[number])
                try connection.execute("PRAGMA user_version = \(number + 1)")
            }
        }
    }

    /// The columns that never change once a delivery is frozen, in the order in which `FrozenColumns` binds and reads them. They
    /// move along unchanged between `queue`, `dead_letters` and `quarantine`; `checksum` covers them.
    static let frozenColumns = "destination, \(frozenColumnsButDestination)"
    static let frozenColumnsButDestination = """
        topic, partition, offset, item, payload_hash, event_time, send_by, goal, items, match_keys, content, event, \
        checksum, transaction_key
        """

    /// What makes a delivery the same as another one of its table.
    static let originColumns = "destination, topic, partition, offset, item, payload_hash"

    // Times are milliseconds since 1970, except event_time (seconds). topic, hold, first_failure and last_failure are
    // ids of texts; hold 0 is a row that flows. item is 0 until one event can be several deliveries to a destination.
    //
    // queue_due and queue_send_by hold all that a claim has to look at before it takes a row, so that rows passed over
    // cost an index entry each and not a page. last_failure stands in queue_due so that the statistics need no row.
    private static let version1 = """
        PRAGMA application_id = \(applicationID);

        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO meta VALUES ('identity', lower(
            hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||
            substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));

        CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

        CREATE TABLE destinations (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            fingerprint TEXT NOT NULL,
            first_seen INTEGER NOT NULL,
            state TEXT NOT NULL
        ) STRICT;

        CREATE TABLE counters (
            destination INTEGER PRIMARY KEY,
            queue_rows INTEGER NOT NULL,
            queue_bytes INTEGER NOT NULL,
            dead_letters INTEGER NOT NULL,
            rejects INTEGER NOT NULL,
            quarantined INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE queue (
            id INTEGER PRIMARY KEY,
            destination INTEGER NOT NULL,
            hold INTEGER NOT NULL,
            due_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            strikes INTEGER NOT NULL,
            first_failure INTEGER,
            last_failure INTEGER,
            queued_at INTEGER NOT NULL,
            topic INTEGER NOT NULL,
            partition INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            item INTEGER NOT NULL,
            payload_hash INTEGER NOT NULL,
            event_time INTEGER NOT NULL,
            send_by INTEGER NOT NULL,
            goal TEXT NOT NULL,
            items INTEGER NOT NULL,
            match_keys INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            content BLOB NOT NULL,
            event BLOB NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX queue_origin ON queue (\(originColumns));
        CREATE INDEX queue_due ON queue (destination, hold, due_at, strikes, id, last_failure);
        CREATE INDEX queue_send_by ON queue (destination, hold, send_by, due_at, strikes);

        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            destination INTEGER NOT NULL,
            class TEXT NOT NULL,
            reason TEXT NOT NULL,
            dead_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            first_failure INTEGER,
            last_failure INTEGER,
            topic INTEGER NOT NULL,
            partition INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            item INTEGER NOT NULL,
            payload_hash INTEGER NOT NULL,
            event_time INTEGER NOT NULL,
            send_by INTEGER NOT NULL,
            goal TEXT NOT NULL,
            items INTEGER NOT NULL,
            match_keys INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            content BLOB NOT NULL,
            event BLOB NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX dead_letters_origin ON dead_letters (\(originColumns));

        CREATE TABLE rejects (
            id INTEGER PRIMARY KEY,
            destination INTEGER NOT NULL,
            topic INTEGER NOT NULL,
            partition INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            reasons TEXT NOT NULL,
            rejected_at INTEGER NOT NULL,
            UNIQUE (topic, partition, offset, destination)
        ) STRICT;

        -- Takes whatever a damaged row reads as, so without types or constraints. destination is whose queue it was in.
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY, quarantined_at, queue_row, destination, hold, due_at, attempts, strikes,
            first_failure, last_failure, queued_at, topic, partition, offset, item, payload_hash, event_time, send_by,
            goal, items, match_keys, checksum, content, event
        );
        """

    // transaction_key is 0 where a delivery may count as often as it comes. topic of the ledger is null where nothing was
    // delivered, but something refunded of which the shop told what it was.
    private static let version2 = """
        ALTER TABLE queue ADD COLUMN transaction_key INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE dead_letters ADD COLUMN transaction_key INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE quarantine ADD COLUMN transaction_key;
        CREATE INDEX queue_transaction ON queue (destination, transaction_key, id) WHERE transaction_key <> 0;
        CREATE INDEX dead_letters_transaction ON dead_letters (destination, transaction_key) WHERE transaction_key <> 0;

        CREATE TABLE ledger (
            id INTEGER PRIMARY KEY,
            destination INTEGER NOT NULL,
            transaction_key INTEGER NOT NULL,
            topic INTEGER,
            partition INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            payload_hash INTEGER NOT NULL,
            delivered_at INTEGER NOT NULL,
            conversion BLOB NOT NULL,
            refunds BLOB NOT NULL,
            checksum INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX ledger_transaction ON ledger (destination, transaction_key);
        """
}
