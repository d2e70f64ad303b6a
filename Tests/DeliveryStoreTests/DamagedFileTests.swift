import CSQLite
import ForwarderCore
import Testing

@testable import DeliveryStore

/// What becomes of a store whose files are damaged as a whole. (`DamageTests` is about single rows and pages.)
///
/// | What is found | What happens |
/// |---|---|
/// | nothing, or an empty file | a new store, which says that it is new |
/// | a log that was torn or cut | opened, with every transaction that is whole in it |
/// | a flipped bit in the log | opened, with every transaction before it; SQLite takes it for the end of the log |
/// | a log of another database | opened as if there were no log |
/// | a database that was cut | `corrupt`, where the missing part is needed |
/// | flipped bits in a page | the row is put aside, the index made anew, or `corrupt` (`DamageTests`) |
/// | a log whose database is missing or empty | `loneLog`; neither is touched |
/// | not SQLite's, or another program's | `notADatabase`; not touched (`OpeningTests`) |
/// | an older schema | brought up to date; to be read only: `olderSchema` (`MigrationTests`) |
/// | a newer schema | `newerSchema` (`MigrationTests`) |
/// | a file or directory this user may not write | `permission` (`OpeningTests`) |
@Suite struct DamagedFileTests {
    private static let database = "store.sqlite"
    private static let log = "store.sqlite-wal"

    /// Transactions that stand in the log alone.
    private struct Logged {
        var disk: ModelDisk.State
        /// What must be there with none, one, two … of them.
        var states: [Life.Expected]
        /// How long the log was after each.
        var ends: [Int]

        init() throws {
            let directory = TemporaryDirectory(isInMemory: true)
            let life = Life(ModelDisk(), directory: directory.store, seed: 4)
            for step in [Life.Step.open, .register, .register, .work(.enqueue), .checkpoint] { _ = try life.take(step) }
            life.checkpointPages = .max
            life.store?.checkpointPages = .max
            states = [life.expected]
            ends = []
            for kind in [RandomWork.Kind.enqueue, .reject, .enqueue, .reschedule, .deadLetter, .enqueue] {
                _ = try life.take(.work(kind))
                states.append(life.expected)
                ends.append(life.disk.files[log]?.size ?? 0)
            }
            disk = life.disk.state
        }

        func expected(intactUpTo end: Int) -> Life.Expected {
            states[ends.count { $0 <= end }]
        }
    }

    @Test func `of a log that was cut all whole transactions are there`() async throws {
        try await onThread {
            let logged = try Logged()
            let bytes = logged.disk.bytes(of: Self.log)
            let recovery = Recovery()
            for end in Set(stride(from: 0, to: bytes.count, by: 4999)).union(logged.ends.flatMap { [$0 - 1, $0] }) {
                let cut = logged.disk.replacing(Self.log, with: Array(bytes[..<end]))
                let failure = recovery.check(cut, [logged.expected(intactUpTo: end)])
                #expect(failure == nil, "cut to \(end) bytes")
            }
        }
    }

    @Test func `of a log with a flipped bit the transactions before it are there`() async throws {
        try await onThread {
            let logged = try Logged()
            let recovery = Recovery()
            var random = Seeded(20_261_122)
            for _ in 0..<100 {
                var bytes = logged.disk.bytes(of: Self.log)
                let place = Int.random(in: 0..<logged.ends[5], using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                let failure = recovery.check(
                    logged.disk.replacing(Self.log, with: bytes), [logged.expected(intactUpTo: place)])
                #expect(failure == nil, "bit flipped in byte \(place)")
            }
        }
    }

    @Test func `the log of another database is not taken for its own`() async throws {
        try await onThread {
            let logged = try Logged()
            var other = logged.disk.bytes(of: Self.log)
            // Its salt, as another database's would differ.
            other[16] ^= 0xFF
            let failure = Recovery().check(logged.disk.replacing(Self.log, with: other), [logged.states[0]])
            #expect(failure == nil)
        }
    }

    @Test func `a database that was cut is an error and never a shorter queue`() async throws {
        let outcomes = try await onThread { () throws -> [StoreError.Kind?] in
            let directory = TemporaryDirectory(isInMemory: true)
            let life = Life(ModelDisk(), directory: directory.store)
            for step in [Life.Step.open, .register, .register, .work(.enqueue), .close] { _ = try life.take(step) }
            let bytes = life.disk.state.bytes(of: Self.database)
            return try stride(from: 512, to: bytes.count, by: 4096).map { end in
                let disk = ModelDisk(life.disk.state.replacing(Self.database, with: Array(bytes[..<end])))
                return try error(Life(disk, directory: directory.store, expected: life.expected))
            }
        }
        #expect(outcomes.count > 50)
        // The last page of this one holds nothing, so that cutting it changes nothing.
        #expect(outcomes.dropLast(4).allSatisfy { $0 == .corrupt }, "\(outcomes)")
        #expect(outcomes.suffix(4).allSatisfy { $0 == .corrupt || $0 == nil }, "\(outcomes)")
    }

    @Test(arguments: [true, false], [DeliveryStore.Access.readWrite, .readOnly])
    func `a log without its database is not thrown away`(isEmpty: Bool, access: DeliveryStore.Access) throws {
        let directory = TemporaryDirectory()
        let crashed = directory.path + "/crashed"
        do {
            let store = try DeliveryStore(directory: directory.store)
            try store.enqueue(samples(1...3), try store.destination())
            try copyAsAfterCrash(directory.store, to: crashed)
        }
        let database = try readFile(crashed + "/store.sqlite")
        let log = try readFile(crashed + "/store.sqlite-wal")
        try removeFile(crashed + "/store.sqlite")
        if isEmpty { try writeFile(crashed + "/store.sqlite", []) }
        let error = try storeError { _ = try DeliveryStore(directory: crashed, access: access) }
        #expect(error.kind == .loneLog)
        #expect(error.description.contains(crashed + "/store.sqlite") && error.description.contains("-wal"))
        #expect(try readFile(crashed + "/store.sqlite-wal") == log)
        // And with the file put back nothing is missing.
        try writeFile(crashed + "/store.sqlite", database)
        let store = try DeliveryStore(directory: crashed)
        #expect(try store.claimedRows(try store.destination()) == [1, 2, 3])
    }

    @Test func `an empty file is a new store that says so`() throws {
        let directory = TemporaryDirectory()
        try DeliveryStore(directory: directory.store).close()
        try writeFile(directory.database, [])
        let store = try DeliveryStore(directory: directory.store)
        #expect(try store.wasCreated && store.destinations().isEmpty)
    }
}

/// What opening a store and looking at everything in it ends with.
private func error(_ life: Life) throws -> StoreError.Kind? {
    do throws(StoreError) {
        try life.open()
        if let difference = try life.compare() { Issue.record("\(difference)") }
        return nil
    } catch {
        return error.kind
    }
}
