import ForwarderCore

/// The inside of one run of the daemon: the real intake, progress, lanes and grant, with the memory of the threads around
/// them. All of it is gone when the process dies.
final class SimulatedProcess {
    /// One assignment of one partition.
    struct Assignment {
        var id: AssignmentID
        var progress = PartitionProgress()
        /// Index of the next record to be read.
        var position: Int
        var held: [Int64: [HeldPosition]]
    }

    /// What another thread is told.
    enum Note {
        case fresh(Int, DeliveryBatch)
        case revoked(Set<AssignmentID>)
        case lane(Int, LaneInput)
        case settled([Settlement])
        case work(Int, StoreTicket, [StoreWork])
        case claim(Int, ClaimRequest)
        case inquire(Int, InquiryID, TransactionInquiry)
        case review(Int, ReviewRequest)
        case release([RowID])
        case reject([RejectedEvent], [Settlement])
    }

    /// Threads; what is told to one of them arrives in order.
    enum Receiver: Int, CaseIterable {
        case intake, delivery, store
    }

    enum Phase {
        case running
        /// Nothing is read or sent; requests in flight may finish.
        case draining
        /// The lanes are being told the end.
        case ending
        /// What the lanes handed over is being written.
        case finishing
    }

    let life: Int
    let intake: Intake
    /// Makes the form that goes to disk; on the store's thread, so it has an intake of its own.
    let neutralizer: Neutralizer
    private let hasher = SHA256()
    let topic: UInt16
    var lanes: [DestinationLane]
    /// When each lane wants to be woken.
    var wakes: [Uptime]
    /// What the lanes were last told about the queues.
    var depths: [QueueDepth]
    var assignments: [Int: Assignment] = [:]
    var partitionOf: [AssignmentID: Int] = [:]
    private var lastAssignment: UInt32 = 0

    var backlog = StoreBacklog()
    var claims: [(lane: Int, request: ClaimRequest)] = []
    var inquiries: [(lane: Int, id: InquiryID, inquiry: TransactionInquiry)] = []
    var reviews: [(lane: Int, request: ReviewRequest)] = []
    var isStoreBusy = false
    var isStoreInTrouble = false

    var grant: OAuthGrant
    var accessToken: String?
    var tokenGeneration = 0
    var tagToken: String
    var tagTokenGeneration = 1
    var isLookDue = false

    var lastArrival: [Receiver: Int64] = [:]
    /// Deliveries that are on their way from the intake to the lanes.
    var inTransit: [Int]
    var isPollDue = false
    var isCommitDue = false
    var phase = Phase.running
    var isDraining: Bool { phase != .running }

    init(
        life: Int, settings: [DestinationSettings], lanes: [DestinationLane], grant: OAuthGrant, tagToken: String
    ) {
        self.life = life
        self.lanes = lanes
        wakes = Array(repeating: .distantPast, count: lanes.count)
        depths = Array(repeating: QueueDepth(), count: lanes.count)
        self.grant = grant
        self.tagToken = tagToken
        func makeIntake() -> Intake {
            Intake(
                InputSettings(),
                zip(lanes, settings).map { IntakeDestination($0.id, $1, firstSeen: .distantPast) })
        }
        intake = makeIntake()
        neutralizer = Neutralizer(makeIntake())
        topic = intake.index(ofTopic: ModelKafka.topic)
        inTransit = Array(repeating: 0, count: lanes.count)
    }

    func newAssignment() -> AssignmentID {
        lastAssignment += 1
        return AssignmentID(lastAssignment)
    }

    /// What the store holds of a record already, as bits of the destinations' indexes.
    func storedFor(_ partition: Int, _ record: ModelKafka.Record) -> UInt64 {
        guard let positions = assignments[partition]?.held.removeValue(forKey: record.offset), let value = record.value
        else { return 0 }
        let hash = value.withUnsafeBufferPointer { hasher.prefix64($0) }
        var bits: UInt64 = 0
        for position in positions where position.payloadHash == hash {
            if let index = lanes.firstIndex(where: { $0.id == position.destination }) { bits |= 1 << UInt64(index) }
        }
        return bits
    }
}
