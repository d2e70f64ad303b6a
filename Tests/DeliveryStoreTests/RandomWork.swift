import DeliveryStore
import ForwarderCore
import ForwarderTestKit

/// Makes works for a store that holds what a model says.
struct RandomWork {
    enum Kind: CaseIterable {
        case enqueue, remove, reschedule, deadLetterRows, deadLetter, expire, remember, reject, setState
    }

    var random: Seeded
    private var lastRow: Int64 = 0

    static let holds = [nil, nil, "Purchase", "Lead", TransactionKey.hold]
    private static let failures = [nil, "timeout", "http_503"]
    private static let causes = [DeadLetterCause(.refused, "InvalidEvent"), DeadLetterCause(.expired, "expired")]

    init(_ random: Seeded) {
        self.random = random
    }

    mutating func newRow() -> RowID {
        lastRow += 1
        return RowID(lastRow)
    }

    mutating func make(_ kind: Kind, of destination: DestinationID, for model: ModelStore, now: Timestamp) -> StoreWork
    {
        switch kind {
        case .enqueue:
            let entry = QueueEntry(
                isClaimed: Bool.random(using: &random), hold: any(Self.holds), failure: any(Self.failures),
                queuedAt: now)
            return .enqueue(destination, batch((0..<number(1...5)).map { _ in makeSample(now) }), entry)
        case .remove: return .remove(destination, someRows(destination, model))
        case .reschedule:
            let rows = someRows(destination, model).map { row in
                Reschedule(
                    row: row, dueAt: nearTime(now), attempts: Int32(number(1...9)), strikes: UInt8(number(0...3)))
            }
            return .reschedule(destination, rows, failure: any(Self.failures), hold: any(Self.holds))
        case .deadLetterRows:
            let ends = someRows(destination, model).map { row in
                RowEnd(row: row, cause: any(Self.causes), attempts: Int32(number(1...9)), at: now)
            }
            return .deadLetterRows(destination, ends)
        case .deadLetter:
            let made = (0..<number(1...3)).map { _ in makeSample(now) }
            return .deadLetter(destination, batch(made), ends: made.map { _ in any(Self.causes) }, at: now)
        case .expire: return .expire(destination, at: nearTime(now), limit: 1000)
        case .remember:
            let transactions = (0..<number(1...3)).map { _ in
                RememberedTransaction(
                    key: TransactionKey(rawValue: Int64(number(1...8))), origin: makeOrigin(),
                    conversion: Array(String(repeating: "s", count: number(0...40)).utf8))
            }
            return .remember(destination, transactions, at: nearTime(now))
        case .reject:
            let events = (0..<number(1...3)).map { _ in
                RejectedEvent(
                    destination: Bool.random(using: &random) ? destination : nil, topic: "orders", partition: 0,
                    offset: Int64(number(0...9)), reasons: ["too_old", "x"], at: now)
            }
            return .reject(events)
        case .setState: return .setState(destination, any(DestinationState.allCases))
        }
    }

    mutating func claim(_ destination: DestinationID, now: Timestamp) -> ClaimRequest {
        ClaimRequest(
            destination: destination, hold: any(Self.holds), now: now,
            urgentBefore: now + .seconds(number(-10...40)), maxEventsByStrikes: any([[9], [9, 3, 1], [2, 1]]),
            maxBytes: any([1, 100, 1000]))
    }

    mutating func inquiry(_ destination: DestinationID, now: Timestamp) -> TransactionInquiry {
        let entries = (0..<number(1...5)).map { _ in
            TransactionInquiry.Entry(key: TransactionKey(rawValue: Int64(number(1...8))), origin: makeOrigin())
        }
        return TransactionInquiry(destination: destination, entries: entries, since: nearTime(now))
    }

    mutating func review(_ destination: DestinationID, now: Timestamp) -> ReviewRequest {
        let open = Set((0..<number(0...3)).map { _ in TransactionKey(rawValue: Int64(number(1...8))) })
        return ReviewRequest(
            destination: destination, open: open, above: RowID(any([0, 0, lastRow / 3])),
            upTo: RowID(any([lastRow, lastRow, lastRow / 2])), now: now, limit: any([1, 3, 100]))
    }

    private mutating func makeOrigin() -> RecordOrigin {
        RecordOrigin(
            topic: any(["orders", "leads"]), partition: 0, offset: Int64(number(0...15)),
            payloadHash: Int64(number(1...2)))
    }

    /// A few rows of the queue; now and then one that is not there, or is in another queue.
    mutating func someRows(_ destination: DestinationID, _ model: ModelStore) -> [RowID] {
        let isStrict = number(0...4) > 0
        let rows = model.rows.filter { $0.value.destination == destination || !isStrict }.keys.sorted()
        return rows.shuffled(using: &random).prefix(number(0...4)) + (isStrict ? [] : [RowID(9999)])
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func any<Value>(_ values: [Value]) -> Value { values[number(0...values.count - 1)] }

    /// Few different origins, so that they meet again.
    private mutating func makeSample(_ now: Timestamp) -> Sample {
        var sample = Sample(newRow().rawValue, offset: Int64(number(0...15)))
        sample.topic = any(["orders", "leads"])
        sample.payloadHash = Int64(number(1...2))
        sample.content = String(repeating: "c", count: number(1...60))
        sample.event = String(repeating: "e", count: number(0...60))
        sample.dueAt = nearTime(now)
        sample.sendBy = nearTime(now) + .seconds(20)
        sample.strikes = UInt8(number(0...3))
        sample.transaction = Int64(any([0, 0, number(1...8)]))
        return sample
    }

    /// Within half a minute of now, in whole seconds, so that some are equal.
    private mutating func nearTime(_ now: Timestamp) -> Timestamp {
        now + .seconds(number(-30...30))
    }
}
