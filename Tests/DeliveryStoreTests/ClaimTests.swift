import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct ClaimTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
    }

    @Test func `what is due first comes first, and only what is due`() throws {
        try store.enqueue(samples(1...5) { $0.dueAt = noon + .seconds(2 - $0.row) }, capi)
        #expect(try store.claimedRows(capi, now: noon) == [5, 4, 3, 2])
        let later = try store.claim(capi, now: noon)
        #expect(later.batch.isEmpty && later.nextDue == noon + .seconds(1))
        #expect(try store.claimedRows(capi, now: noon + .seconds(1)) == [1])
    }

    @Test func `nothing is claimed twice until it is released`() throws {
        try store.enqueue(samples(1...4), capi)
        #expect(try store.claim(capi, limits: [2]).rows == [1, 2])
        #expect(try store.claim(capi, limits: [2]).rows == [3, 4])
        let none = try store.claim(capi)
        #expect(none.batch.isEmpty && none.nextDue == nil)
        store.release([RowID(2), RowID(3)])
        #expect(try store.claimedRows(capi) == [2, 3])
    }

    @Test func `rows of another destination are left alone`() throws {
        let offline = try store.destination("offline")
        try store.enqueue(samples(1...2), capi)
        try store.enqueue(samples(3...4), offline)
        #expect(try store.claimedRows(offline) == [3, 4])
        #expect(try store.claimedRows(capi) == [1, 2])
    }

    @Test func `what must be sent soon comes before what is due longer, soonest first`() throws {
        try store.enqueue(
            [
                Sample(1).with { $0.dueAt = noon - .seconds(50) },
                Sample(2).with { $0.sendBy = noon + .seconds(20) },
                Sample(3).with { $0.sendBy = noon + .seconds(10) },
                Sample(4).with {
                    $0.sendBy = noon + .seconds(5)
                    $0.dueAt = noon + .seconds(1)
                },
                Sample(5).with { $0.sendBy = noon + .seconds(60) },
            ], capi)
        #expect(try store.claim(capi, urgentBefore: noon + .seconds(60)).rows == [3, 2, 1, 5])
    }

    @Test func `all of a claim have the strikes of its first, and their limit`() throws {
        try store.enqueue(
            samples(1...8) {
                $0.strikes = $0.row % 2 == 0 ? 0 : 2
                $0.dueAt = noon - .seconds(100 - $0.row)
            }, capi)
        #expect(try store.claim(capi, limits: [3, 2, 1]).rows == [1])
        #expect(try store.claim(capi, limits: [3, 2, 1]).rows == [2, 4, 6])
        // The last limit stands for all further strikes.
        #expect(try store.claim(capi, limits: [3, 2]).rows == [3, 5])
        #expect(try store.claim(capi, limits: [3]).rows == [7])
        #expect(try store.claim(capi, limits: [3]).rows == [8])
    }

    @Test func `an urgent delivery is joined by those of its strikes`() throws {
        try store.enqueue(
            [
                Sample(1), Sample(2).with { $0.strikes = 1 },
                Sample(3).with {
                    $0.strikes = 1
                    $0.sendBy = noon + .seconds(1)
                },
            ], capi)
        #expect(try store.claim(capi, urgentBefore: noon + .seconds(2), limits: [9, 9]).rows == [3, 2])
    }

    @Test func `a claim keeps to its bytes but is never empty for them`() throws {
        try store.enqueue(
            samples(1...3) {
                $0.content = String(repeating: "c", count: 100)
                $0.event = "e"
            }, capi)
        #expect(try store.claim(capi, maxBytes: 201).rows == [1, 2])
        store.release([RowID(1), RowID(2)])
        #expect(try store.claim(capi, maxBytes: 200).rows == [1])
        #expect(try store.claim(capi, maxBytes: 1).rows == [2])
        store.release(samples(1...3).map { RowID($0.row) })
    }

    @Test func `the events of a claim keep to the same bytes`() throws {
        try store.enqueue(
            samples(1...3) {
                $0.content = "c"
                $0.event = String(repeating: "e", count: 100)
            }, capi)
        #expect(try store.claim(capi, maxBytes: 200).rows == [1, 2])
    }

    @Test func `a clock that is set back makes nothing disappear`() throws {
        try store.enqueue(samples(1...2) { $0.dueAt = noon + .seconds(10) }, capi)
        #expect(try store.claim(capi, now: noon + .seconds(20), limits: [1]).rows == [1])
        try store.enqueue([Sample(3).with { $0.dueAt = noon - .seconds(3600) }], capi)
        #expect(try store.claimedRows(capi, now: noon) == [3])
        #expect(try store.claim(capi, now: noon).nextDue == noon + .seconds(10))
        #expect(try store.claimedRows(capi, now: noon + .seconds(10)) == [2])
    }

    @Test func `deliveries that are not due hide no urgent one`() throws {
        try store.enqueue(
            samples(1...50) {
                $0.sendBy = noon + .seconds($0.row)
                $0.dueAt = noon + .seconds($0.row == 50 ? 0 : 9)
            }, capi)
        #expect(try store.claim(capi, urgentBefore: noon + .seconds(100)).rows == [50])
    }

    @Test func `a claim does not search for ever for deliveries of its strikes`() throws {
        let many = Int64(DeliveryStore.scanLimit) + 5
        try store.enqueue([Sample(1).with { $0.dueAt = noon - .seconds(9) }], capi)
        try store.enqueue(samples(2...many) { $0.strikes = 1 }, capi)
        try store.enqueue([Sample(many + 1).with { $0.strikes = 2 }], capi)
        try store.enqueue([Sample(many + 2)], capi)
        // Those with fewer strikes come first among those due at one moment.
        #expect(try store.claim(capi).rows == [1, many + 2])
        store.release([RowID(1), RowID(many + 2)])
        let late = Reschedule(row: RowID(many + 2), dueAt: noon + .milliseconds(1), attempts: 1, strikes: 0)
        _ = try store.perform([.reschedule(capi, [late], failure: nil, hold: nil)])
        #expect(try store.claim(capi, now: noon + .seconds(1)).rows == [1])
        #expect(try store.claim(capi, limits: [1, 100]).rows.count == 100)
    }
}
