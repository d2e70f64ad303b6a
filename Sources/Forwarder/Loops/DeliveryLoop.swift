import ForwarderCore
import HTTPClient

/// Drives the lanes: tells them what happens, does what they ask for. The one thread that talks to Microsoft.
final class DeliveryLoop {
    private static let longestWait = Duration.seconds(1)

    let mailboxes: Mailboxes
    let telemetry: Telemetry
    let pressure: Pressure
    private let heartbeats: Heartbeats
    private let rows: RowIDs
    let client: HTTPClient
    let startedAt = SystemClock.now.uptime

    var plan: Plan
    /// Also those of destinations that are configured no longer: what they had is counted as long as the process lives.
    var lanes: [DestinationID: DestinationLane] = [:]
    var detached: Detached = .init()
    var credentials: Credentials
    var requestTimes: [DestinationID: Histogram] = [:]
    var numbers: [DestinationID: HandOver.Numbers] = [:]
    var kafka = Metrics.Kafka()
    var store = StoreState(numbers: Metrics.Store(), takesWork: true)

    /// What lanes are still to be told, in order: what one is told may lead to more for it or another.
    private var inputs: [(DestinationID, LaneInput)] = []
    private var isTelling = false
    private var settled: [Settlement] = []
    private var replies: [Reply<Void>] = []
    var tests: [RequestID: RunningTest] = [:]
    var lastTest: UInt64 = 0
    /// Kafka has given partitions to this process.
    private var isReading = false
    var verdicts = Verdicts()
    var accountWork = AccountWork()
    var now = SystemClock.now
    /// Its own: what is told to wait is told so by the clock of this loop.
    private var watch = ClockWatch(SystemClock.now)
    var nextMetricsLine: Uptime
    var nextNumbers = Uptime.distantPast
    var isQueueFull = false
    var ending = Ending.none

    /// How far the end has come.
    enum Ending {
        case none
        /// Answers on their way have until then.
        case draining(until: Uptime)
        /// The intake was asked up to where each assignment must be finished.
        case asking
        /// What had to be written is on its way to disk; it has until then.
        case finishing(until: Uptime)
        case finished
    }

    init(
        _ plan: Plan, client: HTTPClient, rows: RowIDs, mailboxes: Mailboxes, pressure: Pressure, telemetry: Telemetry,
        heartbeats: Heartbeats
    ) {
        self.plan = plan
        self.client = client
        self.rows = rows
        self.mailboxes = mailboxes
        self.pressure = pressure
        self.telemetry = telemetry
        self.heartbeats = heartbeats
        nextMetricsLine = now.uptime + plan.configuration.log.metricsInterval
        credentials = Credentials(plan, telemetry: telemetry)
        for destination in plan.destinations { addLane(destination) }
    }

    /// Runs until everything in memory is settled, on disk, or given back to Kafka.
    func run() {
        // Reads files; it too may get stuck.
        heartbeats.beat(.delivery, at: now.uptime)
        carryOut(credentials.start(now))
        while true {
            heartbeats.beat(.delivery, at: now.uptime)
            let completions = client.run(timeout: timeout)
            now = SystemClock.now
            if let step = watch.step(now), step < .zero {
                tellAll(.clockSetBack)
                // Behind what the lanes have handed over so far.
                mailboxes.store.put(.hasten(at: now.wall, of: nil))
            }
            for completion in completions { answered(completion) }
            for order in mailboxes.delivery.takeAll() { handle(order) }
            for id in lanes.keys.sorted() where isDue(id) { tell(id, .tick) }
            if credentials.nextWake <= now.uptime { carryOut(credentials.tick(now)) }
            if verdicts.nextLook <= now.uptime { lookForVerdicts() }
            sendSettlements()
            advanceEnding()
            if !replies.isEmpty { nextNumbers = now.uptime }
            publish()
            // Who asks for the status now sees what was done.
            for reply in replies { reply.send(()) }
            replies = []
            if case .finished = ending { break }
        }
        client.cancelAll()
    }

    private func isDue(_ id: DestinationID) -> Bool {
        lanes[id].map { $0.nextWake(now: now) <= now.uptime } ?? false
    }

    private var timeout: Duration {
        var wake = min(credentials.nextWake, min(nextMetricsLine, now.uptime + DeliveryLoop.longestWait))
        for lane in lanes.values { wake = min(wake, lane.nextWake(now: now)) }
        switch ending {
        case .draining(let time), .finishing(let time): wake = min(wake, time)
        case .none, .asking, .finished: break
        }
        return max(.zero, wake - now.uptime)
    }

    func addLane(_ destination: PlannedDestination) {
        lanes[destination.id] = DestinationLane(
            id: destination.id, settings: destination.settings, rows: rows, depth: destination.depth,
            heldGoals: destination.heldGoals, state: destination.state, now: now, seed: .random(in: .min ... .max))
        requestTimes[destination.id] = Histogram()
        if !store.takesWork { tell(destination.id, .storeHealth(isWritable: false)) }
        if isReading { tell(destination.id, .reading) }
    }

    // MARK: Inputs

    private func handle(_ order: DeliveryOrder) {
        switch order {
        case .handOver(let handOver):
            pressure.addHandedOver(bytes: -handOver.byteCount)
            for (id, batch) in handOver.batches { tell(id, .fresh(batch)) }
            numbers.merge(handOver.numbers) { _, new in new }
            kafka = handOver.kafka
            if !isReading, !kafka.partitions.isEmpty {
                isReading = true
                tellAll(.reading)
            }
        case .revoked(let assignments): tellAll(.revoked(assignments))
        case .stored(let id, let ticket, let leftOut): tell(id, .stored(ticket, leftOut: leftOut))
        case .expired(let id, let count): tell(id, .expired(count: count))
        case .claimed(let id, let claim): tell(id, .claimed(claim))
        case .identified(let id, let inquiry, let answers): tell(id, .identified(inquiry, answers))
        case .reviewed(let id, let result): tell(id, .reviewed(result))
        case .depths(let depths): for (id, depth) in depths { tell(id, .depth(depth)) }
        case .storeState(let state):
            if state.takesWork != store.takesWork { tellAll(.storeHealth(isWritable: state.takesWork)) }
            store = state
        case .command(let command, let id, let reply):
            tell(id, command.input)
            if let reply { replies.append(reply) }
        case .test(let request, let reply): start(request, reply)
        case .verdicts(let request, let reply): start(request, reply)
        case .account(let order): handle(order)
        case .hastened(let id): tell(id, .clockSetBack)
        case .reload(let plan): reload(plan)
        case .drain(let deadline):
            ending = .draining(until: deadline)
            tellAll(.drain)
        case .finish(let bounds):
            tellAll(.finish(bounds))
            ending = .finishing(until: now.uptime + DeliveryLoop.storingTime(isWritable: store.numbers.isWritable))
        }
    }

    func tellAll(_ input: LaneInput) {
        for id in lanes.keys.sorted() { tell(id, input) }
    }

    func tell(_ id: DestinationID, _ input: LaneInput) {
        inputs.append((id, input))
        guard !isTelling else { return }
        isTelling = true
        defer { isTelling = false }
        var next = 0
        while next < inputs.count {
            let (id, input) = inputs[next]
            next += 1
            if let actions = lanes[id]?.handle(input, now: now) { carryOut(actions, of: id) }
        }
        inputs.removeAll(keepingCapacity: true)
    }

    private func answered(_ completion: HTTPClient.Completion) {
        if isTest(completion) || isVerdict(completion) || isOfListing(completion) { return }
        if let actions = credentials.answered(completion.id, completion.outcome, now) { return carryOut(actions) }
        let id = DestinationLane.destination(of: completion.id)
        requestTimes[id]?.add(completion.elapsed)
        tell(id, .answered(completion.id, completion.outcome, elapsed: completion.elapsed))
    }

    // MARK: Actions

    private func carryOut(_ actions: [LaneAction], of id: DestinationID) {
        for action in actions {
            switch action {
            case .send(let request, let contents, let isStrict): send(request, contents, isStrict, id)
            case .store(let ticket, let works): mailboxes.store.put(.work(id, ticket, works))
            case .claim(let request): mailboxes.store.put(.claim(id, request))
            case .inquire(let inquiry, let question): mailboxes.store.put(.inquire(inquiry, question))
            case .review(let request): mailboxes.store.put(.review(request))
            case .release(let rows): mailboxes.store.put(.release(rows))
            case .settled(let settlements): settled += settlements
            case .renewCredential: carryOut(credentials.renew(id, now))
            case .rereadSecret: carryOut(credentials.reread(id, now))
            case .throttleGrant(let until):
                for other in credentials.sharing(id) { tell(other, .throttled(until: until)) }
            case .signal(let signal): telemetry.report(signal)
            case .log(let settled): log(settled, id)
            }
        }
    }

    /// The delivery log holds nobody up: what it cannot take is left out.
    private func log(_ settled: SettledDeliveries, _ id: DestinationID) {
        guard pressure.takesLog else { return pressure.addUnlogged(settled.indices.count) }
        pressure.addLogged(bytes: settled.batch.byteCount)
        mailboxes.store.put(.log(id, settled, at: now.wall))
    }

    private func send(_ request: RequestID, _ contents: [UInt8], _ isStrict: Bool, _ id: DestinationID) {
        guard let credential = credentials.credential(of: id), let lane = lanes[id] else {
            // It was there when the lane decided; an answer is owed all the same.
            return tell(id, .answered(request, .noAnswer(.local), elapsed: .zero))
        }
        client.start(lane.request(contents, isStrict: isStrict, credential), id: request)
    }

    func carryOut(_ actions: [Credentials.Action]) {
        for action in actions {
            switch action {
            case .request(let request, let id): client.start(request, id: id)
            case .credential(let id, let isReady, let generation):
                tell(id, .credential(isReady: isReady, generation: generation))
            case .throttled(let id, let wait): throttle(id, for: wait)
            case .redeemed(let id, let redemption): redeemed(id, redemption)
            }
        }
    }

    /// One gate for all that a grant is used for.
    func throttle(_ id: DestinationID, for wait: Duration) {
        for id in [id] + credentials.sharing(id) { tell(id, .throttled(until: now.uptime + wait)) }
    }

    private func sendSettlements() {
        guard !settled.isEmpty else { return }
        mailboxes.intake.put(.settled(settled))
        settled = []
    }

    // MARK: The end

    private static func storingTime(isWritable: Bool) -> Duration {
        // What cannot be written stays with Kafka.
        isWritable ? .seconds(10) : .seconds(2)
    }

    private func advanceEnding() {
        switch ending {
        case .none, .asking, .finished: break
        case .draining(let deadline):
            guard deadline <= now.uptime || accountWork.redemptions.isEmpty && lanes.values.allSatisfy(\.isAnswered)
            else { return }
            // The last settlement was sent before, so the bounds know of it.
            ending = .asking
            mailboxes.intake.put(.sayBounds)
        case .finishing(let deadline):
            guard deadline <= now.uptime || lanes.values.allSatisfy(\.isStored) else { return }
            ending = .finished
        }
    }
}

extension LaneCommand {
    fileprivate var input: LaneInput {
        switch self {
        case .pause: .pause
        case .resume: .resume
        case .replayed(let count): .replayed(count: count)
        case .discarded(let count): .discarded(count: count)
        case .erased(let count): .erased(count: count)
        }
    }
}
