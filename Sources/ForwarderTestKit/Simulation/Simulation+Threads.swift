import FakeMicrosoft
import ForwarderCore

/// The threads of delivery and store, and what they tell each other.
extension Simulation {
    /// Tells a thread something; it arrives soon, behind what it was told before.
    mutating func send(_ note: SimulatedProcess.Note, to receiver: SimulatedProcess.Receiver) {
        guard let process else { return }
        let arrival = max(time + Int64.random(in: 0...5, using: &random), process.lastArrival[receiver] ?? 0)
        process.lastArrival[receiver] = arrival
        agenda.add(.note(note, to: receiver, life: process.life), at: arrival)
    }

    /// Lets everything arrive at once that is on its way to a thread.
    mutating func deliverAllNotes(to receiver: SimulatedProcess.Receiver) {
        var notes: [SimulatedProcess.Note] = []
        agenda.removeAll { happening in
            guard case .note(let note, receiver, _) = happening else { return false }
            notes.append(note)
            return true
        }
        // The agenda is looked through from its end: what comes last, first.
        for note in notes.reversed() { take(note, receiver) }
    }

    mutating func take(_ note: SimulatedProcess.Note, _ receiver: SimulatedProcess.Receiver) {
        guard let process else { return }
        switch note {
        case .fresh(let index, let batch):
            process.inTransit[index] -= batch.count
            learnOrders(of: batch)
            tell(index, .fresh(batch))
        case .revoked(let ids): for index in process.lanes.indices { takeAway(ids, index) }
        case .lane(let index, let input): tell(index, input)
        case .settled(let settlements): settle(settlements)
        case .work(let index, let ticket, let works):
            process.backlog.append(works.map(process.neutralizer.neutral), of: process.lanes[index].id, ticket)
            storeSoon()
        case .claim(let index, let request):
            process.claims.append((index, request))
            storeSoon()
        case .inquire(let index, let id, let inquiry):
            process.inquiries.append((index, id, inquiry))
            storeSoon()
        case .review(let index, let request):
            process.reviews.append((index, request))
            storeSoon()
        case .release(let rows): store.release(rows)
        case .reject(let events, let settlements):
            process.backlog.append(rejects: events, settlements)
            storeSoon()
        }
        watchDrain()
    }

    // MARK: Delivery

    mutating func tell(_ index: Int, _ input: LaneInput) {
        guard let process else { return }
        trace("\(process.lanes[index].settings.name) > \(Simulation.word(input))")
        let actions = process.lanes[index].handle(input, now: now)
        process.wakes[index] = process.lanes[index].nextWake(now: now)
        check(process.lanes[index], index)
        for action in actions { carryOut(action, index, process) }
    }

    private mutating func carryOut(_ action: LaneAction, _ index: Int, _ process: SimulatedProcess) {
        switch action {
        case .send(let id, let contents, let isStrict):
            report.requests += 1
            trace("  send \(id.rawValue & 0xFFFF), \(contents.count) bytes\(isStrict ? ", strict" : "")")
            let credential: MicrosoftInterface.Credential
            if index == 3 {
                credential = .init(token: "")
            } else if index == 0 {
                credential = .init(token: process.tagToken)
            } else if let token = process.accessToken {
                credential = .init(token: token, developerToken: "developer-token")
            } else {
                return after(1, .answer(.noAnswer(.local), id, life: process.life))
            }
            sent[id] = contents
            let request = process.lanes[index].request(contents, isStrict: isStrict, credential)
            after(1...60, .arrival(request, id, life: process.life))
        case .store(let ticket, let works):
            trace("  store \(ticket.rawValue & 0xFFFF): \(works.map(Simulation.word).joined(separator: ", "))")
            send(.work(index, ticket, works), to: .store)
        case .claim(let request): send(.claim(index, request), to: .store)
        case .inquire(let id, let inquiry): send(.inquire(index, id, inquiry), to: .store)
        case .review(let request): send(.review(index, request), to: .store)
        case .release(let rows): send(.release(rows), to: .store)
        case .settled(let settlements): send(.settled(settlements), to: .intake)
        case .renewCredential: tellGrant(.refused)
        case .rereadSecret: rereadSecret(index)
        case .throttleGrant(let until):
            for other in Simulation.ofGrant where other != index { tell(other, .throttled(until: until)) }
        case .log: break
        case .signal(let signal): note(signal, index)
        }
    }

    private mutating func note(_ signal: Signal, _ index: Int) {
        switch signal {
        case .gateHalted, .gatePaused: resumeLater(index)
        case .attempted(let report): trace("  \(report.outcome) d\(report.delivered) r\(report.retried) \(report.gate)")
        case .gateClosed, .gateOpened, .gateParked, .goalHeld, .goalReleased, .goalTooYoung, .countDistrusted:
            trace("  \(signal)")
        default: break
        }
    }

    /// Somebody looks at it after a while.
    mutating func resumeLater(_ index: Int) {
        guard let process else { return }
        after(1_800_000, .note(.lane(index, .resume), to: .delivery, life: process.life))
    }

    // MARK: The network and Microsoft

    mutating func arrive(_ request: HTTPRequest, _ id: RequestID?, life: Int) {
        if id != nil { strike() }
        var asked = FakeRequest(request)
        var reply = microsoft.handle(asked, now: trueTime, using: &microsoftRandom)
        var wait = reply.delay
        var redirects = 0
        while redirects < request.redirectLimit, let next = FakeRequest(asked, sentOnBy: reply) {
            redirects += 1
            asked = next
            reply = microsoft.handle(asked, now: trueTime, using: &microsoftRandom)
            wait += reply.delay
        }
        checkFindings()
        var outcome = reply.outcome
        if redirects > 0, case .answer(var answer) = outcome {
            answer.redirect = HTTPAnswer.Redirect(count: redirects, host: "elsewhere.example")
            outcome = .answer(answer)
        }
        let delay = wait.milliseconds + Int64.random(in: 1...100, using: &random)
        if delay < Simulation.requestTimeout {
            after(delay, .answer(outcome, id, life: life))
        } else {
            after(Simulation.requestTimeout, .answer(.noAnswer(.timeout), id, life: life))
        }
    }

    mutating func answered(_ outcome: HTTPOutcome, _ id: RequestID?) {
        guard let id else { return tellGrant(.answered(outcome)) }
        let index = Simulation.ids.firstIndex(of: DestinationLane.destination(of: id)) ?? 0
        let contents = sent.removeValue(forKey: id)
        let before = process?.lanes[index].snapshot(now: now).books
        tell(index, .answered(id, outcome, elapsed: .milliseconds(50)))
        let after = process?.lanes[index].snapshot(now: now).books
        if after?.deliveredUnconfirmed != before?.deliveredUnconfirmed {
            believed[index].formUnion(names(in: contents ?? [], index))
        }
        if after?.notRemembered != before?.notRemembered { excuse(names(in: contents ?? [], index), index) }
        watchDrain()
    }

    // MARK: The store

    private mutating func storeSoon() {
        guard let process, !process.isStoreBusy else { return }
        process.isStoreBusy = true
        after(isDiskSlow ? 100...8000 : 1...20, .storeTurn(life: process.life))
    }

    mutating func storeTurn() {
        guard let process else { return }
        process.isStoreBusy = false
        writeBacklog()
        for (index, request) in process.claims {
            let claim = process.isStoreInTrouble || chance(1, &random) ? nil : store.claim(request)
            send(.lane(index, .claimed(claim)), to: .delivery)
        }
        process.claims = []
        answerInquiries(process)
        review(process)
        if process.isStoreInTrouble {
            process.isStoreBusy = true
            after(1000, .storeTurn(life: process.life))
        }
        watchDrain()
    }

    private mutating func answerInquiries(_ process: SimulatedProcess) {
        for (index, id, inquiry) in process.inquiries {
            send(.lane(index, .identified(id, store.identify(inquiry))), to: .delivery)
        }
        process.inquiries = []
    }

    private mutating func review(_ process: SimulatedProcess) {
        for (index, request) in process.reviews {
            var result: ReviewResult?
            if !process.isStoreInTrouble, process.backlog.isEmpty, !chance(1, &random) {
                let review = TransactionReview(process.lanes[index].settings)
                result = store.review(request, original: original(of: index)) { [now] in
                    review.decide($0, now: now.wall)
                }
            }
            for (reason, origin) in result?.givenUp ?? [] { checkGivenUp(reason, origin) }
            send(.lane(index, .reviewed(result)), to: .delivery)
        }
        process.reviews = []
    }

    /// The destination whose conversions another one adjusts.
    private func original(of index: Int) -> DestinationID? {
        guard case .adjustments(let adjustments) = settings[index].kind else { return nil }
        return settings.firstIndex { $0.name == adjustments.original }.map { Simulation.ids[$0] }
    }

    /// On a full disk, what is settled is written all the same.
    mutating func writeBacklog() {
        guard let process else { return }
        if isDiskFull, process.isStoreInTrouble || !process.backlog.isEmpty {
            if !process.isStoreInTrouble {
                process.isStoreInTrouble = true
                for index in process.lanes.indices {
                    send(.lane(index, .storeHealth(isWritable: false)), to: .delivery)
                }
            }
            perform(process.backlog.nextOnFullDisk())
            return
        }
        while !process.backlog.isEmpty { perform(process.backlog.next()) }
        guard process.isStoreInTrouble else { return }
        process.isStoreInTrouble = false
        for index in process.lanes.indices { send(.lane(index, .storeHealth(isWritable: true)), to: .delivery) }
    }

    private mutating func perform(_ transaction: StoreBacklog.Transaction) {
        guard let process, !transaction.isEmpty else { return }
        let result = store.perform(transaction.works)
        let outcome = process.backlog.committed(transaction)
        if !outcome.settlements.isEmpty { send(.settled(outcome.settlements), to: .intake) }
        var leftOut = result.leftOut
        for (id, ticket) in outcome.tickets {
            guard let index = Simulation.ids.firstIndex(of: id) else { continue }
            let rows = leftOut.removeValue(forKey: id) ?? []
            send(.lane(index, .stored(ticket, leftOut: rows)), to: .delivery)
        }
        if !leftOut.isEmpty { fail("rows that were left out are told to nobody") }
        for (index, id) in Simulation.ids.enumerated() {
            if let count = result.expired[id] { send(.lane(index, .expired(count: count)), to: .delivery) }
            let depth = store.depth(of: id)
            if depth != process.depths[index] { send(.lane(index, .depth(depth)), to: .delivery) }
            process.depths[index] = depth
        }
    }

    // MARK: Words

    private static func word(_ input: LaneInput) -> String {
        switch input {
        case .fresh(let batch): "fresh \(batch.deliveries.map(\.offset))"
        case .answered(let id, .answer(let answer), _): "answered \(id.rawValue & 0xFFFF) \(answer.status)"
        case .answered(let id, .noAnswer(let fault), _): "answered \(id.rawValue & 0xFFFF) \(fault)"
        case .claimed(let claim): "claimed \(claim.map { "\($0.batch.deliveries.map(\.row.rawValue))" } ?? "nothing")"
        case .stored(let ticket, let leftOut): "stored \(ticket.rawValue & 0xFFFF) \(leftOut.map(\.rawValue))"
        case .revoked(let ids): "revoked \(ids.map(\.rawValue).sorted())"
        case .reconfigure: "reconfigure"
        case .finish(let bounds): "finish \(bounds.map { "\($0.key.rawValue) to \($0.value)" }.sorted())"
        default: "\(input)"
        }
    }

    private static func word(_ work: StoreWork) -> String {
        switch work {
        case .enqueue(_, let batch, let entry):
            "queue \(batch.deliveries.map { "\($0.offset)=\($0.row.rawValue)" }) \(entry.hold ?? "")"
        case .remember(_, let transactions, at: _): "remember \(transactions.map(\.origin.offset))"
        case .remove(_, let rows): "remove \(rows.map(\.rawValue))"
        case .reschedule(_, let rows, let failure, let hold):
            "again \(rows.map(\.row.rawValue)) \(failure ?? "") \(hold ?? "")"
        case .deadLetterRows(_, let ends): "dead \(ends.map { "\($0.row.rawValue) \($0.cause.reason)" })"
        case .deadLetter(_, let batch, let ends, at: _): "dead \(batch.deliveries.map(\.offset)) \(ends.map(\.reason))"
        case .expire: "expire"
        case .reject(let events): "reject \(events.map(\.offset))"
        case .setState(_, let state): "state \(state)"
        }
    }
}
