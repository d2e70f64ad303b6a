import DeliveryStore
import ForwarderCore
import Testing

/// The time at which the tests play.
let noon = Timestamp(seconds: 1_786_000_000)

/// A delivery as a test describes it.
struct Sample: Equatable {
    var row: Int64
    var offset: Int64
    var topic = "orders"
    var partition: Int32 = 0
    var payloadHash: Int64 = 77
    var dueAt = noon
    var eventTime = noon.seconds - 60
    var sendBy = noon + .seconds(86_400)
    var goal = "purchase"
    var content = "{\"eventId\":\"a\"}"
    var event = "{\"event\":\"Purchase\"}"
    var attempts: Int32 = 1
    var strikes: UInt8 = 0
    var transaction: Int64 = 0

    init(_ row: Int64, offset: Int64? = nil) {
        self.row = row
        self.offset = offset ?? row
    }

    func with(_ change: (inout Sample) -> Void) -> Sample {
        var copy = self
        change(&copy)
        return copy
    }

    var payload: Int64 { Int64(content.utf8.count + event.utf8.count) }
}

func batch(_ samples: [Sample]) -> DeliveryBatch {
    var batch = DeliveryBatch(recordForm: .neutral, topics: [], goals: [])
    for sample in samples {
        if !batch.contents.isEmpty { batch.contents.append(UInt8(ascii: ",")) }
        let content = UInt32(batch.contents.count)
        batch.contents += Array(sample.content.utf8)
        let record = UInt32(batch.records.count)
        batch.records += Array(sample.event.utf8)
        var delivery = Delivery(
            topic: index(of: sample.topic, in: &batch.topics), partition: sample.partition, offset: sample.offset,
            assignment: AssignmentID(3), sequence: 9, eventTime: sample.eventTime, sendBy: sample.sendBy,
            content: content..<UInt32(batch.contents.count), record: record..<UInt32(batch.records.count))
        delivery.goal = index(of: sample.goal, in: &batch.goals)
        delivery.payloadHash = sample.payloadHash
        delivery.attempts = sample.attempts
        delivery.strikes = sample.strikes
        delivery.transaction = TransactionKey(rawValue: sample.transaction)
        delivery.row = RowID(sample.row)
        delivery.dueAt = sample.dueAt
        batch.deliveries.append(delivery)
    }
    return batch
}

private func index(of text: String, in texts: inout [String]) -> UInt16 {
    if let index = texts.firstIndex(of: text) { return UInt16(index) }
    texts.append(text)
    return UInt16(texts.count - 1)
}

func samples(_ rows: ClosedRange<Int64>, _ change: (inout Sample) -> Void = { _ in }) -> [Sample] {
    rows.map { Sample($0).with(change) }
}

extension DeliveryStore {
    /// The id of a destination that is registered with the fingerprint "account 1".
    func destination(_ name: String = "capi") throws -> DestinationID {
        guard case .registered(let known) = try register(name: name, fingerprint: "account 1", now: noon) else {
            throw Unexpected(what: "the fingerprint of \(name) differs")
        }
        return known.id
    }

    @discardableResult
    func enqueue(
        _ samples: [Sample], _ destination: DestinationID, isClaimed: Bool = false, hold: String? = nil,
        failure: String? = "http_503"
    ) throws -> StoreResult {
        let entry = QueueEntry(isClaimed: isClaimed, hold: hold, failure: failure, queuedAt: noon)
        return try perform([.enqueue(destination, batch(samples), entry)])
    }

    func claim(
        _ destination: DestinationID, hold: String? = nil, now: Timestamp = noon, urgentBefore: Timestamp = noon,
        limits: [Int] = [1000, 500, 1], maxBytes: Int = 1 << 20
    ) throws -> Claim {
        try claim(
            ClaimRequest(
                destination: destination, hold: hold, now: now, urgentBefore: urgentBefore,
                maxEventsByStrikes: limits, maxBytes: maxBytes))
    }

    func claimedRows(_ destination: DestinationID, hold: String? = nil, now: Timestamp = noon) throws -> [Int64] {
        try claim(destination, hold: hold, now: now).rows
    }
}

extension Claim {
    var rows: [Int64] { batch.deliveries.map(\.row.rawValue) }
}

struct Unexpected: Error {
    var what: String
}

/// The store error that `body` ends with.
func storeError(_ body: () throws -> Void) throws -> StoreError {
    try #require(#expect(throws: StoreError.self) { try body() })
}
