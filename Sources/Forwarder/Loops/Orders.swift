import DeliveryStore
import ForwarderCore

/// A destination as it runs: its settings and what the store knows of it.
struct PlannedDestination: Sendable {
    var id: DestinationID
    var settings: DestinationSettings
    var firstSeen: Timestamp
    var state: DestinationState
    var depth: QueueDepth
    var heldGoals: [String]
}

/// What the loops are built from, and rebuilt from on reload.
struct Plan: Sendable {
    var configuration: Configuration
    var destinations: [PlannedDestination]
    /// Of the store's identity, its name in commits.
    var storeIdentity: String
    /// Deliveries that wait for destinations which are configured no longer, by name.
    var detached: [String: Int]

    /// An intake by this plan, for one thread.
    func makeIntake() -> Intake {
        Intake(
            configuration.input,
            destinations.map { IntakeDestination($0.id, $0.settings, firstSeen: $0.firstSeen) })
    }
}

/// What the intake loop is told.
enum IntakeOrder: Sendable {
    case settled([Settlement])
    /// Read nothing more; everything that was not handed over stays with Kafka.
    case drain
    /// Tell the delivery loop up to where each assignment has to be finished.
    case sayBounds
    /// Commit what is settled, leave the group, end.
    case finish
    case reload(Plan)
}

/// What the delivery loop is told.
enum DeliveryOrder: Sendable {
    case handOver(HandOver)
    case revoked(Set<AssignmentID>)
    case stored(DestinationID, StoreTicket, leftOut: [RowID])
    case expired(DestinationID, count: Int)
    case claimed(DestinationID, Claim?)
    case identified(DestinationID, InquiryID, [TransactionInquiry.Answer]?)
    case reviewed(DestinationID, ReviewResult?)
    case depths([DestinationID: QueueDepth])
    case storeState(StoreState)
    /// What is in the queue was brought forward.
    case hastened(DestinationID)
    /// The reply comes when the lane has been told.
    case command(LaneCommand, DestinationID, Reply<Void>?)
    /// To be sent outside the lanes.
    case test(TestRequest, Reply<TestResult>)
    case verdicts(VerdictRequest, Reply<VerdictAnswer>)
    case account(AccountOrder)
    case reload(Plan)
    /// Send nothing more; the answers on their way have until then.
    case drain(until: Uptime)
    /// Up to where each assignment has to be finished.
    case finish([AssignmentID: UInt64])
}

/// How the store is, and what is in it.
struct StoreState: Sendable {
    var numbers: Metrics.Store
    /// Whether deliveries may be put into the queue and claimed from it.
    var takesWork: Bool
    /// Event times, in seconds, of those that must be sent soonest.
    var oldest: [DestinationID: Int64] = [:]
    /// Deliveries of destinations that are not configured, by name.
    var detached: [String: Int] = [:]
}

/// What an operator does to a lane.
enum LaneCommand: Sendable {
    case pause, resume
    case replayed(Int)
    case discarded(Int)
    case erased(Int)
}

/// From intake to delivery: batches, and numbers that belong to exactly this moment.
struct HandOver: Sendable {
    struct Numbers: Sendable {
        var books: IntakeBooks
        /// Deliveries that the intake still gathers.
        var gathering: Int
    }

    var batches: [(DestinationID, DeliveryBatch)]
    var numbers: [DestinationID: Numbers]
    var kafka: Metrics.Kafka

    var byteCount: Int { batches.reduce(0) { $0 + $1.1.byteCount } }
}

/// What the store loop is told.
enum StoreOrder: Sendable {
    case work(DestinationID, StoreTicket, [StoreWork])
    case claim(DestinationID, ClaimRequest)
    case inquire(InquiryID, TransactionInquiry)
    case review(ReviewRequest)
    case release([RowID])
    /// What became of deliveries, and when. Nobody waits for it.
    case log(DestinationID, SettledDeliveries, at: Timestamp)
    /// What Microsoft made of conversions, likewise.
    case logVerdicts(DestinationID, [GoalDay], at: Timestamp)
    /// Rejects, and what may be committed once they are on disk.
    case reject([RejectedEvent], [Settlement])
    /// Write what was handed over before, without waiting for more of it. The reply comes when that is done, or cannot be.
    case write(Reply<Void>)
    /// What the store has of these partitions at or behind these offsets.
    case held([HeldQuestion], Reply<[[HeldPosition]]>)
    /// Something to be looked up or done by hand, between two transactions.
    case inspect(@Sendable (DeliveryStore, Plan) -> Void)
    /// Begin new files of the delivery log: the others are not written to any more.
    case rotateDeliveryLog(Reply<Void>)
    case reload(Plan)
    /// Nothing that is in the queue of a destination, or with nil in any, waits longer than to this time.
    case hasten(at: Timestamp, of: DestinationID?)
    /// Write what can be written, then end.
    case close
}

/// What the intake must know of a partition before it reads.
struct HeldQuestion: Sendable {
    var topic: String
    var partition: Int32
    var from: Int64
}

/// How the loops reach each other.
struct Mailboxes: Sendable {
    let intake: Mailbox<IntakeOrder>
    let delivery: Mailbox<DeliveryOrder>
    let store: Mailbox<StoreOrder>
}
