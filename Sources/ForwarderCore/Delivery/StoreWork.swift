/// One change of the durable state. What is handed over together is committed together, and only what was committed
/// counts.
public enum StoreWork: Sendable {
    /// Puts deliveries into the retry queue, each under the row it names. A delivery whose origin (destination, topic,
    /// partition, offset, item, payload hash) is there already is left out.
    case enqueue(DestinationID, DeliveryBatch, QueueEntry)
    /// Takes rows out of the queue: they are delivered, skipped or discarded.
    case remove(DestinationID, [RowID])
    /// Makes rows due again.
    case reschedule(DestinationID, [Reschedule], failure: String?, hold: String?)
    /// Moves rows of the queue to the dead letters.
    case deadLetterRows(DestinationID, [RowEnd])
    /// Puts deliveries that never were in the queue to the dead letters, `ends[i]` for `batch.deliveries[i]`.
    case deadLetter(DestinationID, DeliveryBatch, ends: [DeadLetterCause], at: Timestamp)
    /// Moves up to `limit` rows that are not claimed and had to be sent before `at` to the dead letters, as `expired`.
    case expire(DestinationID, at: Timestamp, limit: Int)
    /// Remembers that these transactions were delivered, and by which records.
    case remember(DestinationID, [RememberedTransaction], at: Timestamp)
    /// Remembers records that were rejected.
    case reject([RejectedEvent])
    /// Remembers what an operator, or the halt rule, decided about a destination.
    case setState(DestinationID, DestinationState)
}

/// What all rows of one enqueue have in common.
public struct QueueEntry: Sendable, Equatable {
    /// The rows belong to a request that is on its way: not to be claimed until they are rescheduled or released.
    public var isClaimed: Bool
    /// The goal for which they are held back; nil when they flow.
    public var hold: String?
    /// Why they are here, as a reason code; nil if nothing failed (the destination was closed, or the buffer full).
    public var failure: String?
    public var queuedAt: Timestamp

    public init(isClaimed: Bool = false, hold: String? = nil, failure: String? = nil, queuedAt: Timestamp) {
        self.isClaimed = isClaimed
        self.hold = hold
        self.failure = failure
        self.queuedAt = queuedAt
    }
}

public struct Reschedule: Sendable, Equatable {
    public var row: RowID
    public var dueAt: Timestamp
    public var attempts: Int32
    public var strikes: UInt8

    public init(row: RowID, dueAt: Timestamp, attempts: Int32, strikes: UInt8) {
        self.row = row
        self.dueAt = dueAt
        self.attempts = attempts
        self.strikes = strikes
    }
}

public struct RowEnd: Sendable, Equatable {
    public var row: RowID
    public var cause: DeadLetterCause
    public var attempts: Int32
    public var at: Timestamp

    public init(row: RowID, cause: DeadLetterCause, attempts: Int32, at: Timestamp) {
        self.row = row
        self.cause = cause
        self.attempts = attempts
        self.at = at
    }
}

/// Why a delivery ended as a dead letter.
public struct DeadLetterCause: Sendable, Hashable {
    public enum Class: String, Sendable, CaseIterable {
        /// The destination's contract does not allow what the event says.
        case data
        /// Microsoft refused it.
        case refused
        /// Its time ran out before it was accepted.
        case expired
        /// It may have been accepted, and would count twice if it were sent again.
        case unclear
    }

    public var reasonClass: Class
    /// A stable snake_case word or Microsoft's error code; never Microsoft's free text.
    public var reason: String

    public init(_ reasonClass: Class, _ reason: String) {
        self.reasonClass = reasonClass
        self.reason = reason
    }
}

/// A record that no destination, or one of them, can take.
public struct RejectedEvent: Sendable, Equatable {
    /// nil: rejected for all, the record itself is bad.
    public var destination: DestinationID?
    public var topic: String
    public var partition: Int32
    public var offset: Int64
    public var reasons: [String]
    public var at: Timestamp

    public init(
        destination: DestinationID?, topic: String, partition: Int32, offset: Int64, reasons: [String], at: Timestamp
    ) {
        self.destination = destination
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.reasons = reasons
        self.at = at
    }
}

/// What an operator, or the halt rule, decided about a destination; outlives the process.
public enum DestinationState: String, Sendable, CaseIterable {
    case running
    case paused
    case halted
}

/// Asks for deliveries that are due.
public struct ClaimRequest: Sendable, Equatable {
    public var destination: DestinationID
    /// Only those held back for this goal; nil: only those that flow.
    public var hold: String?
    public var now: Timestamp
    /// Due deliveries that must be sent before this come first, soonest first.
    public var urgentBefore: Timestamp
    /// Most deliveries of a claim, by their strikes; the last number stands for all further ones. All deliveries of
    /// one claim have the same number of strikes.
    public var maxEventsByStrikes: [Int]
    public var maxBytes: Int

    public init(
        destination: DestinationID, hold: String? = nil, now: Timestamp, urgentBefore: Timestamp,
        maxEventsByStrikes: [Int], maxBytes: Int
    ) {
        self.destination = destination
        self.hold = hold
        self.now = now
        self.urgentBefore = urgentBefore
        self.maxEventsByStrikes = maxEventsByStrikes
        self.maxBytes = maxBytes
    }
}

/// The answer to a claim.
public struct Claim: Sendable {
    public var batch: DeliveryBatch
    /// When the batch is empty: the earliest due time of what is neither claimed nor held otherwise; nil if there is
    /// nothing.
    public var nextDue: Timestamp?
    /// Rows that could not be read back as they were written. They are moved aside and no longer pending.
    public var quarantined: Int

    public init(batch: DeliveryBatch, nextDue: Timestamp?, quarantined: Int) {
        self.batch = batch
        self.nextDue = nextDue
        self.quarantined = quarantined
    }
}

/// How much waits in the queue of a destination.
public struct QueueDepth: Sendable, Equatable {
    public var rows: Int
    public var bytes: Int64

    public init(rows: Int = 0, bytes: Int64 = 0) {
        self.rows = rows
        self.bytes = bytes
    }
}

/// A delivery that the store holds although Kafka may send its record again.
public struct HeldPosition: Sendable, Hashable {
    public var destination: DestinationID
    public var offset: Int64
    public var payloadHash: Int64

    public init(destination: DestinationID, offset: Int64, payloadHash: Int64) {
        self.destination = destination
        self.offset = offset
        self.payloadHash = payloadHash
    }
}
