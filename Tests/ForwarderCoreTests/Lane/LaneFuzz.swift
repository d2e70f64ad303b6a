import ForwarderCore
import ForwarderTestKit

/// A lane that is told things at random, in random order, beside a simple account of where each delivery is. What the lane
/// does is checked against it at every step.
struct LaneFuzz {
    /// One delivery as it was handed to the lane: a record that is read again is another one with the same number.
    struct Copy {
        var number: Int
        var assignment: AssignmentID
        var row: RowID?
        var isSettled = false
        /// Handed over to the store for good, taken out of the queue, or delivered without ever being there.
        var isEnded = false
        var isReleased = false
    }

    let seed: UInt64
    var random: SeededRandom
    var settings: DestinationSettings
    var lane: DestinationLane
    var service: SampleService
    var store = ModelStore()
    let rows = RowIDs(after: .none)
    var now = SampleDeliveries.start

    var copies: [UInt64: Copy] = [:]
    var copyOfRow: [RowID: UInt64] = [:]
    var contents: [Int: [UInt8]] = [:]
    var goals: [Int: String] = [:]
    var entries: [Int: Int] = [:]
    var offsets: [Int: Int] = [:]
    var sendBy: [Int: Timestamp] = [:]
    var nextSequence: UInt64 = 1
    var assignment = AssignmentID(1)
    var generation = 1

    var requests: [(id: RequestID, items: [SampleService.Item], isStrict: Bool)] = []
    var works: [(ticket: StoreTicket, works: [StoreWork])] = []
    var unsaid: [LaneInput] = []
    var claimedRows: Set<RowID> = []
    /// What the lane asked about, by number.
    var inquiries: [InquiryID: [(number: Int, key: TransactionKey)]] = [:]
    var transactions: [Int: TransactionKey] = [:]
    /// Of these a duplicate may pass: the store could not say.
    var unknownTransactions: Set<TransactionKey> = []
    var ticketWorks: [StoreTicket: [StoreWork]] = [:]
    /// Copies that may be settled: an answer came for their request, or their ticket is on disk.
    var justified: Set<UInt64> = []
    var isWritable = true
    var isOver = false

    private(set) var failure: String?
    private(set) var log: [String] = []

    static let id = DestinationID(1)

    init(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed)
        let isOffline = Bool.random(using: &random)
        if isOffline {
            let oauth = OAuthSettings(clientID: "client", refreshToken: .environment("SEED"))
            settings = DestinationSettings(
                name: "offline",
                kind: .offlineConversions(
                    OfflineSettings(
                        goals: [.init(event: "Purchase", name: "A")], customerID: "1", accountID: "2",
                        developerToken: .environment("TOKEN"), oauth: oauth)
                ))
        } else {
            settings = DestinationSettings(
                name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("TOKEN"))))
        }
        settings.concurrency = .random(in: 1...4, using: &random)
        settings.batch.maxEvents = .random(in: 1...6, using: &random)
        settings.buffer.maxBytes = [1000, 5000, 1 << 20].randomElement(using: &random) ?? 1000
        if Int.random(in: 0..<4, using: &random) == 0 { settings.rateLimit = .random(in: 1...20, using: &random) }
        if Int.random(in: 0..<8, using: &random) == 0 { settings.retry.maxAttempts = 5 }
        service = SampleService(isOffline: isOffline)
        lane = DestinationLane(
            id: LaneFuzz.id, settings: settings, rows: rows, depth: QueueDepth(), heldGoals: [], state: .running,
            now: now, seed: seed)
    }

    mutating func run(steps: Int) {
        tell(.credential(isReady: true, generation: generation))
        for _ in 0..<steps where failure == nil { step() }
        if failure == nil { converge() }
    }

    // MARK: Steps

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22: fresh()
        case 22..<46: answerOne()
        case 46..<58: writeOne()
        case 58..<70: sayOne()
        case 70..<84: advance()
        case 84..<86: reread()
        case 86: revoke()
        case 87: tell(Bool.random(using: &random) ? .pause : .resume)
        case 88: tell(.resume)
        case 89:
            generation += Int.random(in: 0...1, using: &random)
            tell(.credential(isReady: Int.random(in: 0..<3, using: &random) > 0, generation: generation))
        case 90, 91:
            isWritable.toggle()
            tell(.storeHealth(isWritable: isWritable))
        case 92: tell(.throttled(until: now.uptime + .seconds(Int.random(in: 0...60, using: &random))))
        case 93:
            if Bool.random(using: &random) { service.missingGoals.insert("B") } else { service.missingGoals = [] }
            if Bool.random(using: &random) { service.youngGoals.insert("B") } else { service.youngGoals = [] }
        case 94: replay()
        case 95: reconfigure()
        case 96: crash()
        case 97: shutDown()
        case 98: tell(.depth(store.depth(of: LaneFuzz.id)))
        default: tell(.tick)
        }
    }

    private mutating func fresh() {
        var count = Int.random(in: 1...settings.batch.maxEvents, using: &random)
        var form = SampleDeliveries.Form()
        form.goal = ["A", "A", "B"].randomElement(using: &random) ?? "A"
        if !service.isOffline, Int.random(in: 0..<4, using: &random) == 0 {
            form.items = 2
            count = max(1, count / 2)
        }
        if Int.random(in: 0..<8, using: &random) == 0 {
            form.dueAt = now.wall + .milliseconds(Int64.random(in: 0...30_000, using: &random))
        }
        if Int.random(in: 0..<10, using: &random) == 0 {
            form.sendBy = now.wall + .seconds(Int.random(in: 0...100, using: &random))
        }
        form.bytes = .random(in: 0...100, using: &random)
        hand(over: Int(nextSequence)..<(Int(nextSequence) + count), form)
    }

    private mutating func hand(over numbers: Range<Int>, _ form: SampleDeliveries.Form) {
        var batch = SampleDeliveries.batch(numbers, form)
        for (index, number) in numbers.enumerated() {
            let delivery = batch.deliveries[index]
            contents[number] = Array(batch.contents[delivery.content])
            goals[number] = form.goal
            entries[number] = form.items
            offsets[number] = Int(delivery.offset)
            sendBy[number] = delivery.sendBy
            if Int.random(in: 0..<12, using: &random) == 0 { service.bad.insert(number) }
            batch.deliveries[index].assignment = assignment
            batch.deliveries[index].sequence = nextSequence
            if Int.random(in: 0..<3, using: &random) == 0 {
                transactions[number] = TransactionKey(rawValue: .random(in: 1...40, using: &random))
            }
            batch.deliveries[index].transaction = transactions[number] ?? .none
            copies[nextSequence] = Copy(number: number, assignment: assignment)
            nextSequence += 1
        }
        tell(.fresh(batch))
    }

    /// A record that the store holds is read again, under a new assignment.
    private mutating func reread() {
        guard let row = store.rows.keys.sorted().randomElement(using: &random), let copy = copyOfRow[row],
            let number = copies[copy]?.number
        else { return }
        var form = SampleDeliveries.Form()
        form.goal = goals[number] ?? "A"
        form.offset = offsets[number]
        var batch = SampleDeliveries.batch(number..<(number + 1), form)
        batch.contents = contents[number] ?? []
        batch.deliveries[0].contentEnd = UInt32(batch.contents.count)
        batch.deliveries[0].itemCount = UInt8(entries[number] ?? 1)
        batch.deliveries[0].sendBy = sendBy[number] ?? .distantFuture
        batch.deliveries[0].assignment = assignment
        batch.deliveries[0].sequence = nextSequence
        batch.deliveries[0].transaction = transactions[number] ?? .none
        copies[nextSequence] = Copy(number: number, assignment: assignment)
        nextSequence += 1
        tell(.fresh(batch))
    }

    mutating func answerOne() {
        guard !requests.isEmpty else { return }
        let request = requests.remove(at: .random(in: 0..<requests.count, using: &random))
        let outcome = service.answer(request.items, isStrict: request.isStrict, using: &random)
        let numbers = Set(request.items.map(\.number))
        for (sequence, copy) in copies where numbers.contains(copy.number) && copy.row == nil {
            justified.insert(sequence)
        }
        tell(.answered(request.id, outcome, elapsed: .milliseconds(5)))
    }

    /// The store writes one hand-over.
    mutating func writeOne() {
        guard isWritable, !works.isEmpty else { return }
        let (ticket, next) = works.removeFirst()
        for work in next { checkOnce(work) }
        let outcome = store.perform(next)
        unsaid.append(.stored(ticket, leftOut: outcome.leftOut[LaneFuzz.id] ?? []))
        for row in outcome.leftOut[LaneFuzz.id] ?? [] { claimedRows.remove(row) }
        if let count = outcome.expired[LaneFuzz.id] { unsaid.append(.expired(count: count)) }
    }

    mutating func sayOne() {
        guard !unsaid.isEmpty else { return }
        var place = Int.random(in: 0..<unsaid.count, using: &random)
        // Whether something is the first of its transaction is true only before what comes behind it.
        let inquiry = unsaid.firstIndex { if case .identified = $0 { true } else { false } }
        if let inquiry, inquiry < place { place = inquiry }
        let input = unsaid.remove(at: place)
        if case .identified(let id, let answers) = input { expectDuplicates(id, answers) }
        if case .stored(let ticket, let leftOut) = input {
            for work in ticketWorks.removeValue(forKey: ticket) ?? [] { justify(work) }
            for row in leftOut { copyOfRow[row].map { copies[$0]?.isEnded = true } }
        }
        tell(input)
    }

    private mutating func justify(_ work: StoreWork) {
        switch work {
        case .enqueue(_, let batch, _), .deadLetter(_, let batch, _, _):
            for delivery in batch.deliveries { justified.insert(delivery.sequence) }
        case .remove, .reschedule, .deadLetterRows, .expire, .remember, .reject, .setState: break
        }
    }

    private mutating func advance() {
        // In the past, if time has passed without a tick.
        let wake = max(now.uptime, lane.nextWake(now: now))
        if Bool.random(using: &random), wake < now.uptime + .seconds(100_000) {
            now = now + (wake - now.uptime)
            tell(.tick)
        } else {
            now = now + .milliseconds(Int64.random(in: 0...20_000, using: &random))
            if Bool.random(using: &random) { tell(.tick) }
        }
    }

    private mutating func revoke() {
        let gone = assignment
        assignment = AssignmentID(gone.rawValue + 1)
        for (sequence, copy) in copies where copy.assignment == gone && copy.row == nil && !copy.isEnded {
            copies[sequence]?.isReleased = true
        }
        tell(.revoked([gone]))
    }

    private mutating func replay() {
        let rows = self.rows
        var named: [RowID] = []
        let letters = store.deadLetters.map { SampleDeliveries.numbers(in: $0.row.content)[0] }
        let count = store.replay(LaneFuzz.id, now: now.wall) {
            named.append(rows.next())
            return named[named.count - 1]
        }
        guard count > 0, !letters.isEmpty else { return }
        for row in named {
            guard let stored = store.rows[row] else { continue }
            let number = SampleDeliveries.numbers(in: stored.content)[0]
            copies[nextSequence] = Copy(number: number, assignment: .none, row: row, isSettled: true)
            copyOfRow[row] = nextSequence
            nextSequence += 1
        }
        tell(.replayed(count: count))
    }

    private mutating func reconfigure() {
        if Int.random(in: 0..<3, using: &random) == 0 { return tell(.leave) }
        settings.concurrency = .random(in: 1...4, using: &random)
        settings.mode = Int.random(in: 0..<4, using: &random) == 0 ? .shadow : .live
        tell(.reconfigure(settings))
    }

    mutating func fail(_ text: String) {
        if failure == nil { failure = text }
        note("FAILURE: \(text)")
    }

    mutating func note(_ text: String) {
        log.append("\((now.uptime - SampleDeliveries.start.uptime).shown) \(text)")
    }

    func describe(_ input: LaneInput) -> String {
        switch input {
        case .fresh(let batch):
            "fresh \(batch.deliveries.map { "#\($0.sequence)" }) \(SampleDeliveries.numbers(of: batch))"
        case .answered(let id, .answer(let answer), _):
            "answered \(id.rawValue & 0xFFFF) \(answer.status) \(String(decoding: answer.body.prefix(150), as: UTF8.self))"
        case .answered(let id, .noAnswer(let fault), _): "answered \(id.rawValue & 0xFFFF) \(fault)"
        case .claimed(let claim): "claimed \(claim.map { "\($0.batch.deliveries.map(\.row.rawValue))" } ?? "nothing")"
        case .stored(let ticket, let leftOut): "stored \(ticket.rawValue & 0xFFFF) \(leftOut.map(\.rawValue))"
        case .reconfigure(let settings): "reconfigure \(settings.mode)"
        default: "\(input)"
        }
    }
}
