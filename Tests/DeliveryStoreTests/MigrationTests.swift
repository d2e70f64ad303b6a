import CSQLite
import ForwarderCore
import Glibc
import Testing

@testable import DeliveryStore

@Suite struct MigrationTests {
    let directory = TemporaryDirectory()
    private let known = Schema.steps.count

    @Test func `a store of version 1 is read as it was written`() throws {
        try #require(mkdir(directory.store, 0o700) == 0)
        do {
            let fixture =
                #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 }
                + "/Fixtures/store/version-1.sql"
            let connection = try SQLiteConnection(
                directory.database, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
            try connection.execute(String(decoding: try readFile(fixture), as: UTF8.self))
        }
        let store = try DeliveryStore(directory: directory.store)
        #expect(!store.wasCreated)
        #expect(store.identity == "1b4e28ba-2fa1-4d2b-883f-b9a761bde3fb")
        let known = try store.destinations()
        #expect(known.map(\.name) == ["capi", "offline"])
        #expect(known.map(\.state) == [.running, .paused])
        #expect(try Counters.count(store.connection) == store.counters.filter { $0.value != Counters() })
        let capi = known[0].id
        let claim = try store.claim(capi, limits: [10])
        #expect(claim.rows == [1, 2] && claim.quarantined == 0)
        #expect(String(decoding: claim.batch.contents, as: UTF8.self) == "{\"eventId\":\"a\"},{\"eventId\":\"a\"}")
        #expect(try store.claim(capi, hold: "Lead", limits: [10]).rows == [3])
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.cause) == [DeadLetterCause(.refused, "InvalidEvent")])
        #expect(try store.rejects(RejectFilter()).map(\.reasons) == [["malformed_json"]])
        // What it had no place for.
        let sale = TransactionKey(rawValue: 7)
        let origin = RecordOrigin(topic: "orders", partition: 0, offset: 900, payloadHash: 1)
        _ = try store.perform([.remember(capi, [RememberedTransaction(key: sale, origin: origin)], at: noon)])
        #expect(try store.ledgerEntry(of: sale, of: capi)?.origin == origin)
        #expect(try store.replay(DeadLetterFilter(), now: noon, nextRow: { RowID(77) }).moved.values.reduce(0, +) == 1)
    }

    @Test func `steps that are missing are taken, each once`() throws {
        let second = "ALTER TABLE destinations ADD COLUMN note TEXT; INSERT INTO texts (text) VALUES ('second');"
        do {
            let store = try DeliveryStore(directory: directory.store)
            try store.enqueue([Sample(1)], try store.destination())
            try store.close()
        }
        for _ in 0..<2 {
            let store = try DeliveryStore(
                directory: directory.store, access: .readWrite, steps: Schema.steps + [second])
            #expect(!store.wasCreated)
            #expect(try store.connection.integer("PRAGMA user_version") == Int64(Schema.steps.count + 1))
            #expect(try store.connection.integer("SELECT count(*) FROM texts WHERE text = 'second'") == 1)
            #expect(try store.claimedRows(try store.destination()) == [1])
        }
    }

    @Test func `a step that fails leaves the database as it was`() throws {
        do {
            let store = try DeliveryStore(directory: directory.store)
            try store.close()
        }
        let bad = "CREATE TABLE half (done TEXT); CREATE TABLE texts (id INTEGER);"
        let error = try storeError {
            _ = try DeliveryStore(directory: directory.store, access: .readWrite, steps: Schema.steps + [bad])
        }
        #expect(error.kind == .fault)
        let store = try DeliveryStore(directory: directory.store)
        #expect(try store.connection.integer("PRAGMA user_version") == Int64(Schema.steps.count))
        #expect(try store.connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0)
    }

    @Test func `a database of a later release is refused with both versions`() throws {
        do {
            let store = try DeliveryStore(
                directory: directory.store, access: .readWrite, steps: Schema.steps + ["CREATE TABLE later (id);"])
            try store.close()
        }
        for access in [DeliveryStore.Access.readWrite, .readOnly] {
            let error = try storeError { _ = try DeliveryStore(directory: directory.store, access: access) }
            #expect(error.kind == .newerSchema(found: known + 1, known: known))
            #expect(error.description.contains("version \(known + 1)") && error.description.contains("up to \(known)"))
        }
    }

    @Test func `a database of an earlier release is not touched when it is only read`() throws {
        try DeliveryStore(directory: directory.store).close()
        let error = try storeError {
            _ = try DeliveryStore(
                directory: directory.store, access: .readOnly, steps: Schema.steps + ["CREATE TABLE later (id);"])
        }
        #expect(error.kind == .olderSchema(found: known, known: known + 1))
    }
}
