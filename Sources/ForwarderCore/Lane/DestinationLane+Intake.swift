extension DestinationLane {
    /// Up to this long a delivery whose time has not come waits in memory.
    static let earlyInMemory = Duration.seconds(10)

    mutating func take(_ batch: DeliveryBatch, _ now: Moment) {
        books.received += batch.count
        guard settings.mode == .live else {
            books.skippedShadow += batch.count
            settle(batch.deliveries)
            let shadowed = Signal.shadowed(
                destination: settings.name, deliveries: batch.count, bytes: batch.contents.count)
            actions.append(.signal(shadowed))
            return
        }
        var pending = PendingBatch(batch: batch, source: .fresh, since: now.uptime)
        pending = keepingFlowing(pending, now)
        guard !pending.batch.isEmpty else { return }
        let latest = pending.batch.deliveries.lazy.map(\.dueAt).max() ?? now.wall
        if latest <= now.wall {
            fresh.append(pending)
        } else if latest - now.wall <= DestinationLane.earlyInMemory || !isStoreWritable {
            early.append(pending)
        } else {
            enqueue(pending.batch, now, failure: nil)
        }
    }

    /// Sends what is for a goal that is held to the queue and returns the rest.
    private mutating func keepingFlowing(_ pending: PendingBatch, _ now: Moment) -> PendingBatch {
        guard !goals.isEmpty else { return pending }
        let batch = pending.batch
        let held = batch.deliveries.indices.filter { goals.isHeld(batch.goals[Int(batch.deliveries[$0].goal)]) }
        guard !held.isEmpty else { return pending }
        hold(batch, held.map { (index: $0, code: "goal_held") }, now)
        var rest = pending
        rest.batch = batch.picking(batch.deliveries.indices.filter { !held.contains($0) })
        return rest
    }

    /// Moves what was early to what can be sent.
    mutating func ripen(_ now: Moment) {
        guard !early.isEmpty else { return }
        for pending in early where pending.batch.deliveries.allSatisfy({ $0.dueAt <= now.wall }) {
            fresh.append(pending)
        }
        early.removeAll { $0.batch.deliveries.allSatisfy { $0.dueAt <= now.wall } }
    }

    // MARK: Rebalance

    /// Gives up what is in memory only. What is on disk stays ours.
    mutating func revoke(_ assignments: Set<AssignmentID>) {
        func keeps(_ delivery: Delivery) -> Bool {
            delivery.isStored || !assignments.contains(delivery.assignment)
        }
        func filtered(_ pending: PendingBatch) -> PendingBatch? {
            let kept = pending.batch.deliveries.indices.filter { keeps(pending.batch.deliveries[$0]) }
            if kept.count == pending.count { return pending }
            if kept.isEmpty { return nil }
            var rest = pending
            rest.batch = pending.batch.picking(kept)
            return rest
        }
        func released(_ pending: PendingBatch) -> Int {
            pending.batch.deliveries.reduce(0) { $0 + (keeps($1) ? 0 : 1) }
        }
        for pending in fresh.removeAll() {
            books.released += released(pending)
            if let rest = filtered(pending) { fresh.append(rest) }
        }
        for pending in early { books.released += released(pending) }
        early = early.compactMap(filtered)
        for pending in parts {
            books.released += released(pending)
            if filtered(pending) == nil { closeSearch(pending, isAbandoned: true) }
        }
        parts = parts.compactMap(filtered)
        // Their answers will come, but no longer count.
        for (request, attempt) in attempts {
            for index in attempt.pending.batch.deliveries.indices where !keeps(attempt.pending.batch.deliveries[index])
            {
                books.released += 1
                attempts[request]?.pending.batch.deliveries[index].assignment = .none
            }
        }
    }

    // MARK: Shutdown

    /// Ends what is in memory: to the queue, or back to Kafka.
    mutating func finish(_ bounds: [AssignmentID: UInt64], _ now: Moment) {
        isDraining = true
        var all = fresh.removeAll() + early + parts + attempts.values.map(\.pending)
        early = []
        parts = []
        attempts = [:]
        searches = [:]
        release(due.removeAll().map(\.batch))
        // A row that is claimed by a request without an answer is claimable again after the start.
        all = all.filter { $0.unstoredCount > 0 }
        for pending in all {
            let batch = pending.batch
            let stragglers = batch.deliveries.indices.filter { index in
                let delivery = batch.deliveries[index]
                guard delivery.isInMemoryOnly, let bound = bounds[delivery.assignment] else { return false }
                return delivery.sequence <= bound
            }
            books.released += pending.unstoredCount - stragglers.count
            if !stragglers.isEmpty { enqueue(batch.picking(stragglers), now, failure: nil) }
        }
    }
}
