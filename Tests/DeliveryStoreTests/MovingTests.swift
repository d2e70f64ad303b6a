import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct MovingTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let old: DestinationID
    let new: DestinationID

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        old = try store.destination("old")
        new = try store.destination("new")
    }

    @Test func `rows go over as they are, and are due at once`() throws {
        try store.enqueue(samples(1...5) { $0.dueAt = noon + .seconds(900) }, old, hold: "Purchase")
        let bytes = store.depth(of: old).bytes
        let first = try store.move(from: old, to: new, now: noon, limit: 3)
        #expect(first.moved == 3 && first.next == RowID(3) && first.depths[old]?.rows == 2)
        let second = try store.move(from: old, to: new, after: RowID(3), now: noon, limit: 3)
        #expect(second.moved == 2 && second.next == nil)
        #expect(store.depth(of: old) == QueueDepth() && store.depth(of: new) == QueueDepth(rows: 5, bytes: bytes))
        #expect(try Counters.count(store.connection)[new]?.queue == store.depth(of: new))
        let claim = try store.claim(new)
        #expect(claim.rows == [1, 2, 3, 4, 5] && claim.quarantined == 0)
        #expect(try store.claimedRows(old) == [])
        // Kafka's repeat of the record is known for the new one.
        #expect(try Set(store.heldPositions(topic: "orders", partition: 0, from: 0).map(\.destination)) == [new])
    }

    @Test func `what the other one has or had stays, and so does what is being sent or damaged`() throws {
        try store.enqueue(samples(1...5), old)
        try store.enqueue([Sample(11, offset: 1), Sample(12, offset: 2)], new)
        let end = RowEnd(row: RowID(12), cause: DeadLetterCause(.refused, "x"), attempts: 1, at: noon)
        _ = try store.perform([.deadLetterRows(new, [end])])
        store.claimed.insert(RowID(3))
        try store.connection.execute("UPDATE queue SET checksum = 0 WHERE id = 4")
        let result = try store.move(from: old, to: new, now: noon)
        #expect(result.moved == 1 && result.alreadyThere == 2 && result.claimed == 1)
        #expect(try store.queueRows(QueueFilter(destination: new)).map(\.row) == [RowID(5), RowID(11)])
        #expect(store.depth(of: old).rows == 4 && store.depth(of: new).rows == 2)
        #expect(try store.rows(of: old, queuedSince: noon) == 4)
        #expect(try store.rows(of: old, queuedSince: noon + .seconds(1)) == 0)
    }
}
