import ForwarderCore

/// What a destination has been sent and what became of it.
public struct DestinationBooks: Sendable {
    /// Events of all requests that were judged. Always the sum of `accepted`, `duplicates`, `changed`, `invalid`,
    /// `refusedByPlan` and `unprocessed`.
    public private(set) var received = 0
    /// Distinct events that were accepted.
    public private(set) var accepted = 0
    /// Identical repeats of accepted events.
    public private(set) var duplicates = 0
    /// Repeats of accepted events with other content.
    public private(set) var changed = 0
    /// Events that break the contract.
    public private(set) var invalid = 0
    /// Events refused for the fault plan's sake, or because their goal is too young.
    public private(set) var refusedByPlan = 0
    /// Events in order, in a request that was refused as a whole.
    public private(set) var unprocessed = 0
    /// What a correct client would never have sent: events that break the contract, that carry a field that had to be
    /// dropped, or that repeat another with other content; and requests that cannot be taken apart into events.
    public private(set) var judgedInvalid = 0
    public private(set) var findings: [Finding] = []
    public internal(set) var traffic = Traffic()
    /// What is counted for the conversions that were accepted, adjustments taken into account.
    var conversions = CountedConversions()

    private var ledger = Ledger()
    /// Offline conversions that were taken, by the hash of their goal's name.
    private(set) var uploads: [UInt64: [CalendarDay: Upload]] = [:]
    /// What was said of events that were refused for the fault plan's sake: codes, "" for a refusal without one. Of a
    /// request that was refused as a whole only where the event stood alone in it.
    private var refusals: [UInt64: Set<String>] = [:]
    /// Names that events came with; few, unless a client is astray.
    private var names: Set<UInt64> = []
    private let findingLimit: Int
    private static let nameLimit = 1000

    init(findingLimit: Int) {
        self.findingLimit = findingLimit
    }

    /// Enters the fate of every item of a request. `onNew` is told the index of each that was never accepted before.
    /// - Returns: how many items were processed.
    /// - Parameter day: of offline conversions, for reports on their goals.
    mutating func book<Code>(
        _ judgement: Judgement<Code>, body: [UInt8], isProcessed: Bool, on day: CalendarDay? = nil,
        onNew: (Int) -> Void = { _ in }
    ) -> Int {
        var processed = 0
        for (index, item) in judgement.items.enumerated() {
            received += 1
            var isBlamed = item.worst == .remark || item.worst == .warning || item.worst == .error
            switch item.worst {
            case .error: invalid += 1
            case .setback:
                refusedByPlan += 1
                note(item.name)
            case .none, .remark, .warning:
                guard isProcessed else {
                    unprocessed += 1
                    break
                }
                processed += 1
                note(item.name)
                let entry = ledger.enter(item.key, content: item.content)
                if let day { uploads[item.name, default: [:]][day, default: Upload()].count(entry) }
                switch entry {
                case .new:
                    accepted += 1
                    if case .conversion(let conversion) = item.effect { conversions.enter(conversion) }
                    onNew(index)
                case .identical: duplicates += 1
                case .changed:
                    changed += 1
                    isBlamed = true
                    let eventID = DestinationBooks.shown(item, in: body)
                    keep(Finding(reason: "content_changed", index: index, eventID: eventID))
                }
            }
            if isBlamed { judgedInvalid += 1 }
        }
        for problem in judgement.problems where problem.severity == .setback {
            refusals[judgement.items[Int(problem.item)].key, default: []].insert(problem.code.told)
        }
        if findings.count < findingLimit {
            for problem in judgement.problems where problem.severity != .setback {
                let eventID = DestinationBooks.shown(judgement.items[Int(problem.item)], in: body)
                keep(Finding(problem, body: body, eventID: eventID))
            }
        }
        return processed
    }

    /// Enters a request that is refused as a whole although it was understood. `told`: the code in the answer.
    mutating func bookRefused<Code>(
        _ judgement: Judgement<Code>, _ refusal: WholeRefusal, told: String, body: [UInt8]
    ) {
        _ = book(judgement, body: body, isProcessed: false)
        guard refusal == .culprit, judgement.items.count == 1, let culprit = judgement.items.first else { return }
        note(culprit.name)
        refusals[culprit.key, default: []].insert(told)
    }

    private mutating func note(_ name: UInt64) {
        if names.count < DestinationBooks.nameLimit { names.insert(name) }
    }

    /// Enters a request that a correct client would never have sent.
    mutating func blame(_ finding: Finding) {
        judgedInvalid += 1
        keep(finding)
    }

    /// How often an event of that id was accepted, under whatever name.
    func timesAccepted(id: UInt64) -> Int {
        names.reduce(0) { $0 + ledger.times(CAPIJudge.key(id: id, name: $1)) }
    }

    func timesAccepted(key: UInt64) -> Int {
        ledger.times(key)
    }

    /// What was said when an event of that id was refused for the fault plan's sake, under whatever name.
    func refusals(id: UInt64) -> Set<String> {
        names.reduce(into: []) { $0.formUnion(refusals(key: CAPIJudge.key(id: id, name: $1))) }
    }

    func refusals(key: UInt64) -> Set<String> {
        refusals[key] ?? []
    }

    private mutating func keep(_ finding: Finding) {
        if findings.count < findingLimit { findings.append(finding) }
    }

    static func shown(_ item: JudgedItem, in body: [UInt8]) -> String? {
        let range = Int(item.shownID.lowerBound)..<Int(item.shownID.upperBound)
        return range.isEmpty ? nil : String(decoding: body[range].prefix(100), as: UTF8.self)
    }
}

/// One piece of evidence against the client.
public struct Finding: Sendable, Equatable {
    public var reason: String
    /// The field with its path inside the event.
    public var property: String?
    /// The event's place in its request.
    public var index: Int?
    /// CAPI's `eventId`; of an offline conversion its time.
    public var eventID: String?

    public init(reason: String, property: String? = nil, index: Int? = nil, eventID: String? = nil) {
        self.reason = reason
        self.property = property
        self.index = index
        self.eventID = eventID
    }
}

extension Finding {
    init<Code>(_ problem: Problem<Code>, body: [UInt8], eventID: String? = nil) {
        let property = problem.property(in: body)
        self.init(
            reason: problem.code.reason, property: property.isEmpty ? nil : property,
            index: problem.item < 0 ? nil : Int(problem.item), eventID: eventID)
    }
}

/// How requests were answered.
public struct Traffic: Sendable, Equatable {
    /// By status, or `dropped` or `truncated` where no whole answer was given.
    public private(set) var requests: [String: Int] = [:]
    /// Those of them that a fault befell, by the fault's name.
    public private(set) var faults: [String: Int] = [:]

    mutating func count(_ reply: FakeReply, fault: String?) {
        requests[reply.label, default: 0] += 1
        if let fault { faults[fault, default: 0] += 1 }
    }
}
