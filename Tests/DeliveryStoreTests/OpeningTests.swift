import CSQLite
import ForwarderCore
import Glibc
import Testing

@testable import DeliveryStore

@Suite struct OpeningTests {
    let directory = TemporaryDirectory()

    @Test func `a new store is private and knows that it is new`() throws {
        let store = try DeliveryStore(directory: directory.store)
        #expect(store.wasCreated)
        #expect(mode(directory.store) == 0o700)
        try store.enqueue([Sample(1)], try store.destination())
        #expect(try entries(directory.store) == ["lock", "store.sqlite", "store.sqlite-shm", "store.sqlite-wal"])
        for name in try entries(directory.store) { #expect(mode(directory.store + "/" + name) == 0o600) }
    }

    @Test func `a store keeps its identity and another one has another`() throws {
        var identities: [String] = []
        for _ in 0..<2 {
            let store = try DeliveryStore(directory: directory.store)
            identities.append(store.identity)
            try store.close()
        }
        #expect(identities[0] == identities[1])
        #expect(try !DeliveryStore(directory: directory.store).wasCreated)
        #expect(identities[0].split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
        #expect(identities[0].allSatisfy { $0 == "-" || $0.isHexDigit && !$0.isUppercase })
        let other = try DeliveryStore(directory: directory.path + "/other")
        #expect(other.identity != identities[0])
    }

    @Test func `every commit waits for the disk`() throws {
        let store = try DeliveryStore(directory: directory.store)
        #expect(try store.connection.integer("PRAGMA synchronous") == 2)
        #expect(try store.connection.text("PRAGMA journal_mode") == "wal")
        #expect(try store.connection.integer("PRAGMA page_size") == 16384)
    }

    @Test func `a second opener is refused and told who has the directory`() throws {
        let first = try DeliveryStore(directory: directory.store)
        for access in [DeliveryStore.Access.readWrite, .readOnly] {
            let error = try storeError { _ = try DeliveryStore(directory: directory.store, access: access) }
            #expect(error.kind == .locked(processID: getpid()))
            #expect(error.path == directory.store)
            #expect(error.description.contains("in use by process \(getpid())"))
        }
        try first.close()
        #expect(try !DeliveryStore(directory: directory.store).wasCreated)
        withExtendedLifetime(first) {}
    }

    @Test func `a store that is dropped without being closed gives the directory back`() throws {
        do {
            let store = try DeliveryStore(directory: directory.store)
            #expect(store.wasCreated)
        }
        #expect(try !DeliveryStore(directory: directory.store).wasCreated)
    }

    @Test func `a directory whose parent is missing is not made up`() throws {
        let error = try storeError { _ = try DeliveryStore(directory: directory.path + "/a/b") }
        #expect(error.kind == .missing)
        #expect(error.path == directory.path + "/a/b")
    }

    @Test func `a file that is not a database is refused and left alone`() throws {
        try #require(mkdir(directory.store, 0o700) == 0)
        let text = Array(String(repeating: "not a database ", count: 100).utf8)
        try writeFile(directory.database, text)
        for access in [DeliveryStore.Access.readWrite, .readOnly] {
            let error = try storeError { _ = try DeliveryStore(directory: directory.store, access: access) }
            #expect(error.kind == .notADatabase)
            #expect(error.code == SQLITE_NOTADB)
            #expect(error.path == directory.database)
        }
        #expect(try readFile(directory.database) == text)
    }

    @Test func `another program's database is refused and left alone`() throws {
        try #require(mkdir(directory.store, 0o700) == 0)
        do {
            let other = try SQLiteConnection(
                directory.database, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
            try other.execute("CREATE TABLE songs (title TEXT)")
        }
        let before = try readFile(directory.database)
        for access in [DeliveryStore.Access.readWrite, .readOnly] {
            let error = try storeError { _ = try DeliveryStore(directory: directory.store, access: access) }
            #expect(error.kind == .notADatabase)
        }
        #expect(try readFile(directory.database) == before)
    }

    @Test func `a directory that this user may not write to is refused`() async throws {
        try #require(mkdir(directory.store, 0o555) == 0 && chmod(directory.path, 0o755) == 0)
        let store = directory.store
        let error = try await onThread { () throws -> StoreError in
            giveUpRoot()
            return try storeError { _ = try DeliveryStore(directory: store) }
        }
        #expect(error.kind == .permission)
        #expect(error.systemError == EACCES)
        #expect(try entries(directory.store).isEmpty)
    }

    @Test func `a database that this user may not write to is refused`() async throws {
        try DeliveryStore(directory: directory.store).close()
        try #require(chmod(directory.path, 0o755) == 0 && chmod(directory.store, 0o777) == 0)
        try #require(chmod(directory.store + "/lock", 0o666) == 0 && chmod(directory.database, 0o444) == 0)
        let store = directory.store
        let error = try await onThread { () throws -> StoreError in
            giveUpRoot()
            return try storeError { _ = try DeliveryStore(directory: store) }
        }
        #expect(error.kind == .permission)
        #expect(error.path == directory.database)
    }
}

@Suite struct ReadOnlyTests {
    let directory = TemporaryDirectory()

    @Test func `looking at a store changes nothing in its directory`() throws {
        do {
            let store = try DeliveryStore(directory: directory.store)
            try store.enqueue(samples(1...3), try store.destination())
            try store.close()
        }
        let before = try entries(directory.store)
        let database = try readFile(directory.database)
        let store = try DeliveryStore(directory: directory.store, access: .readOnly)
        #expect(try store.queueRows(QueueFilter()).map(\.row.rawValue) == [1, 2, 3])
        #expect(try store.destinations().map(\.depth.rows) == [3])
        #expect(try entries(directory.store) == before)
        try store.close()
        #expect(try entries(directory.store) == before)
        #expect(try readFile(directory.database) == database)
    }

    @Test func `after a crash what is in the log is seen and the log left as evidence`() throws {
        let crashed = directory.path + "/crashed?#%20"
        do {
            let store = try DeliveryStore(directory: directory.store)
            try store.enqueue(samples(1...3), try store.destination())
            try copyAsAfterCrash(directory.store, to: crashed)
        }
        let names = try entries(crashed)
        try #require(names == ["lock", "store.sqlite", "store.sqlite-wal"])
        let log = try readFile(crashed + "/store.sqlite-wal")
        do {
            let store = try DeliveryStore(directory: crashed, access: .readOnly)
            #expect(try store.queueRows(QueueFilter()).map(\.row.rawValue) == [1, 2, 3])
            #expect(throws: SQLiteError.self) { try store.connection.execute("DELETE FROM queue") }
            #expect(try entries(crashed) == names)
        }
        #expect(try entries(crashed) == names)
        #expect(try readFile(crashed + "/store.sqlite-wal") == log)
        // And the daemon that comes next finds everything.
        let store = try DeliveryStore(directory: crashed)
        #expect(try store.claimedRows(try store.destination()) == [1, 2, 3])
    }

    @Test func `a path with characters that mean something in an address is found`() throws {
        let odd = directory.path + "/what? 100% #1"
        try DeliveryStore(directory: odd).close()
        #expect(try DeliveryStore(directory: odd, access: .readOnly).destinations().isEmpty)
    }

    @Test func `where no store is none is made`() throws {
        let missing = try storeError { _ = try DeliveryStore(directory: directory.store, access: .readOnly) }
        #expect(missing.kind == .missing)
        #expect(mode(directory.store) == nil)
        try #require(mkdir(directory.store, 0o700) == 0)
        let empty = try storeError { _ = try DeliveryStore(directory: directory.store, access: .readOnly) }
        #expect(empty.kind == .missing)
        #expect(try entries(directory.store).isEmpty)
    }
}
