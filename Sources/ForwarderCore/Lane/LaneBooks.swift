/// What a lane has done with what it received. Every delivery is at every moment in exactly one of these.
public struct LaneBooks: Sendable, Equatable {
    // What came in.
    public var received = 0
    /// Found in the queue at start.
    public var restored = 0
    public var replayed = 0

    // What became of it.
    public var delivered = 0
    /// Of the delivered: those that Microsoft did not confirm in so many words.
    public var deliveredUnconfirmed = 0
    /// Mapped in shadow mode, or found in the queue already.
    public var skippedShadow = 0
    public var skippedAlreadyStored = 0
    /// Another record of the same transaction was delivered.
    public var skippedDuplicate = 0
    public var deadLetteredData = 0
    public var deadLetteredRefused = 0
    public var deadLetteredExpired = 0
    public var deadLetteredUnclear = 0
    /// Thrown away by an operator, or unreadable and put aside.
    public var discarded = 0
    /// Given back to Kafka with their partition.
    public var released = 0

    // What happened on the way.
    public var attempts = 0
    public var requests = 0
    public var requestsWithoutAnswer = 0
    public var retried = 0
    public var warnings = 0
    public var spilled = 0
    public var quarantined = 0
    /// Of the discarded: those erased for a person's sake.
    public var erased = 0
    public var gateClosings = 0
    /// Delivered transactions that could not be written to the ledger.
    public var notRemembered = 0
    public var deliveredWithEmail = 0
    public var deliveredWithPhone = 0
    public var deliveredWithClickID = 0
    /// Requests by what they came to; the index is the raw value.
    public var outcomes = [Int](repeating: 0, count: RequestOutcome.allCases.count)
    public var transportFaults: [TransportFault: Int] = [:]

    public init() {}

    public var skipped: Int { skippedShadow + skippedAlreadyStored + skippedDuplicate }
    public var deadLettered: Int {
        deadLetteredData + deadLetteredRefused + deadLetteredExpired + deadLetteredUnclear
    }

    public func deadLettered(_ reasonClass: DeadLetterCause.Class) -> Int {
        switch reasonClass {
        case .data: deadLetteredData
        case .refused: deadLetteredRefused
        case .expired: deadLetteredExpired
        case .unclear: deadLetteredUnclear
        }
    }

    mutating func count(_ outcome: HTTPOutcome, _ verdict: Verdict) {
        switch outcome {
        case .answer: outcomes[Int(RequestOutcome(verdict.others).rawValue)] += 1
        case .noAnswer(let fault):
            requestsWithoutAnswer += 1
            outcomes[Int(RequestOutcome.noAnswer.rawValue)] += 1
            transportFaults[fault, default: 0] += 1
        }
    }

    mutating func countDeadLetter(_ reasonClass: DeadLetterCause.Class) {
        switch reasonClass {
        case .data: deadLetteredData += 1
        case .refused: deadLetteredRefused += 1
        case .expired: deadLetteredExpired += 1
        case .unclear: deadLetteredUnclear += 1
        }
    }
}

/// The state of a lane at one moment, for status, metrics and the books.
public struct LaneSnapshot: Sendable {
    public var id: DestinationID
    public var name: String
    public var books: LaneBooks
    /// The gate's state in one word, and why where there is a reason.
    public var gate: String
    public var gateReason: String?
    /// In the queue on disk, or on the way there.
    public var pending: Int
    /// In memory only.
    public var inFlight: Int
    public var requestsInFlight: Int
    public var memoryBytes: Int
    public var depth: QueueDepth
    public var isCredentialReady: Bool
    /// Bytes at which the queue is full.
    public var queueLimitBytes: Int64
    /// Goals that Microsoft does not know.
    public var heldGoals: Int
    /// This clock minus Microsoft's; nil before the first answer that has a date.
    public var clockOffset: Duration?

    /// What came in minus what became of it; 0, or there is a fault in this program.
    public var unaccounted: Int {
        books.received + books.restored + books.replayed
            - (books.delivered + books.skipped + books.deadLettered + books.discarded + books.released + pending
                + inFlight)
    }
}
