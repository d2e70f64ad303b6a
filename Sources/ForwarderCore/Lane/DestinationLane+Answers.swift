extension DestinationLane {
    /// How often a 200 that says nothing is asked again.
    static let unreadableLimit = 3

    mutating func answered(_ request: RequestID, _ outcome: HTTPOutcome, _ elapsed: Duration, _ now: Moment) {
        guard var attempt = attempts.removeValue(forKey: request) else { return }
        for index in attempt.pending.batch.deliveries.indices {
            attempt.pending.batch.deliveries[index].attempts += 1
        }
        if case .noAnswer = outcome { books.requestsWithoutAnswer += 1 }
        let verdict = interface.verdict(
            outcome, entryCount: attempt.pending.batch.itemCount, isStrict: attempt.pending.isStrict, now: now.wall)
        books.warnings += verdict.warnings
        var report = AttemptReport(
            destination: settings.name, request: request, source: attempt.pending.source.rawValue,
            isProbe: attempt.isProbe, deliveries: attempt.pending.count, bytes: attempt.pending.batch.contents.count,
            elapsed: elapsed, outcome: verdict.reason, warnings: verdict.warnings, problems: verdict.problems,
            traceID: verdict.traceID)
        carryOut(verdict, attempt, &report, now)
        report.gate = gate.name(at: now.uptime)
        actions.append(.signal(.attempted(report)))
        // Behind the line of the attempt that tripped it.
        if halt.count(delivered: report.delivered, refused: report.refused, now: now.uptime) { haltNow() }
    }

    private mutating func carryOut(
        _ verdict: Verdict, _ attempt: Attempt, _ report: inout AttemptReport, _ now: Moment
    ) {
        let pending = attempt.pending
        let sorted = Sorted(verdict, pending.batch)
        report.refused = deadLetter(
            pending.batch, sorted.refused.map { ($0.index, DeadLetterCause(.refused, $0.code)) }, now)
        retry(sorted.retried, pending, now)
        hold(pending.batch, sorted.goalMissing, now)
        report.retried = sorted.retried.count + sorted.goalMissing.count
        noteRefusals(pending.search, report.refused)

        switch verdict.others {
        case .delivered:
            report.delivered = deliver(pending.batch, sorted.others, isConfirmed: true)
            let isAllRetried = report.delivered + report.refused == 0 && !sorted.retried.isEmpty
            if isAllRetried {
                moveGate(attempt, reason: sorted.retried[0].code, after: nil, &report, now)
            } else {
                succeeded(attempt, now)
            }
            closeSearch(pending)
        case .unconfirmed:
            gate.probeAnswered(attempt)
            askAgainOrBelieve(pending, &report, now)
        case .unexplained:
            succeeded(attempt, now)
            resendUnexplained(pending, sorted.others, &report, now)
        case .notProcessed:
            succeeded(attempt, now)
            resend(pending, [sorted.others], isStrict: true, &report, now)
        case .refusedWhole:
            succeeded(attempt, now)
            narrowDown(pending, sorted.others, verdict.reason, &report, now)
        case .tooLarge:
            succeeded(attempt, now)
            narrowDown(pending, sorted.others, "too_large", &report, now)
        case .retry(let after):
            failed(attempt, verdict.reason, after, &report, now)
        case .throttled(let wait):
            let until = now.uptime + wait
            gate.probeAnswered(attempt)
            gate.throttle(until: until)
            actions.append(.throttleGrant(until: until))
            closed(verdict.reason, wait, now)
            report.wait = wait
            retryNow(attempt, verdict.reason, &report, now)
        case .credentialRefused:
            credentialRefused(attempt, verdict.reason, &report, now)
        case .parked:
            park(attempt, verdict.reason, &report, now)
        }
    }

    // MARK: Good answers

    private mutating func succeeded(_ attempt: Attempt, _ now: Moment) {
        refusedGeneration = nil
        lastDeliveredAt = max(lastDeliveredAt, now.wall)
        if gate.succeeded(epoch: attempt.epoch) {
            actions.append(.signal(.gateOpened(destination: settings.name)))
        }
    }

    /// A 200 without words is asked three times; then it is believed, and counted as such.
    private mutating func askAgainOrBelieve(
        _ pending: PendingBatch, _ report: inout AttemptReport, _ now: Moment
    ) {
        guard pending.unreadableAnswers < DestinationLane.unreadableLimit else {
            report.unconfirmed = deliver(pending.batch, pending.batch.deliveries.indices, isConfirmed: false)
            report.delivered = report.unconfirmed
            return closeSearch(pending)
        }
        var again = pending
        again.unreadableAnswers += 1
        let wait = Backoff.delay(settings.retry, failures: again.unreadableAnswers, using: &random)
        again.notBefore = now.uptime + wait
        report.wait = wait
        report.resent = pending.count
        parts.append(again)
    }

    /// The count says that some were not taken, and the list does not say which.
    private mutating func resendUnexplained(
        _ pending: PendingBatch, _ others: [Int], _ report: inout AttemptReport, _ now: Moment
    ) {
        guard isCountTrusted, !pending.isStrict else {
            report.delivered = deliver(pending.batch, others, isConfirmed: false)
            report.unconfirmed = report.delivered
            closeSearch(pending)
            return
        }
        resend(pending, [others], isStrict: true, isAboutCount: true, &report, now)
    }

    // MARK: Searching for what was refused

    /// Halves, until what is refused stands alone.
    private mutating func narrowDown(
        _ pending: PendingBatch, _ others: [Int], _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        guard others.count > 1 else {
            let refused = deadLetter(pending.batch, others.map { ($0, DeadLetterCause(.refused, reason)) }, now)
            report.refused += refused
            noteRefusals(pending.search, refused)
            closeSearch(pending)
            return
        }
        let middle = others.count / 2
        resend(
            pending, [Array(others[..<middle]), Array(others[middle...])], isStrict: pending.isStrict, &report, now)
    }

    /// Sends parts of a batch again by themselves, within the budget of the search they belong to.
    private mutating func resend(
        _ pending: PendingBatch, _ groups: [[Int]], isStrict: Bool, isAboutCount: Bool = false,
        _ report: inout AttemptReport, _ now: Moment
    ) {
        let key = pending.search ?? newID()
        var search = searches[key] ?? RefusalSearch(isAboutCount: isAboutCount)
        if pending.search == nil { search.open = 1 }
        for group in groups where !group.isEmpty {
            guard search.requestsLeft > 0 else {
                search.isAbandoned = true
                let dueAt = now.wall + Backoff.delay(settings.retry, failures: 5, using: &random)
                retryLater(pending, group, dueAt: dueAt, reason: "search_budget_spent", now)
                report.retried += group.count
                continue
            }
            search.requestsLeft -= 1
            search.open += 1
            report.resent += group.count
            var part = pending
            part.batch = pending.batch.picking(group)
            part.isStrict = isStrict
            part.search = key
            parts.append(part)
        }
        searches[key] = search
        var done = pending
        done.search = key
        closeSearch(done)
    }

    private mutating func noteRefusals(_ search: UInt64?, _ count: Int) {
        if let search { searches[search]?.refusals += count }
    }

    /// One batch of a search is settled; behind the last one it is known what the search found.
    mutating func closeSearch(_ pending: PendingBatch, isAbandoned: Bool = false) {
        guard let key = pending.search, var search = searches[key] else { return }
        search.open -= 1
        if isAbandoned { search.isAbandoned = true }
        guard search.open == 0 else {
            searches[key] = search
            return
        }
        searches[key] = nil
        if search.isAboutCount, search.refusals == 0, !search.isAbandoned, isCountTrusted {
            isCountTrusted = false
            actions.append(.signal(.countDistrusted(destination: settings.name)))
        }
    }

    // MARK: Bad answers

    private mutating func failed(
        _ attempt: Attempt, _ reason: String, _ after: Duration?, _ report: inout AttemptReport, _ now: Moment
    ) {
        var attempt = attempt
        let isAlone = attempt.pending.count == 1
        for index in attempt.pending.batch.deliveries.indices {
            addStrike(&attempt.pending.batch.deliveries[index], sentAt: attempt.sentAt.wall)
        }
        if isAlone, let delivery = attempt.pending.batch.deliveries.first, delivery.strikes >= Strikes.suspicious {
            // It is the cause: the others need not wait for it.
            let wait = Backoff.delay(settings.retry, failures: Int(delivery.attempts), atLeast: after, using: &random)
            gate.probeAnswered(attempt)
            report.wait = wait
            report.retried += 1
            retryLater(attempt.pending, [0], dueAt: now.wall + wait, reason: reason, now)
        } else {
            moveGate(attempt, reason: reason, after: after, &report, now)
            retryNow(attempt, reason, &report, now)
        }
        closeSearch(attempt.pending, isAbandoned: true)
    }

    /// The batch failed although others passed since it was sent, or since it failed last.
    private func addStrike(_ delivery: inout Delivery, sentAt: Timestamp) {
        let since = delivery.attempts > 1 ? min(delivery.dueAt, sentAt) : sentAt
        if lastDeliveredAt > since, delivery.strikes < .max { delivery.strikes += 1 }
    }

    private mutating func moveGate(
        _ attempt: Attempt, reason: String, after: Duration?, _ report: inout AttemptReport, _ now: Moment
    ) {
        let wait = gate.failed(epoch: attempt.epoch, atLeast: after, now: now.uptime, using: &random)
        guard let wait else { return }
        report.wait = wait
        closed(reason, wait, now)
    }

    private mutating func closed(_ reason: String, _ wait: Duration, _ now: Moment) {
        books.gateClosings += 1
        actions.append(
            .signal(
                .gateClosed(destination: settings.name, reason: reason, wait: wait, failures: gate.failures)))
    }

    /// Once a new credential is tried; if that is refused too, a human is needed.
    private mutating func credentialRefused(
        _ attempt: Attempt, _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        let isRenewable = if case .offlineConversions = settings.kind { true } else { false }
        guard isRenewable, refusedGeneration == nil || attempt.credentialGeneration <= refusedGeneration! else {
            return park(attempt, reason, &report, now)
        }
        gate.probeAnswered(attempt)
        if refusedGeneration == nil {
            refusedGeneration = attempt.credentialGeneration
            isCredentialReady = false
            actions.append(.renewCredential)
        }
        retryNow(attempt, reason, &report, now)
        closeSearch(attempt.pending, isAbandoned: true)
    }

    private mutating func park(
        _ attempt: Attempt, _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        if gate.park(epoch: attempt.epoch, reason: reason, now: now.uptime) {
            books.gateClosings += 1
            actions.append(
                .signal(
                    .gateParked(destination: settings.name, reason: reason, probeIn: settings.retry.parkedProbe)))
        }
        actions.append(.rereadSecret)
        report.wait = settings.retry.parkedProbe
        retryNow(attempt, reason, &report, now)
        closeSearch(attempt.pending, isAbandoned: true)
    }

    /// All of the request again, as soon as the gate lets it.
    private mutating func retryNow(
        _ attempt: Attempt, _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        report.retried += attempt.pending.count
        retryLater(
            attempt.pending, Array(attempt.pending.batch.deliveries.indices), dueAt: now.wall, reason: reason, now)
    }

    /// Entries that got a retry of their own.
    private mutating func retry(
        _ entries: [(index: Int, after: Duration?, code: String)], _ pending: PendingBatch, _ now: Moment
    ) {
        let byWait = Dictionary(grouping: entries) { "\($0.code) \($0.after?.milliseconds ?? -1)" }
        for (_, group) in byWait.sorted(by: { $0.key < $1.key }) {
            let attempts = group.map { Int(pending.batch.deliveries[$0.index].attempts) }.max() ?? 1
            let wait = group[0].after ?? Backoff.delay(settings.retry, failures: attempts, using: &random)
            retryLater(pending, group.map(\.index), dueAt: now.wall + wait, reason: group[0].code, now)
        }
    }
}

extension Gate {
    /// The answer to a probe that neither opens nor closes the gate.
    fileprivate mutating func probeAnswered(_ attempt: Attempt) {
        if attempt.isProbe, attempt.epoch == epoch { probeAbandoned() }
    }
}

/// The verdict by deliveries: one of several entries shares the fate of the worst of them.
private struct Sorted {
    var refused: [(index: Int, code: String)] = []
    var retried: [(index: Int, after: Duration?, code: String)] = []
    var goalMissing: [(index: Int, code: String)] = []
    /// The deliveries none of whose entries was named.
    var others: [Int] = []

    init(_ verdict: Verdict, _ batch: DeliveryBatch) {
        guard !verdict.entries.isEmpty else {
            others = batch.deliveries.indices.filter { !batch.deliveries[$0].isOrphan }
            return
        }
        var firstEntry = 0
        var named = verdict.entries[...]
        for index in batch.deliveries.indices {
            let end = firstEntry + Int(batch.deliveries[index].itemCount)
            var worst: Verdict.Entry?
            while let entry = named.first, entry.index < end {
                if worst == nil || entry.fate == .refused { worst = entry }
                named = named.dropFirst()
            }
            firstEntry = end
            if batch.deliveries[index].isOrphan { continue }
            switch worst?.fate {
            case nil: others.append(index)
            case .refused: refused.append((index, worst!.code))
            case .retry(let after): retried.append((index, after, worst!.code))
            case .goalMissing: goalMissing.append((index, worst!.code))
            }
        }
    }
}
