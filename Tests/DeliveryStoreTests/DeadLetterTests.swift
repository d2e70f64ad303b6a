import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct DeadLetterTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
    }

    private func bury(_ rows: [Int64], _ cause: DeadLetterCause, at time: Timestamp = noon) throws {
        let ends = rows.map { RowEnd(row: RowID($0), cause: cause, attempts: 9, at: time) }
        _ = try store.perform([.deadLetterRows(capi, ends)])
    }

    @Test func `a row of the queue takes all it has with it`() throws {
        try store.enqueue(samples(1...2), capi, failure: "timeout")
        let again = Reschedule(row: RowID(1), dueAt: noon, attempts: 2, strikes: 0)
        _ = try store.perform([.reschedule(capi, [again], failure: "http_500", hold: nil)])
        _ = try store.claim(capi)
        try bury([1, 77], DeadLetterCause(.refused, "InvalidEvent"), at: noon + .seconds(3))

        #expect(store.depth(of: capi).rows == 1)
        #expect(try store.destinations().map(\.deadLetters) == [1])
        let letter = try #require(try store.deadLetters(DeadLetterFilter()).first)
        #expect(letter.cause == DeadLetterCause(.refused, "InvalidEvent"))
        #expect(letter.attempts == 9 && letter.firstFailure == "timeout" && letter.lastFailure == "http_500")
        #expect(letter.deadAt == noon + .seconds(3))
        let delivery = letter.delivery
        #expect(delivery.destination == capi && delivery.topic == "orders" && delivery.offset == 1)
        #expect(delivery.eventTime == noon.seconds - 60 && delivery.sendBy == Sample(1).sendBy)
        #expect(delivery.goal == "purchase")
        let whole = try #require(try store.deadLetter(letter.id))
        #expect(whole.letter == letter)
        #expect(String(decoding: whole.content, as: UTF8.self) == Sample(1).content)
        #expect(String(decoding: whole.event, as: UTF8.self) == Sample(1).event)
        #expect(try store.deadLetter(DeadLetterID(99)) == nil)
        // It is not claimed any more: the row would be claimable if it came back under its number.
        #expect(!store.claimed.contains(RowID(1)) && store.claimed.contains(RowID(2)))
    }

    @Test func `a delivery that never waited becomes a dead letter with its own cause`() throws {
        let causes = [DeadLetterCause(.data, "goal_unknown"), DeadLetterCause(.expired, "expired")]
        _ = try store.perform([.deadLetter(capi, batch(samples(1...2)), ends: causes, at: noon)])
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.cause) == causes.reversed())
        #expect(store.depth(of: capi).rows == 0)
        #expect(try store.highestRow() == .none)
    }

    @Test func `the same delivery dies only once`() throws {
        try store.enqueue([Sample(1)], capi)
        try bury([1], DeadLetterCause(.refused, "first"))
        try store.enqueue([Sample(2, offset: 1)], capi)
        try bury([2], DeadLetterCause(.refused, "second"))
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.cause.reason) == ["first"])
        #expect(try store.destinations().map(\.deadLetters) == [1])
        #expect(store.depth(of: capi) == QueueDepth())
    }

    @Test func `dead letters are found by what they have in common`() throws {
        let offline = try store.destination("offline")
        try store.enqueue(samples(1...4), capi)
        try bury([1, 2], DeadLetterCause(.refused, "InvalidEvent"), at: noon)
        try bury([3], DeadLetterCause(.data, "goal_unknown"), at: noon + .seconds(5))
        let cause = DeadLetterCause(.expired, "expired")
        _ = try store.perform([.deadLetter(offline, batch([Sample(9)]), ends: [cause], at: noon + .seconds(9))])
        func found(_ filter: DeadLetterFilter) throws -> [Int64] {
            try store.deadLetters(filter).map(\.delivery.offset)
        }
        #expect(try found(DeadLetterFilter()) == [9, 3, 2, 1])
        #expect(try found(DeadLetterFilter(limit: 2)) == [9, 3])
        #expect(try found(DeadLetterFilter(destination: capi)) == [3, 2, 1])
        #expect(try found(DeadLetterFilter(reasonClass: .refused)) == [2, 1])
        #expect(try found(DeadLetterFilter(reason: "goal_unknown")) == [3])
        #expect(try found(DeadLetterFilter(since: noon + .seconds(5))) == [9, 3])
        let ids = try store.deadLetters(DeadLetterFilter()).map(\.id)
        #expect(try found(DeadLetterFilter(after: ids[2])) == [9, 3])
        #expect(try found(DeadLetterFilter(id: ids[2])) == [2])
        #expect(try found(DeadLetterFilter(id: ids[2], after: ids[2])) == [])
    }

    @Test func `a dead letter that is replayed is due at once and keeps its history`() throws {
        try store.enqueue(samples(1...3) { $0.dueAt = noon + .seconds(50) }, capi, hold: "Purchase", failure: "timeout")
        try bury([1, 2, 3], DeadLetterCause(.refused, "InvalidEvent"))
        var row: Int64 = 100
        let filter = DeadLetterFilter(reason: "InvalidEvent")
        let result = try store.replay(filter, now: noon + .seconds(1)) {
            row += 1
            return RowID(row)
        }
        #expect(result.moved == [capi: 3] && result.refused.isEmpty && result.alreadyQueued.isEmpty)
        #expect(result.next == nil)
        #expect(result.depths[capi]?.rows == 3)
        #expect(try store.destinations().map(\.deadLetters) == [0])
        let claim = try store.claim(capi, now: noon + .seconds(1))
        #expect(claim.rows == [101, 102, 103])
        #expect(claim.batch.deliveries.map(\.attempts) == [9, 9, 9])
        #expect(claim.batch.deliveries.map(\.offset) == [1, 2, 3])
        #expect(try store.queueRows(QueueFilter()).map(\.firstFailure) == ["timeout", "timeout", "timeout"])
    }

    @Test func `a dead letter whose time has passed is not replayed`() throws {
        try store.enqueue(samples(1...2) { $0.sendBy = noon + .seconds($0.row) }, capi)
        try bury([1, 2], DeadLetterCause(.expired, "expired"))
        let result = try store.replay(DeadLetterFilter(), now: noon + .seconds(2)) { RowID(50) }
        #expect(result.moved == [capi: 1] && result.refused == [capi: 1])
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.delivery.offset) == [1])
        #expect(try store.claim(capi, now: noon + .seconds(2)).batch.deliveries.map(\.offset) == [2])
    }

    @Test func `a replay of what waits already adds nothing`() throws {
        try store.enqueue([Sample(1)], capi)
        try bury([1], DeadLetterCause(.refused, "x"))
        try store.enqueue([Sample(2, offset: 1)], capi)
        let result = try store.replay(DeadLetterFilter(), now: noon) { RowID(3) }
        #expect(result.moved.isEmpty && result.alreadyQueued == [capi: 1])
        #expect(store.depth(of: capi).rows == 1)
        #expect(try store.deadLetters(DeadLetterFilter()).isEmpty)
    }

    @Test func `slices of a replay get to the end past what they refuse`() throws {
        try store.enqueue(samples(1...5) { $0.sendBy = noon + .seconds($0.row <= 3 ? 0 : 60) }, capi)
        try bury([1, 2, 3, 4, 5], DeadLetterCause(.refused, "x"))
        var row: Int64 = 10
        var filter = DeadLetterFilter(limit: 2)
        var slices: [ReplayResult] = []
        repeat {
            slices.append(
                try store.replay(filter, now: noon + .seconds(1)) {
                    row += 1
                    return RowID(row)
                })
            filter.after = slices.last?.next
        } while filter.after != nil
        #expect(slices.map { $0.refused[capi] ?? 0 } == [2, 1, 0])
        #expect(slices.map { $0.moved[capi] ?? 0 } == [0, 1, 1])
    }

    @Test func `dead letters are discarded in slices, oldest first`() throws {
        try store.enqueue(samples(1...3), capi)
        try bury([1, 2, 3], DeadLetterCause(.refused, "x"))
        let first = try store.discardDeadLetters(DeadLetterFilter(limit: 2))
        #expect(first.discarded == [capi: 2] && !first.isComplete)
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.delivery.offset) == [3])
        let second = try store.discardDeadLetters(DeadLetterFilter(limit: 2))
        #expect(second.discarded == [capi: 1] && second.isComplete)
        #expect(try store.destinations().map(\.deadLetters) == [0])
    }

    @Test func `the number of a dead letter is never used again`() throws {
        try store.enqueue(samples(1...2), capi)
        try bury([1], DeadLetterCause(.refused, "x"))
        let id = try #require(try store.deadLetters(DeadLetterFilter()).first).id
        _ = try store.discardDeadLetters(DeadLetterFilter())
        try bury([2], DeadLetterCause(.refused, "x"))
        #expect(try #require(try store.deadLetters(DeadLetterFilter()).first).id > id)
    }

    @Test func `positions that the store holds, from an offset on`() throws {
        let offline = try store.destination("offline")
        try store.enqueue(samples(1...4) { $0.payloadHash = $0.row * 10 }, capi)
        try store.enqueue([Sample(5).with { $0.topic = "leads" }, Sample(6).with { $0.partition = 1 }], capi)
        try bury([4], DeadLetterCause(.refused, "x"))
        try store.enqueue([Sample(7, offset: 3).with { $0.payloadHash = 30 }], offline)
        func held(_ destination: DestinationID, _ offset: Int64) -> HeldPosition {
            HeldPosition(destination: destination, offset: offset, payloadHash: offset * 10)
        }
        let positions = try store.heldPositions(topic: "orders", partition: 0, from: 2)
        #expect(positions == [held(capi, 2), held(capi, 3), held(capi, 4), held(offline, 3)])
        #expect(try store.heldPositions(topic: "unheard of", partition: 0, from: 0).isEmpty)
    }
}
