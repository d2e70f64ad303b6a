import ForwarderCore
import KafkaClient

/// Reads from Kafka, hands deliveries over, and commits what is settled. Everything that concerns the consumer happens
/// here, on one thread: polling, rebalances, pauses, commits.
final class IntakeLoop {
    /// Records taken between two looks at everything else.
    private static let recordsPerRound = 2000
    /// Longest sleep; whatever is asked of the loop waits no longer.
    private static let longestWait = Duration.milliseconds(50)
    /// Rejects that may wait for the store.
    private static let rejectLimit = 100_000

    let consumer: KafkaConsumer
    let mailboxes: Mailboxes
    let telemetry: Telemetry
    let hasher = SHA256()
    private let mailbox: Mailbox<IntakeOrder>
    private let doorbell: Doorbell
    private let pressure: Pressure
    private let heartbeats: Heartbeats

    var plan: Plan
    var intake: Intake
    var partitions: [TopicPartition: AssignedPartition] = [:]
    /// The same by what a record carries.
    private var partitionsByKey: [RecordKey: AssignedPartition] = [:]
    private var byID: [AssignmentID: AssignedPartition] = [:]
    private var lastAssignment: UInt32 = 0
    var kafka = Metrics.Kafka()
    var hasReportedMissingStore = false

    private var rejected: [RejectedEvent] = []
    private var rejectedSettlements: [Settlement] = []
    private var rejectsUnderWay = 0

    private var now = SystemClock.now
    private var nextCommit = Uptime.distantPast
    private var nextNumbers = Uptime.distantPast
    private var backedUpSince: Uptime?
    private var isPaused = false
    private var isDraining = false
    private var isFinished = false

    private struct RecordKey: Hashable {
        var topic: KafkaTopicID
        var partition: Int32
    }

    init(
        _ plan: Plan, consumer: KafkaConsumer, mailboxes: Mailboxes, doorbell: Doorbell, pressure: Pressure,
        telemetry: Telemetry, heartbeats: Heartbeats
    ) {
        self.plan = plan
        self.consumer = consumer
        self.mailboxes = mailboxes
        mailbox = mailboxes.intake
        self.doorbell = doorbell
        self.pressure = pressure
        self.telemetry = telemetry
        self.heartbeats = heartbeats
        intake = IntakeLoop.makeIntake(plan)
    }

    private static func makeIntake(_ plan: Plan) -> Intake {
        Intake(
            plan.configuration.input,
            plan.destinations.map { IntakeDestination($0.id, $0.settings, firstSeen: $0.firstSeen) })
    }

    func run() {
        while !isFinished {
            now = SystemClock.now
            heartbeats.beat(.intake, at: now.uptime)
            for order in mailbox.takeAll() { handle(order) }
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
    }

    // MARK: Orders

    private func handle(_ order: IntakeOrder) {
        switch order {
        case .settled(let settlements): settle(settlements)
        case .drain: drain()
        case .sayBounds:
            let bounds = partitions.values.compactMap { partition in
                partition.progress.lastSettled.map { (partition.id, $0) }
            }
            mailboxes.delivery.put(.finish(Dictionary(uniqueKeysWithValues: bounds)))
        case .finish: finish()
        case .reload(let plan): reload(plan)
        }
    }

    func settle(_ settlements: [Settlement]) {
        for settlement in settlements {
            // An assignment that is gone: its next owner reads the record again.
            guard let partition = byID[settlement.assignment] else { continue }
            partition.progress.settle(settlement.sequence)
        }
    }

    /// What is in half-filled batches goes back to Kafka; nobody has been told of it.
    private func drain() {
        isDraining = true
        releaseGathered(Set(byID.keys))
        flushRejects()
        sendNumbers([])
    }

    private func finish() {
        isFinished = true
        let committed = commitNow(Array(partitions.values), timeoutMilliseconds: 5000)
        let isClosed = consumer.close(timeoutMilliseconds: 5000) { _ in }
        telemetry.report(.leftGroup(isComplete: committed && isClosed))
    }

    private func reload(_ plan: Plan) {
        handOver(all: true)
        let topics = intake.topics
        self.plan = plan
        intake = IntakeLoop.makeIntake(plan)
        // Deliveries name topics by index; the order must not change while partitions are assigned.
        for topic in topics { _ = intake.index(ofTopic: topic) }
        mailboxes.delivery.put(.reload(plan))
    }

    // MARK: Records

    private func poll() {
        let linger = intake.destinations.compactMap(\.lingersUntil).min().map { $0 - now.uptime }
        let wait = max(.zero, min(IntakeLoop.longestWait, linger ?? IntakeLoop.longestWait))
        var isFirst = true
        let event = consumer.poll(
            timeoutMilliseconds: Int32(wait.milliseconds), limit: IntakeLoop.recordsPerRound
        ) { record in
            if isFirst {
                now = SystemClock.now
                isFirst = false
            }
            take(record)
        }
        now = SystemClock.now
        if let event { handle(event, now) }
    }

    private func take(_ record: borrowing KafkaRecord) {
        guard let partition = partition(of: record) else { return }
        let offset = record.offset
        let sequence = partition.progress.nextSequence
        var origin = Intake.Origin(
            topic: partition.topicIndex, partition: record.partition, offset: offset, assignment: partition.id,
            sequence: sequence, publishedAt: record.timestamp.map { Timestamp(milliseconds: $0) })
        if !partition.held.isEmpty { origin.storedFor = storedFor(partition, record) }
        partition.position = offset + 1
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
        if let known = partitionsByKey[key] { return known }
        guard let found = partitions[TopicPartition(record.topic, record.partition)] else { return nil }
        partitionsByKey[key] = found
        return found
    }

    /// The destinations for which the store holds this very record, as bits of their index.
    private func storedFor(_ partition: AssignedPartition, _ record: borrowing KafkaRecord) -> UInt64 {
        guard let positions = partition.held.removeValue(forKey: record.offset), let value = record.value else {
            return 0
        }
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
            rejected.append(
                RejectedEvent(
                    destination: destination?.id, topic: partition.partition.topic,
                    partition: partition.partition.partition, offset: offset, reasons: reasons.names, at: now.wall))
            telemetry.report(
                .rejected(
                    RejectReport(
                        destination: destination?.settings.name, reasons: reasons.names,
                        topic: partition.partition.topic, partition: partition.partition.partition, offset: offset)))
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

    private func handOver(all: Bool) {
        var batches: [(DestinationID, DeliveryBatch)] = []
        for destination in intake.destinations {
            for batch in destination.takeBatches(now: now.uptime, all: all) { batches.append((destination.id, batch)) }
        }
        if !batches.isEmpty || nextNumbers <= now.uptime { sendNumbers(batches) }
    }

    private func sendNumbers(_ batches: [(DestinationID, DeliveryBatch)]) {
        if nextNumbers <= now.uptime || isDraining {
            nextNumbers = now.uptime + .milliseconds(500)
            kafka.partitions = partitions.values.map(describe).sorted {
                ($0.topic, $0.partition) < ($1.topic, $1.partition)
            }
            kafka.uncommitted = partitions.values.reduce(0) { $0 + $1.progress.uncommittedCount }
            kafka.isPaused = isPaused
        }
        var numbers: [DestinationID: HandOver.Numbers] = [:]
        for destination in intake.destinations {
            numbers[destination.id] = .init(books: destination.books, gathering: destination.gatheredCount)
        }
        mailboxes.delivery.put(.handOver(HandOver(batches: batches, numbers: numbers, kafka: kafka)))
    }

    private func describe(_ partition: AssignedPartition) -> Metrics.Partition {
        let marks = consumer.cachedWatermarks(partition.partition)
        let committed = partition.committed ?? marks?.low
        var lag: Int64?
        if let high = marks?.high, let committed { lag = max(0, high - committed) }
        return Metrics.Partition(
            topic: partition.partition.topic, partition: partition.partition.partition, position: partition.position,
            committed: partition.committed, lag: lag)
    }

    private func flushRejects() {
        guard !rejected.isEmpty else { return }
        mailboxes.store.put(.reject(rejected, rejectedSettlements))
        rejected = []
        rejectedSettlements = []
    }

    private func releaseGathered(_ assignments: Set<AssignmentID>) {
        for destination in intake.destinations { destination.release(assignments) }
    }

    // MARK: Assignments

    func begin(_ partition: TopicPartition, held: [HeldPosition], committed: Int64?) {
        lastAssignment += 1
        let assigned = AssignedPartition(
            AssignmentID(lastAssignment), partition, topicIndex: intake.index(ofTopic: partition.topic), held: held,
            committed: committed)
        partitions[partition] = assigned
        byID[assigned.id] = assigned
        partitionsByKey.removeAll()
    }

    /// Takes everything that was settled into account, then forgets the assignments.
    func end(_ ended: [TopicPartition], isLost: Bool) {
        for order in mailbox.takeAll() { handle(order) }
        let gone = ended.compactMap { partitions[$0] }
        if !isLost { _ = commitNow(gone, timeoutMilliseconds: 5000) }
        let ids = Set(gone.map(\.id))
        flushRejects()
        releaseGathered(ids)
        for partition in gone {
            partitions[partition.partition] = nil
            byID[partition.id] = nil
        }
        partitionsByKey.removeAll()
        sendNumbers([])
        mailboxes.delivery.put(.revoked(ids))
    }

    // MARK: Pausing

    /// Pauses where the queue is full, or memory has been full for seconds; polling goes on, so the group keeps us.
    private func regulate() {
        if pressure.isBackedUp {
            backedUpSince = backedUpSince ?? now.uptime
        } else {
            backedUpSince = nil
        }
        let isStuck = backedUpSince.map { now.uptime - $0 > .seconds(2) } ?? false
        let shouldPause = pressure.isQueueFull || isStuck
        if shouldPause != isPaused {
            isPaused = shouldPause
            telemetry.report(
                shouldPause ? .intakePaused(reason: isStuck ? "memory_full" : "queue_full") : .intakeResumed)
            applyPauses()
        }
        for partition in partitions.values {
            let count = partition.progress.uncommittedCount
            let limit = AssignedPartition.uncommittedLimit
            let isOverfull = count >= limit || partition.isOverfull && count > limit / 2
            if isOverfull != partition.isOverfull {
                partition.isOverfull = isOverfull
                applyPauses()
            }
        }
    }

    /// Tells librdkafka what is paused; after an assignment it has forgotten.
    func applyPauses() {
        let paused = partitions.values.filter { isPaused || $0.isOverfull }.map(\.partition)
        let flowing = partitions.values.filter { !isPaused && !$0.isOverfull }.map(\.partition)
        do throws(KafkaError) {
            if !paused.isEmpty { _ = try consumer.pause(paused) }
            if !flowing.isEmpty { _ = try consumer.resume(flowing) }
        } catch {
            telemetry.report(.kafkaReported(severity: .warning, facility: "PAUSE", text: error.description))
        }
    }

    // MARK: Committing

    private func commitIfDue() {
        guard nextCommit <= now.uptime else { return }
        nextCommit = now.uptime + plan.configuration.kafka.commitInterval
        let due = partitions.values.filter { $0.commitable != nil }
        guard !due.isEmpty else { return }
        do throws(KafkaError) {
            try consumer.startCommit(due.compactMap(offsetToCommit))
            for partition in due { partition.committing = partition.progress.watermark }
        } catch {
            for partition in due { commitRefused(partition, error) }
        }
    }

    /// Commits and waits for it. Returns whether everything that could be committed is.
    private func commitNow(_ partitions: [AssignedPartition], timeoutMilliseconds: Int32) -> Bool {
        for partition in partitions { partition.committing = nil }
        let due = partitions.filter { $0.commitable != nil }
        guard !due.isEmpty else { return true }
        do throws(KafkaError) {
            let results = try consumer.commit(due.compactMap(offsetToCommit), timeoutMilliseconds: timeoutMilliseconds)
            committed(results)
            return results.allSatisfy { $0.error == nil }
        } catch {
            for partition in due { commitRefused(partition, error) }
            return false
        }
    }

    /// How commits ended. A refused one is tried again with the next.
    func committed(_ results: [PartitionResult]) {
        for result in results {
            guard let partition = partitions[result.partition] else { continue }
            partition.committing = nil
            if let error = result.error {
                commitRefused(partition, error)
            } else if let offset = result.offset {
                partition.committed = offset
                kafka.commits += 1
            }
        }
    }

    private func commitRefused(_ partition: AssignedPartition, _ error: KafkaError) {
        partition.committing = nil
        kafka.commitsRefused += 1
        telemetry.report(
            .commitRefused(
                PartitionReport(
                    topic: partition.partition.topic, partition: partition.partition.partition,
                    offset: partition.progress.watermark), reason: error.name))
    }

    /// The commit says which store holds what is not delivered, so that a store that vanished is noticed.
    private func offsetToCommit(_ partition: AssignedPartition) -> OffsetToCommit? {
        guard let offset = partition.commitable else { return nil }
        return OffsetToCommit(partition.partition, offset, metadata: StoreMarker.text(plan.storeIdentity))
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
