import ForwarderCore
import ForwarderTestKit
import Testing

/// What the lane wants, done and put into words.
extension LaneScene {
    mutating func tell(_ input: LaneInput) {
        let actions = lane.handle(input, now: now)
        #expect(lane.snapshot(now: now).unaccounted == 0)
        for action in actions { carryOut(action) }
    }

    /// Of many dead letters in a row one line.
    private mutating func noteDeadLetter(_ report: DeadLetterReport) {
        let text = "dead letters, \(report.reasonClass.rawValue) \(report.reason): offsets "
        if lastDead?.text != text || lines.last != lastDead?.line { lastDead = (text, "", []) }
        lastDead?.offsets.append(Int(report.offset))
        if let line = lastDead?.line, line == lines.last { lines.removeLast() }
        note(text + shown(lastDead?.offsets ?? []))
        lastDead?.line = lines.last ?? ""
    }

    private mutating func carryOut(_ action: LaneAction) {
        switch action {
        case .send(let id, let contents, let isStrict):
            let numbers = SampleDeliveries.numbers(in: contents)
            requestNumbers[id] = requestNumbers.count + 1
            let entries = contents.count { $0 == UInt8(ascii: "{") }
            if let service {
                let isPoison = service.poison.map(numbers.contains) ?? false
                answersDue.append(
                    (
                        now.uptime + service.delay, id,
                        isPoison ? SampleAnswers.answer(500) : SampleAnswers.processed(entries)
                    ))
            } else {
                requests.append((id, entries))
            }
            note("send \(shown(id)) \(shown(numbers))\(isStrict ? " strict" : "")")
        case .store(let ticket, let works):
            for work in works {
                // Once a minute while something waits: told only when it finds something.
                if case .expire = work { continue }
                note("store: \(describe(work))")
            }
            if isStoreFull { unwritten.append((ticket, works)) } else { write(ticket, works) }
        case .claim(let request):
            let goal = request.hold.map { " for goal \($0)" } ?? ""
            let order = request.urgentBefore == .distantPast ? "in turn" : "urgent first"
            note("claim\(goal), up to \(request.maxEventsByStrikes[0]), \(order)")
            say(.claimed(isStoreFull || isStoreUnreadable ? nil : store.claim(request)))
        case .inquire(let id, let inquiry):
            note("inquire \(shown(inquiry.entries.map { Int($0.key.rawValue) }))")
            say(.identified(id, isStoreUnreadable ? nil : store.identify(inquiry)))
        case .review(let request):
            let review = TransactionReview(lane.settings)
            let result = store.review(request, original: LaneScene.original) { [now] in
                review.decide($0, now: now.wall)
            }
            // Every few seconds while something waits: told only when something comes of it.
            if result.hasChanged {
                note(
                    "review: \(result.duplicates) duplicates, \(result.released) released, "
                        + "\(result.givenUp.map(\.reason)) given up")
            }
            say(.reviewed(result))
        case .release(let rows):
            note("release \(shown(rows.compactMap { name($0) }))")
            store.release(rows)
        case .settled(let settlements): note("settled \(shown(settlements.map { Int($0.sequence) }.sorted()))")
        case .renewCredential: note("renew credential")
        case .log: break
        case .rereadSecret: note("read the secret anew")
        case .throttleGrant(let until): note("throttle the grant for \((until - now.uptime).shown)")
        case .signal(.deadLettered(let report)): noteDeadLetter(report)
        case .signal(let signal): note(describe(signal))
        }
    }

    mutating func write(_ ticket: StoreTicket, _ works: [StoreWork]) {
        let outcome = store.perform(works)
        say(.stored(ticket, leftOut: outcome.leftOut[LaneScene.id] ?? []))
        if let count = outcome.expired[LaneScene.id] { say(.expired(count: count)) }
        say(.depth(store.depth(of: LaneScene.id)))
    }

    mutating func say(_ input: LaneInput) {
        if isStoreSilent { unsaid.append(input) } else { tell(input) }
    }

    mutating func note(_ text: String) {
        let time = (now.uptime - SampleDeliveries.start.uptime).shown
        lines.append(String(repeating: " ", count: max(0, 9 - time.count)) + time + "  " + text)
    }

    // MARK: Words for actions

    func shown(_ request: RequestID) -> String { "r\(requestNumbers[request] ?? 0)" }

    private func name(_ row: RowID) -> Int? {
        names[row] ?? store.rows[row].flatMap { SampleDeliveries.numbers(in: $0.content).first }
    }

    private func shown(_ numbers: [Int]) -> String { ForwarderCoreTests.shown(numbers) }

    private mutating func describe(_ work: StoreWork) -> String {
        switch work {
        case .enqueue(_, let batch, let entry):
            for delivery in batch.deliveries {
                names[delivery.row] = SampleDeliveries.numbers(in: batch.contents[delivery.content])[0]
            }
            var text = entry.isClaimed ? "cover" : "queue"
            text += " \(shown(SampleDeliveries.numbers(of: batch)))"
            let due = batch.deliveries.map(\.dueAt).max() ?? now.wall
            if due > now.wall { text += " due in \((due - now.wall).shown)" }
            if let hold = entry.hold { text += " for goal \(hold)" }
            return text + (entry.failure.map { ", \($0)" } ?? "")
        case .remember(_, let transactions, at: _):
            return "remember \(shown(transactions.map { Int($0.key.rawValue) }))"
        case .remove(_, let rows): return "remove \(shown(rows.compactMap { name($0) }))"
        case .reschedule(_, let rows, let failure, let hold):
            var text = "again \(shown(rows.compactMap { name($0.row) }))"
            if let due = rows.map(\.dueAt).max(), due > now.wall { text += " due in \((due - now.wall).shown)" }
            if let strikes = rows.map(\.strikes).max(), strikes > 0 { text += " strikes \(strikes)" }
            if let hold { text += " for goal \(hold)" }
            return text + (failure.map { ", \($0)" } ?? "")
        case .deadLetterRows(_, let ends):
            let reasons = Set(ends.map { "\($0.cause.reasonClass.rawValue) \($0.cause.reason)" }).sorted()
            return "dead \(shown(ends.compactMap { name($0.row) })), \(reasons.joined(separator: ", "))"
        case .deadLetter(_, let batch, let ends, at: _):
            let reasons = Set(ends.map { "\($0.reasonClass.rawValue) \($0.reason)" }).sorted()
            return "dead \(shown(SampleDeliveries.numbers(of: batch))), \(reasons.joined(separator: ", "))"
        case .expire: return "expire"
        case .reject(let events): return "reject \(events.count)"
        case .setState(_, let state): return "state \(state.rawValue)"
        }
    }

    private func describe(_ signal: Signal) -> String {
        switch signal {
        case .attempted(let report):
            var parts = ["\(shown(report.request)) \(report.outcome)\(report.isProbe ? " (probe)" : "")"]
            let counts = [
                ("delivered", report.delivered), ("unconfirmed", report.unconfirmed), ("refused", report.refused),
                ("unclear", report.unclear), ("retried", report.retried), ("resent", report.resent),
                ("warnings", report.warnings),
            ]
            for (name, count) in counts where count > 0 { parts.append("\(name) \(count)") }
            if let wait = report.wait { parts.append("wait \(wait.shown)") }
            return parts.joined(separator: ", ") + ", gate \(report.gate)"
        case .pixelFired:
            let names = signal.fields.map { "\($0.name)" }
            return "fire written down, \(names.contains("fault") ? "without" : "with") an answer"
        case .gateClosed(_, let reason, let wait, let failures):
            return "gate closed, \(reason), wait \(wait.shown), failures \(failures)"
        case .gateParked(_, let reason, let probeIn): return "gate parked, \(reason), probe in \(probeIn.shown)"
        case .gateOpened: return "gate opened"
        case .gateHalted: return "gate halted"
        case .gatePaused: return "gate paused"
        case .gateResumed: return "gate resumed"
        case .goalHeld(_, let goal): return "goal \(goal) held"
        case .goalReleased(_, let goal): return "goal \(goal) released"
        case .goalTooYoung(_, let goal, let wait): return "goal \(goal) too young, wait \(wait.shown)"
        case .shadowed(_, let count, bytes: _): return "shadowed \(count)"
        case .expiredInQueue(_, let count): return "expired in the queue: \(count)"
        case .countDistrusted: return "the count is not trusted any more"
        default: return "\(signal)"
        }
    }
}
