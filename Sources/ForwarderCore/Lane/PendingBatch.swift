/// A batch in memory and what the lane must remember of it until it is settled.
struct PendingBatch: Sendable {
    enum Source: String, Sendable {
        case fresh, queue
    }

    var batch: DeliveryBatch
    var source: Source
    /// Since when it is in memory.
    var since: Uptime
    /// It came fresh, and was written to the queue because its request takes long.
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
}

extension Delivery {
    /// Its partition was taken away while it was on its way and nothing of it is on disk: its answer counts for nothing.
    var isOrphan: Bool { row == .none && assignment == .none }
    var isInMemoryOnly: Bool { row == .none && assignment != .none }
}

/// A request on its way.
struct Attempt: Sendable {
    var pending: PendingBatch
    var epoch: UInt32
    var isProbe: Bool
    var sentAt: Moment
    var credentialGeneration: Int
}

/// The search for the refused among deliveries that were refused as a whole: halves, and halves of halves, within a
/// budget of requests.
struct RefusalSearch: Sendable {
    /// A service that refuses everything must not be asked a thousand times; what is left goes back to the queue.
    static let requestBudget = 64

    var requestsLeft = RefusalSearch.requestBudget
    /// Batches of this search that are not settled.
    var open = 0
    var refusals = 0
    /// It began with a count that did not add up.
    var isAboutCount: Bool
    var isAbandoned = false
}
