import ForwarderCore
import KafkaClient

/// Reads from Kafka, hands deliveries over, and commits what is settled. Everything that concerns the consumer happens
/// here, on one thread: polling, rebalances, pauses, commits.
final class IntakeLoop {
    /// Records taken between two looks at everything else; fewer when they are large.
    private static let recordsPerRound = 50...2000
    private static let bytesPerRound = 8 << 20
    /// Longest sleep; whatever is asked of the loop waits no longer.
    private static let longestWait = Duration.milliseconds(50)
    /// The same where nothing has come from Kafka for a while: then little is asked.
    private static let longestQuietWait = Duration.milliseconds(200)
    private static let quietAfter = Duration.seconds(2)
    private static let numbersInterval = Duration.milliseconds(500)

    let consumer: KafkaConsumer
    let mailboxes: Mailboxes
    let telemetry: Telemetry
    let pressure: Pressure
    let heartbeats: Heartbeats
    let end: ProcessEnd
    let doorbell: Doorbell
    private let hasher = SHA256()

    var plan: Plan
    var intake: Intake
    /// What was counted before the last reload.
    private var earlierBooks: [DestinationID: IntakeBooks] = [:]
    var partitions: [TopicPartition: AssignedPartition] = [:]
    /// The same by what a record carries.
    private var partitionsByKey: [RecordKey: AssignedPartition] = [:]
    /// That of the last record: the next one's is mostly the same.
    private var latest: (key: RecordKey, partition: AssignedPartition)?
    /// By id; also those that ended because Kafka has gone back behind them.
    var assignments: [AssignmentID: AssignedPartition] = [:]
    private var lastAssignment: UInt32 = 0
    var kafka = Metrics.Kafka()
    var hasReportedMissingStore = false

    private var rejected: [RejectedEvent] = []
    private var rejectedSettlements: [Settlement] = []

    var now = SystemClock.now
    private var roundLimit = recordsPerRound.upperBound
    private var roundBytes = 0
    /// When the last record came.
    private var lastRecord = Uptime.distantPast
    private var nextNumbers = Uptime.distantPast
    var nextCommit = Uptime.distantPast
    var backedUpSince: Uptime?
    var isPaused = false
    var nextPauses = Uptime.distantFuture
    private var isDraining = false
    private var isFinished = false

    private struct RecordKey: Hashable {
        var topic: KafkaTopicID
        var partition: Int32
    }

    init(
        _ plan: Plan, consumer: KafkaConsumer, mailboxes: Mailboxes, doorbell: Doorbell, pressure: Pressure,
        telemetry: Telemetry, heartbeats: Heartbeats, end: ProcessEnd
    ) {
        self.plan = plan
        self.consumer = consumer
        self.mailboxes = mailboxes
        self.doorbell = doorbell
        self.pressure = pressure
        self.telemetry = telemetry
        self.heartbeats = heartbeats
        self.end = end
        intake = plan.makeIntake()
    }

    func run() {
        while !isFinished {
            now = SystemClock.now
            heartbeats.beat(.intake, at: now.uptime)
            takeOrders()
            if isFinished { break }
            if isDraining {
                doorbell.wait(timeout: .milliseconds(20))
                continue
            }
            regulate()
            if pressure.isBackedUp, !isPaused {
                // Kafka keeps what is not polled; a pause would throw the prefetched records away.
                doorbell.wait(timeout: .milliseconds(5))
            } else {
                poll()
            }
            handOver(all: false)
            flushRejects()
            commitIfDue()
        }
        finish()
    }

    // MARK: Orders

    func takeOrders() {
        for order in mailboxes.intake.takeAll() { handle(order) }
    }

    private func handle(_ order: IntakeOrder) {
        switch order {
        case .settled(let settlements): settle(settlements)
        case .drain: drain()
        case .sayBounds: mailboxes.delivery.put(.finish(bounds))
        case .finish: isFinished = true
        case .reload(let plan): reload(plan)
        }
    }

    private func settle(_ settlements: [Settlement]) {
        // They come by the thousand, and mostly of few partitions.
        var last: (id: AssignmentID, assignment: AssignedPartition?)?
        for settlement in settlements {
            if last?.id != settlement.assignment { last = (settlement.assignment, assignments[settlement.assignment]) }
            // An assignment that is gone: its next owner reads the record again.
            last?.assignment?.progress.settle(settlement.sequence)
        }
    }

    /// Reads nothing more. What is in half-filled batches is handed over: whether it goes back to Kafka depends on what
    /// stands behind it.
    private func drain() {
        isDraining = true
        handOver(all: true)
        flushRejects()
        sendNumbers([])
    }

    /// Up to where each assignment has to be finished, lest what was settled behind it be repeated. What Kafka may not have
    /// any more has to be finished as a whole.
    private var bounds: [AssignmentID: UInt64] {
        assignments.compactMapValues { assignment in
            isCurrent(assignment) ? assignment.progress.lastSettled : .max
        }
    }

    private func finish() {
        settleRejects()
        let isCommitted = commitNow(Array(partitions.values), timeoutMilliseconds: 5000)
        // Where nobody answered to the commit nobody will hear of the leaving.
        let isClosed = consumer.close(timeoutMilliseconds: isCommitted ? 5000 : 2000) { event in
            // Everything is committed; only what is said is of interest.
            switch event {
            case .error, .log: handle(event)
            default: break
            }
        }
        telemetry.report(.leftGroup(isComplete: isCommitted && isClosed))
    }

    private func reload(_ plan: Plan) {
        handOver(all: true)
        for destination in intake.destinations {
            earlierBooks[destination.id, default: IntakeBooks()] += destination.books
        }
        let topics = intake.topics
        self.plan = plan
        intake = plan.makeIntake()
        // Deliveries name topics by index; the order must not change while partitions are assigned.
        for topic in topics { _ = intake.index(ofTopic: topic) }
        mailboxes.delivery.put(.reload(plan))
    }

    // MARK: Records

    private func poll() {
        let linger = intake.destinations.compactMap(\.lingersUntil).min().map { $0 - now.uptime }
        let isQuiet = lastRecord + IntakeLoop.quietAfter < now.uptime
        let longest = isQuiet ? IntakeLoop.longestQuietWait : IntakeLoop.longestWait
        let wait = max(.zero, min(longest, linger ?? longest))
        var isFirst = true
        roundBytes = 0
        let event = consumer.poll(timeoutMilliseconds: Int32(wait.milliseconds), limit: roundLimit) { record in
            if isFirst {
                now = SystemClock.now
                isFirst = false
            }
            take(record)
        }
        if !isFirst { lastRecord = now.uptime }
        let fitting = roundBytes > IntakeLoop.bytesPerRound ? roundLimit / 2 : roundLimit * 2
        roundLimit = min(max(fitting, IntakeLoop.recordsPerRound.lowerBound), IntakeLoop.recordsPerRound.upperBound)
        now = SystemClock.now
        if let event { handle(event) }
    }

    private func take(_ record: borrowing KafkaRecord) {
        guard var partition = partition(of: record) else { return }
        let offset = record.offset
        switch partition.arrival(at: offset) {
        case .next: break
        case .repeated: return
        case .ofAnotherLog: partition = renew(partition)
        }
        partition.position = offset + 1
        if partition.held == nil { partition.held = HeldRecords(held([(partition.partition, offset)])[0]) }
        let sequence = partition.progress.nextSequence
        var origin = Intake.Origin(
            topic: partition.topicIndex, partition: record.partition, offset: offset, assignment: partition.id,
            sequence: sequence, publishedAt: record.timestamp.map { Timestamp(milliseconds: $0) })
        origin.storedFor = storedFor(partition, record)
        roundBytes += record.value?.count ?? 0
        intake.accept(record.value, origin, now: now)

        var owed = 0
        var isRejected = false
        for disposition in intake.dispositions {
            switch disposition {
            case .owed: owed += 1
            case .skipped: break
            case .rejected: isRejected = true
            }
        }
        partition.progress.consume(offset: offset, open: owed + (isRejected ? 1 : 0))
        if isRejected { reject(partition, offset, sequence) }
    }

    private func partition(of record: borrowing KafkaRecord) -> AssignedPartition? {
        let key = RecordKey(topic: record.topicID, partition: record.partition)
        if let latest, latest.key == key { return latest.partition }
        var known = partitionsByKey[key]
        if known == nil {
            known = partitions[TopicPartition(record.topic, record.partition)]
            partitionsByKey[key] = known
        }
        latest = known.map { (key, $0) }
        return known
    }

    /// The destinations for which the store holds this very record, as bits of their index.
    private func storedFor(_ partition: AssignedPartition, _ record: borrowing KafkaRecord) -> UInt64 {
        guard partition.held?.isEmpty == false, let positions = partition.held?.take(at: record.offset),
            !positions.isEmpty, let value = record.value
        else { return 0 }
        let hash = hasher.prefix64(value)
        var bits: UInt64 = 0
        for position in positions where position.payloadHash == hash {
            if let index = intake.destinations.firstIndex(where: { $0.id == position.destination }) {
                bits |= 1 << UInt64(index)
            }
        }
        return bits
    }

    private func reject(_ partition: AssignedPartition, _ offset: Int64, _ sequence: UInt64) {
        func add(_ destination: IntakeDestination?, _ reasons: RejectReasons) {
            let (topic, number) = (partition.partition.topic, partition.partition.partition)
            rejected.append(
                RejectedEvent(
                    destination: destination?.id, topic: topic, partition: number, offset: offset,
                    reasons: reasons.names, at: now.wall))
            telemetry.report(
                .rejected(
                    RejectReport(
                        destination: destination?.settings.name, reasons: reasons.names, topic: topic,
                        partition: number, offset: offset)))
        }
        if let first = intake.dispositions.first, case .rejected(let reasons) = first, reasons.isOfRecord {
            add(nil, reasons)
        } else {
            for (index, disposition) in intake.dispositions.enumerated() {
                if case .rejected(let reasons) = disposition { add(intake.destinations[index], reasons) }
            }
        }
        rejectedSettlements.append(Settlement(assignment: partition.id, sequence: sequence))
    }

    // MARK: Handing over

    func handOver(all: Bool) {
        var batches: [(DestinationID, DeliveryBatch)] = []
        for destination in intake.destinations {
            for batch in destination.takeBatches(now: now.uptime, all: all) { batches.append((destination.id, batch)) }
        }
        if !batches.isEmpty || nextNumbers <= now.uptime { sendNumbers(batches) }
    }

    func sendNumbers(_ batches: [(DestinationID, DeliveryBatch)]) {
        if nextNumbers <= now.uptime || isDraining {
            nextNumbers = now.uptime + IntakeLoop.numbersInterval
            describeKafka()
        }
        var numbers: [DestinationID: HandOver.Numbers] = [:]
        for destination in intake.destinations {
            var books = earlierBooks[destination.id] ?? IntakeBooks()
            books += destination.books
            numbers[destination.id] = .init(books: books, gathering: destination.gatheredCount)
        }
        let handOver = HandOver(batches: batches, numbers: numbers, kafka: kafka)
        pressure.addHandedOver(bytes: handOver.byteCount)
        mailboxes.delivery.put(.handOver(handOver))
    }

    func flushRejects() {
        guard !rejected.isEmpty else { return }
        pressure.addRejects(rejected.count)
        mailboxes.store.put(.reject(rejected, rejectedSettlements))
        rejected = []
        rejectedSettlements = []
    }

    /// The store takes its time with rejects, and only then do they count as settled. Before a last commit it is asked to
    /// make haste: what is settled behind a reject would be repeated.
    func settleRejects() {
        flushRejects()
        if pressure.hasRejects {
            let reply = Reply<Void>()
            mailboxes.store.put(.write(reply))
            // On a disk that hangs they stay with Kafka.
            _ = reply.wait(timeout: .seconds(2))
        }
        takeOrders()
    }

    // MARK: Assignments

    func begin(_ partition: TopicPartition, held: [HeldPosition]?, committed: Int64?, start: Int64? = nil) {
        lastAssignment += 1
        let assigned = AssignedPartition(
            AssignmentID(lastAssignment), partition, topicIndex: intake.index(ofTopic: partition.topic),
            committed: committed, start: start)
        assigned.held = held.map { HeldRecords($0) }
        partitions[partition] = assigned
        assignments[assigned.id] = assigned
        forgetKeys()
    }

    /// What librdkafka calls a topic is good as long as nothing is given or taken.
    func forgetKeys() {
        partitionsByKey.removeAll()
        latest = nil
    }

    /// What was read of the old log is finished, but nothing of it is to be committed any more.
    private func renew(_ old: AssignedPartition) -> AssignedPartition {
        begin(old.partition, held: nil, committed: nil)
        // It was put there just now.
        let renewed = partitions[old.partition] ?? old
        renewed.isPaused = old.isPaused
        return renewed
    }
}

extension RejectReasons {
    /// The record itself cannot be read, whoever it is for.
    var isOfRecord: Bool {
        all.allSatisfy { reason in
            switch reason {
            case .malformedJSON, .notAnObject, .invalidUTF8, .tooDeep, .eventTooLarge: true
            default: false
            }
        }
    }
}
