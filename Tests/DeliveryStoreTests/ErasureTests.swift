import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct ErasureTests {
    private static let hash = String(repeating: "ab", count: 32)
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID
    let finder: PersonMarks.Finder

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
        var marks = PersonMarks()
        _ = marks.add(email: ErasureTests.hash)
        marks.add(externalID: "c\"1")
        finder = marks.makeFinder()
    }

    /// Every third row is the person's, by content, by neutral event, or by another id.
    private func rows(_ range: ClosedRange<Int64>) -> [Sample] {
        samples(range) { sample in
            sample.event = "{\"event\":\"Purchase\",\"event_id\":\"e\(sample.row)\"}"
            switch sample.row % 9 {
            case 0: sample.content = "{\"userData\":{\"em\":\"\(ErasureTests.hash)\"}}"
            case 3:
                sample.event =
                    "{\"event_id\":\"e\(sample.row)\",\"user\":{\"email\":\"\(ErasureTests.hash)\"}}"
            case 6: sample.content = "{\"userData\":{\"externalId\":\"c\\\"1\"}}"
            default: sample.content = "{\"userData\":{\"em\":\"x\(ErasureTests.hash)\",\"externalId\":\"c1\"}}"
            }
        }
    }

    private func eraseAll(isDryRun: Bool = false, limit: Int = 7) throws -> EraseResult {
        var total = EraseResult()
        var place: ErasePlace? = ErasePlace()
        while let next = place {
            let slice = try store.erase(finder, from: next, isDryRun: isDryRun, limit: limit)
            total.queue.merge(slice.queue, uniquingKeysWith: +)
            total.deadLetters += slice.deadLetters
            total.quarantined += slice.quarantined
            total.rejects += slice.rejects
            total.claimed += slice.claimed
            total.eventIDs.formUnion(slice.eventIDs)
            place = slice.next
        }
        return total
    }

    @Test func `what is one person's is found wherever it is kept, and nothing else`() throws {
        let offline = try store.destination("offline")
        try store.enqueue(rows(1...30), capi)
        try store.enqueue(rows(101...130), offline)
        let cause = DeadLetterCause(.refused, "x")
        _ = try store.perform([
            .deadLetterRows(capi, (1...9).map { RowEnd(row: RowID($0), cause: cause, attempts: 1, at: noon) }),
            .reject([
                RejectedEvent(
                    destination: offline, topic: "orders", partition: 0, offset: 3, reasons: ["no_identifier"], at: noon
                ),
                RejectedEvent(
                    destination: offline, topic: "orders", partition: 0, offset: 4, reasons: ["no_identifier"], at: noon
                ),
            ]),
        ])
        // One row is put aside as damaged.
        try store.connection.execute("UPDATE queue SET checksum = 0 WHERE id = 12")
        #expect(try store.claim(capi, limits: [3]).quarantined == 1)
        let before = store.counters

        let counted = try eraseAll(isDryRun: true)
        #expect(store.counters == before)
        let erased = try eraseAll()
        // 15, 18, 21, 24, 27, 30 of capi; ten of offline, of which 102 is the first.
        #expect(erased.queue == [capi: 6, offline: 10])
        #expect(erased.deadLetters == 3 && erased.quarantined == 1 && erased.rejects == 1 && erased.claimed == 0)
        #expect(counted.queue == erased.queue && counted.deadLetters == 3 && counted.eventIDs == erased.eventIDs)
        #expect(erased.eventIDs.contains("e3") && erased.eventIDs.contains("e129") && erased.eventIDs.count == 20)
        #expect(try Counters.count(store.connection) == store.counters.filter { $0.value != Counters() })
        #expect(try store.rejects(RejectFilter()).map(\.offset) == [4])
        #expect(try eraseAll() == EraseResult())
        #expect(store.depth(of: offline).rows == 20 && store.depth(of: capi).rows == 14)
    }

    @Test func `what is being sent stays until that is over`() throws {
        try store.enqueue(rows(1...9), capi)
        #expect(try store.claimedRows(capi).count == 9)
        #expect(try eraseAll().claimed == 3 && store.depth(of: capi).rows == 9)
        store.release((1...9).map { RowID($0) })
        #expect(try eraseAll().queue == [capi: 3])
        #expect(try eraseAll().claimed == 0)
    }

    @Test func `not a byte of it is left in the files`() throws {
        try store.enqueue(rows(1...3000).map { $0.with { $0.event += String(repeating: " ", count: 900) } }, capi)
        try store.checkpoint()
        // What is delivered, and so of nobody's interest, is in free pages.
        _ = try store.perform([.remove(capi, (1...1500).map { RowID($0) })])
        #expect(try eraseAll(limit: 2000).queue == [capi: 500])
        #expect(try store.overwriteFreePages(limit: 1) > 1 << 20)
        #expect(try store.overwriteFreePages() == 0)
        func holds(_ name: String) throws -> Bool {
            let bytes = try readFile(directory.store + "/" + name)
            return bytes.withUnsafeBufferPointer { finder.finds(in: $0) }
        }
        #expect(try !holds("store.sqlite") && !holds("store.sqlite-wal"))
        #expect(try readFile(directory.store + "/store.sqlite-wal").isEmpty)
        #expect(try store.connection.text("PRAGMA integrity_check") == "ok")
        #expect(try store.claim(capi, limits: [5000], maxBytes: 100 << 20).batch.count == 1000)
    }

    @Test func `of a delivered order only that it was delivered is left`() throws {
        let conversion = Array("{\"ConversionName\":\"Purchase\",\"HashedEmailAddress\":\"\(ErasureTests.hash)\"}".utf8)
        let other = Array("{\"ConversionName\":\"Purchase\",\"MicrosoftClickId\":\"0123\"}".utf8)
        func order(_ number: Int64, _ conversion: [UInt8]) -> RememberedTransaction {
            RememberedTransaction(
                key: TransactionKey(rawValue: number),
                origin: RecordOrigin(topic: "orders", partition: 0, offset: number, payloadHash: 1),
                conversion: conversion)
        }
        let orders = [order(1, conversion), order(2, other), order(3, other), order(4, [])]
        _ = try store.perform([.remember(capi, orders, at: noon)])
        func eraseAll(isDryRun: Bool) throws -> Int {
            var count = 0
            var place: ErasePlace? = ErasePlace()
            while let next = place {
                let slice = try store.erase(
                    finder, transactions: [TransactionKey(rawValue: 2), TransactionKey(rawValue: 4)], from: next,
                    isDryRun: isDryRun, limit: 2)
                count += slice.ledger
                place = slice.next
            }
            return count
        }
        #expect(try eraseAll(isDryRun: true) == 2)
        #expect(try eraseAll(isDryRun: false) == 2)
        #expect(try eraseAll(isDryRun: false) == 0)
        for order in orders {
            let entry = try #require(try store.ledgerEntry(of: order.key, of: capi))
            #expect(entry.origin == order.origin)
            #expect(entry.conversion == (order.key.rawValue == 3 ? other : []))
        }
        _ = try store.overwriteFreePages()
        #expect(!String(decoding: try readFile(directory.database), as: UTF8.self).contains(ErasureTests.hash))
    }
}
