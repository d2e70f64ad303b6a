import ForwarderCore
import ForwarderTestKit
import Glibc

@testable import DeliveryStore

/// A store on a model disk and the model of it, taken through the same steps.
final class Life {
    enum Step: Hashable {
        case open, register
        case work(RandomWork.Kind)
        case several, refused
        case claim, release, identify, review, replay, discardLetters, discardQueue, purge, checkpoint
        case close

        static let random: [Step] =
            RandomWork.Kind.allCases.map(Step.work) + [
                .several, .refused, .claim, .claim, .release, .identify, .review, .replay, .discardLetters,
                .discardQueue, .purge,
                .checkpoint,
            ]
    }

    /// What the store must hold.
    struct Expected {
        var store = ModelStore()
        var names: [String] = []

        func afterCrash() -> Expected {
            var copy = self
            copy.store.crash()
            return copy
        }
    }

    let disk: ModelDisk
    /// Holds the lock; the rest is on the model disk.
    private let directory: String
    private(set) var store: DeliveryStore?
    private(set) var expected: Expected
    /// What the step that is being taken will have made of it.
    private(set) var intended: Expected
    var work: RandomWork
    /// Few, so that a short life sees checkpoints between its changes.
    var checkpointPages = 40
    private var now = noon

    private static let names = ["capi", "offline"]
    /// As the first two are numbered.
    static let destinations = [DestinationID(1), DestinationID(2)]

    init(_ disk: ModelDisk, directory: String, seed: UInt64 = 1, expected: Expected = Expected()) {
        self.disk = disk
        self.directory = directory
        self.expected = expected
        intended = expected
        work = RandomWork(Seeded(seed))
    }

    /// As if the process had died; what the disk holds must be taken before.
    func drop() {
        disk.beforeChange = nil
        store = nil
    }

    /// Opens what is on the disk already.
    func open() throws(StoreError) {
        store = try DeliveryStore(directory: directory, access: .readWrite, steps: Schema.steps, vfs: disk.name)
        store?.checkpointPages = checkpointPages
    }

    // MARK: Steps

    /// - Returns: how the store's answer differs from the model's; nil if it does not.
    func take(_ step: Step) throws(StoreError) -> String? {
        now = now + .seconds(work.number(-2...10))
        intended = expected
        let difference = try carryOut(step)
        expected = intended
        return difference.map { "\(step): \($0)" }
    }

    private func carryOut(_ step: Step) throws(StoreError) -> String? {
        if step == .open {
            try open()
            intended = expected.afterCrash()
            return nil
        }
        guard let store else { preconditionFailure("the store is not open") }
        let destination = work.any(Self.destinations)
        switch step {
        case .open: break
        case .register:
            guard expected.names.count < Self.names.count else { break }
            let name = Self.names[expected.names.count]
            intended.names.append(name)
            guard case .registered = try store.register(name: name, fingerprint: "1", now: noon) else {
                return "\(name) not registered"
            }
        case .work(let kind): return try perform([kind], destination, store)
        case .several: return try perform((0..<3).map { _ in work.any(RandomWork.Kind.allCases) }, destination, store)
        case .refused: return try beRefused(destination, store)
        case .claim: return try claim(destination, store)
        case .release:
            let rows = work.someRows(destination, expected.store)
            store.release(rows)
            intended.store.release(rows)
        case .identify:
            let inquiry = work.inquiry(destination, now: now)
            let answers = try store.identify(inquiry)
            let others = expected.store.identify(inquiry)
            return answers == others ? nil : "\(answers), not \(others)"
        case .review: return try review(destination, store)
        case .replay: return try replay(destination, store)
        case .discardLetters:
            let limit = work.number(1...3)
            let count = intended.store.discardDeadLetters(of: destination, limit: limit)
            let result = try store.discardDeadLetters(DeadLetterFilter(destination: destination, limit: limit))
            return result.discarded[destination, default: 0] == count ? nil : "\(result), not \(count)"
        case .discardQueue:
            let count = intended.store.discardQueue(of: destination)
            let result = try store.discardQueue(of: destination)
            return result.discarded[destination, default: 0] == count ? nil : "\(result), not \(count)"
        case .purge:
            let (keepFor, keepRows) = (Duration.seconds(work.number(1...60)), work.number(1...6))
            intended.store.purge(now: now, keepFor: keepFor, keepRows: keepRows)
            _ = try store.purge(now: now, keepFor: keepFor, keepRows: keepRows)
        case .checkpoint: try store.checkpoint()
        case .close:
            intended = expected.afterCrash()
            // It is closed, however that ends.
            self.store = nil
            try store.close()
        }
        return nil
    }

    private func perform(
        _ kinds: [RandomWork.Kind], _ destination: DestinationID, _ store: DeliveryStore
    ) throws(StoreError) -> String? {
        var works: [StoreWork] = []
        var outcome = ModelStore.Outcome()
        for kind in kinds {
            works.append(work.make(kind, of: destination, for: intended.store, now: now))
            let more = intended.store.perform([works[works.count - 1]])
            outcome.leftOut.merge(more.leftOut, uniquingKeysWith: +)
            outcome.expired.merge(more.expired, uniquingKeysWith: +)
        }
        let result = try store.perform(works)
        if result.leftOut != outcome.leftOut { return "left out \(result.leftOut), not \(outcome.leftOut)" }
        if result.expired.filter({ $0.value > 0 }) != outcome.expired { return "expired \(result.expired)" }
        for (destination, depth) in result.depths where depth != store.depth(of: destination) {
            return "depth \(depth) of \(destination)"
        }
        return nil
    }

    private func beRefused(_ destination: DestinationID, _ store: DeliveryStore) throws(StoreError) -> String? {
        let works = [RandomWork.Kind.enqueue, .remove, .deadLetterRows].map {
            work.make($0, of: destination, for: expected.store, now: now)
        }
        // The same row a second time, under another origin.
        let twice = [Sample(9000, offset: 500), Sample(9000, offset: 501)]
        do throws(StoreError) {
            _ = try store.perform(works + [.enqueue(destination, batch(twice), QueueEntry(queuedAt: noon))])
        } catch {
            if error.kind == .fault { return nil }
            throw error
        }
        return "was accepted"
    }

    private func claim(_ destination: DestinationID, _ store: DeliveryStore) throws(StoreError) -> String? {
        let request = work.claim(destination, now: now)
        let other = intended.store.claim(request)
        let claim = try store.claim(request)
        let isSame =
            claim.nextDue == other.nextDue && claim.quarantined == 0 && claim.batch.contents == other.batch.contents
            && claim.batch.records == other.batch.records && claim.batch.topics == other.batch.topics
            && claim.batch.goals == other.batch.goals
            && claim.batch.deliveries.elementsEqual(other.batch.deliveries) { $0.isSame(as: $1) }
        return isSame ? nil : "\(request): \(claim), not \(other)"
    }

    /// The second destination adjusts what the first one delivered.
    private func review(_ destination: DestinationID, _ store: DeliveryStore) throws(StoreError) -> String? {
        let request = work.review(destination, now: now)
        let original = destination == Self.destinations[1] ? Self.destinations[0] : nil
        let other = intended.store.review(request, original: original, decide: Self.decision)
        var seen: [WaitingRow] = []
        let result = try store.review(request, original: original) {
            seen.append($0)
            return Self.decision(of: $0)
        }
        var depth = other.depth
        depth.bytes += Int64(depth.rows) * Counters.rowOverhead
        var same = other
        same.depth = depth
        return result == same ? nil : "\(request): \(result), not \(same), having seen \(seen)"
    }

    /// Any, but always the same for the same row.
    private static func decision(of row: WaitingRow) -> WaitingDecision {
        var number = Int(row.origin.offset) + row.event.count + (row.isBehind ? 1 : 0) + (row.isOriginalWaiting ? 2 : 0)
        number +=
            (row.entry?.conversion.count ?? 0) + (row.entry?.refunds.count ?? 0) + (row.entry?.origin == nil ? 1 : 0)
        switch number % 6 {
        case 0: return .wait
        case 1: return .duplicate
        case 2: return .send
        case 3: return .giveUp(reason: "purchase_unknown")
        default:
            return .adjust(
                content: Array(repeating: UInt8(ascii: "a"), count: number % 50),
                conversion: row.entry?.conversion ?? [7],
                refunds: Array(repeating: UInt8(ascii: "r"), count: number % 20),
                notBefore: row.queuedAt + .seconds(number % 3 * 30))
        }
    }

    private func replay(_ destination: DestinationID, _ store: DeliveryStore) throws(StoreError) -> String? {
        let start = work
        let count = intended.store.replay(destination, now: now) { work.newRow() }
        work = start
        let result = try store.replay(DeadLetterFilter(destination: destination), now: now) { work.newRow() }
        return result.moved[destination, default: 0] == count ? nil : "\(result), not \(count)"
    }
}

extension Delivery {
    fileprivate func isSame(as other: Delivery) -> Bool {
        row == other.row && topic == other.topic && partition == other.partition && offset == other.offset
            && goal == other.goal && sendBy == other.sendBy && dueAt == other.dueAt && attempts == other.attempts
            && strikes == other.strikes && payloadHash == other.payloadHash && eventTime == other.eventTime
            && content == other.content && record == other.record && transaction == other.transaction
    }
}

// MARK: Comparing

extension Life {
    /// - Returns: how what the store says of itself differs from what it must hold.
    func compare() throws(StoreError) -> String? {
        guard let store else { return nil }
        return try store.difference(from: expected)
    }
}

extension DeliveryStore {
    func difference(from expected: Life.Expected) throws(StoreError) -> String? {
        let model = expected.store
        let counted = try read { () throws(SQLiteError) in try Counters.count(connection) }
        if counted != counters.filter({ $0.value != Counters() }) { return "counters \(counters), not \(counted)" }
        let known = try destinations()
        if known.map(\.name) != expected.names { return "destinations \(known)" }
        for destination in known {
            var depth = model.depth(of: destination.id)
            depth.bytes += Int64(depth.rows) * Counters.rowOverhead
            if destination.depth != depth { return "\(destination), not \(depth)" }
            if destination.state != model.states[destination.id] ?? .running { return "\(destination)" }
        }
        let rows = try queueRows(QueueFilter(limit: .max))
        if rows.count != model.rows.count { return "rows \(rows), not \(model.rows)" }
        for row in rows {
            guard let other = model.rows[row.row], row.says(other), row.isClaimed == model.isClaimed(row.row) else {
                return "row \(row), not \(model.rows[row.row] as Any)"
            }
        }
        let letters = try deadLetters(DeadLetterFilter(limit: .max))
        guard letters.count == model.deadLetters.count,
            zip(letters.reversed(), model.deadLetters).allSatisfy({ $0.says($1) })
        else { return "dead letters \(letters), not \(model.deadLetters)" }
        let rejects = try rejects(RejectFilter(limit: .max))
        if rejects != model.rejects.reversed() { return "rejects \(rejects)" }
        for destination in known {
            for number in 1...8 {
                let key = TransactionKey(rawValue: Int64(number))
                let entry = try ledgerEntry(of: key, of: destination.id)
                let other = model.ledger[.init(destination: destination.id, key: key)]
                if entry != other { return "ledger \(entry as Any), not \(other as Any)" }
            }
        }
        let held = Set(try heldPositions(topic: "orders", partition: 0, from: 5))
        return held == Set(model.heldPositions(topic: "orders", partition: 0, from: 5)) ? nil : "held \(held)"
    }
}

extension QueueRow {
    fileprivate func says(_ row: ModelStore.Row) -> Bool {
        hold == row.hold && firstFailure == row.firstFailure && lastFailure == row.lastFailure && dueAt == row.dueAt
            && attempts == Int(row.attempts) && strikes == Int(row.strikes) && queuedAt == row.queuedAt
            && delivery.says(row)
    }
}

extension DeadLetter {
    fileprivate func says(_ letter: ModelStore.DeadLetter) -> Bool {
        cause == letter.cause && deadAt == letter.at && firstFailure == letter.row.firstFailure
            && lastFailure == letter.row.lastFailure && attempts == Int(letter.row.attempts)
            && delivery.says(letter.row)
    }
}

extension StoredDelivery {
    fileprivate func says(_ row: ModelStore.Row) -> Bool {
        destination == row.destination && topic == row.topic && partition == row.delivery.partition
            && offset == row.delivery.offset && sendBy == row.delivery.sendBy && goal == row.goal
            && eventTime == row.delivery.eventTime
    }
}
