import ForwarderCore
import ForwarderTestKit

/// How the process ends, and how everything comes to an end.
extension LaneFuzz {
    mutating func shutDown() {
        tell(.drain)
        for _ in 0..<3 { answerOne() }
        let bound = UInt64.random(in: 0...nextSequence, using: &random)
        tell(.finish([assignment: bound]))
        while !works.isEmpty && isWritable { writeOne() }
        while !unsaid.isEmpty { sayOne() }
        let snapshot = lane.snapshot(now: now)
        if snapshot.inFlight != 0 { fail("in flight after the end: \(snapshot.inFlight)") }
        restart()
    }

    mutating func crash() {
        for _ in 0..<Int.random(in: 0...3, using: &random) { writeOne() }
        restart()
    }

    /// What was not on disk comes again from Kafka; here it is forgotten.
    private mutating func restart() {
        store.crash()
        requests = []
        works = []
        unsaid = []
        ticketWorks = [:]
        inquiries = [:]
        claimedRows = []
        copyOfRow = copyOfRow.filter { store.rows[$0.key] != nil }
        let onDisk = Set(copyOfRow.values)
        copies = copies.filter { onDisk.contains($0.key) }
        for sequence in onDisk {
            copies[sequence]?.isEnded = false
            copies[sequence]?.isSettled = true
        }
        settings.mode = .live
        isWritable = true
        assignment = AssignmentID(assignment.rawValue + 1)
        note("restart")
        lane = DestinationLane(
            id: LaneFuzz.id, settings: settings, rows: rows, depth: store.depth(of: LaneFuzz.id),
            heldGoals: store.heldGoals(of: LaneFuzz.id), state: store.states[LaneFuzz.id] ?? .running, now: now,
            seed: seed &+ nextSequence)
        generation += 1
        tell(.credential(isReady: true, generation: generation))
        tell(.reading)
    }

    // MARK: Convergence

    /// Everything works again: everything must come to an end.
    mutating func converge() {
        service.troublePercent = 0
        service.missingGoals = []
        service.youngGoals = []
        isWritable = true
        settings.mode = .live
        tell(.storeHealth(isWritable: true))
        tell(.reconfigure(settings))
        generation += 1
        tell(.credential(isReady: true, generation: generation))
        tell(.resume)
        for _ in 0..<20_000 where failure == nil {
            let isBusy = !works.isEmpty || !unsaid.isEmpty || !requests.isEmpty
            if isBusy {
                switch Int.random(in: 0..<3, using: &random) {
                case 0: writeOne()
                case 1: sayOne()
                default: answerOne()
                }
            } else if case let wake = lane.nextWake(now: now), wake < now.uptime + .seconds(100 * 86_400) {
                now = now + (wake - now.uptime)
                tell(.tick)
            } else {
                isOver = true
                break
            }
            if lane.snapshot(now: now).gate == "halted" { tell(.resume) }
        }
        if failure == nil { checkEnd() }
    }

    private mutating func checkEnd() {
        guard isOver else { return fail("it never comes to rest") }
        let snapshot = lane.snapshot(now: now)
        if snapshot.pending != 0 || snapshot.inFlight != 0 || !store.rows.isEmpty || snapshot.memoryBytes != 0 {
            fail(
                "left over: \(snapshot.pending) pending, \(snapshot.inFlight) in flight, \(store.rows.count) rows, "
                    + "\(snapshot.memoryBytes) bytes")
        }
        for (sequence, copy) in copies where failure == nil {
            if !copy.isSettled, !copy.isReleased { fail("#\(sequence) was never settled") }
            if copy.isSettled, copy.row == nil, !copy.isEnded, !copy.isReleased, settings.mode == .live {
                // Delivered from memory: the service must know of it.
                if !service.accepted.contains(copy.number), snapshot.books.deliveredUnconfirmed == 0,
                    snapshot.books.skippedShadow == 0, !service.bad.contains(copy.number)
                {
                    fail("#\(sequence) was settled and is nowhere")
                }
            }
        }
    }
}
