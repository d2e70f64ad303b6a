import FakeMicrosoft
import ForwarderCore

/// What must hold, at every step and at the end.
extension Simulation {
    mutating func check(_ lane: DestinationLane, _ index: Int) {
        let snapshot = lane.snapshot(now: now)
        if snapshot.unaccounted != 0 { fail("\(snapshot.name): unaccounted \(snapshot.unaccounted)") }
        if snapshot.inFlight < 0 { fail("\(snapshot.name): in flight \(snapshot.inFlight)") }
    }

    /// Everything that was read has one disposition, and what is owed is in one place.
    mutating func checkIntake() {
        guard let process else { return }
        for (index, destination) in process.intake.destinations.enumerated() {
            let books = destination.books
            if books.consumed != books.owed + books.skippedTotal + books.rejected {
                fail("\(destination.settings.name): the intake's books are \(books)")
            }
            let received = process.lanes[index].snapshot(now: now).books.received
            let known = received + process.inTransit[index] + destination.gatheredCount + books.released
            if books.owed != known { fail("\(destination.settings.name): owed \(books.owed), known \(known)") }
        }
    }

    mutating func checkDisposition(_ disposition: Intake.Disposition, of record: ModelKafka.Record, _ index: Int) {
        let end = index == 0 ? record.fate.capi : record.fate.offline
        switch (end, disposition) {
        case (.delivered, .owed), (.delivered, .skipped(.alreadyStored)), (.skipped, .skipped), (.rejected, .rejected):
            break
        // It was read too late.
        case (.delivered, .rejected) where .seconds(now.wall.seconds - record.fate.time) > settings[index].maxEventAge:
            break
        // A clock that is slow takes what happens now for the future.
        case (.delivered, .rejected) where wasClockWrong && record.fate.time - now.wall.seconds > 300: break
        case (.rejected, .skipped(.unmappedEvent)): break
        default: fail("record \(record.offset) is \(disposition) for destination \(index), and should be \(end)")
        }
    }

    /// Nothing is committed that is not taken care of.
    mutating func checkCommitted(_ records: ArraySlice<ModelKafka.Record>, of partition: Int) {
        // What was believed without a proof may be nowhere; it is counted.
        guard !records.isEmpty, !isAnythingUnconfirmed else { return }
        let kept = keptOffsets(of: partition)
        let rejected = Set(store.rejects.filter { Int($0.partition) == partition }.map(\.offset))
        for record in records {
            for index in 0...1 where !isAccountedFor(record, index, kept[index], rejected) {
                fail("offset \(record.offset) of \(partition) is committed and nowhere for destination \(index)")
            }
        }
    }

    private var isAnythingUnconfirmed: Bool {
        unconfirmed > 0
            || process?.lanes.contains { $0.snapshot(now: now).books.deliveredUnconfirmed > 0 } ?? false
    }

    private func keptOffsets(of partition: Int) -> [Set<Int64>] {
        var kept: [Set<Int64>] = [[], []]
        for row in Array(store.rows.values) + store.deadLetters.map(\.row) {
            if Int(row.delivery.partition) == partition, let index = Simulation.ids.firstIndex(of: row.destination) {
                kept[index].insert(row.delivery.offset)
            }
        }
        return kept
    }

    private func isAccountedFor(
        _ record: ModelKafka.Record, _ index: Int, _ kept: Set<Int64>, _ rejected: Set<Int64>
    ) -> Bool {
        switch index == 0 ? record.fate.capi : record.fate.offline {
        case .skipped: true
        case .rejected: rejected.contains(record.offset)
        case .delivered:
            timesAccepted(record.fate, index) > 0 || kept.contains(record.offset) || rejected.contains(record.offset)
        }
    }

    private func timesAccepted(_ fate: SimulatedShop.Fate, _ index: Int) -> Int {
        if index == 0 { return microsoft.timesAccepted(tag: Simulation.tag, eventID: fate.eventID) }
        return fate.conversion.map { microsoft.timesAccepted(account: Simulation.account, $0) } ?? 0
    }

    // MARK: The end

    /// What a machine whose clock is fast earns for what has not happened yet.
    private static let timeReasons: Set = ["InvalidEventTime", "FutureConversionTimeCannotBeSet"]

    /// Nothing is left to be done.
    var isOver: Bool {
        guard isHealed, let process, kafka.isAllCommitted, !process.isDraining else { return false }
        return store.rows.isEmpty
            && process.lanes.allSatisfy { lane in
                let snapshot = lane.snapshot(now: now)
                return snapshot.pending == 0 && snapshot.inFlight == 0 && lane.isStored && lane.isEmpty
            }
    }

    mutating func checkEnd() {
        guard process != nil else { return fail("it ended without a process") }
        var dead: [[Int: [Int64: DeadLetterCause]]] = [[:], [:]]
        for letter in store.deadLetters {
            guard let index = Simulation.ids.firstIndex(of: letter.row.destination) else { continue }
            dead[index][Int(letter.row.delivery.partition), default: [:]][letter.row.delivery.offset] = letter.cause
            checkDeadLetter(letter)
        }
        for (partition, log) in kafka.partitions.enumerated() {
            for record in log.records {
                for index in 0...1 where (index == 0 ? record.fate.capi : record.fate.offline) == .delivered {
                    checkEnd(record, index, partition, dead[index][partition]?[record.offset])
                }
            }
        }
        for destination in microsoft.destinations {
            guard let books = microsoft.books(of: destination) else { continue }
            if books.changed > 0 { fail("\(destination.name): \(books.changed) repeats with other content") }
            let findings = books.findings.filter {
                $0.reason != "OfflineConversionNameInvalid"
                    && !(wasClockWrong && Simulation.timeReasons.contains($0.reason))
            }
            if let finding = findings.first { fail("\(destination.name): \(finding)") }
            report.delivered += books.accepted
        }
        report.deadLetters = store.deadLetters.count
    }

    private mutating func checkEnd(
        _ record: ModelKafka.Record, _ index: Int, _ partition: Int, _ cause: DeadLetterCause?
    ) {
        let isTooOld = store.rejects.contains { Int($0.partition) == partition && $0.offset == record.offset }
        if timesAccepted(record.fate, index) > 0 || cause != nil { return }
        // Read too late, after days without the process; or believed without a proof, which is counted.
        if isTooOld, mayRefuse || wasClockWrong { return }
        if isAnythingUnconfirmed { return }
        fail("record \(record.offset) of \(partition) never reached destination \(index)")
    }

    private mutating func checkDeadLetter(_ letter: ModelStore.DeadLetter) {
        let offset = letter.row.delivery.offset
        switch letter.cause.reasonClass {
        case .expired:
            if letter.at < letter.row.delivery.sendBy { fail("record \(offset) is dead as expired, too soon") }
        case .refused:
            let isForItsTime = wasClockWrong && Simulation.timeReasons.contains(letter.cause.reason)
            if !mayRefuse, !isForItsTime { fail("record \(offset) is dead as refused: \(letter.cause.reason)") }
        case .data: fail("record \(offset) is dead as data: \(letter.cause.reason)")
        }
    }
}
