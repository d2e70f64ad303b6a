import ForwarderCore

/// The intake's thread: reads, hands over, settles, commits; partitions come and go.
extension Simulation {
    // MARK: Assignments

    mutating func assign(_ partitions: [Int]) {
        guard let process, !process.isDraining else { return }
        // What was handed over before must be on disk before the store is asked.
        writeBacklog()
        for partition in partitions where process.assignments[partition] == nil {
            let log = kafka.partitions[partition]
            let held = store.heldPositions(
                topic: ModelKafka.topic, partition: Int32(partition), from: log.committed ?? 0)
            let id = process.newAssignment()
            process.assignments[partition] = .init(
                id: id, position: log.committedCount, held: Dictionary(grouping: held, by: \.offset))
            process.partitionOf[id] = partition
            trace("assigned \(partition) as \(id.rawValue) from \(log.committed ?? 0)")
        }
        if !process.assignments.isEmpty {
            for index in process.lanes.indices { send(.lane(index, .reading), to: .delivery) }
        }
        pollSoon()
    }

    mutating func revoke(_ partitions: [Int]) {
        guard let process, !process.isDraining else { return }
        let gone = partitions.filter { process.assignments[$0] != nil }
        commit()
        let ids = Set(gone.compactMap { process.assignments[$0]?.id })
        for destination in process.intake.destinations { destination.release(ids) }
        for partition in gone { process.assignments[partition] = nil }
        for id in ids { process.partitionOf[id] = nil }
        trace("revoked \(ids.map(\.rawValue).sorted())")
        send(.revoked(ids), to: .delivery)
    }

    // MARK: Reading

    mutating func pollSoon(_ milliseconds: Int64 = 1) {
        guard let process, !process.isPollDue, !process.isDraining else { return }
        process.isPollDue = true
        after(milliseconds, .poll(life: process.life))
    }

    mutating func poll() {
        guard let process else { return }
        process.isPollDue = false
        guard !process.isDraining else { return }
        let isHeldUp = process.lanes.contains { $0.isBackedUp || $0.isQueueFull }
        if !isHeldUp { for partition in process.assignments.keys.sorted() { read(partition, process) } }
        for (index, destination) in process.intake.destinations.enumerated() {
            for batch in destination.takeBatches(now: now.uptime) {
                process.inTransit[index] += batch.count
                send(.fresh(index, batch), to: .delivery)
            }
        }
        checkIntake()
        if isHeldUp {
            pollSoon(5000)
        } else if process.assignments.contains(where: { $1.position < kafka.partitions[$0].records.count }) {
            pollSoon(20)
        } else if let linger = process.intake.destinations.compactMap(\.lingersUntil).min() {
            pollSoon(max(1, (linger - now.uptime).milliseconds))
        }
    }

    private mutating func read(_ partition: Int, _ process: SimulatedProcess) {
        for _ in 0..<20 {
            guard let assignment = process.assignments[partition],
                assignment.position < kafka.partitions[partition].records.count
            else { return }
            let record = kafka.partitions[partition].records[assignment.position]
            let sequence = assignment.progress.nextSequence
            let origin = Intake.Origin(
                topic: process.topic, partition: Int32(partition), offset: record.offset, assignment: assignment.id,
                sequence: sequence, publishedAt: now.wall, storedFor: process.storedFor(partition, record))
            if let value = record.value {
                value.withUnsafeBufferPointer { process.intake.accept($0, origin, now: now) }
            } else {
                process.intake.accept(nil, origin, now: now)
            }
            var owed = 0
            var isRejected = false
            for (index, disposition) in process.intake.dispositions.enumerated() {
                checkDisposition(disposition, of: record, partition, index)
                if disposition == .owed { owed += 1 }
                if case .rejected = disposition { isRejected = true }
            }
            process.assignments[partition]?.position += 1
            process.assignments[partition]?.progress.consume(offset: record.offset, open: owed + (isRejected ? 1 : 0))
            if isRejected {
                let event = RejectedEvent(
                    destination: nil, topic: ModelKafka.topic, partition: Int32(partition), offset: record.offset,
                    reasons: [], at: now.wall)
                send(.reject([event], [Settlement(assignment: assignment.id, sequence: sequence)]), to: .store)
            }
            if owed == 0 { commitSoon() }
        }
    }

    // MARK: Settling

    mutating func settle(_ settlements: [Settlement]) {
        guard let process else { return }
        for settlement in settlements {
            // An assignment that is gone: its next owner reads the record again.
            guard let partition = process.partitionOf[settlement.assignment] else { continue }
            process.assignments[partition]?.progress.settle(settlement.sequence)
        }
        commitSoon()
    }

    private mutating func commitSoon() {
        guard let process, !process.isCommitDue else { return }
        process.isCommitDue = true
        after(1000, .commit(life: process.life))
    }

    mutating func commit() {
        guard let process else { return }
        process.isCommitDue = false
        for (partition, assignment) in process.assignments.sorted(by: { $0.key < $1.key }) {
            guard let watermark = assignment.progress.watermark, watermark != kafka.partitions[partition].committed
            else {
                continue
            }
            let passed = kafka.commit(partition, watermark)
            trace("committed \(watermark) of \(partition)")
            checkCommitted(passed, of: partition)
        }
    }

    // MARK: Stopping

    /// SIGTERM: nothing more is read or sent; what is in flight may finish.
    mutating func stop() {
        guard let process, !process.isDraining else { return }
        trace("stopping")
        process.phase = .draining
        let ids = Set(process.partitionOf.keys)
        for destination in process.intake.destinations { destination.release(ids) }
        checkIntake()
        for index in process.lanes.indices { send(.lane(index, .drain), to: .delivery) }
        after(25_000, .drainDeadline(life: process.life))
        watchDrain()
    }

    /// Goes on with the shutdown when the requests in flight are answered, or the store has written everything.
    mutating func watchDrain() {
        guard let process else { return }
        switch process.phase {
        case .running, .ending: break
        case .draining:
            let isQuiet = process.inTransit.allSatisfy { $0 == 0 }
            if isQuiet, process.lanes.allSatisfy(\.isAnswered) { finish() }
        case .finishing: if process.lanes.allSatisfy(\.isStored), isStoreIdle(process) { leave() }
        }
    }

    private func isStoreIdle(_ process: SimulatedProcess) -> Bool {
        process.backlog.isEmpty && process.claims.isEmpty && !process.isStoreBusy
    }

    mutating func finish() {
        guard let process else { return }
        if process.phase == .finishing { return leave() }
        process.phase = .ending
        deliverAllNotes(to: .intake)
        var bounds: [AssignmentID: UInt64] = [:]
        for assignment in process.assignments.values {
            if let last = assignment.progress.lastSettled { bounds[assignment.id] = last }
        }
        for index in process.lanes.indices {
            tell(index, .finish(bounds))
            if process.lanes[index].snapshot(now: now).inFlight != 0 { fail("in flight after the end") }
        }
        process.phase = .finishing
        // A disk that stays full does not hold up the end.
        after(20_000, .drainDeadline(life: process.life))
        watchDrain()
    }

    private mutating func leave() {
        process?.phase = .ending
        deliverAllNotes(to: .intake)
        commit()
        endProcess("stopped")
        after(1000...60_000, .trouble(.stop))
    }
}
