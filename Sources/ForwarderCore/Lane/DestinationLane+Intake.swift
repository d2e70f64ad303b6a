extension DestinationLane {
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
        identify(PendingBatch(batch: batch, source: .fresh, since: now.uptime), now)
    }

    /// Moves what is early no longer to what can be sent. Its time in memory counts from here.
    mutating func ripen(_ now: Moment) {
        guard early.contains(where: { $0.dueAt <= now.wall }) else { return }
        for var pending in early where pending.dueAt <= now.wall {
            pending.since = now.uptime
            fresh.append(pending)
        }
        early.removeAll { $0.dueAt <= now.wall }
    }

    // MARK: Rebalance

    /// Gives up what is in memory only. What is on disk stays ours.
    mutating func revoke(_ assignments: Set<AssignmentID>) {
        books.released += giveUp { $0.isInMemoryOnly && assignments.contains($0.assignment) }
    }

    /// Takes deliveries out of what is in memory. Requests that carry them go on, but their answers count for the others
    /// only. Returns how many there were.
    mutating func giveUp(where isGone: (Delivery) -> Bool) -> Int {
        var count = 0
        func rest(of pending: PendingBatch) -> PendingBatch? {
            let deliveries = pending.batch.deliveries
            let kept = deliveries.indices.filter { !isGone(deliveries[$0]) }
            count += deliveries.count - kept.count
            if kept.count < deliveries.count { forgetTransactions(deliveries.lazy.filter(isGone)) }
            return pending.picking(kept)
        }
        for pending in fresh.removeAll() {
            if let rest = rest(of: pending) { fresh.append(rest) }
        }
        early = early.compactMap(rest)
        let waiting = parts
        parts = []
        for part in waiting {
            if let rest = rest(of: part) { parts.append(rest) } else { closeSearch(part, isAbandoned: true) }
        }
        // The answer is by their places.
        for place in inquired.indices {
            for (index, delivery) in inquired[place].pending.batch.deliveries.enumerated() where isGone(delivery) {
                inquired[place].pending.batch.deliveries[index].orphan()
                count += 1
            }
        }
        for (request, attempt) in attempts {
            for (index, delivery) in attempt.pending.batch.deliveries.enumerated() where isGone(delivery) {
                // Its transaction stays open until the answer is there: Microsoft may take it.
                attempts[request]?.pending.batch.deliveries[index].orphan()
                count += 1
            }
        }
        return count
    }

    // MARK: Shutdown

    /// Ends what is in memory only: what stands at or before its assignment's bound goes to the queue, the rest back to
    /// Kafka. Rows whose requests are without an answer can be claimed again after the start.
    mutating func finish(_ bounds: [AssignmentID: UInt64], _ now: Moment) {
        isDraining = true
        let sent = attempts.sorted { $0.key < $1.key }.map(\.value.pending)
        let asked = inquired.map(\.pending)
        inquired = []
        let all = fresh.removeAll() + early + parts + sent
        early = []
        parts = []
        attempts = [:]
        searches = [:]
        release(due.removeAll())
        for pending in all { finish(pending, bounds, now) }
        // Whether they are the first of their transactions is not known.
        for pending in asked { finish(pending, bounds, hold: TransactionKey.hold, now) }
    }

    private mutating func finish(
        _ pending: PendingBatch, _ bounds: [AssignmentID: UInt64], hold: String? = nil, _ now: Moment
    ) {
        let deliveries = pending.batch.deliveries
        let stragglers = deliveries.indices.filter { index in
            guard deliveries[index].isInMemoryOnly, let bound = bounds[deliveries[index].assignment] else {
                return false
            }
            return deliveries[index].sequence <= bound
        }
        books.released += pending.unstoredCount - stragglers.count
        if let rest = pending.picking(stragglers) { enqueue(rest.batch, now, failure: nil, hold: hold) }
    }
}
