extension DestinationLane {
    /// How often a 200 that says nothing is asked again.
    static let unreadableLimit = 3

    mutating func answered(_ request: RequestID, _ outcome: HTTPOutcome, _ elapsed: Duration, _ now: Moment) {
        guard var attempt = attempts.removeValue(forKey: request) else { return }
        for index in attempt.pending.batch.deliveries.indices {
            attempt.pending.batch.deliveries[index].attempts += 1
        }
        let verdict = interface.verdict(
            outcome, entryCount: attempt.pending.batch.itemCount, now: now.wall)
        books.count(outcome, verdict)
        if case .answer(let answer) = outcome, let date = answer.headers["date"].flatMap(RetryAfter.date) {
            // Written somewhere on the way, and cut to whole seconds: the middle is the best guess.
            clockOffset = now.wall - elapsed / 2 - (date + .milliseconds(500))
        }
        books.warnings += verdict.warnings
        var report = AttemptReport(
            destination: settings.name, request: request, source: attempt.pending.source.rawValue,
            isProbe: attempt.isProbe, deliveries: attempt.pending.count, bytes: attempt.pending.batch.contents.count,
            elapsed: elapsed, outcome: verdict.reason, warnings: verdict.warnings, problems: verdict.problems,
            traceID: verdict.traceID)
        carryOut(verdict, attempt, &report, now)
        books.retried += report.retried
        report.gate = gate.name(at: now.uptime)
        actions.append(.signal(.attempted(report)))
        if case .investPixels = interface,
            let fire = PixelFire(settings.name, request, attempt.pending.batch, outcome, elapsed)
        {
            actions.append(.signal(.pixelFired(fire)))
        }
        // Behind the line of the attempt that tripped it.
        if halt.count(
            delivered: report.delivered, refused: report.refused, undecided: undecidedCount, now: now.uptime)
        {
            haltNow()
        }
    }

    private mutating func carryOut(
        _ verdict: Verdict, _ attempt: Attempt, _ report: inout AttemptReport, _ now: Moment
    ) {
        let pending = attempt.pending
        let fates = Fates(verdict, pending.batch)
        let isTaken = verdict.others == .delivered || verdict.others == .unconfirmed
        rememberOrphans(pending.batch, taken: isTaken ? fates.orphans : [], now)
        report.refused = deadLetter(
            pending.batch, fates.refused.map { ($0.index, DeadLetterCause(.refused, $0.code)) }, now)
        report.retried =
            retry(fates.retried, pending, now) + hold(pending, fates.goalMissing, now)
            + putOff(pending, fates, isAccepting: verdict.others == .delivered, now)
        noteRefusals(pending.search, report.refused)

        switch verdict.others {
        case .delivered:
            report.delivered = deliver(pending.batch, fates.others, isConfirmed: true, now)
            if let code = fates.troubleOfAll {
                moveGate(attempt, code, after: nil, &report, now)
            } else {
                succeeded(attempt, now)
            }
            closeSearch(pending)
        case .unconfirmed:
            succeeded(attempt, now)
            askAgainOrBelieve(pending, fates.others, &report, now)
        case .unexplained:
            succeeded(attempt, now)
            resendUnexplained(pending, fates.others, &report, now)
        case .notProcessed:
            succeeded(attempt, now)
            resend(pending, [fates.others], isStrict: true, &report, now)
        case .refusedWhole:
            succeeded(attempt, now)
            narrowDown(pending, fates.others, verdict.reason, &report, now)
        case .tooLarge:
            succeeded(attempt, now)
            narrowDown(pending, fates.others, "too_large", &report, now)
        case .retry(let after): failed(attempt, verdict.reason, after, isSuspicious: true, &report, now)
        case .unclear: unclear(attempt, fates.others, verdict.reason, &report, now)
        case .busy(let after): failed(attempt, verdict.reason, after, isSuspicious: false, &report, now)
        case .throttled(let wait):
            gate.probeAnswered(attempt)
            gate.throttle(until: now.uptime + wait)
            actions.append(.throttleGrant(until: now.uptime + wait))
            gateClosed(verdict.reason, wait, &report)
            retryAll(attempt, after: .zero, verdict.reason, &report, now)
        case .credentialRefused: credentialRefused(attempt, verdict.reason, &report, now)
        case .parked: park(attempt, verdict.reason, &report, now)
        }
    }

    // MARK: Good answers

    private mutating func succeeded(_ attempt: Attempt, _ now: Moment) {
        refusedGeneration = nil
        lastAnsweredAt = max(lastAnsweredAt, now.wall)
        if gate.succeeded(epoch: attempt.epoch) {
            actions.append(.signal(.gateOpened(destination: settings.name)))
        }
    }

    /// A 200 without words is asked three times; then it is believed, and counted as such.
    private mutating func askAgainOrBelieve(
        _ pending: PendingBatch, _ others: [Int], _ report: inout AttemptReport, _ now: Moment
    ) {
        guard pending.unreadableAnswers < DestinationLane.unreadableLimit, var again = pending.picking(others) else {
            report.unconfirmed = deliver(pending.batch, others, isConfirmed: false, now)
            report.delivered = report.unconfirmed
            // What is believed for want of words is no proof that nothing was refused.
            return closeSearch(pending, isAbandoned: true)
        }
        again.unreadableAnswers += 1
        let wait = Backoff.delay(settings.retry, failures: again.unreadableAnswers, using: &random)
        again.notBefore = now.uptime + wait
        report.wait = wait
        report.resent = again.count
        parts.append(again)
    }

    // MARK: Bad answers

    /// Nothing is known about what the request carried; all of it is sent again. `isSuspicious`: what it carried may be why.
    private mutating func failed(
        _ attempt: Attempt, _ reason: String, _ after: Duration?, isSuspicious: Bool, _ report: inout AttemptReport,
        _ now: Moment
    ) {
        var attempt = attempt
        if isSuspicious { addStrikes(&attempt) }
        if isSuspicious, let single = attempt.pending.batch.deliveries.first, attempt.pending.count == 1,
            single.strikes >= Strikes.suspicious
        {
            // It is the cause: the others need not wait for it.
            let wait = Backoff.delay(settings.retry, failures: Int(single.attempts), atLeast: after, using: &random)
            gate.probeAnswered(attempt)
            report.wait = wait
            retryAll(attempt, after: wait, reason, &report, now)
        } else {
            moveGate(attempt, reason, after: after, &report, now)
            retryAll(attempt, after: behindGate(report.wait ?? .zero), reason, &report, now)
        }
    }

    /// Nobody knows whether it was counted. Where a repeat would count again it is given up, and waits for an operator.
    private mutating func unclear(
        _ attempt: Attempt, _ others: [Int], _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        guard !interface.repeatsUnclear else {
            return failed(attempt, reason, nil, isSuspicious: true, &report, now)
        }
        moveGate(attempt, reason, after: nil, &report, now)
        report.unclear = deadLetter(
            attempt.pending.batch, others.map { ($0, DeadLetterCause(.unclear, reason)) }, now)
        closeSearch(attempt.pending, isAbandoned: true)
    }

    /// The batch failed although others passed since it was sent, or since it was due again.
    private func addStrikes(_ attempt: inout Attempt) {
        for index in attempt.pending.batch.deliveries.indices {
            let delivery = attempt.pending.batch.deliveries[index]
            let since = delivery.attempts > 1 ? min(delivery.dueAt, attempt.sentAt.wall) : attempt.sentAt.wall
            if lastAnsweredAt > since, delivery.strikes < .max {
                attempt.pending.batch.deliveries[index].strikes += 1
            }
        }
    }

    private mutating func moveGate(
        _ attempt: Attempt, _ reason: String, after: Duration?, _ report: inout AttemptReport, _ now: Moment
    ) {
        guard let wait = gate.failed(epoch: attempt.epoch, atLeast: after, now: now.uptime, using: &random) else {
            return
        }
        gateClosed(reason, wait, &report)
    }

    private mutating func gateClosed(_ reason: String, _ wait: Duration, _ report: inout AttemptReport) {
        books.gateClosings += 1
        report.wait = wait
        actions.append(
            .signal(
                .gateClosed(destination: settings.name, reason: reason, wait: wait, failures: gate.failures)))
    }

    /// A new credential is tried; if that is refused too, a human may be needed. Still each probe has a new one: the one that
    /// was refused may have expired by the time that whatever it was is over.
    private mutating func credentialRefused(
        _ attempt: Attempt, _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        let generation = attempt.credentialGeneration
        guard settings.hasRenewableCredential else { return park(attempt, reason, &report, now) }
        if generation == credentialGeneration, generation != refusedGeneration {
            let isFirst = refusedGeneration == nil
            refusedGeneration = generation
            isCredentialReady = false
            actions.append(.renewCredential)
            if !isFirst { return park(attempt, reason, &report, now) }
        }
        gate.probeAnswered(attempt)
        retryAll(attempt, after: .zero, reason, &report, now)
    }

    private mutating func park(
        _ attempt: Attempt, _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        let probeIn = settings.retry.parkedProbe
        switch gate.park(epoch: attempt.epoch, reason: reason, now: now.uptime) {
        case .unmoved: return retryAll(attempt, after: .zero, reason, &report, now)
        case .again: break
        case .news:
            books.gateClosings += 1
            actions.append(
                .signal(.gateParked(destination: settings.name, reason: reason, probeIn: probeIn)))
        }
        report.wait = probeIn
        retryAll(attempt, after: behindGate(probeIn), reason, &report, now)
    }

    /// The gate keeps the rest of a long wait: an operator who opens it must not find rows that wait on.
    private func behindGate(_ wait: Duration) -> Duration { min(wait, settings.retry.cap) }

    // MARK: Again

    /// All of the request again, when the gate lets it; behind what has not been tried since the gate closed, so that each
    /// probe is another batch.
    private mutating func retryAll(
        _ attempt: Attempt, after wait: Duration, _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        let pending = attempt.pending
        report.retried += retryLater(
            pending, Array(pending.batch.deliveries.indices), dueAt: now.wall + wait, reason: reason, now)
        closeSearch(pending, isAbandoned: true)
    }

    /// Entries that got a retry of their own.
    private mutating func retry(_ entries: [Fates.Retry], _ pending: PendingBatch, _ now: Moment) -> Int {
        var count = 0
        for (way, entries) in Dictionary(grouping: entries, by: \.way).sorted(by: { $0.key < $1.key }) {
            let attempts = entries.lazy.map { Int(pending.batch.deliveries[$0.index].attempts) }.max() ?? 1
            let wait = way.after ?? Backoff.delay(settings.retry, failures: attempts, using: &random)
            count += retryLater(pending, entries.map(\.index), dueAt: now.wall + wait, reason: way.code, now)
        }
        return count
    }
}

extension Gate {
    /// The answer to a probe that neither opens nor closes the gate.
    fileprivate mutating func probeAnswered(_ attempt: Attempt) {
        if attempt.isProbe, attempt.epoch == epoch { probeAbandoned() }
    }
}
