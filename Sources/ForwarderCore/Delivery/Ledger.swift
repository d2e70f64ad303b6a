/// A transaction that was delivered.
public struct RememberedTransaction: Sendable, Equatable {
    public var key: TransactionKey
    public var origin: RecordOrigin
    /// What a later adjustment has to name: `SentConversion`. Empty where there can be none.
    public var conversion: [UInt8]

    public init(key: TransactionKey, origin: RecordOrigin, conversion: [UInt8] = []) {
        self.key = key
        self.origin = origin
        self.conversion = conversion
    }
}

/// What the ledger has of a transaction.
public struct LedgerEntry: Sendable, Equatable {
    /// nil: nothing was delivered, but something refunded of which the shop told what it was.
    public var origin: RecordOrigin?
    public var deliveredAt: Timestamp
    public var conversion: [UInt8]
    /// What was refunded of it: `Refunds`. Empty where nothing was.
    public var refunds: [UInt8]

    public init(origin: RecordOrigin?, deliveredAt: Timestamp, conversion: [UInt8], refunds: [UInt8] = []) {
        self.origin = origin
        self.deliveredAt = deliveredAt
        self.conversion = conversion
        self.refunds = refunds
    }
}

/// Asks for a decision about rows that wait behind another delivery of their transaction.
public struct ReviewRequest: Sendable, Equatable {
    /// Where a review that was cut off goes on.
    public struct Place: Sendable, Equatable {
        public var dueAt: Timestamp
        public var strikes: Int64
        public var row: RowID

        public init(dueAt: Timestamp, strikes: Int64, row: RowID) {
            self.dueAt = dueAt
            self.strikes = strikes
            self.row = row
        }
    }

    public var destination: DestinationID
    /// Transactions of deliveries that are in memory only.
    public var open: Set<TransactionKey>
    /// Rows up to this one are left alone: they were there before the start, and what they wait for may still come again
    /// from Kafka.
    public var above: RowID
    /// Rows that were named later are not looked at: what they wait for need not be among `open` yet.
    public var upTo: RowID
    public var after: Place?
    public var now: Timestamp
    /// Most rows that are looked at.
    public var limit: Int

    public init(
        destination: DestinationID, open: Set<TransactionKey>, above: RowID = .none, upTo: RowID, after: Place? = nil,
        now: Timestamp, limit: Int
    ) {
        self.destination = destination
        self.open = open
        self.above = above
        self.upTo = upTo
        self.after = after
        self.now = now
        self.limit = limit
    }
}

/// A row that waits behind another delivery of its transaction, and all that is to be known to decide about it.
public struct WaitingRow: Sendable, Equatable {
    public var origin: RecordOrigin
    public var queuedAt: Timestamp
    /// The neutral event.
    public var event: [UInt8]
    /// Another delivery of this transaction goes before it: it is in memory, flows, or was there earlier.
    public var isBehind: Bool
    /// What the ledger has of the transaction: of this destination's, or for an adjustment of the one it adjusts.
    public var entry: LedgerEntry?
    /// For an adjustment: what it adjusts still waits in the queue of its destination.
    public var isOriginalWaiting: Bool
    /// Another delivery of this transaction, to this destination, was given up.
    public var hasDeadLetter: Bool

    public init(
        origin: RecordOrigin, queuedAt: Timestamp, event: [UInt8], isBehind: Bool, entry: LedgerEntry?,
        isOriginalWaiting: Bool = false, hasDeadLetter: Bool = false
    ) {
        self.origin = origin
        self.queuedAt = queuedAt
        self.event = event
        self.isBehind = isBehind
        self.entry = entry
        self.isOriginalWaiting = isOriginalWaiting
        self.hasDeadLetter = hasDeadLetter
    }
}

/// What becomes of a row that waits behind another delivery of its transaction.
public enum WaitingDecision: Sendable, Equatable {
    case wait
    /// It is that other delivery once more.
    case duplicate
    /// Its turn has come, as soon as its event has happened.
    case send
    /// Its turn has come, and only now is it known what is to be sent, when at the earliest, and what the ledger has to say
    /// from now on.
    case adjust(content: [UInt8], conversion: [UInt8], refunds: [UInt8], notBefore: Timestamp)
    case giveUp(reason: String)
}

/// What one slice of a review came to.
public struct ReviewResult: Sendable, Equatable {
    public var duplicates = 0
    public var released = 0
    /// Given up, and why.
    public var givenUp: [(reason: String, origin: RecordOrigin)] = []
    public var waiting = 0
    /// Rows that could not be read back; the next claim puts them aside.
    public var damaged = 0
    /// Where the next slice goes on; nil when this was the last.
    public var next: ReviewRequest.Place?
    public var depth = QueueDepth()

    public init() {}

    public static func == (left: ReviewResult, right: ReviewResult) -> Bool {
        left.duplicates == right.duplicates && left.released == right.released && left.waiting == right.waiting
            && left.damaged == right.damaged && left.next == right.next && left.depth == right.depth
            && left.givenUp.elementsEqual(right.givenUp, by: ==)
    }

    public var hasChanged: Bool { duplicates + released + givenUp.count > 0 }
}
