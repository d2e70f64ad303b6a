import DeliveryStore
import ForwarderCore

/// What a store must hold, kept in plain values. Each change is made here and returned as the work that makes it there.
struct Model {
    struct Row: Equatable {
        var sample: Sample
        var hold: String?
        var firstFailure: String?
        var lastFailure: String?
        var isClaimed = false
    }

    struct Letter: Equatable {
        var destination: DestinationID
        var sample: Sample
        var cause: DeadLetterCause
        var firstFailure: String?
        var lastFailure: String?
        var deadAt: Timestamp
    }

    var queue: [DestinationID: [Int64: Row]] = [:]
    /// In the order in which they died.
    var letters: [Letter] = []
    var rejects: [RejectedEvent] = []
    var now = noon
    private var nextRow: Int64 = 1

    static let holds = [nil, nil, "Purchase", "Lead"]
    static let failures = [nil, "timeout", "http_503"]
    static let causes = [DeadLetterCause(.refused, "InvalidEvent"), DeadLetterCause(.expired, "expired")]

    // MARK: Works

    mutating func enqueue(_ destination: DestinationID, _ random: inout Seeded) -> (StoreWork, leftOut: [RowID]) {
        var row = Row(
            sample: Sample(0), hold: Self.holds.randomElement(using: &random)!,
            lastFailure: Self.failures.randomElement(using: &random)!, isClaimed: Bool.random(using: &random))
        row.firstFailure = row.lastFailure
        var leftOut: [RowID] = []
        var made: [Sample] = []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            row.sample = makeSample(&random)
            made.append(row.sample)
            if queue[destination, default: [:]].values.contains(where: { $0.sample.hasOrigin(of: row.sample) }) {
                leftOut.append(RowID(row.sample.row))
            } else {
                queue[destination, default: [:]][row.sample.row] = row
            }
        }
        let entry = QueueEntry(isClaimed: row.isClaimed, hold: row.hold, failure: row.lastFailure, queuedAt: now)
        return (.enqueue(destination, batch(made), entry), leftOut)
    }

    mutating func remove(_ destination: DestinationID, _ random: inout Seeded) -> StoreWork {
        let rows = someRows(destination, &random)
        for row in rows { queue[destination]?[row] = nil }
        return .remove(destination, rows.map { RowID($0) })
    }

    mutating func reschedule(_ destination: DestinationID, _ random: inout Seeded) -> StoreWork {
        let hold = Self.holds.randomElement(using: &random)!
        let failure = Self.failures.randomElement(using: &random)!
        var changes: [Reschedule] = []
        for row in someRows(destination, &random) {
            let change = Reschedule(
                row: RowID(row), dueAt: nearTime(&random), attempts: Int32.random(in: 1...9, using: &random),
                strikes: UInt8.random(in: 0...3, using: &random))
            changes.append(change)
            guard var changed = queue[destination]?[row] else { continue }
            changed.sample.dueAt = change.dueAt
            changed.sample.attempts = change.attempts
            changed.sample.strikes = change.strikes
            changed.hold = hold
            changed.firstFailure = changed.firstFailure ?? failure
            changed.lastFailure = failure ?? changed.lastFailure
            changed.isClaimed = false
            queue[destination]?[row] = changed
        }
        return .reschedule(destination, changes, failure: failure, hold: hold)
    }

    mutating func deadLetterRows(_ destination: DestinationID, _ random: inout Seeded) -> StoreWork {
        var ends: [RowEnd] = []
        for row in someRows(destination, &random) {
            let end = RowEnd(
                row: RowID(row), cause: Self.causes.randomElement(using: &random)!,
                attempts: Int32.random(in: 1...9, using: &random), at: now)
            ends.append(end)
            guard var dead = queue[destination]?.removeValue(forKey: row) else { continue }
            dead.sample.attempts = end.attempts
            bury(
                Letter(
                    destination: destination, sample: dead.sample, cause: end.cause, firstFailure: dead.firstFailure,
                    lastFailure: dead.lastFailure, deadAt: now))
        }
        return .deadLetterRows(destination, ends)
    }

    mutating func deadLetter(_ destination: DestinationID, _ random: inout Seeded) -> StoreWork {
        let made = (0..<Int.random(in: 1...3, using: &random)).map { _ in makeSample(&random) }
        let ends = made.map { _ in Self.causes.randomElement(using: &random)! }
        for (sample, cause) in zip(made, ends) {
            bury(Letter(destination: destination, sample: sample, cause: cause, deadAt: now))
        }
        return .deadLetter(destination, batch(made), ends: ends, at: now)
    }

    mutating func reject(_ destination: DestinationID, _ random: inout Seeded) -> StoreWork {
        let events = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            RejectedEvent(
                destination: Bool.random(using: &random) ? destination : nil, topic: "orders", partition: 0,
                offset: Int64.random(in: 0...9, using: &random), reasons: ["too_old", "x"], at: now)
        }
        for event in events
        where !rejects.contains(where: { $0.destination == event.destination && $0.offset == event.offset }) {
            rejects.append(event)
        }
        return .reject(events)
    }

    // MARK: Calls

    /// The rows a claim gets, in its order, and when the next one is due if there are none.
    mutating func claim(_ request: ClaimRequest) -> (samples: [Sample], nextDue: Timestamp?) {
        let free = queue[request.destination, default: [:]].values
            .filter { $0.hold == request.hold && !$0.isClaimed }.map(\.sample)
        let due = free.filter { $0.dueAt <= request.now }
        let urgent = due.filter { $0.sendBy < request.urgentBefore }.sorted { $0.bySending < $1.bySending }
        let others = due.filter { $0.sendBy >= request.urgentBefore }.sorted { $0.byDue < $1.byDue }
        guard let first = (urgent + others).first else { return ([], free.map(\.dueAt).min()) }
        let limits = request.maxEventsByStrikes
        let most = limits[min(Int(first.strikes), limits.count - 1)]
        var taken: [Sample] = []
        for sample in urgent + others where sample.strikes == first.strikes {
            let next = taken + [sample]
            let contents = next.reduce(-1) { $0 + 1 + $1.content.utf8.count }
            let events = next.reduce(0) { $0 + $1.event.utf8.count }
            if next.count > most || !taken.isEmpty && max(contents, events) > request.maxBytes { break }
            taken = next
            queue[request.destination]?[sample.row]?.isClaimed = true
        }
        return (taken, nil)
    }

    mutating func release(_ destination: DestinationID, _ random: inout Seeded) -> [RowID] {
        let rows = someRows(destination, &random)
        for row in rows { queue[destination]?[row]?.isClaimed = false }
        return rows.map { RowID($0) }
    }

    /// After a restart nothing is claimed.
    mutating func releaseAll() {
        queue = queue.mapValues {
            $0.mapValues { row in
                var row = row
                row.isClaimed = false
                return row
            }
        }
    }

    mutating func replay(nextRow: () -> RowID) -> ReplayResult {
        var result = ReplayResult()
        var staying: [Letter] = []
        for letter in letters {
            let destination = letter.destination
            if letter.sample.sendBy < now {
                result.refused[destination, default: 0] += 1
                staying.append(letter)
                continue
            }
            var row = Row(sample: letter.sample, firstFailure: letter.firstFailure, lastFailure: letter.lastFailure)
            row.sample.row = nextRow().rawValue
            row.sample.dueAt = now
            row.sample.strikes = 0
            if queue[destination, default: [:]].values.contains(where: { $0.sample.hasOrigin(of: row.sample) }) {
                result.alreadyQueued[destination, default: 0] += 1
            } else {
                result.moved[destination, default: 0] += 1
                queue[destination, default: [:]][row.sample.row] = row
            }
        }
        letters = staying
        return result
    }

    mutating func discardLetters(_ destination: DestinationID, limit: Int) -> Int {
        let doomed = letters.indices.filter { letters[$0].destination == destination }.prefix(limit)
        for index in doomed.reversed() { letters.remove(at: index) }
        return doomed.count
    }

    mutating func discardQueue(_ destination: DestinationID) -> Int {
        let rows = queue[destination, default: [:]]
        queue[destination] = rows.filter(\.value.isClaimed)
        return rows.count - queue[destination, default: [:]].count
    }

    mutating func purge(keepFor: Duration, keepRows: Int) {
        let outdated = now - keepFor
        letters = letters.enumerated()
            .filter { $0 >= letters.count - keepRows && $1.deadAt >= outdated }.map(\.element)
        rejects = rejects.enumerated().filter { $0 >= rejects.count - keepRows && $1.at >= outdated }.map(\.element)
    }

    // MARK: Chance

    mutating func newRow() -> RowID {
        nextRow += 1
        return RowID(nextRow)
    }

    /// A few rows of the queue, now and then one that is not there.
    private func someRows(_ destination: DestinationID, _ random: inout Seeded) -> [Int64] {
        let rows = queue[destination, default: [:]].keys.sorted().shuffled(using: &random)
        return rows.prefix(Int.random(in: 0...4, using: &random)) + (Bool.random(using: &random) ? [] : [9999])
    }

    /// Few different origins, so that they meet again.
    private mutating func makeSample(_ random: inout Seeded) -> Sample {
        var sample = Sample(newRow().rawValue, offset: Int64.random(in: 0...15, using: &random))
        sample.topic = Bool.random(using: &random) ? "orders" : "leads"
        sample.payloadHash = Int64.random(in: 1...2, using: &random)
        sample.content = String(repeating: "c", count: Int.random(in: 1...60, using: &random))
        sample.event = String(repeating: "e", count: Int.random(in: 0...60, using: &random))
        sample.dueAt = nearTime(&random)
        sample.sendBy = nearTime(&random) + .seconds(20)
        sample.strikes = UInt8.random(in: 0...3, using: &random)
        return sample
    }

    /// Within half a minute of now, in whole seconds, so that some are equal.
    private func nearTime(_ random: inout Seeded) -> Timestamp {
        now + .seconds(Int.random(in: -30...30, using: &random))
    }

    private mutating func bury(_ letter: Letter) {
        let isThere = letters.contains {
            $0.destination == letter.destination && $0.sample.hasOrigin(of: letter.sample)
        }
        if !isThere { letters.append(letter) }
    }
}

extension Sample {
    fileprivate var byDue: (Timestamp, UInt8, Int64) { (dueAt, strikes, row) }
    fileprivate var bySending: (Timestamp, Timestamp, UInt8, Int64) { (sendBy, dueAt, strikes, row) }

    fileprivate func hasOrigin(of other: Sample) -> Bool {
        topic == other.topic && partition == other.partition && offset == other.offset
            && payloadHash == other.payloadHash
    }
}
