import ForwarderCore

/// What the lane wants is checked against the account, and then done.
extension LaneFuzz {
    mutating func tell(_ input: LaneInput) {
        note("> \(describe(input))")
        let actions = lane.handle(input, now: now)
        for action in actions where failure == nil { check(action) }
        guard failure == nil else { return }
        let snapshot = lane.snapshot(now: now)
        if snapshot.unaccounted != 0 { fail("unaccounted: \(snapshot.unaccounted)") }
        if snapshot.inFlight < 0 || snapshot.memoryBytes < 0 { fail("less than nothing in memory") }
        if lane.nextWake(now: now) <= now.uptime { fail("wants to be woken at once") }
    }

    private mutating func check(_ action: LaneAction) {
        switch action {
        case .send(let id, let contents, let isStrict): checkSend(id, contents, isStrict)
        case .store(let ticket, let next):
            note("  store \(ticket.rawValue & 0xFFFF)")
            for work in next { check(work) }
            works.append((ticket, next))
            ticketWorks[ticket] = next
        case .claim(let request):
            note("  claim \(request.hold ?? "") \(request.maxEventsByStrikes[0])")
            if !isWritable { return fail("claims while the store cannot write") }
            if Int.random(in: 0..<12, using: &random) == 0 { return unsaid.append(.claimed(nil)) }
            let claim = store.claim(request)
            for delivery in claim.batch.deliveries { claimedRows.insert(delivery.row) }
            unsaid.append(.claimed(claim))
        case .inquire(let id, let inquiry):
            note("  inquire \(inquiry.entries.map(\.key.rawValue))")
            inquiries[id] = inquiry.entries.map { (Int($0.origin.offset), $0.key) }
            if Int.random(in: 0..<20, using: &random) == 0 {
                unknownTransactions.formUnion(inquiry.entries.map(\.key))
                return unsaid.append(.identified(id, nil))
            }
            unsaid.append(.identified(id, store.identify(inquiry)))
        case .review(let request):
            note("  review")
            if !isWritable { return fail("wants to change what waits while the store cannot write") }
            review(request)
        case .release(let rows):
            note("  release \(rows.map(\.rawValue))")
            unclaim(rows)
            store.release(rows)
        case .settled(let settlements): for settlement in settlements { check(settlement) }
        case .renewCredential, .rereadSecret, .throttleGrant, .log: break
        case .signal(.deadLettered(let report)):
            let number = report.offset
            if report.reasonClass == .refused, !service.bad.contains(Int(number)) {
                fail("\(number) is dead as refused, and nobody refused it")
            }
            if report.reason == "expired", let limit = sendBy[Int(number)], limit >= now.wall {
                fail("\(number) is dead as expired before its time")
            }
        case .signal: break
        }
    }

    private mutating func checkSend(_ id: RequestID, _ sent: [UInt8], _ isStrict: Bool) {
        let numbers = SampleDeliveries.numbers(in: sent)
        note("  send \(id.rawValue & 0xFFFF) \(numbers)\(isStrict ? " strict" : "")")
        // Byte for byte what it was at first, however often and in whatever company.
        let expected = numbers.map { contents[$0] ?? [] }.joined(separator: [UInt8(ascii: ",")])
        if Array(expected) != sent { return fail("the content of \(numbers) has changed") }
        for number in numbers {
            let isOwned = copies.values.contains { $0.number == number && !$0.isEnded && !$0.isReleased }
            if !isOwned { return fail("\(number) is sent and has ended") }
            if let limit = sendBy[number], limit < now.wall { return fail("\(number) is sent too late") }
        }
        let entryCount = numbers.reduce(0) { $0 + (entries[$1] ?? 1) }
        if entryCount > settings.batch.maxEvents, numbers.count > 1 { return fail("too many entries in a request") }
        if settings.mode == .shadow { return fail("sends in shadow mode") }
        requests.append(
            (
                id, numbers.map { .init(number: $0, goal: goals[$0] ?? "A", entries: entries[$0] ?? 1) }, isStrict
            ))
    }

    private mutating func check(_ work: StoreWork) {
        switch work {
        case .enqueue(_, let batch, let entry):
            note("    enqueue \(batch.deliveries.map { "#\($0.sequence)" })\(entry.isClaimed ? " covered" : "")")
            for delivery in batch.deliveries {
                guard let copy = copies[delivery.sequence], copy.row == nil, !copy.isReleased, !copy.isEnded else {
                    return fail("#\(delivery.sequence) is queued twice, or after its end")
                }
                copies[delivery.sequence]?.row = delivery.row
                copyOfRow[delivery.row] = delivery.sequence
                if entry.isClaimed { claimedRows.insert(delivery.row) }
                if Array(batch.contents[delivery.content]) != contents[copy.number] {
                    return fail("#\(delivery.sequence) is queued with other content")
                }
            }
        case .remove(_, let rows):
            note("    remove \(rows.map(\.rawValue))")
            unclaim(rows)
            for row in rows { end(row) }
        case .reschedule(_, let reschedules, let failure, let hold):
            note("    again \(reschedules.map(\.row.rawValue)) \(failure ?? "") \(hold ?? "")")
            unclaim(reschedules.map(\.row))
        case .deadLetterRows(_, let ends):
            note("    dead rows \(ends.map(\.row.rawValue))")
            unclaim(ends.map(\.row))
            for end in ends { self.end(end.row) }
        case .deadLetter(_, let batch, let ends, at: _):
            note("    dead \(batch.deliveries.map { "#\($0.sequence)" }) \(ends.map(\.reason))")
            for delivery in batch.deliveries {
                if copies[delivery.sequence]?.isEnded != false || copies[delivery.sequence]?.isReleased != false {
                    return fail("#\(delivery.sequence) ends twice")
                }
                copies[delivery.sequence]?.isEnded = true
            }
        case .remember(_, let transactions, at: _):
            note("    remember \(transactions.map { "\($0.origin.offset) for \($0.key.rawValue)" })")
            // Delivered; only the ledger has still to hear of it.
            // (A record that is read again while its row is being sent is another delivery.)
            let stored = Set(copies.values.lazy.filter { $0.row != nil && !$0.isEnded }.map(\.number))
            let numbers = Set(transactions.map { Int($0.origin.offset) }).subtracting(stored)
            for (sequence, copy) in copies
            where copy.row == nil && !copy.isReleased && numbers.contains(copy.number) && justified.contains(sequence) {
                copies[sequence]?.isEnded = true
            }
        case .expire, .reject, .setState: break
        }
    }

    private mutating func unclaim(_ rows: [RowID]) {
        for row in rows where claimedRows.remove(row) == nil {
            // The store left it out: it is not there, and nothing happens to it.
            if copyOfRow[row].map({ copies[$0]?.isEnded ?? false }) != true, store.rows[row] != nil {
                return fail("row \(row.rawValue) is not claimed")
            }
        }
    }

    private mutating func end(_ row: RowID) {
        guard let sequence = copyOfRow[row] else { return fail("row \(row.rawValue) is unknown") }
        if copies[sequence]?.isEnded == true { return fail("#\(sequence) ends twice") }
        copies[sequence]?.isEnded = true
    }

    private mutating func check(_ settlement: Settlement) {
        note("  settled #\(settlement.sequence)")
        guard let copy = copies[settlement.sequence], copy.assignment == settlement.assignment else {
            return fail("#\(settlement.sequence) is unknown")
        }
        if copy.isReleased { return fail("#\(settlement.sequence) is settled after it was given up") }
        if copy.isSettled { return fail("#\(settlement.sequence) is settled twice") }
        if settings.mode == .live, !justified.contains(settlement.sequence) {
            return fail("#\(settlement.sequence) is settled without being accounted for")
        }
        copies[settlement.sequence]?.isSettled = true
        if copy.row == nil { copies[settlement.sequence]?.isEnded = true }
    }

    // MARK: Transactions

    /// What is written to the ledger must not be in it for another record.
    mutating func checkOnce(_ work: StoreWork) {
        guard case .remember(let destination, let transactions, at: _) = work else { return }
        for transaction in transactions where !unknownTransactions.contains(transaction.key) {
            let known = store.ledger[.init(destination: destination, key: transaction.key)]?.origin
            if let known, known != transaction.origin {
                fail(
                    "\(known.offset) and \(transaction.origin.offset) count for transaction \(transaction.key.rawValue)"
                )
            }
        }
    }

    /// Those that are skipped now, for good.
    mutating func expectDuplicates(_ inquiry: InquiryID, _ answers: [TransactionInquiry.Answer]?) {
        guard let asked = inquiries.removeValue(forKey: inquiry), let answers else { return }
        for ((number, _), answer) in zip(asked, answers) where answer == .duplicate {
            for (sequence, copy) in copies where copy.number == number && copy.row == nil && !copy.isReleased {
                justified.insert(sequence)
                copies[sequence]?.isEnded = true
            }
        }
    }

    mutating func review(_ request: ReviewRequest) {
        if Int.random(in: 0..<12, using: &random) == 0 { return unsaid.append(.reviewed(nil)) }
        // What is still to be written may be what they wait for.
        guard works.isEmpty else { return unsaid.append(.reviewed(nil)) }
        let review = TransactionReview(settings)
        let before = store.rows
        let result = store.review(request, original: nil) { [now] in review.decide($0, now: now.wall) }
        for row in before.keys where store.rows[row] == nil {
            copyOfRow[row].map { copies[$0]?.isEnded = true }
        }
        note("  reviewed \(result.duplicates) \(result.released) \(result.waiting)")
        unsaid.append(.reviewed(result))
    }
}
