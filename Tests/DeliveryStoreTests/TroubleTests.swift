import CSQLite
import ForwarderCore
import Glibc
import Testing

@testable import DeliveryStore

@Suite struct TroubleTests {
    let directory = TemporaryDirectory()

    @Test func `on a full disk nothing changes, and with room again all goes on`() throws {
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        try store.enqueue(samples(1...10), capi, isClaimed: true)
        let before = store.counters
        let pages = try #require(try store.connection.integer("PRAGMA page_count"))
        try store.connection.execute("PRAGMA max_page_count = \(pages)")
        let works: [StoreWork] = [
            .remove(capi, [RowID(1)]),
            .reschedule(
                capi, [Reschedule(row: RowID(2), dueAt: noon, attempts: 2, strikes: 0)], failure: "timeout", hold: nil),
            .enqueue(
                capi,
                batch(
                    samples(11...60) {
                        $0.topic = "another"
                        $0.content = String(repeating: "x", count: 2000)
                    }), QueueEntry(isClaimed: true, queuedAt: noon)),
        ]
        let error = try storeError { _ = try store.perform(works) }
        #expect(error.kind == .diskFull && error.code == SQLITE_FULL && error.path == directory.database)
        #expect(error.description.contains("Free space"))
        #expect(store.counters == before && store.claimed.count == 10)
        #expect(try Counters.count(store.connection) == before)
        #expect(try store.claim(capi).batch.isEmpty)

        try store.connection.execute("PRAGMA max_page_count = \(pages + 1000)")
        #expect(try store.perform(works).depths[capi]?.rows == 59)
        #expect(try store.claimedRows(capi) == [2])
        store.release([RowID(11)])
        #expect(try store.claim(capi).batch.topics == ["another"])
        try store.close()
        #expect(try DeliveryStore(directory: directory.store).depth(of: capi).rows == 59)
    }

    @Test func `a row that cannot be put aside for want of room is not passed over in silence`() throws {
        do {
            let store = try DeliveryStore(directory: directory.store)
            try store.enqueue(
                samples(1...20) { $0.content = String(repeating: "\($0.row) ", count: 2000) }, try store.destination())
            try store.connection.execute("UPDATE queue SET checksum = checksum + 1 WHERE id > 5")
            try store.close()
        }
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        let pages = try #require(try store.connection.integer("PRAGMA page_count"))
        try store.connection.execute("PRAGMA max_page_count = \(pages)")
        #expect(try storeError { _ = try store.claim(capi) }.kind == .diskFull)
        #expect(store.claimed.isEmpty && store.depth(of: capi).rows == 20)
        try store.connection.execute("PRAGMA max_page_count = \(pages * 2)")
        let claim = try store.claim(capi)
        #expect(claim.rows == [1, 2, 3, 4, 5] && claim.quarantined == 15)
    }

    @Test func `somebody else's lock on the database is named as such`() throws {
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        try store.connection.execute("PRAGMA busy_timeout = 1")
        let shell = try SQLiteConnection(directory.database, flags: SQLITE_OPEN_READWRITE)
        try shell.execute("BEGIN IMMEDIATE")
        let error = try storeError { try store.enqueue([Sample(1)], capi) }
        #expect(error.kind == .busy && error.description.contains("sqlite3 shell"))
        try shell.execute("ROLLBACK")
        #expect(try store.enqueue([Sample(1)], capi).depths[capi]?.rows == 1)
    }

    @Test func `what an unfinished transaction wrote is gone after a crash, what a finished one wrote is not`() throws {
        let crashed = directory.path + "/crashed"
        do {
            let store = try DeliveryStore(directory: directory.store)
            let capi = try store.destination()
            try store.enqueue(samples(1...3), capi)
            _ = try store.perform([.remove(capi, [RowID(2)])])
            // A small cache makes SQLite write to the log before the end of the transaction.
            try store.connection.execute("PRAGMA cache_size = 2")
            let error = try storeError {
                try store.change { (change) throws(SQLiteError) in
                    try store.connection.execute(
                        """
                        WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                        INSERT INTO queue SELECT i, destination, hold, due_at, attempts, strikes, first_failure,
                            last_failure, queued_at, topic, partition, i, item, payload_hash, event_time, send_by, goal,
                            items, match_keys, checksum, zeroblob(2000), event, transaction_key
                        FROM queue, n WHERE id = 1
                        """)
                    do { try copyAsAfterCrash(directory.store, to: crashed) } catch { Issue.record(error) }
                    throw SQLiteError(SQLITE_INTERRUPT, nil)
                }
            }
            #expect(error.kind == .fault)
            #expect(try store.claimedRows(capi) == [1, 3])
        }
        #expect(try readFile(crashed + "/store.sqlite-wal").count > 500_000)
        let store = try DeliveryStore(directory: crashed)
        let capi = try store.destination()
        #expect(store.depth(of: capi).rows == 2)
        #expect(try Counters.count(store.connection) == store.counters.filter { $0.value != Counters() })
        #expect(try store.claimedRows(capi) == [1, 3])
    }

    @Test func `no error tells what was stored`() throws {
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        let secret = Sample(1).with {
            $0.content = "6b1a5c1e-hash"
            $0.event = "msclkid-77"
            $0.topic = "topic-secret"
            $0.goal = "goal-secret"
        }
        try store.enqueue([secret], capi, failure: "failure-secret")
        var errors: [StoreError] = []
        // The same row with another origin, and more than a page for the other tables' constraints.
        errors.append(try storeError { try store.enqueue([secret.with { $0.offset = 424_242 }], capi) })
        try store.connection.execute("CREATE UNIQUE INDEX once ON queue (content)")
        errors.append(
            try storeError {
                try store.enqueue(
                    [
                        secret.with {
                            $0.row = 2
                            $0.offset = 424_242
                        }
                    ], capi)
            })
        errors.append(
            try storeError {
                try store.read { () throws(SQLiteError) in
                    let insert = try store.connection.statement("INSERT INTO texts (id, text) VALUES (?1, ?2)")
                    insert.bind(1, Int64(9))
                    insert.bind(2, secret.contentBytes)
                    try insert.run()
                }
            })
        for error in errors {
            let text = "\(error) \(String(reflecting: error))"
            #expect(error.kind == .fault && error.code & 0xFF == SQLITE_CONSTRAINT)
            for word in ["6b1a5c1e", "msclkid", "secret", "424242"] { #expect(!text.contains(word), "\(text)") }
            #expect(text.contains(directory.database))
        }
    }

    @Test func `every kind of trouble says what to do`() {
        let kinds: [StoreError.Kind] = [
            .locked(processID: 5), .locked(processID: nil), .missing, .notADatabase, .corrupt,
            .newerSchema(found: 2, known: 1), .olderSchema(found: 1, known: 2), .permission, .diskFull, .ioError, .busy,
            .fault,
        ]
        let texts = kinds.map { StoreError($0, path: "/state", code: 1, text: "why").description }
        #expect(Set(texts).count == kinds.count)
        #expect(
            texts.allSatisfy { $0.hasPrefix("/state: ") && $0.hasSuffix(".") && $0.contains("(why, SQLite code 1)") })
    }

    @Test(arguments: [
        (SQLITE_FULL, Int32(0), StoreError.Kind.diskFull),
        (SQLITE_IOERR | 3 << 8, ENOSPC, .diskFull), (SQLITE_IOERR | 3 << 8, EDQUOT, .diskFull),
        (SQLITE_IOERR | 1 << 8, EIO, .ioError), (SQLITE_CANTOPEN, EACCES, .permission),
        (SQLITE_READONLY | 4 << 8, 0, .permission), (SQLITE_CORRUPT | 1 << 8, 0, .corrupt),
        (SQLITE_NOTADB, 0, .notADatabase), (SQLITE_BUSY | 1 << 8, 0, .busy), (SQLITE_LOCKED, 0, .busy),
        (SQLITE_CONSTRAINT, 0, .fault),
    ])
    func `each code has its kind`(code: Int32, systemError: Int32, kind: StoreError.Kind) {
        #expect(StoreError.Kind(SQLiteCode(rawValue: code), systemError: systemError) == kind)
    }
}

extension Sample {
    /// A blob where a text belongs. It is a constant's memory, so it outlives the statement.
    fileprivate var contentBytes: Bytes {
        let literal: StaticString = "6b1a5c1e-secret"
        return Bytes(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }
}

@Suite struct ChecksumTests {
    @Test func `any flipped bit changes the sum`() {
        var random = Seeded(1)
        for length in [0, 1, 7, 8, 9, 40] {
            var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let whole = sum(bytes)
            for bit in 0..<length * 8 {
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(sum(bytes) != whole)
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            #expect(sum(bytes + [0]) != whole)
        }
    }

    @Test func `the sum is what earlier releases wrote`() {
        #expect(sum([]) == 571_985_864_774_931_780)
        #expect(sum(Array("0123456789".utf8)) == -4_527_936_103_181_971_527)
    }

    private func sum(_ bytes: [UInt8]) -> Int64 {
        var checksum = Checksum()
        bytes.withUnsafeBufferPointer { checksum.add($0) }
        return checksum.value
    }
}
