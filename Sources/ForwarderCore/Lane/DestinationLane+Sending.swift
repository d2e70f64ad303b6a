extension DestinationLane {
    /// Rows this close to their end are claimed first.
    static let urgency = Duration.seconds(600)
    static let expiryScanInterval = Duration.seconds(60)
    static let expiryScanRows = 5000

    /// Does what time and circumstances allow.
    mutating func advance(_ now: Moment) {
        ripen(now)
        if isLeaving {
            coverSlowRequests(now)
        } else if !isDraining {
            spill(now)
            coverSlowRequests(now)
            send(now)
            claim(now)
            scanForExpired(now)
        }
    }

    /// When something may have to be done though nothing happens.
    public func nextWake(now: Moment) -> Uptime {
        var wake = Uptime.distantFuture
        func at(_ time: Uptime) { wake = min(wake, time) }
        func at(_ time: Timestamp) { at(now.uptime + max(time - now.wall, .zero)) }
        guard !isDraining else { return wake }
        for pending in early { at(pending.batch.deliveries.lazy.map(\.dueAt).max() ?? now.wall) }
        if let oldest = fresh.first { at(oldest.since + settings.buffer.maxAge) }
        for pending in parts { at(max(pending.notBefore, now.uptime)) }
        for attempt in attempts.values where attempt.pending.isInMemoryOnly {
            at(attempt.pending.since + settings.buffer.maxAge)
        }
        if pendingRows > 0 { at(nextExpiryScan) }
        let hasWork = !fresh.isEmpty || !parts.isEmpty || !due.isEmpty || pendingRows > claimedRows
        guard hasWork else { return wake }
        switch gate.permission(inFlight: attempts.count, now: now.uptime) {
        case .wait(let until): at(until)
        case .nothing: break
        case .requests, .probe:
            guard isCredentialReady else { break }
            if !fresh.isEmpty || !due.isEmpty || !parts.isEmpty { at(pace.opensAt(now: now.uptime)) }
            guard pendingRows > claimedRows, !isClaiming, due.isEmpty, isStoreWritable else { break }
            if nextDue < .distantFuture { at(nextDue) }
            if let claim = goals.nextClaim { at(claim) }
        }
        return wake
    }

    // MARK: Memory

    /// What may not stay in memory goes to the queue, oldest first: it is what holds the offsets back.
    private mutating func spill(_ now: Moment) {
        guard isStoreWritable else { return }
        let isClosed: Bool
        switch gate.permission(inFlight: 0, now: now.uptime) {
        case .requests, .probe: isClosed = !isCredentialReady && isOld(fresh.first, now)
        case .wait, .nothing: isClosed = true
        }
        if isClosed {
            release(due.removeAll().map(\.batch))
            for part in parts { closeSearch(part, isAbandoned: true) }
            let waiting = parts
            parts = []
            for part in waiting { putBack(part, now) }
        }
        var bytes = unsentBytes
        while let oldest = fresh.first, isClosed || bytes > settings.buffer.maxBytes || isOld(oldest, now) {
            _ = fresh.popFirst()
            bytes -= oldest.batch.byteCount
            enqueue(oldest.batch, now, failure: nil)
        }
    }

    /// A part of a search that is broken off.
    mutating func putBack(_ part: PendingBatch, _ now: Moment) {
        let unstored = part.batch.deliveries.indices.filter { part.batch.deliveries[$0].isInMemoryOnly }
        if unstored.count < part.count { release([part.batch]) }
        if !unstored.isEmpty { enqueue(part.batch.picking(unstored), now, failure: nil) }
    }

    private func isOld(_ pending: PendingBatch?, _ now: Moment) -> Bool {
        guard let pending else { return false }
        return pending.since + settings.buffer.maxAge <= now.uptime
    }

    /// What is in memory only.
    private var unsentBytes: Int {
        var bytes = 0
        for pending in fresh.elements { bytes += pending.batch.byteCount }
        for attempt in attempts.values where attempt.pending.isInMemoryOnly {
            bytes += attempt.pending.batch.byteCount
        }
        return bytes
    }

    private mutating func coverSlowRequests(_ now: Moment) {
        guard isStoreWritable else { return }
        for (request, attempt) in attempts.sorted(by: { $0.key < $1.key })
        where attempt.pending.isInMemoryOnly && isOld(attempt.pending, now) {
            cover(request, now)
        }
    }

    // MARK: Sending

    private mutating func send(_ now: Moment) {
        while isCredentialReady {
            let permission = gate.permission(inFlight: attempts.count, now: now.uptime)
            let isProbe: Bool
            switch permission {
            case .requests: isProbe = false
            case .probe: isProbe = true
            case .wait, .nothing: return
            }
            guard pace.opensAt(now: now.uptime) <= now.uptime, let next = nextBatch(now) else { return }
            if let ready = sendable(next, now) { start(ready, isProbe: isProbe, now) }
        }
    }

    /// Parts first, then what is fresh and what was queued in turns.
    private mutating func nextBatch(_ now: Moment) -> PendingBatch? {
        if let index = parts.firstIndex(where: { $0.notBefore <= now.uptime }) { return parts.remove(at: index) }
        let isQueueNext = lastSource == .fresh || fresh.isEmpty
        let next = isQueueNext ? due.popFirst() ?? fresh.popFirst() : fresh.popFirst()
        if let next { lastSource = next.source }
        return next
    }

    /// Takes out what is too late, or was tried too often.
    private mutating func sendable(_ pending: PendingBatch, _ now: Moment) -> PendingBatch? {
        let limit = settings.retry.maxAttempts.map(Int32.init(clamping:)) ?? .max
        let deliveries = pending.batch.deliveries
        let isLate = pending.sendBy < now.wall
        guard isLate || deliveries.contains(where: { $0.attempts >= limit }) else { return pending }
        var ends: [(index: Int, cause: DeadLetterCause)] = []
        var kept: [Int] = []
        for index in deliveries.indices {
            if deliveries[index].sendBy < now.wall {
                ends.append((index, DeadLetterCause(.expired, "expired")))
            } else if deliveries[index].attempts >= limit {
                ends.append((index, DeadLetterCause(.expired, "attempts_exhausted")))
            } else {
                kept.append(index)
            }
        }
        _ = deadLetter(pending.batch, ends, now)
        guard !kept.isEmpty else {
            closeSearch(pending, isAbandoned: true)
            return nil
        }
        var rest = pending
        rest.batch = pending.batch.picking(kept)
        return rest
    }

    private mutating func start(_ pending: PendingBatch, isProbe: Bool, _ now: Moment) {
        let request = RequestID(newID())
        if isProbe {
            gate.probeSent()
            if case .parked = gate.state { actions.append(.rereadSecret) }
        }
        books.requests += 1
        books.attempts += pending.count
        pace.sent(pending.count, now: now.uptime)
        attempts[request] = Attempt(
            pending: pending, epoch: gate.epoch, isProbe: isProbe, sentAt: now,
            credentialGeneration: credentialGeneration)
        actions.append(.send(request, contents: pending.batch.contents, isStrict: pending.isStrict))
    }

    // MARK: Claiming

    /// Asks for the next batch from the queue while the last one is being sent.
    private mutating func claim(_ now: Moment) {
        guard !isClaiming, isStoreWritable, isCredentialReady, due.isEmpty, pendingRows > claimedRows else { return }
        switch gate.permission(inFlight: attempts.count, now: now.uptime) {
        case .requests, .probe: break
        case .nothing where gate.isOpen: break
        case .wait, .nothing: return
        }
        if let (goal, isProbe) = goals.claimable(at: now.uptime) {
            if isProbe { _ = goals.hold(goal, probeAt: now.uptime + settings.retry.parkedProbe) }
            return claim(goal: goal, limits: isProbe ? [1] : eventsByStrikes, now)
        }
        if nextDue <= now.wall { claim(goal: nil, limits: eventsByStrikes, now) }
    }

    private mutating func claim(goal: String?, limits: [Int], _ now: Moment) {
        isClaiming = true
        claimedGoal = goal
        actions.append(
            .claim(
                ClaimRequest(
                    destination: id, hold: goal, now: now.wall, urgentBefore: now.wall + DestinationLane.urgency,
                    maxEventsByStrikes: limits, maxBytes: settings.batch.maxBytes - (1 << 10))))
    }

    /// Whoever failed three times while others passed is sent in smaller and smaller company.
    private var eventsByStrikes: [Int] {
        var limits: [Int] = []
        for _ in 0..<Strikes.suspicious { limits.append(settings.batch.maxEvents) }
        while let last = limits.last, last > 1 { limits.append(last / 2) }
        return limits
    }

    /// What runs out of time while the gate is closed is not claimed by anybody.
    private mutating func scanForExpired(_ now: Moment) {
        guard pendingRows > 0, isStoreWritable, nextExpiryScan <= now.uptime else { return }
        nextExpiryScan = now.uptime + DestinationLane.expiryScanInterval
        works.append(.expire(id, at: now.wall, limit: DestinationLane.expiryScanRows))
    }
}

/// A delivery has a strike for each time that its batch failed while others passed.
enum Strikes {
    /// From here on it is suspected to be the cause.
    static let suspicious = 3
}
