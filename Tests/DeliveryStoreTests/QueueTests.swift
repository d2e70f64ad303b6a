import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct QueueTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
    }

    @Test func `a claim gives back what was enqueued`() throws {
        var first = Sample(11, offset: 5_000_000_000).with {
            $0.topic = "orders"
            $0.partition = 7
            $0.payloadHash = -3
            $0.content = "{\"a\":1}"
            $0.event = "{\"neutral\":1}"
            $0.attempts = 4
            $0.strikes = 2
            $0.dueAt = noon - .milliseconds(5)
        }
        first.sendBy = noon + .seconds(9)
        let second = Sample(12).with {
            $0.topic = "leads"
            $0.goal = "Lead Form Submit"
            $0.content = "{},{}"
            $0.strikes = 2
        }
        var sent = batch([first, second])
        sent.deliveries[1].itemCount = 2
        sent.deliveries[1].matchKeys = [.email, .clickID]
        _ = try store.perform([.enqueue(capi, sent, QueueEntry(queuedAt: noon))])

        let claim = try store.claim(capi, limits: [10])
        #expect(claim.quarantined == 0 && claim.nextDue == nil)
        let got = claim.batch
        #expect(String(decoding: got.contents, as: UTF8.self) == "{\"a\":1},{},{}")
        #expect(got.recordForm == .neutral)
        try #require(got.count == 2)
        for (delivery, original) in zip(got.deliveries, sent.deliveries) {
            #expect(got.topics[Int(delivery.topic)] == sent.topics[Int(original.topic)])
            #expect(got.goals[Int(delivery.goal)] == sent.goals[Int(original.goal)])
            #expect(got.contents[delivery.content] == sent.contents[original.content])
            #expect(got.records[delivery.record] == sent.records[original.record])
            #expect(delivery.partition == original.partition)
            #expect(delivery.offset == original.offset)
            #expect(delivery.payloadHash == original.payloadHash)
            #expect(delivery.eventTime == original.eventTime)
            #expect(delivery.sendBy == original.sendBy)
            #expect(delivery.itemCount == original.itemCount)
            #expect(delivery.matchKeys == original.matchKeys)
            #expect(delivery.attempts == original.attempts)
            #expect(delivery.strikes == original.strikes)
            #expect(delivery.row == original.row)
            #expect(delivery.dueAt == original.dueAt)
            #expect(delivery.assignment == .none && delivery.sequence == 0)
        }
    }

    @Test func `what waits longer is due at once, but not before its event`() throws {
        let waiting = Sample(1).with { $0.dueAt = noon + .seconds(2400) }
        let future = Sample(2).with {
            $0.dueAt = noon + .seconds(2400)
            $0.eventTime = noon.seconds + 60
        }
        try store.enqueue([waiting, future, Sample(3).with { $0.dueAt = noon - .seconds(9) }], capi)
        let offline = try store.destination("offline")
        try store.enqueue([waiting.with { $0.row = 4 }], offline)
        #expect(try store.hasten(capi, at: noon, limit: 1))
        while try store.hasten(capi, at: noon, limit: 1) {}
        let claim = try store.claim(capi, limits: [10])
        #expect(claim.rows == [3, 1])
        #expect(claim.batch.deliveries.map(\.dueAt) == [noon - .seconds(9), noon])
        store.release([RowID(3), RowID(1)])
        _ = try store.perform([.remove(capi, [RowID(1), RowID(3)])])
        #expect(try store.claim(capi, limits: [10]).nextDue == noon + .seconds(60))
        #expect(try store.claim(offline, limits: [10]).nextDue == noon + .seconds(2400))
    }

    @Test func `a delivery that is in the queue already is left out and said so`() throws {
        try store.enqueue(samples(1...3), capi)
        let result = try store.enqueue([Sample(4, offset: 2), Sample(5, offset: 9)], capi, isClaimed: true)
        #expect(result.leftOut == [capi: [RowID(4)]])
        #expect(result.depths[capi]?.rows == 4)
        #expect(try store.claimedRows(capi) == [1, 2, 3])
        store.release([RowID(5)])
        #expect(try store.claimedRows(capi) == [5])
    }

    @Test(arguments: ["topic", "partition", "offset", "payload", "destination"])
    func `a delivery that differs in its origin is another one`(difference: String) throws {
        let offline = try store.destination("offline")
        try store.enqueue([Sample(1)], capi)
        let other = Sample(2, offset: 1).with {
            switch difference {
            case "topic": $0.topic = "leads"
            case "partition": $0.partition = 1
            case "offset": $0.offset = 2
            case "payload": $0.payloadHash = 78
            default: break
            }
        }
        #expect(try store.enqueue([other], difference == "destination" ? offline : capi).leftOut.isEmpty)
    }

    @Test func `rows that are removed are gone and the depth follows`() throws {
        try store.enqueue(samples(1...3), capi)
        let row = Counters.bytes(ofPayload: Sample(1).payload)
        #expect(store.depth(of: capi) == QueueDepth(rows: 3, bytes: 3 * row))
        let claimed = try store.claim(capi).batch.deliveries.map(\.row)
        let result = try store.perform([.remove(capi, [claimed[1], RowID(99)])])
        #expect(result.depths == [capi: QueueDepth(rows: 2, bytes: 2 * row)])
        #expect(store.depth(of: capi) == QueueDepth(rows: 2, bytes: 2 * row))
        store.release(claimed)
        #expect(try store.claimedRows(capi) == [1, 3])
    }

    @Test func `one destination cannot remove or move what another one's row is`() throws {
        let offline = try store.destination("offline")
        try store.enqueue([Sample(1)], capi)
        _ = try store.perform([
            .remove(offline, [RowID(1)]),
            .reschedule(
                offline, [Reschedule(row: RowID(1), dueAt: noon + .seconds(9), attempts: 9, strikes: 0)],
                failure: nil, hold: nil),
            .deadLetterRows(
                offline, [RowEnd(row: RowID(1), cause: DeadLetterCause(.data, "x"), attempts: 9, at: noon)]),
        ])
        #expect(store.depth(of: capi).rows == 1 && store.depth(of: offline).rows == 0)
        #expect(try store.claimedRows(capi) == [1])
        #expect(try store.deadLetters(DeadLetterFilter()).isEmpty)
    }

    @Test func `a rescheduled row comes back when it is due, with what has happened to it`() throws {
        try store.enqueue([Sample(1)], capi, failure: nil)
        #expect(try store.claimedRows(capi) == [1])
        for (attempt, failure) in [(2, "timeout"), (3, nil), (4, "http_503")] {
            let change = Reschedule(row: RowID(1), dueAt: noon + .seconds(5), attempts: Int32(attempt), strikes: 1)
            _ = try store.perform([.reschedule(capi, [change], failure: failure, hold: nil)])
        }
        let early = try store.claim(capi)
        #expect(early.batch.isEmpty && early.nextDue == noon + .seconds(5))
        let row = try #require(try store.queueRows(QueueFilter()).first)
        #expect(row.firstFailure == "timeout" && row.lastFailure == "http_503")
        #expect(row.attempts == 4 && row.strikes == 1)
        #expect(try store.claim(capi, now: noon + .seconds(5)).batch.deliveries.map(\.attempts) == [4])
    }

    @Test func `rows held back for a goal are claimed only by name`() throws {
        try store.enqueue(samples(1...2), capi)
        _ = try store.claim(capi)
        let held = Reschedule(row: RowID(2), dueAt: noon + .seconds(1), attempts: 2, strikes: 0)
        _ = try store.perform([.reschedule(capi, [held], failure: "goal_parked", hold: "Purchase")])
        store.release([RowID(1)])
        let later = noon + .seconds(1)
        #expect(try store.claimedRows(capi, now: later) == [1])
        #expect(try store.claimedRows(capi, hold: "Lead", now: later) == [])
        #expect(try store.heldGoals(of: capi) == ["Purchase"])
        #expect(try store.claim(capi, hold: "Purchase", now: noon).nextDue == later)
        #expect(try store.claimedRows(capi, hold: "Purchase", now: later) == [2])
        let free = Reschedule(row: RowID(2), dueAt: later, attempts: 3, strikes: 0)
        _ = try store.perform([.reschedule(capi, [free], failure: nil, hold: nil)])
        #expect(try store.heldGoals(of: capi).isEmpty)
        #expect(try store.claimedRows(capi, now: later) == [2])
    }

    @Test func `works that are handed over together are committed together`() throws {
        try store.enqueue(samples(1...3), capi)
        let claimed = try store.claimedRows(capi)
        let texts = try store.connection.integer("SELECT count(*) FROM texts")
        let before = store.counters
        // Row 1 exists under another origin: the caller has used a row twice, which nothing can make right.
        let error = try storeError {
            _ = try store.perform([
                .enqueue(
                    capi, batch([Sample(7).with { $0.topic = "new" }]), QueueEntry(failure: "new", queuedAt: noon)),
                .remove(capi, [RowID(2)]),
                .deadLetterRows(
                    capi, [RowEnd(row: RowID(3), cause: DeadLetterCause(.refused, "x"), attempts: 1, at: noon)]),
                .reject([
                    RejectedEvent(
                        destination: nil, topic: "new", partition: 0, offset: 1, reasons: ["x"], at: noon)
                ]),
                .enqueue(capi, batch([Sample(1, offset: 100)]), QueueEntry(queuedAt: noon)),
            ])
        }
        #expect(error.kind == .fault)
        #expect(store.counters == before)
        #expect(try Counters.count(store.connection) == before.filter { $0.value != Counters() })
        #expect(claimed.allSatisfy { store.claimed.contains(RowID($0)) })
        #expect(try store.connection.integer("SELECT count(*) FROM texts") == texts)
        // A text that was numbered in the undone transaction is numbered anew, and the store works on.
        try store.enqueue([Sample(8).with { $0.topic = "new" }], capi, failure: "other")
        try store.enqueue([Sample(9)], capi, failure: "new")
        let claim = try store.claim(capi)
        #expect(claim.rows == [8, 9])
        #expect(claim.batch.topics == ["new", "orders"])
        #expect(try store.queueRows(QueueFilter(lastFailure: "new")).map(\.row.rawValue) == [9])
    }

    @Test func `nothing to do is done without touching the disk`() throws {
        let changes = try store.connection.integer("SELECT total_changes()")
        #expect(try store.perform([]) == StoreResult())
        #expect(try store.connection.integer("SELECT total_changes()") == changes)
    }

    @Test func `rows go on after the highest one`() throws {
        #expect(try store.highestRow() == .none)
        try store.enqueue([Sample(40), Sample(7)], capi)
        #expect(try store.highestRow() == RowID(40))
    }

    @Test func `depth, rows and claims after opening it again`() throws {
        try store.enqueue(samples(1...3), capi)
        _ = try store.claim(capi)
        let depth = store.depth(of: capi)
        try store.close()
        let again = try DeliveryStore(directory: directory.store)
        #expect(again.depth(of: capi) == depth)
        #expect(try again.claimedRows(try again.destination()) == [1, 2, 3])
    }

    @Test func `failures that come from outside cannot fill the table of texts`() throws {
        try store.connection.execute(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(TextTable.failureLimit))
            INSERT INTO texts (text) SELECT 'code ' || i FROM n
            """)
        try store.enqueue([Sample(1).with { $0.topic = "late" }], capi, failure: "code 17")
        try store.enqueue([Sample(2)], capi, failure: "one too many")
        try store.enqueue([Sample(3)], capi, failure: "two too many")
        #expect(try store.queueRows(QueueFilter()).map(\.lastFailure) == ["code 17", "other", "other"])
        #expect(try store.claim(capi).batch.topics == ["late", "orders"])
    }

    @Test func `a row that is claimed in the same transaction does not expire in it`() throws {
        let late = samples(1...2) { $0.sendBy = noon - .seconds(1) }
        let works: [StoreWork] = [
            .enqueue(capi, batch([late[0]]), QueueEntry(isClaimed: true, queuedAt: noon)),
            .enqueue(capi, batch([late[1]]), QueueEntry(queuedAt: noon)),
            .expire(capi, at: noon, limit: 10),
        ]
        #expect(try store.perform(works).expired == [capi: 1])
        #expect(try store.queueRows(QueueFilter()).map(\.row.rawValue) == [1])
    }

    @Test func `claimed rows do not keep others from expiring`() throws {
        try store.enqueue(samples(1...5) { $0.sendBy = noon - .seconds(2) }, capi, isClaimed: true)
        try store.enqueue(samples(6...9) { $0.sendBy = noon - .seconds(1) }, capi)
        #expect(try store.perform([.expire(capi, at: noon, limit: 3)]).expired == [capi: 3])
        #expect(try store.perform([.expire(capi, at: noon, limit: 3)]).expired == [capi: 1])
    }

    @Test func `what one destination says of another one's row changes nothing, not even its claim`() throws {
        let other = try store.destination("offline")
        try store.enqueue([Sample(1)], capi, isClaimed: true)
        let works: [StoreWork] = [
            .remove(other, [RowID(1)]),
            .reschedule(
                other, [Reschedule(row: RowID(1), dueAt: noon, attempts: 2, strikes: 0)], failure: nil, hold: nil),
            .deadLetterRows(
                other, [RowEnd(row: RowID(1), cause: DeadLetterCause(.refused, "x"), attempts: 2, at: noon)]),
        ]
        _ = try store.perform(works)
        #expect(try store.queueRows(QueueFilter()).map(\.isClaimed) == [true])
        #expect(try store.claimedRows(capi).isEmpty)
    }
}
