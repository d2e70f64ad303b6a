import DeliveryStore
import ForwarderCore
import Synchronization

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
    case depths([DestinationID: QueueDepth])
    case storeState(Metrics.Store, oldest: [DestinationID: Int64])
    case command(LaneCommand, DestinationID)
    case reload(Plan)
    /// Send nothing more; the answers on their way have until then.
    case drain(until: Uptime)
    case finish([AssignmentID: UInt64])
}

/// What an operator does to a lane.
enum LaneCommand: Sendable {
    case pause, resume
    case replayed(Int)
    case discarded(Int)
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
}

/// What the store loop is told.
enum StoreOrder: Sendable {
    case work(DestinationID, StoreTicket, [StoreWork])
    case claim(DestinationID, ClaimRequest)
    case release([RowID])
    /// Rejects, and what may be committed once they are on disk.
    case reject([RejectedEvent], [Settlement])
    case held(topic: String, partition: Int32, from: Int64, Reply<[HeldPosition]>)
    /// Something to be looked up or done by hand, between two transactions.
    case inspect(@Sendable (DeliveryStore) -> Void)
    case reload(Plan)
    /// Write what can be written, then end.
    case close
}

/// How the loops reach each other.
struct Mailboxes: Sendable {
    let intake: Mailbox<IntakeOrder>
    let delivery: Mailbox<DeliveryOrder>
    let store: Mailbox<StoreOrder>
}

/// What the delivery loop wants the intake to know at once.
final class Pressure: Sendable {
    private let flags = Atomic<UInt8>(0)

    /// More is in memory than may be: wait a little.
    var isBackedUp: Bool { flags.load(ordering: .relaxed) & 1 != 0 }
    /// A queue is at its limit: pause.
    var isQueueFull: Bool { flags.load(ordering: .relaxed) & 2 != 0 }

    func set(isBackedUp: Bool, isQueueFull: Bool) {
        flags.store((isBackedUp ? 1 : 0) | (isQueueFull ? 2 : 0), ordering: .relaxed)
    }
}
