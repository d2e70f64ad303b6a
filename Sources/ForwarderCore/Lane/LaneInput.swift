/// What a lane is told.
public enum LaneInput: Sendable {
    /// Deliveries fresh from the intake.
    case fresh(DeliveryBatch)
    /// The answer to a request, or why there is none.
    case answered(RequestID, HTTPOutcome, elapsed: Duration)
    /// The answer to an inquiry, in its order; nil if the store could not read.
    case identified(InquiryID, [TransactionInquiry.Answer]?)
    /// The answer to a review; nil if the store could not do it.
    case reviewed(ReviewResult?)
    /// The answer to a claim; nil if the store could not read.
    case claimed(Claim?)
    /// What was handed over under this ticket is on disk. `leftOut` rows, of this ticket or another one that was written
    /// with it, are not: the store held their deliveries already.
    case stored(StoreTicket, leftOut: [RowID])
    /// Rows whose time ran out in the queue are dead letters now.
    case expired(count: Int)
    /// Whether the store can write.
    case storeHealth(isWritable: Bool)
    /// How much is in the queue on disk.
    case depth(QueueDepth)
    /// Kafka has given partitions to this process.
    case reading
    /// These assignments are gone; their next owner reads the records again.
    case revoked(Set<AssignmentID>)
    /// An operator's hand, or what he did before the process started.
    case pause, resume, halt
    /// Dead letters put back into the queue.
    case replayed(count: Int)
    /// Rows thrown away that were not claimed.
    case discarded(count: Int)
    /// The same, as they were one person's.
    case erased(count: Int)
    /// A credential is there (again), or not. `generation` rises with each new one.
    case credential(isReady: Bool, generation: Int)
    /// Another destination of the same grant was told to wait.
    case throttled(until: Uptime)
    /// The wall clock was set back: what was told to wait for a time by the clock as it was would wait too long. Told once
    /// more when the rows in the queue are due.
    case clockSetBack
    /// Time has passed.
    case tick
    /// The configuration was read anew: go on by these settings, or put everything into the queue and send no more.
    case reconfigure(DestinationSettings)
    case leave
    /// Shutdown: send nothing more, finish what is in flight.
    case drain
    /// Shutdown: everything that is not settled, and stands at or before the sequence of its assignment, goes to the
    /// queue; the rest stays with Kafka.
    case finish([AssignmentID: UInt64])
}

/// What a lane wants done. The shell does it and tells the outcome as input.
public enum LaneAction: Sendable {
    /// Send these entries as one request, and say `answered` whatever becomes of it. `isStrict`: one bad entry makes the
    /// whole request void.
    case send(RequestID, contents: [UInt8], isStrict: Bool)
    /// Commit these, behind what was handed over before, then say `stored` with the ticket.
    case store(StoreTicket, [StoreWork])
    case claim(ClaimRequest)
    /// Ask the ledger and the queue, and say `identified`.
    case inquire(InquiryID, TransactionInquiry)
    /// Look through the rows that wait behind others, and say `reviewed`.
    case review(ReviewRequest)
    /// Un-claim these rows; nothing about them changed.
    case release([RowID])
    /// These deliveries hold their offsets back no longer.
    case settled([Settlement])
    /// Get a new credential, the one in use is refused.
    case renewCredential
    /// Read the secrets anew before the next probe.
    case rereadSecret
    /// Every destination of the same grant must wait until then.
    case throttleGrant(until: Uptime)
    case signal(Signal)
    /// For the delivery log; nothing depends on it.
    case log(SettledDeliveries)
}

/// A delivery that its partition waits for no longer.
public struct Settlement: Sendable, Equatable {
    public var assignment: AssignmentID
    public var sequence: UInt64

    public init(assignment: AssignmentID, sequence: UInt64) {
        self.assignment = assignment
        self.sequence = sequence
    }
}

/// Names one inquiry.
public struct InquiryID: Hashable, Sendable {
    public var rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// Names one hand-over to the store.
public struct StoreTicket: Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static func < (left: StoreTicket, right: StoreTicket) -> Bool { left.rawValue < right.rawValue }
}
