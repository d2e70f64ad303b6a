extension DestinationLane {
    /// Rows this close to their end are claimed first.
    static let urgency = Duration.seconds(600)
    /// A store that could not read is asked again after this.
    static let claimInterval = Duration.seconds(1)
    static let expiryScanInterval = Duration.seconds(60)
    static let expiryScanRows = 5000

    /// Does what time and circumstances allow.
    mutating func advance(_ now: Moment) {
        ripen(now)
        if isDraining { return }
        send(now)
        spill(now)
        coverWhatIsSlow(now)
        claim(now)
        review(now)
        scanForExpired(now)
    }

    /// Whether the destination is configured, and not only for a look.
    var isLive: Bool { settings.mode == .live && !isLeaving }

    /// When something may have to be done though nothing happens. Later than the last input, so that whoever waits for it
    /// and says `tick` never spins.
    public func nextWake(now: Moment) -> Uptime {
        if isDraining { return .distantFuture }
        var wake = nextSpill()
        func at(_ time: Uptime) { wake = min(wake, time) }
        func at(_ time: Timestamp) { if time < .distantFuture { at(now.uptime + (time - now.wall)) } }
        for pending in early { at(pending.dueAt) }
        if pendingRows > claimedRows, isStoreWritable { at(nextExpiryScan) }
        if isLive, isStoreWritable { at(reviews.next) }
        guard isLive, isCredentialReady else { return wake }
        // What could have been sent, or claimed, at once is not here any more.
        for part in parts where part.notBefore > now.uptime { at(part.notBefore) }
        let hasUnsent = !fresh.isEmpty || !due.isEmpty || parts.contains { $0.notBefore <= now.uptime }
        switch permission(now) {
        case .wait(let until): if hasUnsent || pendingRows > claimedRows { at(until) }
        case .requests, .probe:
            if hasUnsent { at(pace.opensAt(now: now.uptime)) }
            guard isClaimPossible else { break }
            at(max(nextClaim, min(goals.nextClaim, now.uptime + (nextDue - now.wall))))
        // An answer is on its way, or an operator has to do something.
        case .nothing: break
        }
        return wake
    }

    /// What the gate lets out. A batch that waits to be asked again keeps its place.
    private func permission(_ now: Moment) -> Gate.Permission {
        let waiting = parts.reduce(0) { $0 + ($1.notBefore > now.uptime ? 1 : 0) }
        return gate.permission(inFlight: attempts.count + waiting, now: now.uptime)
    }

    // MARK: Sending

    private mutating func send(_ now: Moment) {
        while isLive, isCredentialReady, pace.opensAt(now: now.uptime) <= now.uptime {
            let isProbe: Bool
            switch permission(now) {
            case .requests: isProbe = false
            case .probe: isProbe = true
            case .wait, .nothing: return
            }
            guard let next = nextBatch(now) else { return }
            if let ready = sendable(next, now) { start(ready, isProbe: isProbe, now) }
        }
    }

    /// Parts first, then what is fresh and what was queued in turns.
    private mutating func nextBatch(_ now: Moment) -> PendingBatch? {
        if let index = parts.firstIndex(where: { $0.notBefore <= now.uptime }) { return parts.remove(at: index) }
        let isQueueNext = lastSource == .fresh || fresh.isEmpty
        guard let next = isQueueNext ? due.popFirst() ?? fresh.popFirst() : fresh.popFirst() else { return nil }
        lastSource = next.source
        return fitting(next)
    }

    /// What of a batch has room in one request; the rest goes back to where it came from.
    private mutating func fitting(_ pending: PendingBatch) -> PendingBatch {
        let room = interface.deliveriesPerRequest
        guard pending.count > room else { return pending }
        var (first, rest) = (pending, pending)
        (first.batch, rest.batch) = pending.batch.split(at: room)
        switch pending.source {
        case .fresh: fresh.prepend(rest)
        case .queue: due.prepend(rest)
        }
        return first
    }

    /// Takes out what is too late, or was tried too often.
    private mutating func sendable(_ pending: PendingBatch, _ now: Moment) -> PendingBatch? {
        let limit = settings.retry.maxAttempts.map(Int32.init(clamping:)) ?? .max
        let deliveries = pending.batch.deliveries
        guard deliveries.contains(where: { $0.sendBy < now.wall || $0.attempts >= limit }) else { return pending }
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
        guard let rest = pending.picking(kept) else {
            closeSearch(pending, isAbandoned: true)
            return nil
        }
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

    private var isClaimPossible: Bool {
        pendingRows > claimedRows && claimUnderWay == nil && due.isEmpty && isStoreWritable
    }

    /// Asks for the next batch from the queue while the last one is being sent.
    private mutating func claim(_ now: Moment) {
        guard isLive, isCredentialReady, isClaimPossible, nextClaim <= now.uptime else { return }
        switch permission(now) {
        case .requests, .probe: break
        case .nothing where gate.isOpen: break
        case .wait, .nothing: return
        }
        if let (goal, isProbe) = goals.claimable(at: now.uptime) {
            goals.claiming(goal, nextProbe: now.uptime + settings.retry.parkedProbe)
            claim(hold: goal, limits: isProbe ? [1] : eventsByStrikes, now)
        } else if nextDue <= now.wall {
            nextDue = .distantFuture
            claim(hold: nil, limits: eventsByStrikes, now)
        }
    }

    private mutating func claim(hold: String?, limits: [Int], _ now: Moment) {
        let request = ClaimRequest(
            destination: id, hold: hold, now: now.wall,
            // Probes take turns: what is urgent and fails must not be tried before all else, again and again.
            urgentBefore: gate.isOpen ? now.wall + DestinationLane.urgency : .distantPast, maxEventsByStrikes: limits,
            maxBytes: settings.batch.maxBytes - (1 << 10))
        claimUnderWay = request
        actions.append(.claim(request))
    }

    /// Whoever failed three times while others passed is sent in smaller and smaller company. So is a probe, the more of
    /// them fail: where little flows, all of it may be in the company of the one that is the cause.
    private var eventsByStrikes: [Int] {
        let most = gate.isOpen ? settings.batch.maxEvents : max(1, settings.batch.maxEvents >> gate.failures)
        var limits = [Int](repeating: settings.batch.maxEvents, count: Strikes.suspicious)
        while let last = limits.last, last > 1 { limits.append(last / 2) }
        return limits.map { min($0, most) }
    }

    /// What runs out of time while the gate is closed is not claimed by anybody.
    private mutating func scanForExpired(_ now: Moment) {
        guard pendingRows > claimedRows, isStoreWritable, nextExpiryScan <= now.uptime else { return }
        nextExpiryScan = now.uptime + DestinationLane.expiryScanInterval
        handOver.works.append(.expire(id, at: now.wall, limit: DestinationLane.expiryScanRows))
    }
}

/// A delivery has a strike for each time that its batch failed while others passed.
enum Strikes {
    /// From here on it is suspected to be the cause.
    static let suspicious = 3
}
