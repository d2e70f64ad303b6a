/// Who was it? A request can be refused as a whole, or a count can say that some were not taken, without a word on which.
extension DestinationLane {
    /// The count says that some were not taken, and the list does not say which.
    mutating func resendUnexplained(
        _ pending: PendingBatch, _ others: [Int], _ report: inout AttemptReport, _ now: Moment
    ) {
        guard isCountTrusted, !pending.isStrict else {
            report.delivered = deliver(pending.batch, others, isConfirmed: false, now)
            report.unconfirmed = report.delivered
            return closeSearch(pending)
        }
        resend(pending, [others], isStrict: true, isAboutCount: true, &report, now)
    }

    /// Halves, until what is refused stands alone.
    mutating func narrowDown(
        _ pending: PendingBatch, _ others: [Int], _ reason: String, _ report: inout AttemptReport, _ now: Moment
    ) {
        guard pending.count > 1 else {
            let refused = deadLetter(pending.batch, others.map { ($0, DeadLetterCause(.refused, reason)) }, now)
            report.refused += refused
            noteRefusals(pending.search, refused)
            return closeSearch(pending)
        }
        let middle = others.count / 2
        resend(
            pending, [Array(others[..<middle]), Array(others[middle...])], isStrict: pending.isStrict, &report, now)
    }

    /// Sends parts of a batch again by themselves, within the budget of the search they belong to.
    mutating func resend(
        _ pending: PendingBatch, _ groups: [[Int]], isStrict: Bool, isAboutCount: Bool = false,
        _ report: inout AttemptReport, _ now: Moment
    ) {
        var whole = pending
        let key = pending.search ?? newID()
        whole.search = key
        var search = searches[key] ?? RefusalSearch(isAboutCount: isAboutCount)
        if pending.search == nil { search.open = 1 }
        for group in groups {
            guard var part = whole.picking(group) else { continue }
            guard search.requestsLeft > 0 else {
                search.isAbandoned = true
                let wait = Backoff.delay(settings.retry, failures: RefusalSearch.spentFailures, using: &random)
                report.retried += retryLater(
                    pending, group, dueAt: now.wall + wait, reason: "search_budget_spent", now)
                continue
            }
            search.requestsLeft -= 1
            search.open += 1
            report.resent += part.count
            part.isStrict = isStrict
            parts.append(part)
        }
        searches[key] = search
        closeSearch(whole)
    }

    mutating func noteRefusals(_ search: UInt64?, _ count: Int) {
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

    /// Deliveries that were sent in a request which was refused, and whose part in it is not known yet.
    var undecidedCount: Int {
        var count = 0
        for list in [parts, attempts.values.map(\.pending)] {
            for pending in list where pending.search != nil { count += pending.count }
        }
        return count
    }
}
