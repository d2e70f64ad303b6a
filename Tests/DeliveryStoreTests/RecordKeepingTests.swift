import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct DestinationTests {
    let directory = TemporaryDirectory()

    @Test func `a destination is found again by its name, also after its configuration has gone`() throws {
        var id: DestinationID?
        do {
            let store = try DeliveryStore(directory: directory.store)
            id = try store.destination("capi")
            #expect(try store.destination("offline") != id)
            try store.enqueue(samples(1...2), try #require(id))
            _ = try store.perform([.setState(try #require(id), .halted)])
        }
        let store = try DeliveryStore(directory: directory.store)
        let known = try store.destinations()
        #expect(known.map(\.name) == ["capi", "offline"])
        #expect(known.map(\.state) == [.halted, .running])
        #expect(known.map(\.depth.rows) == [2, 0])
        #expect(known.map(\.firstSeen) == [noon, noon])
        let again = try store.register(name: "capi", fingerprint: "account 1", now: noon + .seconds(9))
        #expect(again == .registered(known[0]))
        #expect(known[0].id == id)
    }

    @Test func `the account of a destination cannot change while deliveries for the old one wait`() throws {
        let store = try DeliveryStore(directory: directory.store)
        let capi = try store.destination()
        try store.enqueue([Sample(1)], capi)
        let refused = try store.register(name: "capi", fingerprint: "account 2", now: noon)
        #expect(refused == .fingerprintDiffers(stored: "account 1", configured: "account 2", rows: 1))
        #expect(try store.destinations().map(\.fingerprint) == ["account 1"])
        _ = try store.perform([.setState(capi, .paused), .remove(capi, [RowID(1)])])
        guard case .registered(let known) = try store.register(name: "capi", fingerprint: "account 2", now: noon)
        else { throw Unexpected(what: "refused without a backlog") }
        #expect(known.id == capi && known.fingerprint == "account 2" && known.state == .paused)
        #expect(try store.destinations() == [known])
    }
}

@Suite struct RejectTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
    }

    private func reject(_ offset: Int64, for destination: DestinationID? = nil, _ reasons: [String]) -> RejectedEvent {
        RejectedEvent(
            destination: destination, topic: "orders", partition: 2, offset: offset, reasons: reasons,
            at: noon + .seconds(offset))
    }

    @Test func `a reject is remembered once for each destination`() throws {
        let all = reject(1, ["malformed_json"])
        let one = reject(1, for: capi, ["too_old", "goal_unknown"])
        #expect(try store.perform([.reject([all, one])]).depths == [capi: QueueDepth()])
        _ = try store.perform([.reject([one, reject(1, ["another"])])])
        #expect(try store.rejects(RejectFilter()) == [one, all])
        #expect(store.counters[.all]?.rejects == 1 && store.counters[capi]?.rejects == 1)
    }

    @Test func `rejects are found by what they have in common`() throws {
        _ = try store.perform([
            .reject([reject(1, ["old"]), reject(2, ["too_old", "x"]), reject(3, for: capi, ["x", "too_old"])])
        ])
        func found(_ filter: RejectFilter) throws -> [Int64] { try store.rejects(filter).map(\.offset) }
        #expect(try found(RejectFilter()) == [3, 2, 1])
        #expect(try found(RejectFilter(limit: 1)) == [3])
        #expect(try found(RejectFilter(destination: capi)) == [3])
        #expect(try found(RejectFilter(reason: "too_old")) == [3, 2])
        #expect(try found(RejectFilter(reason: "old")) == [1])
        #expect(try found(RejectFilter(since: noon + .seconds(2))) == [3, 2])
    }

    @Test func `a purge takes what is old and what is too much, slice by slice`() throws {
        _ = try store.perform([
            .reject((1...6).map { reject($0, ["x"]) }),
            .deadLetter(
                capi, batch(samples(1...3)), ends: Array(repeating: DeadLetterCause(.data, "x"), count: 3),
                at: noon + .seconds(2)),
            .deadLetter(
                capi, batch(samples(4...5)), ends: Array(repeating: DeadLetterCause(.data, "x"), count: 2),
                at: noon + .seconds(60)),
        ])
        func purge(_ slice: Int) throws -> PurgeResult {
            try store.purge(now: noon + .seconds(63), keepFor: .seconds(60), keepRows: 3, slice: slice)
        }
        // Rejects 1 and 2 are old and one more is too much; of the dead letters three are old and then all fit.
        let first = try purge(2)
        #expect(first == PurgeResult(deadLetters: [capi: 2], rejects: 2, quarantined: 0, isComplete: false))
        let second = try purge(2)
        #expect(second == PurgeResult(deadLetters: [capi: 1], rejects: 1, quarantined: 0, isComplete: true))
        #expect(try purge(2) == PurgeResult())
        #expect(try store.rejects(RejectFilter()).map(\.offset) == [6, 5, 4])
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.delivery.offset) == [5, 4])
        #expect(try Counters.count(store.connection) == store.counters.filter { $0.value != Counters() })
    }
}

@Suite struct InspectionTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID
    let offline: DestinationID

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
        offline = try store.destination("offline")
        try store.enqueue(samples(1...2) { $0.dueAt = noon + .seconds($0.row) }, capi, failure: "timeout")
        try store.enqueue([Sample(3).with { $0.sendBy = noon + .seconds(30) }], capi, hold: "Lead", failure: nil)
        try store.enqueue([Sample(4)], capi, hold: "Purchase", failure: "http_503")
        try store.enqueue([Sample(5)], offline, failure: "timeout")
    }

    @Test func `the queues in numbers`() throws {
        let stats = try store.queueStats()
        try #require(stats.map(\.destination) == [capi, offline])
        #expect(stats[0].depth.rows == 4 && stats[0].depth == store.depth(of: capi))
        #expect(stats[0].heldRows == ["Lead": 1, "Purchase": 1])
        #expect(stats[0].failedRows == ["timeout": 2, "http_503": 1])
        #expect(stats[0].nextDue == noon && stats[1].nextDue == noon)
        #expect(stats[0].soonestSendBy == noon + .seconds(30))
        #expect(stats[0].oldestEventTime == noon.seconds - 60)
        #expect(stats[1].heldRows.isEmpty && stats[1].failedRows == ["timeout": 1])
        #expect(try store.heldGoals(of: capi) == ["Lead", "Purchase"])
        #expect(try store.heldGoals(of: offline).isEmpty)
        #expect(try store.queueFront(of: capi)?.sendBy == noon + .seconds(30))
        #expect(try store.queueFront(of: DestinationID(77)) == nil)
    }

    @Test func `rows are found by what they have in common`() throws {
        _ = try store.claim(capi, hold: "Lead")
        func found(_ filter: QueueFilter) throws -> [Int64] { try store.queueRows(filter).map(\.row.rawValue) }
        #expect(try found(QueueFilter()) == [1, 2, 3, 4, 5])
        #expect(try found(QueueFilter(limit: 2)) == [1, 2])
        #expect(try found(QueueFilter(destination: offline)) == [5])
        #expect(try found(QueueFilter(lastFailure: "timeout")) == [1, 2, 5])
        #expect(try found(QueueFilter(lastFailure: "never seen")) == [])
        #expect(try found(QueueFilter(hold: "Lead")) == [3])
        #expect(try found(QueueFilter(since: noon + .milliseconds(1))) == [])
        let row = try #require(try store.queueRows(QueueFilter(hold: "Lead")).first)
        #expect(row.isClaimed && row.hold == "Lead" && row.lastFailure == nil && row.queuedAt == noon)
        #expect(row.dueAt == noon && row.attempts == 1 && row.delivery.offset == 3)
    }

    @Test func `a discarded queue keeps what is on its way`() throws {
        _ = try store.claim(capi, now: noon + .seconds(1))
        let first = try store.discardQueue(of: capi, limit: 2)
        #expect(first.discarded == [capi: 2] && !first.isComplete)
        let second = try store.discardQueue(of: capi, limit: 2)
        #expect(second.discarded == [capi: 1] && second.isComplete)
        #expect(try store.discardQueue(of: capi).discarded.isEmpty)
        #expect(try store.queueRows(QueueFilter()).map(\.row.rawValue) == [1, 5])
        #expect(second.depths[capi] == store.depth(of: capi) && store.depth(of: capi).rows == 1)
    }
}
