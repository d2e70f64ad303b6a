import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct LedgerTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID
    let offline: DestinationID

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
        offline = try store.destination("offline")
    }

    private func origin(_ offset: Int64) -> RecordOrigin {
        RecordOrigin(topic: "orders", partition: 0, offset: offset, payloadHash: 77)
    }

    private func order(_ key: Int64, offset: Int64, _ conversion: String = "") -> RememberedTransaction {
        RememberedTransaction(
            key: TransactionKey(rawValue: key), origin: origin(offset), conversion: Array(conversion.utf8))
    }

    private func answers(
        _ entries: [(key: Int64, offset: Int64)], of destination: DestinationID, since: Timestamp = noon
    ) throws -> [TransactionInquiry.Answer] {
        try store.identify(
            TransactionInquiry(
                destination: destination,
                entries: entries.map { .init(key: TransactionKey(rawValue: $0.key), origin: origin($0.offset)) },
                since: since))
    }

    @Test func `an order is a duplicate of what this destination delivered within the time, by another record`() throws
    {
        _ = try store.perform([.remember(capi, [order(1, offset: 5)], at: noon)])
        #expect(try answers([(1, 6), (1, 5), (2, 6)], of: capi) == [.duplicate, .first, .first])
        #expect(try answers([(1, 6)], of: capi, since: noon + .milliseconds(1)) == [.first])
        #expect(try answers([(1, 6)], of: offline) == [.first])
    }

    @Test func `an order waits behind one that is in the queue, whatever holds that`() throws {
        for (row, hold) in zip([Int64(1), 2, 3], [nil, "Purchase", TransactionKey.hold]) {
            try store.enqueue([Sample(row).with { $0.transaction = row }], capi, hold: hold)
        }
        #expect(try answers([(1, 90), (2, 90), (3, 90), (4, 90)], of: capi) == [.behind, .behind, .behind, .first])
        #expect(try answers([(1, 90)], of: offline) == [.first])
    }

    @Test func `the ledger outlives the process`() throws {
        _ = try store.perform([.remember(capi, [order(1, offset: 5, "{}")], at: noon)])
        try store.close()
        let next = try DeliveryStore(directory: directory.store)
        let entry = try #require(try next.ledgerEntry(of: TransactionKey(rawValue: 1), of: capi))
        #expect(entry == LedgerEntry(origin: origin(5), deliveredAt: noon, conversion: Array("{}".utf8)))
    }

    @Test func `a damaged entry is none`() throws {
        _ = try store.perform([.remember(capi, [order(1, offset: 5, "{\"ConversionValue\":10}")], at: noon)])
        try store.connection.execute("UPDATE ledger SET conversion = CAST('{\"ConversionValue\":90}' AS BLOB)")
        #expect(try store.ledgerEntry(of: TransactionKey(rawValue: 1), of: capi) == nil)
        // The next delivery takes its place.
        _ = try store.perform([.remember(capi, [order(1, offset: 6)], at: noon)])
        #expect(try store.ledgerEntry(of: TransactionKey(rawValue: 1), of: capi)?.origin == origin(6))
    }

    @Test func `what is older than corrections are taken, or beyond the limit, is forgotten, oldest first`() throws {
        for number in 1...9 as ClosedRange<Int64> {
            _ = try store.perform([.remember(capi, [order(number, offset: number)], at: noon + .seconds(number))])
        }
        var limits = LedgerLimits()
        func left() throws -> [Int64] {
            try (1...9).filter { try store.ledgerEntry(of: TransactionKey(rawValue: $0), of: capi) != nil }
        }
        limits.age = .seconds(100)
        let now = noon + .seconds(103)
        #expect(try store.purge(now: now, keepFor: .seconds(1), keepRows: 1, ledger: limits).ledger == 2)
        #expect(try left() == [3, 4, 5, 6, 7, 8, 9])
        limits.rows = 4
        #expect(
            try store.purge(now: now, keepFor: .seconds(1), keepRows: 1, ledger: limits, slice: 2).isComplete == false)
        _ = try store.purge(now: now, keepFor: .seconds(1), keepRows: 1, ledger: limits)
        #expect(try left() == [6, 7, 8, 9])
    }

    @Test func `a million orders are asked for in no time`() throws {
        // Not timed: the plan of the questions must be one of look-ups.
        for sql in [
            "SELECT topic FROM ledger WHERE destination = 1 AND transaction_key = 2",
            "SELECT 1 FROM queue INDEXED BY queue_transaction WHERE destination = 1 AND transaction_key = 2 "
                + "AND transaction_key <> 0 LIMIT 1",
        ] {
            let row = try store.connection.statement("EXPLAIN QUERY PLAN " + sql)
            let plan = try row.step() ? row.text(3) : ""
            row.reset()
            #expect(plan.hasPrefix("SEARCH") && plan.contains("transaction_key=?"), "\(plan)")
        }
    }

    // MARK: What waits

    private func review(_ decide: (WaitingRow) -> WaitingDecision, original: DestinationID? = nil) throws
        -> ReviewResult
    {
        try store.review(
            ReviewRequest(destination: capi, open: [], upTo: RowID(.max), now: noon, limit: 100), original: original,
            decide: decide)
    }

    @Test func `what is released is not due before its event, nor before its adjustment`() throws {
        let waiting = samples(1...3) { sample in
            sample.transaction = sample.row
            if sample.row == 1 { sample.eventTime = noon.seconds + 60 }
        }
        try store.enqueue(waiting, capi, hold: TransactionKey.hold)
        _ = try review { row in
            if row.origin.offset == 1 { return .send }
            let wait = Duration.seconds(row.origin.offset == 2 ? 30 : -30)
            return .adjust(content: [], conversion: [], refunds: [], notBefore: noon + wait)
        }
        #expect(try store.claimedRows(capi) == [3])
        #expect(try store.claimedRows(capi, now: noon + .seconds(30)) == [2])
        #expect(try store.claimedRows(capi, now: noon + .seconds(60)) == [1])
    }

    @Test func `a row that was named after a review was asked for is not looked at`() throws {
        try store.enqueue(samples(1...3) { $0.transaction = $0.row }, capi, hold: TransactionKey.hold)
        var seen: [Int64] = []
        let request = ReviewRequest(destination: capi, open: [], upTo: RowID(2), now: noon, limit: 100)
        let result = try store.review(request, original: nil) { row in
            seen.append(row.origin.offset)
            return .send
        }
        #expect(seen == [1, 2] && result.released == 2)
        #expect(try store.claimedRows(capi) == [1, 2])
    }

    @Test func `what is decided about waiting rows is carried out, and frozen anew`() throws {
        let waiting = samples(1...4) { $0.transaction = $0.row }
        try store.enqueue(waiting, capi, hold: TransactionKey.hold)
        let content = "{\"AdjustmentType\":\"Retract\"}"
        let result = try review { row in
            switch row.origin.offset {
            case 1: .duplicate
            case 2: .send
            case 3: .adjust(content: Array(content.utf8), conversion: [1], refunds: [2], notBefore: noon)
            default: .giveUp(reason: "purchase_unknown")
            }
        }
        #expect(result.duplicates == 1 && result.released == 2 && result.givenUp.map(\.reason) == ["purchase_unknown"])
        #expect(result.waiting == 0 && result.next == nil && result.depth.rows == 2)
        #expect(try Counters.count(store.connection) == store.counters.filter { $0.value != Counters() })
        let claim = try store.claim(capi)
        #expect(claim.rows == [2, 3] && claim.quarantined == 0)
        #expect(String(decoding: claim.batch.contents, as: UTF8.self) == "\(waiting[1].content),\(content)")
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.cause) == [DeadLetterCause(.data, "purchase_unknown")])
        let entry = try #require(try store.ledgerEntry(of: TransactionKey(rawValue: 3), of: capi))
        // Nothing was delivered: only what the shop says of it is known.
        #expect(entry.origin == nil && entry.conversion == [1] && entry.refunds == [2])
        #expect(try answers([(3, 90)], of: capi) == [.behind])
    }

    @Test func `a row learns what goes before it, and of what it adjusts`() throws {
        try store.enqueue([Sample(1, offset: 20).with { $0.transaction = 7 }], capi, hold: TransactionKey.hold)
        // It came later and stands before it in Kafka.
        try store.enqueue([Sample(2, offset: 10).with { $0.transaction = 7 }], capi, hold: TransactionKey.hold)
        try store.enqueue([Sample(3).with { $0.transaction = 8 }], capi, hold: TransactionKey.hold)
        try store.enqueue([Sample(4).with { $0.transaction = 8 }], offline)
        _ = try store.perform([.remember(offline, [order(7, offset: 1, "x")], at: noon)])
        var seen: [Int64: WaitingRow] = [:]
        _ = try review(
            { row in
                seen[row.origin.offset] = row
                return .wait
            }, original: offline)
        #expect(seen[20]?.isBehind == true && seen[10]?.isBehind == false)
        #expect(seen[3]?.isOriginalWaiting == true && seen[10]?.isOriginalWaiting == false)
        #expect(seen[10]?.entry?.conversion == Array("x".utf8) && seen[3]?.entry == nil)
    }

    @Test func `a damaged row holds up no review`() throws {
        try store.enqueue(samples(1...3) { $0.transaction = $0.row }, capi, hold: TransactionKey.hold)
        try store.connection.execute("UPDATE queue SET event_time = 1 WHERE id = 2")
        let result = try review { _ in .send }
        #expect(result.released == 2 && result.damaged == 1)
        let claim = try store.claim(capi)
        #expect(claim.rows == [1, 3] && claim.quarantined == 1)
    }
}
