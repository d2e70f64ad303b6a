extension DestinationLane {
    // MARK: Ends

    /// The partitions of these deliveries need not wait for them any longer.
    mutating func settle(_ deliveries: some Sequence<Delivery>) {
        for delivery in deliveries where delivery.isInMemoryOnly {
            settledNow.append(Settlement(assignment: delivery.assignment, sequence: delivery.sequence))
        }
    }

    mutating func deliver(_ batch: DeliveryBatch, _ indices: some Sequence<Int>, isConfirmed: Bool) -> Int {
        var delivered: [RowID] = []
        var count = 0
        for index in indices {
            let delivery = batch.deliveries[index]
            if delivery.isOrphan { continue }
            count += 1
            if delivery.matchKeys.contains(.email) { books.deliveredWithEmail += 1 }
            if delivery.matchKeys.contains(.phone) { books.deliveredWithPhone += 1 }
            if delivery.matchKeys.contains(.clickID) { books.deliveredWithClickID += 1 }
            if delivery.isStored {
                delivered.append(delivery.row)
            } else {
                settledNow.append(Settlement(assignment: delivery.assignment, sequence: delivery.sequence))
            }
            if !goals.isEmpty, goals.accepted(batch.goals[Int(delivery.goal)]) {
                let goal = batch.goals[Int(delivery.goal)]
                actions.append(.signal(.goalReleased(destination: settings.name, goal: goal)))
            }
        }
        books.delivered += count
        if !isConfirmed { books.deliveredUnconfirmed += count }
        if !delivered.isEmpty {
            works.append(.remove(id, delivered))
            pendingRows -= delivered.count
            claimedRows -= delivered.count
        }
        return count
    }

    mutating func deadLetter(_ batch: DeliveryBatch, _ ends: [(index: Int, cause: DeadLetterCause)], _ now: Moment)
        -> Int
    {
        var rowEnds: [RowEnd] = []
        var indices: [Int] = []
        var causes: [DeadLetterCause] = []
        for (index, cause) in ends {
            let delivery = batch.deliveries[index]
            if delivery.isOrphan { continue }
            books.countDeadLetter(cause.reasonClass)
            actions.append(
                .signal(
                    .deadLettered(
                        DeadLetterReport(
                            destination: settings.name, reasonClass: cause.reasonClass, reason: cause.reason,
                            topic: batch.topics[Int(delivery.topic)], partition: delivery.partition,
                            offset: delivery.offset, attempts: Int(delivery.attempts)))))
            if delivery.isStored {
                rowEnds.append(RowEnd(row: delivery.row, cause: cause, attempts: delivery.attempts, at: now.wall))
            } else {
                indices.append(index)
                causes.append(cause)
                settledByStore.append(Settlement(assignment: delivery.assignment, sequence: delivery.sequence))
            }
        }
        if !rowEnds.isEmpty {
            works.append(.deadLetterRows(id, rowEnds))
            pendingRows -= rowEnds.count
            claimedRows -= rowEnds.count
        }
        if !indices.isEmpty {
            let dead = batch.picking(indices)
            works.append(.deadLetter(id, dead, ends: causes, at: now.wall))
            worksBytes += dead.byteCount
        }
        return rowEnds.count + indices.count
    }

    // MARK: Waiting on disk

    /// Puts deliveries that are in memory only into the queue, due as each says.
    mutating func enqueue(
        _ batch: DeliveryBatch, _ now: Moment, failure: String?, hold: String? = nil
    ) {
        var batch = batch
        for index in batch.deliveries.indices {
            let delivery = batch.deliveries[index]
            precondition(delivery.isInMemoryOnly, "only what is in memory only can be put into the queue")
            settledByStore.append(Settlement(assignment: delivery.assignment, sequence: delivery.sequence))
            batch.deliveries[index].row = rows.next()
            batch.deliveries[index].dueAt = max(delivery.dueAt, now.wall)
            if hold == nil { nextDue = min(nextDue, batch.deliveries[index].dueAt) }
        }
        pendingRows += batch.count
        books.spilled += batch.count
        worksBytes += batch.byteCount
        works.append(.enqueue(id, batch, QueueEntry(hold: hold, failure: failure, queuedAt: now.wall)))
    }

    /// Writes the deliveries of a request that takes long to the queue, so that their partitions can go on. The rows stay
    /// claimed; the answer settles them.
    mutating func cover(_ request: RequestID, _ now: Moment) {
        guard var attempt = attempts[request] else { return }
        let indices = attempt.pending.batch.deliveries.indices.filter {
            attempt.pending.batch.deliveries[$0].isInMemoryOnly
        }
        for index in indices {
            let delivery = attempt.pending.batch.deliveries[index]
            settledByStore.append(Settlement(assignment: delivery.assignment, sequence: delivery.sequence))
            attempt.pending.batch.deliveries[index].row = rows.next()
            attempt.pending.batch.deliveries[index].dueAt = now.wall
        }
        attempt.pending.isCovered = true
        let covered = attempt.pending.batch.picking(indices)
        pendingRows += covered.count
        claimedRows += covered.count
        books.spilled += covered.count
        worksBytes += covered.byteCount
        works.append(.enqueue(id, covered, QueueEntry(isClaimed: true, queuedAt: now.wall)))
        attempts[request] = attempt
    }

    /// Deliveries to be sent again, not before `dueAt`.
    mutating func retryLater(
        _ pending: PendingBatch, _ indices: [Int], dueAt: Timestamp, reason: String, hold: String? = nil, _ now: Moment
    ) {
        let batch = pending.batch
        var reschedules: [Reschedule] = []
        var unstored: [Int] = []
        for index in indices {
            let delivery = batch.deliveries[index]
            if delivery.isOrphan { continue }
            if delivery.isStored {
                reschedules.append(
                    Reschedule(row: delivery.row, dueAt: dueAt, attempts: delivery.attempts, strikes: delivery.strikes))
            } else {
                unstored.append(index)
            }
        }
        books.retried += reschedules.count + unstored.count
        if !reschedules.isEmpty {
            works.append(.reschedule(id, reschedules, failure: reason, hold: hold))
            claimedRows -= reschedules.count
            if hold == nil { nextDue = min(nextDue, dueAt) }
        }
        guard !unstored.isEmpty else { return }
        var again = batch.picking(unstored)
        if hold == nil, !isStoreWritable || isDraining {
            // It has to stay in memory; the watermark waits with it.
            fresh.append(PendingBatch(batch: again, source: .fresh, since: now.uptime))
            return
        }
        for index in again.deliveries.indices { again.deliveries[index].dueAt = dueAt }
        enqueue(again, now, failure: reason, hold: hold)
    }

    /// Deliveries whose goal is missing wait under its name.
    mutating func hold(_ batch: DeliveryBatch, _ entries: [(index: Int, code: String)], _ now: Moment) {
        let pending = PendingBatch(batch: batch, source: .fresh, since: now.uptime)
        let byGoal = Dictionary(grouping: entries) { Int(batch.deliveries[$0.index].goal) }
        for (goal, entries) in byGoal.sorted(by: { $0.key < $1.key }) {
            let name = batch.goals[goal]
            if goals.hold(name, probeAt: now.uptime + settings.retry.parkedProbe) {
                actions.append(.signal(.goalHeld(destination: settings.name, goal: name)))
            }
            let code = entries.first?.code ?? "goal_held"
            retryLater(pending, entries.map(\.index), dueAt: now.wall, reason: code, hold: name, now)
        }
    }

    /// Gives claimed rows back as they are.
    mutating func release(_ batches: [DeliveryBatch]) {
        let rows = batches.flatMap { $0.deliveries.filter(\.isStored).map(\.row) }
        guard !rows.isEmpty else { return }
        claimedRows -= rows.count
        nextDue = .distantPast
        actions.append(.release(rows))
    }

    // MARK: Answers of the store

    mutating func stored(_ ticket: StoreTicket, _ leftOut: [RowID]) {
        guard let operation = storing.removeValue(forKey: ticket) else { return }
        settledNow += operation.settlements
        // What the queue had already is one delivery, not two.
        pendingRows -= leftOut.count
        books.skippedAlreadyStored += leftOut.count
    }

    mutating func expired(_ count: Int) {
        pendingRows -= count
        books.deadLetteredExpired += count
        if count > 0 { actions.append(.signal(.expiredInQueue(destination: settings.name, count: count))) }
    }

    mutating func claimed(_ claim: Claim?, _ now: Moment) {
        isClaiming = false
        let goal = claimedGoal
        claimedGoal = nil
        guard let claim else {
            nextDue = now.wall + .seconds(1)
            return
        }
        if claim.quarantined > 0 {
            pendingRows -= claim.quarantined
            books.quarantined += claim.quarantined
            books.discarded += claim.quarantined
            actions.append(.signal(.quarantined(destination: settings.name, count: claim.quarantined)))
        }
        guard !claim.batch.isEmpty else {
            if let goal {
                goals.drained(goal, next: claim.nextDue.map { now.uptime + max($0 - now.wall, .seconds(1)) })
            } else {
                nextDue = claim.nextDue ?? .distantFuture
            }
            return
        }
        claimedRows += claim.batch.count
        take(claimed: PendingBatch(batch: claim.batch, source: .queue, since: now.uptime), isForGoal: goal != nil, now)
    }

    /// What was queued before its goal was held is moved to its goal.
    private mutating func take(claimed pending: PendingBatch, isForGoal: Bool, _ now: Moment) {
        guard !isForGoal, !goals.isEmpty else { return due.append(pending) }
        let batch = pending.batch
        let held = batch.deliveries.indices.filter { goals.isHeld(batch.goals[Int(batch.deliveries[$0].goal)]) }
        guard !held.isEmpty else { return due.append(pending) }
        hold(batch, held.map { (index: $0, code: "goal_held") }, now)
        var rest = pending
        rest.batch = batch.picking(batch.deliveries.indices.filter { !held.contains($0) })
        if !rest.batch.isEmpty { due.append(rest) }
    }
}
