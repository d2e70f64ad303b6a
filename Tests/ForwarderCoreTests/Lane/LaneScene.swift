import ForwarderCore
import ForwarderTestKit
import Testing

/// A lane, a store and a clock, moved by the lines of a script. The store works at once, unless it is told not to.
struct LaneScene {
    private var settings: DestinationSettings
    private(set) var lane: DestinationLane
    private(set) var store = ModelStore()
    private var now = SampleDeliveries.start
    private let rows = RowIDs(after: .none)
    private var nextNumber = 1
    private var lines: [String] = []
    private var lastDead: (text: String, line: String, offsets: [Int])?

    /// Requests without an answer, oldest first, and how many entries they have.
    private var requests: [(id: RequestID, entries: Int)] = []
    /// By the order in which they were sent.
    private var requestNumbers: [RequestID: Int] = [:]
    private var names: [RowID: Int] = [:]
    /// A service that answers by itself after a while: well, unless the request carries the poison.
    private var service: (delay: Duration, poison: Int?)?
    private var answersDue: [(at: Uptime, id: RequestID, outcome: HTTPOutcome)] = []
    private var isStoreFull = false
    private var isStoreUnreadable = false
    private var unwritten: [(StoreTicket, [StoreWork])] = []
    /// What the store would say, were it not told to keep it to itself.
    private var isStoreSilent = false
    private var unsaid: [LaneInput] = []

    private static let id = DestinationID(1)
    /// Whose conversions a scene of refunds adjusts.
    private static let original: DestinationID? = nil

    /// `line`: `capi` or `offline`, and settings.
    init(_ line: Substring) {
        var words = ScriptWords(line)
        switch words.next() {
        case "offline":
            let oauth = OAuthSettings(clientID: "client", refreshToken: .environment("SEED"))
            settings = DestinationSettings(
                name: "offline",
                kind: .offlineConversions(
                    OfflineSettings(
                        goals: [.init(event: "Purchase", name: "Purchase")], customerID: "1", accountID: "2",
                        developerToken: .environment("TOKEN"), oauth: oauth)))
        default:
            settings = DestinationSettings(
                name: "capi", kind: .capi(CAPISettings(uetTagID: "12345678", token: .environment("TOKEN"))))
        }
        settings.concurrency = words.integer("concurrency") ?? 4
        settings.batch.maxEvents = words.integer("max_events") ?? 8
        settings.rateLimit = words.integer("rate")
        settings.retry.maxAttempts = words.integer("max_attempts")
        settings.retry.base = words.duration("base") ?? .seconds(1)
        settings.buffer.maxBytes = words.integer("buffer") ?? 32 << 20
        settings.queue.maxBytes = Int64(words.integer("queue") ?? 10 << 30)
        if words.named["mode"] == "shadow" { settings.mode = .shadow }
        lane = DestinationLane(
            id: LaneScene.id, settings: settings, rows: rows, depth: QueueDepth(), heldGoals: [], state: .running,
            now: now, seed: UInt64(words.integer("seed") ?? 1))
        _ = lane.handle(.credential(isReady: true, generation: 1), now: now)
    }

    /// Does what the line says; returns what came of it.
    mutating func run(_ line: Substring) -> [String] {
        var words = ScriptWords(line)
        lines = []
        switch words.next() {
        case "fresh": fresh(&words)
        case "answer": answer(&words)
        case "advance": advance(ScriptWords.duration(words.next() ?? "0s"))
        case "service":
            service = (ScriptWords.duration(words.next() ?? "100ms"), words.integer("poison"))
        case "credential":
            let isReady = words.next() == "ready"
            tell(.credential(isReady: isReady, generation: words.integer("generation") ?? 1))
        case "store": tellStore(words.next())
        case "revoke":
            tell(.revoked(Set(words.words.compactMap { UInt32($0).map { AssignmentID($0) } })))
        case "pause": tell(.pause)
        case "resume": tell(.resume)
        case "replay":
            let rows = self.rows
            tell(.replayed(count: store.replay(LaneScene.id, now: now.wall) { rows.next() }))
        case "throttled": tell(.throttled(until: now.uptime + ScriptWords.duration(words.next() ?? "60s")))
        case "clock":
            // How far the wall clock is set; the uptime goes on.
            let step = ScriptWords.duration(words.next() ?? "0s")
            now.wall = now.wall + step
            guard step < .zero else { break }
            tell(.clockSetBack)
            store.hasten(at: now.wall)
            tell(.clockSetBack)
        case "leave": tell(.leave)
        case "shadow":
            settings.mode = .shadow
            tell(.reconfigure(settings))
        case "live":
            settings.mode = .live
            tell(.reconfigure(settings))
        case "drain": tell(.drain)
        case "finish":
            let bounds = words.named.map { (AssignmentID(UInt32($0) ?? 0), UInt64($1) ?? 0) }
            tell(.finish(Dictionary(uniqueKeysWithValues: bounds)))
        case "restart": restart()
        case "show": show()
        case let word: Issue.record("no such word: \(word ?? "")")
        }
        return lines
    }

    // MARK: Words

    private mutating func fresh(_ words: inout ScriptWords) {
        let count = words.next().flatMap { Int($0) } ?? 1
        var form = SampleDeliveries.Form()
        if let goal = words.named["goal"] { form.goal = String(goal) }
        if let assignment = words.integer("assignment") { form.assignment = AssignmentID(UInt32(assignment)) }
        if let due = words.duration("due") { form.dueAt = now.wall + due }
        if let limit = words.duration("send_by") { form.sendBy = now.wall + limit }
        form.items = words.integer("items") ?? 1
        form.bytes = words.integer("bytes") ?? 0
        form.offset = words.integer("offset")
        var batch = SampleDeliveries.batch(nextNumber..<(nextNumber + count), form)
        // `assignments=1,2`: in turns.
        if let ids = words.named["assignments"]?.split(separator: ",").compactMap({ UInt32($0) }) {
            for index in batch.deliveries.indices {
                batch.deliveries[index].assignment = AssignmentID(ids[index % ids.count])
            }
        }
        // `transactions=7,8`: in turns; 0 is none.
        if let keys = words.named["transactions"]?.split(separator: ",").compactMap({ Int64($0) }) {
            for index in batch.deliveries.indices {
                batch.deliveries[index].transaction = TransactionKey(rawValue: keys[index % keys.count])
            }
        }
        nextNumber += count
        tell(.fresh(batch))
    }

    private mutating func answer(_ words: inout ScriptWords) {
        var chosen = Array(requests.prefix(1))
        if let word = words.words.first, word == "all" || word.hasPrefix("r") && Int(word.dropFirst()) != nil {
            _ = words.next()
            chosen = word == "all" ? requests : requests.filter { shown($0.id) == word }
        }
        if chosen.isEmpty { Issue.record("no request waits for an answer") }
        for request in chosen {
            requests.removeAll { $0.id == request.id }
            tell(.answered(request.id, outcome(words, entries: request.entries), elapsed: .milliseconds(20)))
        }
    }

    private func outcome(_ words: ScriptWords, entries: Int) -> HTTPOutcome {
        var words = words
        let word = words.next() ?? ""
        // `3:5604`, or `0-99:5604` for many.
        let problems = words.words.flatMap { problem in
            let parts = problem.split(separator: ":")
            let bounds = parts[0].split(separator: "-").compactMap { Int($0) }
            return ((bounds.first ?? 0)...(bounds.last ?? 0)).map {
                (index: $0, code: parts.last.map(String.init) ?? "")
            }
        }
        let numbers = problems.map { (index: Optional($0.index), code: Int($0.code) ?? 0) }
        let isOffline = settings.kind.type == "offline_conversions"
        let after = words.named["after"].map(String.init)
        switch word {
        case "ok":
            return isOffline
                ? SampleAnswers.applied(numbers) : SampleAnswers.processed(entries - problems.count, problems)
        case "received": return SampleAnswers.processed(words.integer("count") ?? 0, problems)
        case "400" where !problems.isEmpty: return SampleAnswers.invalid(problems)
        case "fault": return SampleAnswers.fault(400, words.integer("code") ?? 0, after: after)
        case "empty": return SampleAnswers.answer(200)
        case "cut": return .answer(HTTPAnswer(status: 200, body: Array("{".utf8), isTruncated: true))
        default:
            if let fault = TransportFault(rawValue: String(word)) { return .noAnswer(fault) }
            guard let status = Int(word) else {
                Issue.record("no such answer: \(word)")
                return .noAnswer(.local)
            }
            return SampleAnswers.answer(status, after: after)
        }
    }

    private mutating func advance(_ duration: Duration) {
        let end = now + duration
        while true {
            let wake = lane.nextWake(now: now)
            if wake <= now.uptime {
                Issue.record("the lane wants to be woken at once, again and again")
                return
            }
            if let answer = answersDue.first, answer.at <= min(wake, end.uptime) {
                now = now + (answer.at - now.uptime)
                answersDue.removeFirst()
                tell(.answered(answer.id, answer.outcome, elapsed: service?.delay ?? .zero))
            } else if wake <= end.uptime {
                now = now + (wake - now.uptime)
                tell(.tick)
            } else {
                now = end
                return
            }
        }
    }

    private mutating func tellStore(_ word: Substring?) {
        switch word {
        case "full":
            isStoreFull = true
            tell(.storeHealth(isWritable: false))
        case "writable":
            isStoreFull = false
            let works = unwritten
            unwritten = []
            for (ticket, works) in works { write(ticket, works) }
            tell(.storeHealth(isWritable: true))
        case "unreadable": isStoreUnreadable = true
        case "readable": isStoreUnreadable = false
        case "silent": isStoreSilent = true
        case "speaks":
            isStoreSilent = false
            let inputs = unsaid
            unsaid = []
            for input in inputs { tell(input) }
        default: Issue.record("the store is full, writable, unreadable, readable, silent, or speaks")
        }
    }

    private mutating func restart() {
        store.crash()
        requests = []
        unwritten = []
        unsaid = []
        lane = DestinationLane(
            id: LaneScene.id, settings: settings, rows: rows, depth: store.depth(of: LaneScene.id),
            heldGoals: store.heldGoals(of: LaneScene.id), state: store.states[LaneScene.id] ?? .running, now: now,
            seed: 2)
        tell(.credential(isReady: true, generation: 1))
        tell(.reading)
    }

    private mutating func show() {
        let snapshot = lane.snapshot(now: now)
        let books = snapshot.books
        var parts = ["gate \(snapshot.gate)"]
        let counts = [
            ("received", books.received), ("restored", books.restored), ("replayed", books.replayed),
            ("delivered", books.delivered), ("unconfirmed", books.deliveredUnconfirmed), ("skipped", books.skipped),
            ("refused", books.deadLetteredRefused), ("expired", books.deadLetteredExpired),
            ("released", books.released), ("pending", snapshot.pending), ("in_flight", snapshot.inFlight),
        ]
        for (name, count) in counts where count != 0 { parts.append("\(name) \(count)") }
        if lane.isBackedUp { parts.append("backed up") }
        if lane.isQueueFull { parts.append("queue full") }
        note(parts.joined(separator: ", "))
    }

    // MARK: What the lane wants

    private mutating func tell(_ input: LaneInput) {
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

    private mutating func write(_ ticket: StoreTicket, _ works: [StoreWork]) {
        let outcome = store.perform(works)
        say(.stored(ticket, leftOut: outcome.leftOut[LaneScene.id] ?? []))
        if let count = outcome.expired[LaneScene.id] { say(.expired(count: count)) }
        say(.depth(store.depth(of: LaneScene.id)))
    }

    private mutating func say(_ input: LaneInput) {
        if isStoreSilent { unsaid.append(input) } else { tell(input) }
    }

    private mutating func note(_ text: String) {
        let time = (now.uptime - SampleDeliveries.start.uptime).shown
        lines.append(String(repeating: " ", count: max(0, 9 - time.count)) + time + "  " + text)
    }

    // MARK: Words for actions

    private func shown(_ request: RequestID) -> String { "r\(requestNumbers[request] ?? 0)" }

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
                ("retried", report.retried), ("resent", report.resent), ("warnings", report.warnings),
            ]
            for (name, count) in counts where count > 0 { parts.append("\(name) \(count)") }
            if let wait = report.wait { parts.append("wait \(wait.shown)") }
            return parts.joined(separator: ", ") + ", gate \(report.gate)"
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
