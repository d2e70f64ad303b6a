extension DestinationLane {
    // MARK: Ends

    /// The partitions of these deliveries need not wait for them any longer.
    mutating func settle(_ deliveries: some Sequence<Delivery>) {
        for delivery in deliveries where delivery.isInMemoryOnly { settledNow.append(Settlement(delivery)) }
    }

    mutating func deliver(
        _ batch: DeliveryBatch, _ indices: some Sequence<Int>, isConfirmed: Bool, _ now: Moment
    ) -> Int {
        var ended: [RowID] = []
        var logged: [Int] = []
        var remembered: [Int] = []
        var count = 0
        for index in indices {
            let delivery = batch.deliveries[index]
            if delivery.isOrphan { continue }
            count += 1
            // Of a row it is found out later whether its event is one of those.
            if delivery.noteLength > 0 || batch.recordForm == .neutral { logged.append(index) }
            if delivery.matchKeys.contains(.email) { books.deliveredWithEmail += 1 }
            if delivery.matchKeys.contains(.phone) { books.deliveredWithPhone += 1 }
            if delivery.matchKeys.contains(.clickID) { books.deliveredWithClickID += 1 }
            let isRemembered = delivery.transaction != .none && remember(delivery)
            if isRemembered { remembered.append(index) }
            if delivery.isStored {
                ended.append(delivery.row)
            } else if isRemembered {
                // A crash must not forget it behind a commit.
                handOver.settlements.append(Settlement(delivery))
            } else {
                settledNow.append(Settlement(delivery))
            }
            if !goals.isEmpty { goalAccepted(batch.goals[Int(delivery.goal)]) }
        }
        books.delivered += count
        if !isConfirmed { books.deliveredUnconfirmed += count }
        log(batch, logged, isConfirmed ? .delivered : .unconfirmed)
        if !remembered.isEmpty { remember(batch, remembered, now) }
        if !ended.isEmpty { handOver.works.append(.remove(id, ended)) }
        end(ended)
        return count
    }

    mutating func deadLetter(
        _ batch: DeliveryBatch, _ ends: [(index: Int, cause: DeadLetterCause)], _ now: Moment
    ) -> Int {
        var rowEnds: [RowEnd] = []
        var indices: [Int] = []
        var causes: [DeadLetterCause] = []
        var logged: [DeadLetterCause: [Int]] = [:]
        for (index, cause) in ends {
            let delivery = batch.deliveries[index]
            if delivery.isOrphan { continue }
            logged[cause, default: []].append(index)
            books.countDeadLetter(cause.reasonClass)
            let report = DeadLetterReport(
                destination: settings.name, reasonClass: cause.reasonClass, reason: cause.reason,
                topic: batch.topics[Int(delivery.topic)], partition: delivery.partition, offset: delivery.offset,
                attempts: Int(delivery.attempts))
            actions.append(.signal(.deadLettered(report)))
            if delivery.isStored {
                rowEnds.append(RowEnd(row: delivery.row, cause: cause, attempts: delivery.attempts, at: now.wall))
            } else {
                indices.append(index)
                causes.append(cause)
                handOver.settlements.append(Settlement(delivery))
            }
            if delivery.transaction != .none { handOver.transactions.append(delivery.transaction) }
        }
        for (cause, indices) in logged.sorted(by: { $0.value[0] < $1.value[0] }) {
            log(batch, indices, .deadLettered(cause))
        }
        if !rowEnds.isEmpty { handOver.works.append(.deadLetterRows(id, rowEnds)) }
        end(rowEnds.map(\.row))
        if !indices.isEmpty {
            let dead = batch.picking(indices)
            handOver.works.append(.deadLetter(id, dead, ends: causes, at: now.wall))
            handOver.bytes += dead.byteCount
        }
        return rowEnds.count + indices.count
    }

    private mutating func log(_ batch: DeliveryBatch, _ indices: [Int], _ end: SettledDeliveries.End) {
        guard settings.deliveryLog.maxBytes != nil, !indices.isEmpty else { return }
        actions.append(.log(SettledDeliveries(batch: batch, indices: indices, end: end)))
    }

    private mutating func end(_ claimed: [RowID]) {
        pendingRows -= claimed.count
        claimedRows -= claimed.count
        guard !openCovers.isEmpty else { return }
        for row in claimed where openCovers.remove(row) != nil { endedCovers.insert(row) }
    }

    // MARK: Waiting on disk

    /// Puts deliveries that are in memory only into the queue, due as each says.
    mutating func enqueue(_ batch: DeliveryBatch, _ now: Moment, failure: String?, hold: String? = nil) {
        var batch = batch
        for index in batch.deliveries.indices {
            let delivery = batch.deliveries[index]
            precondition(delivery.isInMemoryOnly, "only what is in memory only can be put into the queue")
            handOver.settlements.append(Settlement(delivery))
            batch.deliveries[index].row = rows.next()
            batch.deliveries[index].dueAt = max(delivery.dueAt, now.wall)
            // One that waits is not the one its transaction is open for.
            if delivery.transaction != .none, hold != TransactionKey.hold {
                handOver.transactions.append(delivery.transaction)
            }
            noteWaiting(until: batch.deliveries[index].dueAt, hold)
        }
        handOver(batch, QueueEntry(hold: hold, failure: failure, queuedAt: now.wall))
    }

    /// The batch, with what of it is in memory only on its way to the queue. The rows stay claimed: the answer to its
    /// request settles them.
    mutating func covered(_ pending: PendingBatch, _ now: Moment) -> PendingBatch {
        var pending = pending
        pending.isCovered = true
        let indices = pending.batch.deliveries.indices.filter { pending.batch.deliveries[$0].isInMemoryOnly }
        for index in indices {
            handOver.settlements.append(Settlement(pending.batch.deliveries[index]))
            let row = rows.next()
            pending.batch.deliveries[index].row = row
            pending.batch.deliveries[index].dueAt = now.wall
            handOver.covers.append(row)
            openCovers.insert(row)
        }
        guard !indices.isEmpty else { return pending }
        claimedRows += indices.count
        handOver(pending.batch.picking(indices), QueueEntry(isClaimed: true, queuedAt: now.wall))
        return pending
    }

    private mutating func handOver(_ batch: DeliveryBatch, _ entry: QueueEntry) {
        pendingRows += batch.count
        books.spilled += batch.count
        handOver.bytes += batch.byteCount
        handOver.works.append(.enqueue(id, batch, entry))
    }

    private mutating func noteWaiting(until dueAt: Timestamp, _ hold: String?) {
        if hold == TransactionKey.hold {
            handOver.hasWaiting = true
        } else if let hold {
            handOver.goals.insert(hold)
        } else {
            handOver.nextDue = min(handOver.nextDue, dueAt)
        }
    }

    /// Deliveries to be sent again, not before `dueAt`. `reason`: what failed; nil if nothing did. Returns how many there
    /// are.
    @discardableResult
    mutating func retryLater(
        _ pending: PendingBatch, _ indices: [Int], dueAt: Timestamp, reason: String?, hold: String? = nil,
        _ now: Moment
    ) -> Int {
        let batch = pending.batch
        var reschedules: [Reschedule] = []
        var unstored: [Int] = []
        for index in indices {
            let delivery = batch.deliveries[index]
            if delivery.isOrphan { continue }
            if delivery.isStored {
                if delivery.transaction != .none { handOver.transactions.append(delivery.transaction) }
                reschedules.append(
                    Reschedule(
                        // It was due once; by which clock is no matter.
                        row: delivery.row, dueAt: max(Timestamp(seconds: delivery.eventTime), dueAt),
                        attempts: delivery.attempts, strikes: delivery.strikes))
            } else {
                unstored.append(index)
            }
        }
        if !reschedules.isEmpty {
            handOver.works.append(.reschedule(id, reschedules, failure: reason, hold: hold))
            claimedRows -= reschedules.count
            noteWaiting(until: dueAt, hold)
        }
        if !unstored.isEmpty {
            var again = batch.picking(unstored)
            for index in again.deliveries.indices {
                again.deliveries[index].dueAt = max(again.deliveries[index].dueAt, dueAt)
            }
            if hold == nil, !isStoreWritable || isDraining {
                // It has to stay in memory; the watermark waits with it.
                early.append(PendingBatch(batch: again, source: .fresh, since: now.uptime))
            } else {
                enqueue(again, now, failure: reason, hold: hold)
            }
        }
        return reschedules.count + unstored.count
    }

    /// Gives claimed rows back as they are.
    mutating func release(_ batches: [PendingBatch]) {
        let rows = batches.flatMap { $0.batch.deliveries.map(\.row) }
        guard !rows.isEmpty else { return }
        claimedRows -= rows.count
        nextDue = .distantPast
        actions.append(.release(rows))
    }

    // MARK: Answers of the store

    mutating func stored(_ ticket: StoreTicket, _ leftOut: [RowID], _ now: Moment) {
        guard let done = storing.removeValue(forKey: ticket) else { return }
        settledNow += done.settlements
        nextDue = min(nextDue, done.nextDue)
        for goal in done.goals { goals.noteWaiting(goal) }
        if done.hasWaiting { reviews.begin(at: now.uptime) }
        forgetTransactions(done.transactions)
        if !leftOut.isEmpty { forget(leftOut) }
        openCovers.subtract(done.covers)
        endedCovers.subtract(done.covers)
    }

    /// What the queue had already is one delivery, not two. (If it has ended in the meantime, the other one is the repeat.)
    private mutating func forget(_ leftOut: [RowID]) {
        let rows = Set(leftOut.filter { endedCovers.remove($0) == nil })
        pendingRows -= rows.count
        books.skippedAlreadyStored += rows.count
        claimedRows -= giveUp { rows.contains($0.row) }
    }

    mutating func expired(_ count: Int) {
        pendingRows -= count
        books.deadLetteredExpired += count
        if count > 0 { actions.append(.signal(.expiredInQueue(destination: settings.name, count: count))) }
        if count >= DestinationLane.expiryScanRows { nextExpiryScan = .distantPast }
    }

    mutating func claimed(_ claim: Claim?, _ now: Moment) {
        guard let request = claimUnderWay else { return }
        claimUnderWay = nil
        guard let claim else {
            nextClaim = now.uptime + DestinationLane.claimInterval
            if let goal = request.hold { goals.claimed(goal, next: .distantPast) } else { nextDue = .distantPast }
            return
        }
        if claim.quarantined > 0 {
            pendingRows -= claim.quarantined
            books.quarantined += claim.quarantined
            books.discarded += claim.quarantined
            actions.append(.signal(.quarantined(destination: settings.name, count: claim.quarantined)))
        }
        claimedRows += claim.batch.count
        if let goal = request.hold {
            let next = claim.nextDue.map { now.uptime + max($0 - now.wall, .seconds(1)) }
            goals.claimed(goal, next: claim.batch.isEmpty ? next : .distantPast)
            appendDue(claim.batch, now)
        } else {
            // There may be more of what is due.
            nextDue = claim.batch.isEmpty ? min(nextDue, claim.nextDue ?? .distantFuture) : .distantPast
            let pending = PendingBatch(batch: claim.batch, source: .queue, since: now.uptime)
            if let flowing = holdingBack(pending, now) { appendDue(flowing.batch, now) }
        }
    }

    /// A delivery may be several entries, of which a request has room for so many.
    private mutating func appendDue(_ batch: DeliveryBatch, _ now: Moment) {
        if batch.count > 1, batch.itemCount > settings.batch.maxEvents {
            let (first, second) = batch.split(at: batch.count / 2)
            appendDue(first, now)
            appendDue(second, now)
        } else if !batch.isEmpty {
            due.append(PendingBatch(batch: batch, source: .queue, since: now.uptime))
        }
    }
}

extension Settlement {
    init(_ delivery: Delivery) {
        self.init(assignment: delivery.assignment, sequence: delivery.sequence)
    }
}
