import ForwarderCore

/// The way of an event through everything that decides, without what is outside: Kafka gives, Microsoft takes and the store
/// writes at once.
struct EventPath {
    private let intake: Intake
    private let destination: IntakeDestination
    private let service: ConversionsAPI
    private var lane: DestinationLane
    private var progress = PartitionProgress()
    private var origin: Intake.Origin
    private let now = Moment(wall: Timestamp(seconds: Samples.now), uptime: Uptime(milliseconds: 0))

    private static let id = DestinationID(1)

    init() {
        let settings = Section.capi
        destination = IntakeDestination(EventPath.id, settings, firstSeen: .distantPast)
        intake = Intake(InputSettings(), [destination])
        service = ConversionsAPI(
            CAPISettings(uetTagID: "1", token: .environment("TOKEN")), endpoint: "", timeout: .zero)
        lane = DestinationLane(
            id: EventPath.id, settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(), heldGoals: [],
            state: .running, now: now, seed: 1)
        origin = Intake.Origin(
            topic: intake.index(ofTopic: "events"), partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0)
        carryOut(lane.handle(.credential(isReady: true, generation: 1), now: now))
    }

    /// Takes one record, and sends what has become full by it.
    mutating func take(_ record: Bytes) {
        intake.accept(record, origin, now: now)
        let owed = intake.dispositions.count { if case .owed = $0 { true } else { false } }
        progress.consume(offset: origin.offset, open: owed)
        origin.offset += 1
        origin.sequence += 1
        guard destination.hasReady else { return }
        for batch in destination.takeBatches(now: now.uptime) { take(batch) }
    }

    /// Takes a batch of deliveries, from which Microsoft accepts everything.
    mutating func take(_ batch: DeliveryBatch) {
        carryOut(lane.handle(.fresh(batch), now: now))
    }

    /// A batch of as many deliveries of such records as fit into one, fresh from the intake.
    static func batch(of records: [[UInt8]]) -> DeliveryBatch {
        var path = EventPath()
        var index = 0
        while !path.destination.hasReady {
            records[index % records.count].withUnsafeBufferPointer {
                path.intake.accept($0, path.origin, now: path.now)
            }
            path.origin.offset += 1
            index += 1
        }
        return path.destination.takeBatches(now: path.now.uptime)[0]
    }

    private mutating func carryOut(_ actions: [LaneAction]) {
        for action in actions {
            switch action {
            case .send(let id, let contents, let isStrict):
                _ = service.request(contents, isStrict: isStrict, token: "token")
                let answer = HTTPAnswer(status: 200, body: EventPath.answer(lane.snapshot(now: now).inFlight))
                carryOut(lane.handle(.answered(id, .answer(answer), elapsed: .milliseconds(20)), now: now))
            case .inquire(let id, let inquiry):
                let answers = inquiry.entries.map { _ in TransactionInquiry.Answer.first }
                carryOut(lane.handle(.identified(id, answers), now: now))
            case .store(let ticket, _): carryOut(lane.handle(.stored(ticket, leftOut: []), now: now))
            case .settled(let settlements):
                // A batch that is taken by itself was never consumed here.
                for settlement in settlements where settlement.sequence < progress.nextSequence {
                    progress.settle(settlement.sequence)
                }
            case .claim, .review, .release, .renewCredential, .rereadSecret, .throttleGrant, .signal, .log: break
            }
        }
    }

    private static func answer(_ count: Int) -> [UInt8] {
        Array(#"{"eventsReceived":\#(count)}"#.utf8)
    }
}
