import ForwarderCore
import ForwarderTestKit
import Testing

/// A lane, a store and a clock, moved by the lines of a script. The store works at once, unless it is told not to.
struct LaneScene {
    var settings: DestinationSettings
    var lane: DestinationLane
    var store = ModelStore()
    var now = SampleDeliveries.start
    let rows = RowIDs(after: .none)
    var nextNumber = 1
    var lines: [String] = []
    var lastDead: (text: String, line: String, offsets: [Int])?

    /// Requests without an answer, oldest first, and how many entries they have.
    var requests: [(id: RequestID, entries: Int)] = []
    /// By the order in which they were sent.
    var requestNumbers: [RequestID: Int] = [:]
    var names: [RowID: Int] = [:]
    /// A service that answers by itself after a while: well, unless the request carries the poison.
    var service: (delay: Duration, poison: Int?)?
    var answersDue: [(at: Uptime, id: RequestID, outcome: HTTPOutcome)] = []
    var isStoreFull = false
    var isStoreUnreadable = false
    var unwritten: [(StoreTicket, [StoreWork])] = []
    /// What the store would say, were it not told to keep it to itself.
    var isStoreSilent = false
    var unsaid: [LaneInput] = []

    static let id = DestinationID(1)
    /// Whose conversions a scene of refunds adjusts.
    static let original: DestinationID? = nil

    /// `line`: `capi`, `offline` or `invest`, and settings.
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
        case "invest":
            var pixels = InvestPixelSettings(events: [.init(event: "Purchase", pixelID: 37)])
            pixels.retryAmbiguous = words.named["retry_ambiguous"].map { $0 == "true" }
            settings = DestinationSettings(name: "invest", kind: .investPixel(pixels))
        default:
            settings = DestinationSettings(
                name: "capi", kind: .capi(CAPISettings(uetTagID: "12345678", token: .environment("TOKEN"))))
        }
        settings.concurrency = words.integer("concurrency") ?? 4
        settings.batch.maxEvents = words.integer("max_events") ?? min(settings.batch.maxEvents, 8)
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
            ("unclear", books.deadLetteredUnclear),
            ("released", books.released), ("pending", snapshot.pending), ("in_flight", snapshot.inFlight),
        ]
        for (name, count) in counts where count != 0 { parts.append("\(name) \(count)") }
        if lane.isBackedUp { parts.append("backed up") }
        if lane.isQueueFull { parts.append("queue full") }
        note(parts.joined(separator: ", "))
    }
}
