import CSQLite
import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct DamageTests {
    let directory = TemporaryDirectory()

    /// Three rows on disk, all in the main file.
    private func makeStore(_ change: (inout Sample) -> Void = { _ in }) throws {
        let store = try DeliveryStore(directory: directory.store)
        try store.enqueue(
            samples(1...3) {
                $0.content = "content of \($0.row)"
                $0.event = "event of \($0.row)"
                change(&$0)
            }, try store.destination())
        try store.close()
    }

    /// Flips a bit of the last byte of `pattern` (or of another one) in the database.
    private func flip(_ pattern: [UInt8], occurrence: Int = 0, byte: Int? = nil) throws {
        var file = try readFile(directory.database)
        let places = places(of: pattern, in: file)
        try #require(places.count > occurrence)
        file[places[occurrence] + (byte ?? pattern.count - 1)] ^= 4
        try writeFile(directory.database, file)
    }

    private func expectExactCounters(_ store: DeliveryStore) throws {
        #expect(try Counters.count(store.connection) == store.counters.filter { $0.value != Counters() })
    }

    @Test(arguments: ["content of 2", "event of 2"])
    func `a row with a flipped bit is put aside and the others go on`(pattern: String) throws {
        try makeStore()
        try flip(Array(pattern.utf8))
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        let claim = try store.claim(capi)
        #expect(claim.rows == [1, 3] && claim.quarantined == 1)
        #expect(store.depth(of: capi).rows == 2)
        #expect(try store.destinations().map(\.quarantined) == [1])
        #expect(try store.connection.integer("SELECT queue_row FROM quarantine") == 2)
        try expectExactCounters(store)
        #expect(try store.claim(capi).quarantined == 0)
        // It goes with the dead letters of its age.
        let result = try store.purge(now: noon + .seconds(61), keepFor: .seconds(60), keepRows: 10)
        #expect(result.quarantined == 1)
        try expectExactCounters(store)
    }

    @Test func `a claim that finds nothing but damage says that there may be more`() throws {
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        let many = Int64(DeliveryStore.damageLimit) + 1
        try store.enqueue(samples(1...many), capi)
        try store.connection.execute("UPDATE queue SET checksum = checksum + 1 WHERE id <= \(many)")
        let first = try store.claim(capi)
        #expect(first.batch.isEmpty && first.quarantined == DeliveryStore.damageLimit && first.nextDue == noon)
        let second = try store.claim(capi)
        #expect(second.batch.isEmpty && second.quarantined == 1 && second.nextDue == nil)
        try expectExactCounters(store)
    }

    @Test(arguments: 0...2)
    func `a row and an index that contradict each other are brought together`(occurrence: Int) throws {
        // The offset stands in the row and in the index of origins. The send-by time does in the row and in its index.
        let offset: [UInt8] = [0x01, 0x23, 0x45, 0x67, 0x11, 0xAB, 0xCD, 0xE0]
        let number = offset.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        try makeStore { if $0.row == 2 { $0.offset = number } }
        // The same three pages in any order: once the index, once the row; the third occurrence is there only if SQLite
        // has left one behind in a page that it split.
        let count = places(of: offset, in: try readFile(directory.database)).count
        if occurrence >= count { return }
        try flip(offset, occurrence: occurrence)
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        let claim = try store.claim(capi)
        #expect(claim.rows == [1, 3] && claim.quarantined == 1 || claim.rows == [1, 2, 3] && claim.quarantined == 0)
        _ = try store.perform([.remove(capi, claim.batch.deliveries.map(\.row))])
        #expect(store.depth(of: capi) == QueueDepth())
        try expectExactCounters(store)
        #expect(try store.connection.text("PRAGMA integrity_check") == "ok")
    }

    @Test func `a row that seems to belong to another destination is put aside from its own`() throws {
        let offline: DestinationID
        do {
            let store = try DeliveryStore(directory: directory.store)
            _ = try store.destination("capi")
            offline = try store.destination("offline")
            let dueAt = Timestamp(milliseconds: 0x0123_4567_89AB)
            try store.enqueue(samples(1...3) { $0.dueAt = dueAt + .milliseconds($0.row) }, offline)
            try store.close()
        }
        // Row 2: its destination, and its due time right behind as hold 0 takes no byte. In queue_due it is the same.
        let pattern: [UInt8] = [2, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAD]
        let intact = try readFile(directory.database)
        var quarantined = 0
        for occurrence in places(of: pattern, in: intact).indices {
            try writeFile(directory.database, intact)
            try flip(pattern, occurrence: occurrence, byte: 0)
            let store = try DeliveryStore(directory: directory.store)
            let claim = try store.claim(offline, now: Timestamp(seconds: 2_000_000_000))
            quarantined += claim.quarantined
            // Where the flipped bit is that of an index, rows behind it may not be found.
            if claim.quarantined == 1 {
                #expect(claim.rows == [1, 3])
                #expect(store.depth(of: offline).rows == 2)
                try expectExactCounters(store)
            }
            try store.close()
        }
        #expect(quarantined == 1)
    }

    @Test func `an index that leads to no row is made anew and the row is found`() throws {
        try makeStore { $0.dueAt = Timestamp(milliseconds: 0x0123_4567_89AB + $0.row) }
        // In queue_due an entry ends with its row: due time, strikes, row, failure, row again.
        var file = try readFile(directory.database)
        let entry: [UInt8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAD, 2, 2, 2]
        let place = try #require(places(of: entry, in: file).first)
        file[place + 6] = 66
        file[place + 8] = 66
        try writeFile(directory.database, file)
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        let claim = try store.claim(capi, now: Timestamp(seconds: 2_000_000_000))
        #expect(claim.rows == [1, 2, 3] && claim.quarantined == 0)
        #expect(try store.connection.text("PRAGMA integrity_check") == "ok")
    }

    @Test func `a damaged page is an error that names the file`() throws {
        try makeStore()
        var file = try readFile(directory.database)
        for index in file.indices where index >= 16384 { file[index] = 0xFF }
        try writeFile(directory.database, file)
        let error = try storeError { _ = try DeliveryStore(directory: directory.store) }
        #expect(error.kind == .corrupt)
        #expect(error.description.contains(directory.database) && error.description.contains("SQLite code"))
    }

    @Test func `wherever a bit flips, what is claimed is what was enqueued`() async throws {
        try makeStore()
        let original = try readFile(directory.database)
        let damaged = directory.path + "/damaged"
        try #require(DeliveryStore(directory: damaged).wasCreated)
        let outcomes = try await onThread {
            var random = Seeded(20_260_807)
            var outcomes: [String: Int] = [:]
            let rows = places(of: Array("content of ".utf8), in: original)
            for round in 0..<300 {
                var file = original
                // Half of them anywhere, the others near a row.
                let place =
                    round % 2 == 0
                    ? Int.random(in: 0..<file.count, using: &random)
                    : rows.randomElement(using: &random)! + Int.random(in: -60...30, using: &random)
                file[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try writeFile(damaged + "/store.sqlite", file)
                let outcome = try claimEverything(damaged)
                outcomes[outcome, default: 0] += 1
            }
            return outcomes
        }
        // All of them happen, or this test looks at nothing.
        #expect(outcomes["all", default: 0] > 100)
        #expect(outcomes["some", default: 0] > 50)
    }
}

private func places(of pattern: [UInt8], in file: [UInt8]) -> [Int] {
    file.indices.dropLast(pattern.count - 1).filter {
        file[$0] == pattern[0] && file[$0..<$0 + pattern.count].elementsEqual(pattern)
    }
}

/// Claims and removes all there is and looks at each delivery.
/// - Returns: "all" if all three came out, "some" if rows were put aside or lost from sight, else the kind of error.
private func claimEverything(_ directory: String) throws -> String {
    do throws(StoreError) {
        let store = try DeliveryStore(directory: directory)
        var rows = 0
        for destination in try store.destinations() {
            while true {
                let claim = try store.claim(
                    ClaimRequest(
                        destination: destination.id, now: .distantFuture, urgentBefore: .distantPast,
                        maxEventsByStrikes: [2], maxBytes: 1 << 20))
                if claim.batch.isEmpty { break }
                for delivery in claim.batch.deliveries {
                    let content = String(decoding: claim.batch.contents[delivery.content], as: UTF8.self)
                    let event = String(decoding: claim.batch.records[delivery.record], as: UTF8.self)
                    #expect(content == "content of \(delivery.offset)" && event == "event of \(delivery.offset)")
                    #expect(delivery.sendBy == Sample(1).sendBy && delivery.payloadHash == Sample(1).payloadHash)
                    rows += 1
                }
                _ = try store.perform([.remove(destination.id, claim.batch.deliveries.map(\.row))])
            }
        }
        return rows == 3 ? "all" : "some"
    } catch {
        return "\(error.kind)"
    }
}
