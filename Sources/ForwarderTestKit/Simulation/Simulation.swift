import FakeMicrosoft
import ForwarderCore

/// A life of the daemon, played from one seed in virtual time: a shop, Kafka, the real core, a store that can be full, and
/// a Microsoft that goes wrong. The process is killed, stopped and started, partitions come and go, for minutes or days.
/// Then everything works again, and everything must come to a good end.
public struct Simulation {
    enum Happening {
        case publish
        case poll(life: Int)
        case commit(life: Int)
        case storeTurn(life: Int)
        case note(SimulatedProcess.Note, to: SimulatedProcess.Receiver, life: Int)
        case arrival(HTTPRequest, RequestID?, life: Int)
        case answer(HTTPOutcome, RequestID?, life: Int)
        case drainDeadline(life: Int)
        case trouble(Trouble)
        /// Somebody puts the secrets that Microsoft takes by now where the daemon reads them.
        case secretsHandedOut
        case lookAtSecrets(life: Int)
    }

    enum Trouble: CaseIterable {
        case crash, stop, rebalance, fullDisk, slowDisk, pause, grantNotSaved, suspension, clockStep, youngGoal
        // Of credentials; half of them strike between two requests.
        case expiredToken, revokedGrant, refusedGrant, newTagToken
    }

    /// The token of the UET tag and the refresh token that a configuration names.
    struct SecretTexts: Equatable {
        var tagToken = "token"
        var seed = "refresh-token"
    }

    /// A record as one destination sees it.
    struct Place: Hashable {
        var partition: Int
        var offset: Int64
        var destination: Int
    }

    /// What came of it.
    public struct Report: Sendable {
        public var seed: UInt64
        /// What went wrong; nil if nothing did.
        public var failure: String?
        public var trace: [String]
        public var records = 0
        public var delivered = 0
        public var deadLetters = 0
        public var orders = 0
        /// Orders that were published more than once.
        public var repeated = 0
        public var refunds = 0
        /// Orders with refunds whose worth could be foretold to the cent.
        public var exactlyRefunded = 0
        /// Orders that counted twice for a destination, by the excuse there was.
        public var countedTwice: [Excuse: Int] = [:]
        public var requests = 0
        public var lives = 0
        public var steps = 0
        /// Virtual time.
        public var length = Duration.zero
    }

    /// Seeds that have found a fault once. They are always played.
    public static let oldSeeds: [UInt64] = []

    static let start = Timestamp(seconds: 1_786_000_000)
    /// A request that takes longer is given up.
    static let requestTimeout: Int64 = 30_000
    static let tag = "12345678"
    static let account = "2"
    static let pixel = 37
    static let ids = [DestinationID(1), DestinationID(2), DestinationID(3), DestinationID(4)]
    static let destinations = [
        FakeDestination.capi(tag: tag), .offline(account: account), .offlineAdjustments(account: account),
        .pixel(id: pixel),
    ]
    /// The destinations that share the grant: conversions, and what takes them back.
    static let ofGrant = 1...2

    /// What happened, line by line; a reference, so that whoever writes to it changes nothing.
    private final class Log {
        var lines: [String] = []
    }

    private let isTracing: Bool
    private let log = Log()
    var report: Report
    var random: SeededRandom
    var shop: SimulatedShop
    var kafka: ModelKafka
    var microsoft: MicrosoftModel
    var microsoftRandom: SeededRandom
    var store = ModelStore()
    var savedGrant: GrantRecord?
    var settings: [DestinationSettings] = []

    /// Virtual milliseconds.
    var time: Int64 = 0
    /// What the process's clock of uptime says at time 0.
    var uptimeShift: Int64 = 0
    /// How far the clock on the wall of the daemon's machine is ahead, in milliseconds.
    var clockError: Int64 = 0
    /// Since when it is right, if it is.
    var clockRightSince = Int64.min / 2
    var agenda = Agenda<Happening>()
    var process: SimulatedProcess?
    var lives = 0
    var isDiskFull = false
    var isDiskSlow = false
    var isGrantUnsavable = false
    /// What Microsoft takes, and what the daemon finds in its files.
    var validSecrets = SecretTexts()
    var secrets = SecretTexts()
    /// Strikes when so many more requests have arrived.
    var ambush: (trouble: Trouble, afterRequests: Int)?
    /// Until when there is trouble.
    var troubleEnd: Int64 = 0
    var isHealed = false
    /// For what reasons Microsoft may refuse deliveries for good.
    var refusals: Set<String> = []
    /// What each request in flight carries.
    var sent: [RequestID: [UInt8]] = [:]
    /// What each destination believed to be delivered without a proof: event ids, and click ids of conversions.
    var believed: [Set<String>] = [[], [], [], []]
    /// What Microsoft would not have for its time because the daemon's clock was wrong: event ids, and times of conversions.
    var mistimed: [Set<String>] = [[], [], [], []]
    /// How many findings of each destination have been looked at.
    var seenFindings = [0, 0, 0, 0]
    /// Records that a destination rejected when they were last read.
    var rejectedAtLast: Set<Place> = []
    /// The order that a lane knows by its key.
    var orderOf: [TransactionKey: Int] = [:]
    /// Orders that may count twice for a destination, and why each may.
    var excused: [[Int: Excuse]] = [[:], [:], [:], [:]]

    public init(seed: UInt64, isTracing: Bool = false) {
        self.isTracing = isTracing
        report = Report(seed: seed, trace: [])
        random = SeededRandom(seed: seed)
        kafka = ModelKafka(partitions: .random(in: 1...3, using: &random))
        shop = SimulatedShop(seed: random.next(), partitions: kafka.partitions.count)
        microsoftRandom = SeededRandom(seed: random.next())
        var service = MicrosoftSettings(
            tags: [Simulation.tag: "token"],
            accounts: [
                OfflineAccount(customerID: "1", accountID: Simulation.account, goals: ["Purchase": OfflineGoal()])
            ])
        service.invest.add(FakePixel(id: Simulation.pixel, advertiserID: 2, name: "Orders"))
        // All of them are looked at.
        service.findingLimit = .max
        microsoft = MicrosoftModel(service)
        settings = makeSettings()
        planTrouble()
    }

    /// Plays it to the end.
    public mutating func run() -> Report {
        begin()
        let limit = troubleEnd + 12 * 3_600_000
        while report.failure == nil, !isOver {
            guard let next = nextTime else {
                fail("nothing happens any more")
                break
            }
            time = max(time, next)
            report.steps += 1
            if time > limit || report.steps > 2_000_000 { fail("it never comes to rest: \(state)") }
            step()
        }
        if report.failure == nil { checkEnd() }
        report.length = .milliseconds(time)
        report.lives = lives
        report.trace = log.lines
        return report
    }

    // MARK: Time

    /// What the daemon's machine takes for the time.
    var now: Moment {
        Moment(wall: trueTime + .milliseconds(clockError), uptime: Uptime(milliseconds: time + uptimeShift))
    }

    /// What the shop's and Microsoft's machines do.
    var trueTime: Timestamp { Simulation.start + .milliseconds(time) }

    private var nextTime: Int64? {
        var next = agenda.nextTime
        func at(_ uptime: Uptime) {
            let (at, overflow) = uptime.milliseconds.subtractingReportingOverflow(uptimeShift)
            if !overflow, at < Int64.max / 2 { next = min(next ?? at, max(time, at)) }
        }
        if let process {
            for wake in process.wakes { at(wake) }
            at(process.grant.nextWake())
        }
        return next
    }

    private mutating func step() {
        if !isHealed, time >= troubleEnd { heal() }
        if let due = agenda.nextTime, due <= time, let happening = agenda.next() {
            happen(happening)
        } else if let process {
            for index in process.lanes.indices where process.wakes[index] <= now.uptime {
                tell(index, .tick)
                if process.wakes[index] <= now.uptime { fail("lane \(index) spins") }
            }
            if process.grant.nextWake() <= now.uptime { tellGrant(.tick) }
        }
    }

    private mutating func happen(_ happening: Happening) {
        switch happening {
        case .publish: publish()
        case .trouble(let trouble): begin(trouble)
        case .secretsHandedOut: secrets = validSecrets
        case .lookAtSecrets(let life): if isAlive(life) { lookAtSecrets() }
        case .poll(let life): if isAlive(life) { poll() }
        case .commit(let life): if isAlive(life) { commit() }
        case .storeTurn(let life): if isAlive(life) { storeTurn() }
        case .note(let note, let receiver, let life): if isAlive(life) { take(note, receiver) }
        case .arrival(let request, let id, let life): arrive(request, id, life: life)
        case .answer(let outcome, let id, let life): if isAlive(life) { answered(outcome, id) }
        case .drainDeadline(let life): if isAlive(life) { finish() }
        }
    }

    private func isAlive(_ life: Int) -> Bool { process?.life == life }

    mutating func after(_ milliseconds: Int64, _ happening: Happening) {
        agenda.add(happening, at: time + milliseconds)
    }

    mutating func after(_ range: ClosedRange<Int64>, _ happening: Happening) {
        after(Int64.random(in: range, using: &random), happening)
    }

    func chance(_ percent: Int, _ random: inout SeededRandom) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    // MARK: Lives

    mutating func startProcess() {
        guard process == nil else { return }
        lives += 1
        uptimeShift = Int64.random(in: 0...1_000_000_000, using: &random) - time
        let rows = RowIDs(after: store.highestRow)
        var lanes: [DestinationLane] = []
        for (id, settings) in zip(Simulation.ids, settings) {
            lanes.append(
                DestinationLane(
                    id: id, settings: settings, rows: rows, depth: store.depth(of: id),
                    heldGoals: store.heldGoals(of: id), state: store.states[id] ?? .running, now: now,
                    seed: random.next()))
        }
        guard case .offlineConversions(let offline) = settings[1].kind else { preconditionFailure("no such settings") }
        let grant = OAuthGrant(
            name: "offline", settings: offline.oauth, retry: RetrySettings(), secrets: grantSecrets,
            record: savedGrant, seed: random.next())
        process = SimulatedProcess(
            life: lives, settings: settings, lanes: lanes, grant: grant, tagToken: secrets.tagToken)
        trace("-- life \(lives)")
        for (index, id) in Simulation.ids.enumerated() where store.states[id] ?? .running != .running {
            resumeLater(index)
        }
        for index in [0, 3] { tell(index, .credential(isReady: true, generation: 1)) }
        for index in Simulation.ofGrant { tell(index, .credential(isReady: false, generation: 0)) }
        tellGrant(.tick)
        assign(Array(kafka.partitions.indices))
    }

    mutating func endProcess(_ word: String) {
        guard process != nil else { return }
        trace("-- \(word)")
        sent = [:]
        self.process = nil
        store.crash()
        agenda.removeAll { happening in
            switch happening {
            case .publish, .trouble, .arrival, .secretsHandedOut: false
            default: true
            }
        }
    }

    // MARK: Words

    mutating func fail(_ text: String) {
        if report.failure == nil { report.failure = text }
        trace("FAILURE: \(text)")
    }

    func trace(_ text: @autoclosure () -> String) {
        guard isTracing else { return }
        let fraction = "\(1000 + time % 1000)".dropFirst()
        log.lines.append("\(time / 1000).\(fraction) \(text())")
    }

    var state: String {
        let lanes = process?.lanes.map { lane in
            let snapshot = lane.snapshot(now: now)
            return "\(snapshot.name) \(snapshot.gate) pending \(snapshot.pending) in flight \(snapshot.inFlight)"
        }
        return "\(lanes ?? []), \(kafka.partitions.map { "\($0.committedCount) of \($0.records.count)" })"
    }
}
