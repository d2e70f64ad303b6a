import ForwarderCore

/// The delivery store as `StoreWork` describes it, in memory: what a store does when all goes well, and nothing of how.
public struct ModelStore: Sendable {
    public struct Row: Sendable {
        public var destination: DestinationID
        /// Where it comes from and what it is; as it was handed over.
        public var delivery: Delivery
        public var topic: String
        public var goal: String
        public var content: [UInt8]
        public var record: [UInt8]
        public var hold: String?
        public var dueAt: Timestamp
        public var attempts: Int32
        public var strikes: UInt8
    }

    public struct DeadLetter: Sendable {
        public var row: Row
        public var cause: DeadLetterCause
        public var at: Timestamp
    }

    /// What makes two deliveries the same.
    struct Origin: Hashable {
        var destination: DestinationID
        var topic: String
        var partition: Int32
        var offset: Int64
        var payloadHash: Int64
    }

    /// What came of a transaction.
    public struct Outcome: Sendable {
        public var leftOut: [DestinationID: [RowID]] = [:]
        public var expired: [DestinationID: Int] = [:]
    }

    public private(set) var rows: [RowID: Row] = [:]
    public private(set) var deadLetters: [DeadLetter] = []
    public private(set) var rejects: [RejectedEvent] = []
    public private(set) var states: [DestinationID: DestinationState] = [:]
    /// Rows that somebody is working on: forgotten in a crash.
    private var claimed: Set<RowID> = []
    private var origins: Set<Origin> = []

    public init() {}

    public mutating func crash() {
        claimed = []
    }

    public var highestRow: RowID { rows.keys.max() ?? .none }

    public func isClaimed(_ row: RowID) -> Bool { claimed.contains(row) }

    public func depth(of destination: DestinationID) -> QueueDepth {
        var depth = QueueDepth()
        for row in rows.values where row.destination == destination {
            depth.rows += 1
            depth.bytes += Int64(row.content.count + row.record.count)
        }
        return depth
    }

    public func heldGoals(of destination: DestinationID) -> [String] {
        Set(rows.values.filter { $0.destination == destination }.compactMap(\.hold)).sorted()
    }

    // MARK: Writing

    public mutating func perform(_ works: [StoreWork]) -> Outcome {
        var outcome = Outcome()
        for work in works { perform(work, &outcome) }
        return outcome
    }

    private mutating func perform(_ work: StoreWork, _ outcome: inout Outcome) {
        switch work {
        case .enqueue(let destination, let batch, let entry):
            for delivery in batch.deliveries {
                precondition(delivery.isStored && rows[delivery.row] == nil, "a row is named once")
                let row = Row(destination, delivery, of: batch, hold: entry.hold)
                if origins.insert(row.origin).inserted {
                    rows[delivery.row] = row
                    if entry.isClaimed { claimed.insert(delivery.row) }
                } else {
                    outcome.leftOut[destination, default: []].append(delivery.row)
                }
            }
        case .remove(_, let ids): for id in ids { _ = take(id) }
        case .reschedule(_, let reschedules, failure: _, let hold):
            for reschedule in reschedules where rows[reschedule.row] != nil {
                rows[reschedule.row]?.dueAt = reschedule.dueAt
                rows[reschedule.row]?.attempts = reschedule.attempts
                rows[reschedule.row]?.strikes = reschedule.strikes
                rows[reschedule.row]?.hold = hold
                claimed.remove(reschedule.row)
            }
        case .deadLetterRows(_, let ends):
            for end in ends {
                guard var row = take(end.row) else { continue }
                row.attempts = end.attempts
                deadLetters.append(DeadLetter(row: row, cause: end.cause, at: end.at))
            }
        case .deadLetter(let destination, let batch, let ends, let now):
            for (delivery, cause) in zip(batch.deliveries, ends) {
                let row = Row(destination, delivery, of: batch, hold: nil)
                deadLetters.append(DeadLetter(row: row, cause: cause, at: now))
            }
        case .expire(let destination, let now, let limit):
            let late = rows.filter {
                $0.value.destination == destination && $0.value.delivery.sendBy < now && !claimed.contains($0.key)
            }
            for id in late.keys.sorted().prefix(limit) {
                guard let row = take(id) else { continue }
                deadLetters.append(DeadLetter(row: row, cause: DeadLetterCause(.expired, "expired"), at: now))
                outcome.expired[destination, default: 0] += 1
            }
        case .reject(let events): rejects += events
        case .setState(let destination, let state): states[destination] = state
        }
    }

    /// As the store's.
    public mutating func hasten(at now: Timestamp) {
        for (id, row) in rows where row.dueAt > now {
            rows[id]?.dueAt = max(now, Timestamp(seconds: row.delivery.eventTime))
        }
    }

    private mutating func take(_ id: RowID) -> Row? {
        claimed.remove(id)
        guard let row = rows.removeValue(forKey: id) else { return nil }
        origins.remove(row.origin)
        return row
    }

    // MARK: Claiming

    public mutating func claim(_ request: ClaimRequest) -> Claim {
        let waiting =
            rows.filter {
                $0.value.destination == request.destination && $0.value.hold == request.hold
                    && !claimed.contains($0.key)
            }
            .sorted { ($0.value.dueAt, $0.value.strikes, $0.key) < ($1.value.dueAt, $1.value.strikes, $1.key) }
        let due = waiting.filter { $0.value.dueAt <= request.now }
        let urgent = due.filter { $0.value.delivery.sendBy < request.urgentBefore }
            .sorted { ($0.value.delivery.sendBy, $0.key) < ($1.value.delivery.sendBy, $1.key) }
        var batch = DeliveryBatch(recordForm: .neutral, topics: [], goals: [])
        let limits = request.maxEventsByStrikes
        for (id, row) in urgent + due where !batch.deliveries.contains(where: { $0.row == id }) {
            if let first = batch.deliveries.first {
                if row.strikes != first.strikes { continue }
                if batch.contents.count + 1 + row.content.count > request.maxBytes { break }
            }
            row.append(as: id, to: &batch)
            if batch.count >= limits[min(Int(row.strikes), limits.count - 1)] { break }
        }
        for delivery in batch.deliveries { claimed.insert(delivery.row) }
        return Claim(batch: batch, nextDue: batch.isEmpty ? waiting.first?.value.dueAt : nil, quarantined: 0)
    }

    public mutating func release(_ ids: [RowID]) {
        claimed.subtract(ids)
    }

    /// Puts dead letters of a destination back into its queue. Returns how many.
    public mutating func replay(_ destination: DestinationID, now: Timestamp, nextRow: () -> RowID) -> Int {
        let all = deadLetters
        deadLetters = []
        var count = 0
        for letter in all {
            var row = letter.row
            guard row.destination == destination, row.delivery.sendBy >= now, origins.insert(row.origin).inserted else {
                deadLetters.append(letter)
                continue
            }
            row.dueAt = now
            row.strikes = 0
            row.hold = nil
            rows[nextRow()] = row
            count += 1
        }
        return count
    }

    // MARK: Asking

    public func heldPositions(topic: String, partition: Int32, from offset: Int64) -> [HeldPosition] {
        let held = Array(rows.values) + deadLetters.map(\.row)
        return held.filter {
            $0.topic == topic && $0.delivery.partition == partition && $0.delivery.offset >= offset
        }
        .map {
            HeldPosition(
                destination: $0.destination, offset: $0.delivery.offset, payloadHash: $0.delivery.payloadHash)
        }
    }
}

extension ModelStore.Row {
    init(_ destination: DestinationID, _ delivery: Delivery, of batch: DeliveryBatch, hold: String?) {
        self.init(
            destination: destination, delivery: delivery, topic: batch.topics[Int(delivery.topic)],
            goal: batch.goals[Int(delivery.goal)], content: Array(batch.contents[delivery.content]),
            record: Array(batch.records[delivery.record]), hold: hold, dueAt: delivery.dueAt,
            attempts: delivery.attempts, strikes: delivery.strikes)
    }

    var origin: ModelStore.Origin {
        .init(
            destination: destination, topic: topic, partition: delivery.partition, offset: delivery.offset,
            payloadHash: delivery.payloadHash)
    }

    fileprivate func append(as id: RowID, to batch: inout DeliveryBatch) {
        var copy = delivery
        copy.row = id
        copy.assignment = .none
        copy.sequence = 0
        copy.dueAt = dueAt
        copy.attempts = attempts
        copy.strikes = strikes
        copy.topic = ModelStore.Row.index(of: topic, in: &batch.topics)
        copy.goal = ModelStore.Row.index(of: goal, in: &batch.goals)
        if !batch.isEmpty { batch.contents.append(UInt8(ascii: ",")) }
        copy.contentStart = UInt32(batch.contents.count)
        batch.contents += content
        copy.contentEnd = UInt32(batch.contents.count)
        copy.recordStart = UInt32(batch.records.count)
        batch.records += record
        copy.recordEnd = UInt32(batch.records.count)
        batch.deliveries.append(copy)
    }

    private static func index(of text: String, in texts: inout [String]) -> UInt16 {
        if let index = texts.firstIndex(of: text) { return UInt16(index) }
        texts.append(text)
        return UInt16(texts.count - 1)
    }
}
