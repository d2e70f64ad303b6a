import ForwarderCore
import Glibc
import Testing

@testable import DeliveryStore

/// The store against a model of it: many short random lives, with a comparison after each step.
@Suite struct ModelTests {
    /// STORE_SEED=N runs one life alone.
    @Test func `random lives of the store are those of its model`() async throws {
        let given = getenv("STORE_SEED").flatMap { UInt64(String(cString: $0)) }
        let (steps, failure) = try await onThread { () throws -> ([Life.Step: Int], String?) in
            let template = try Template()
            var steps: [Life.Step: Int] = [:]
            for seed in given.map({ $0...$0 }) ?? 1...2000 {
                if let difference = try Life(seed, template).run(&steps) {
                    return (steps, "STORE_SEED=\(seed): \(difference)")
                }
            }
            return (steps, nil)
        }
        #expect(failure == nil)
        if given == nil { #expect(Life.Step.allCases.allSatisfy { steps[$0, default: 0] > 400 }, "\(steps)") }
    }
}

/// An empty store with two destinations, to be copied: making one means waiting for the disk.
private struct Template {
    let database: [UInt8]
    let destinations: [DestinationID]

    init() throws {
        let directory = TemporaryDirectory()
        let store = try DeliveryStore(directory: directory.store)
        destinations = [try store.destination("capi"), try store.destination("offline")]
        try store.close()
        database = try readFile(directory.database)
    }
}

private final class Life {
    enum Step: CaseIterable {
        case enqueue, claim, release, remove, reschedule, deadLetterRows, deadLetter, reject, replay, discardLetters
        case discardQueue, purge, several, refused, reopen, crash
    }

    private let destinations: [DestinationID]
    private let directory = TemporaryDirectory()
    private var random: Seeded
    private var store: DeliveryStore
    private var model = Model()

    init(_ seed: UInt64, _ template: Template) throws {
        random = Seeded(seed)
        destinations = template.destinations
        try #require(mkdir(directory.store, 0o700) == 0)
        try writeFile(directory.database, template.database)
        store = try Self.open(directory.store)
    }

    private static func open(_ directory: String) throws -> DeliveryStore {
        let store = try DeliveryStore(directory: directory)
        // What would be lost without power is another test's matter, and waiting for the disk takes most of the time.
        try store.connection.execute("PRAGMA synchronous = OFF")
        return store
    }

    /// - Returns: what went wrong; nil if nothing did.
    func run(_ steps: inout [Step: Int]) throws -> String? {
        for number in 1...12 {
            // One step in three fills the queues, or most of the others would have nothing to do.
            let step = number % 3 == 1 ? .enqueue : Step.allCases.randomElement(using: &random)!
            steps[step, default: 0] += 1
            model.now = model.now + .seconds(Int.random(in: -2...10, using: &random))
            if let difference = try take(step) ?? compare() { return "step \(number), \(step): \(difference)" }
        }
        return nil
    }

    private func take(_ step: Step) throws -> String? {
        let destination = destinations.randomElement(using: &random)!
        switch step {
        case .enqueue, .remove, .reschedule, .deadLetterRows, .deadLetter, .reject:
            return try perform([step], destination)
        case .several:
            let kinds = [Step.enqueue, .remove, .reschedule, .deadLetterRows, .deadLetter, .reject]
            return try perform((0..<3).map { _ in kinds.randomElement(using: &random)! }, destination)
        case .refused:
            let before = model
            let works = [Step.enqueue, .remove, .deadLetterRows].map { work($0, destination).work }
            model = before
            // The same row a second time, under another origin.
            let twice = [Sample(9000, offset: 500), Sample(9000, offset: 501)]
            let error = try storeError {
                _ = try store.perform(works + [.enqueue(destination, batch(twice), QueueEntry(queuedAt: noon))])
            }
            return error.kind == .fault ? nil : "\(error)"
        case .claim:
            return try claim(destination)
        case .release:
            store.release(model.release(destination, &random))
        case .replay:
            var row = Int64.random(in: 5000...6000, using: &random)
            func nextRow() -> RowID {
                row += 1
                return RowID(row)
            }
            let start = row
            let expected = model.replay(nextRow: nextRow)
            row = start
            var result = try store.replay(DeadLetterFilter(), now: model.now, nextRow: nextRow)
            result.depths = [:]
            return result == expected ? nil : "replayed \(result), not \(expected)"
        case .discardLetters:
            let limit = Int.random(in: 1...3, using: &random)
            let result = try store.discardDeadLetters(DeadLetterFilter(destination: destination, limit: limit))
            let expected = model.discardLetters(destination, limit: limit)
            return result.discarded[destination, default: 0] == expected ? nil : "discarded \(result)"
        case .discardQueue:
            let result = try store.discardQueue(of: destination)
            let expected = model.discardQueue(destination)
            return result.discarded[destination, default: 0] == expected ? nil : "discarded \(result)"
        case .purge:
            let keepFor = Duration.seconds(Int.random(in: 1...60, using: &random))
            let keepRows = Int.random(in: 1...6, using: &random)
            model.purge(keepFor: keepFor, keepRows: keepRows)
            _ = try store.purge(now: model.now, keepFor: keepFor, keepRows: keepRows)
        case .reopen:
            try store.close()
            store = try Self.open(store.directory)
            model.releaseAll()
        case .crash:
            let crashed = store.directory + "-crashed"
            try copyAsAfterCrash(store.directory, to: crashed)
            store = try Self.open(crashed)
            model.releaseAll()
        }
        return nil
    }

    private func work(_ step: Step, _ destination: DestinationID) -> (work: StoreWork, leftOut: [RowID]) {
        switch step {
        case .remove: (model.remove(destination, &random), [])
        case .reschedule: (model.reschedule(destination, &random), [])
        case .deadLetterRows: (model.deadLetterRows(destination, &random), [])
        case .deadLetter: (model.deadLetter(destination, &random), [])
        case .reject: (model.reject(destination, &random), [])
        default: model.enqueue(destination, &random)
        }
    }

    private func perform(_ steps: [Step], _ destination: DestinationID) throws -> String? {
        let made = steps.map { work($0, destination) }
        let result = try store.perform(made.map(\.work))
        let leftOut = made.flatMap(\.leftOut)
        if result.leftOut[destination, default: []] != leftOut { return "left out \(result.leftOut), not \(leftOut)" }
        for (destination, depth) in result.depths where depth != store.depth(of: destination) {
            return "depth \(depth) of \(destination)"
        }
        return nil
    }

    private func claim(_ destination: DestinationID) throws -> String? {
        let request = ClaimRequest(
            destination: destination, hold: Model.holds.randomElement(using: &random)!, now: model.now,
            urgentBefore: model.now + .seconds(Int.random(in: -10...40, using: &random)),
            maxEventsByStrikes: [[9], [9, 3, 1], [2, 1]].randomElement(using: &random)!,
            maxBytes: [1, 100, 1000].randomElement(using: &random)!)
        let (expected, nextDue) = model.claim(request)
        let claim = try store.claim(request)
        if claim.nextDue != nextDue || claim.quarantined != 0 {
            return "claim \(claim), not next due \(nextDue as Any)"
        }
        let got = claim.batch.deliveries.map { delivery in
            var sample = Sample(delivery.row.rawValue, offset: delivery.offset)
            sample.topic = claim.batch.topics[Int(delivery.topic)]
            sample.payloadHash = delivery.payloadHash
            sample.dueAt = delivery.dueAt
            sample.sendBy = delivery.sendBy
            sample.goal = claim.batch.goals[Int(delivery.goal)]
            sample.content = String(decoding: claim.batch.contents[delivery.content], as: UTF8.self)
            sample.event = String(decoding: claim.batch.records[delivery.record], as: UTF8.self)
            sample.attempts = delivery.attempts
            sample.strikes = delivery.strikes
            return sample
        }
        return got == expected ? nil : "claimed \(got), not \(expected)"
    }

    /// - Returns: how the store differs from its model.
    private func compare() throws -> String? {
        let counted = try Counters.count(store.connection)
        if counted != store.counters.filter({ $0.value != Counters() }) { return "counters \(store.counters)" }
        let rows = try store.queueRows(QueueFilter(limit: .max))
        for destination in destinations {
            let expected = model.queue[destination, default: [:]]
            let bytes = expected.values.reduce(0) { $0 + Counters.bytes(ofPayload: $1.sample.payload) }
            if store.depth(of: destination) != QueueDepth(rows: expected.count, bytes: bytes) {
                return "depth \(store.depth(of: destination))"
            }
            let found = rows.filter { $0.delivery.destination == destination }
            if found.count != expected.count { return "rows \(found)" }
            for row in found where !(expected[row.row.rawValue].map { row.says($0) } ?? false) {
                return "row \(row), not \(expected[row.row.rawValue] as Any)"
            }
        }
        let letters = try store.deadLetters(DeadLetterFilter(limit: .max))
        if letters.count != model.letters.count { return "dead letters \(letters)" }
        for (letter, expected) in zip(letters.reversed(), model.letters) where !letter.says(expected) {
            return "dead letter \(letter), not \(expected)"
        }
        if try store.rejects(RejectFilter(limit: .max)) != model.rejects.reversed() { return "rejects" }
        let held = try store.heldPositions(topic: "orders", partition: 0, from: 5)
        return Set(held) == model.heldPositions(topic: "orders", from: 5) ? nil : "held positions \(held)"
    }
}

extension QueueRow {
    fileprivate func says(_ row: Model.Row) -> Bool {
        hold == row.hold && firstFailure == row.firstFailure && lastFailure == row.lastFailure
            && isClaimed == row.isClaimed && dueAt == row.sample.dueAt && attempts == Int(row.sample.attempts)
            && strikes == Int(row.sample.strikes) && delivery.says(row.sample)
    }
}

extension DeadLetter {
    fileprivate func says(_ letter: Model.Letter) -> Bool {
        delivery.destination == letter.destination && cause == letter.cause && deadAt == letter.deadAt
            && firstFailure == letter.firstFailure && lastFailure == letter.lastFailure
            && attempts == Int(letter.sample.attempts) && delivery.says(letter.sample)
    }
}

extension StoredDelivery {
    fileprivate func says(_ sample: Sample) -> Bool {
        topic == sample.topic && partition == sample.partition && offset == sample.offset && sendBy == sample.sendBy
            && goal == sample.goal && eventTime == noon.seconds - 60
    }
}

extension Model {
    fileprivate func heldPositions(topic: String, from offset: Int64) -> Set<HeldPosition> {
        let samples =
            queue.flatMap { destination, rows in rows.values.map { (destination, $0.sample) } }
            + letters.map { ($0.destination, $0.sample) }
        return Set(
            samples.filter { $0.1.topic == topic && $0.1.offset >= offset }
                .map { HeldPosition(destination: $0, offset: $1.offset, payloadHash: $1.payloadHash) })
    }
}
