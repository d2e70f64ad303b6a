import ForwarderCore

/// The delivery store as `StoreWork` describes it, in memory: what a store does when all goes well, and nothing of how.
/// The store's tests compare the two step by step; so what the simulation proves with this one holds for the other.
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
        public var firstFailure: String?
        public var lastFailure: String?
        public var queuedAt: Timestamp
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

    public struct LedgerKey: Hashable, Sendable {
        public var destination: DestinationID
        public var key: TransactionKey

        public init(destination: DestinationID, key: TransactionKey) {
            self.destination = destination
            self.key = key
        }
    }

    /// What came of a transaction.
    public struct Outcome: Sendable {
        public var leftOut: [DestinationID: [RowID]] = [:]
        public var expired: [DestinationID: Int] = [:]

        public init() {}
    }

    public internal(set) var rows: [RowID: Row] = [:]
    /// In the order in which they died.
    public private(set) var deadLetters: [DeadLetter] = []
    public private(set) var rejects: [RejectedEvent] = []
    public internal(set) var ledger: [LedgerKey: LedgerEntry] = [:]
    public private(set) var states: [DestinationID: DestinationState] = [:]
    /// Rows that somebody is working on: forgotten in a crash.
    private var claimed: Set<RowID> = []
    private var origins: Set<Origin> = []
    private var deadOrigins: Set<Origin> = []

    public init() {}

    public mutating func crash() {
        claimed = []
    }

    public var highestRow: RowID { rows.keys.max() ?? .none }

    public func isClaimed(_ row: RowID) -> Bool { claimed.contains(row) }

    /// Its bytes are those of contents and records; a disk takes more.
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
                let row = Row(destination, delivery, of: batch, entry)
                if origins.insert(row.origin).inserted {
                    rows[delivery.row] = row
                    if entry.isClaimed { claimed.insert(delivery.row) }
                } else {
                    outcome.leftOut[destination, default: []].append(delivery.row)
                }
            }
        case .remove(let destination, let ids): for id in ids { _ = take(id, of: destination) }
        case .reschedule(let destination, let reschedules, let failure, let hold):
            for reschedule in reschedules where rows[reschedule.row]?.destination == destination {
                rows[reschedule.row]?.apply(reschedule, failure: failure, hold: hold)
                claimed.remove(reschedule.row)
            }
        case .deadLetterRows(let destination, let ends):
            for end in ends {
                guard var row = take(end.row, of: destination) else { continue }
                row.attempts = end.attempts
                bury(DeadLetter(row: row, cause: end.cause, at: end.at))
            }
        case .deadLetter(let destination, let batch, let ends, let now):
            for (delivery, cause) in zip(batch.deliveries, ends) {
                let row = Row(destination, delivery, of: batch, QueueEntry(queuedAt: now))
                bury(DeadLetter(row: row, cause: cause, at: now))
            }
        case .expire(let destination, let now, let limit):
            let late = rows.filter {
                $0.value.destination == destination && $0.value.delivery.sendBy < now && !claimed.contains($0.key)
            }
            for id in late.keys.sorted().prefix(limit) {
                guard let row = take(id, of: destination) else { continue }
                bury(DeadLetter(row: row, cause: DeadLetterCause(.expired, "expired"), at: now))
                outcome.expired[destination, default: 0] += 1
            }
        case .remember(let destination, let transactions, let now):
            for transaction in transactions { remember(transaction, of: destination, at: now) }
        case .reject(let events):
            for event in events where !rejects.contains(where: { $0.isSameRecord(as: event) }) { rejects.append(event) }
        case .setState(let destination, let state): states[destination] = state
        }
    }

    /// As the store's.
    public mutating func hasten(at now: Timestamp) {
        for (id, row) in rows where row.dueAt > now {
            rows[id]?.dueAt = max(now, Timestamp(seconds: row.delivery.eventTime))
        }
    }

    mutating func take(_ id: RowID, of destination: DestinationID) -> Row? {
        guard let row = rows[id], row.destination == destination else { return nil }
        claimed.remove(id)
        rows[id] = nil
        origins.remove(row.origin)
        return row
    }

    /// One that is there already stays as it is.
    mutating func bury(_ letter: DeadLetter) {
        guard deadOrigins.insert(letter.row.origin).inserted else { return }
        deadLetters.append(letter)
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
        // Those that are due are in order already, which decides among those that must be sent at the same time.
        let urgent = due.enumerated().filter { $0.element.value.delivery.sendBy < request.urgentBefore }
            .sorted { ($0.element.value.delivery.sendBy, $0.offset) < ($1.element.value.delivery.sendBy, $1.offset) }
            .map(\.element)
        var batch = DeliveryBatch(recordForm: .neutral, topics: [], goals: [])
        let limits = request.maxEventsByStrikes
        for (id, row) in urgent + due where !batch.deliveries.contains(where: { $0.row == id }) {
            if let first = batch.deliveries.first {
                if row.strikes != first.strikes { continue }
                if batch.contents.count + 1 + row.content.count > request.maxBytes { break }
                if batch.records.count + row.record.count > request.maxBytes { break }
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

    // MARK: An operator's hand

    /// Puts dead letters of a destination back into its queue, except those whose time has run out. One that the queue
    /// holds already is a dead letter no more. Returns how many were put back.
    public mutating func replay(_ destination: DestinationID, now: Timestamp, nextRow: () -> RowID) -> Int {
        var gone: [Int] = []
        var count = 0
        for (index, letter) in deadLetters.enumerated()
        where letter.row.destination == destination && letter.row.delivery.sendBy >= now {
            gone.append(index)
            let id = nextRow()
            guard origins.insert(letter.row.origin).inserted else { continue }
            var row = letter.row
            row.dueAt = now
            row.strikes = 0
            row.hold = row.delivery.transaction == .none ? nil : TransactionKey.hold
            row.queuedAt = now
            rows[id] = row
            count += 1
        }
        removeDeadLetters(at: gone)
        return count
    }

    /// Deletes the oldest dead letters of a destination. Returns how many.
    public mutating func discardDeadLetters(of destination: DestinationID, limit: Int) -> Int {
        let gone = deadLetters.indices.filter { deadLetters[$0].row.destination == destination }.prefix(limit)
        removeDeadLetters(at: Array(gone))
        return gone.count
    }

    /// Deletes the rows of a queue that are not claimed. Returns how many.
    public mutating func discardQueue(of destination: DestinationID) -> Int {
        let doomed = rows.filter { $0.value.destination == destination && !claimed.contains($0.key) }.keys
        for id in doomed { _ = take(id, of: destination) }
        return doomed.count
    }

    /// Deletes dead letters and rejects that are older than `keepFor`, and the oldest beyond `keepRows` of each.
    public mutating func purge(now: Timestamp, keepFor: Duration, keepRows: Int) {
        let outdated = now - keepFor
        let excess = deadLetters.count - keepRows
        removeDeadLetters(at: deadLetters.indices.filter { $0 < excess || deadLetters[$0].at < outdated })
        let first = rejects.count - keepRows
        rejects = rejects.enumerated().filter { $0.offset >= first && $0.element.at >= outdated }.map(\.element)
    }

    private mutating func removeDeadLetters(at indices: [Int]) {
        for index in indices.reversed() { deadOrigins.remove(deadLetters.remove(at: index).row.origin) }
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
    init(_ destination: DestinationID, _ delivery: Delivery, of batch: DeliveryBatch, _ entry: QueueEntry) {
        self.init(
            destination: destination, delivery: delivery, topic: batch.topics[Int(delivery.topic)],
            goal: batch.goals[Int(delivery.goal)], content: Array(batch.contents[delivery.content]),
            record: Array(batch.records[delivery.record]), hold: entry.hold,
            dueAt: delivery.dueAt, attempts: delivery.attempts, strikes: delivery.strikes, firstFailure: entry.failure,
            lastFailure: entry.failure, queuedAt: entry.queuedAt)
    }

    fileprivate mutating func apply(_ reschedule: Reschedule, failure: String?, hold: String?) {
        dueAt = reschedule.dueAt
        attempts = reschedule.attempts
        strikes = reschedule.strikes
        self.hold = hold
        firstFailure = firstFailure ?? failure
        lastFailure = failure ?? lastFailure
    }

    var recordOrigin: RecordOrigin {
        RecordOrigin(
            topic: topic, partition: delivery.partition, offset: delivery.offset, payloadHash: delivery.payloadHash)
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

extension RejectedEvent {
    fileprivate func isSameRecord(as other: RejectedEvent) -> Bool {
        offset == other.offset && partition == other.partition && topic == other.topic
            && destination == other.destination
    }
}
