/// A batch in memory and what the lane must remember of it until it is settled.
struct PendingBatch: Sendable {
    enum Source: String, Sendable {
        case fresh, queue
    }

    var batch: DeliveryBatch
    var source: Source
    /// Since when it is in memory.
    var since: Uptime
    /// It came fresh, and was written to the queue because its answer takes long.
    var isCovered = false
    /// To be sent so that one bad entry makes the request void: only then does the answer speak for all.
    var isStrict = false
    /// The search for refused deliveries that this is a part of.
    var search: UInt64?
    /// How often it was answered with a 200 that says nothing.
    var unreadableAnswers = 0
    /// Not to be sent before.
    var notBefore = Uptime.distantPast

    var count: Int { batch.count }

    /// Offsets wait for it.
    var isInMemoryOnly: Bool { source == .fresh && !isCovered }

    /// The deliveries that are in memory only and not given up.
    var unstoredCount: Int { batch.deliveries.reduce(0) { $0 + ($1.isInMemoryOnly ? 1 : 0) } }

    /// The earliest moment at which one of the deliveries would be too late.
    var sendBy: Timestamp { batch.deliveries.lazy.map(\.sendBy).min() ?? .distantFuture }

    /// When the time of the last of the deliveries has come.
    var dueAt: Timestamp { batch.deliveries.lazy.map(\.dueAt).max() ?? .distantPast }

    /// The same with only those deliveries; nil if there are none.
    func picking(_ indices: [Int]) -> PendingBatch? {
        if indices.isEmpty { return nil }
        if indices.count == count { return self }
        var rest = self
        rest.batch = batch.picking(indices)
        return rest
    }
}

extension Delivery {
    /// It was given up while its request was on its way: the answer counts for nothing.
    var isOrphan: Bool { row == .none && assignment == .none }
    var isInMemoryOnly: Bool { row == .none && assignment != .none }

    mutating func orphan() {
        row = .none
        assignment = .none
    }
}

/// A request on its way.
struct Attempt: Sendable {
    var pending: PendingBatch
    var epoch: UInt32
    var isProbe: Bool
    var sentAt: Moment
    var credentialGeneration: Int
}
