import ForwarderCore
import HTTPClient

/// Drives the lanes: tells them what happens, does what they ask for. The one thread that talks to Microsoft.
final class DeliveryLoop {
    private static let longestWait = Duration.seconds(1)

    private let mailboxes: Mailboxes
    private let telemetry: Telemetry
    private let pressure: Pressure
    private let heartbeats: Heartbeats
    private let rows: RowIDs
    private let client: HTTPClient
    private let startedAt = SystemClock.now.uptime

    private var plan: Plan
    private var lanes: [DestinationID: DestinationLane] = [:]
    /// Lanes that are no longer configured, until nothing of them is in memory.
    private var leaving: [DestinationID: DestinationLane] = [:]
    private var credentials: Credentials
    private var requestTimes: [DestinationID: Histogram] = [:]
    private var numbers: [DestinationID: HandOver.Numbers] = [:]
    private var kafka = Metrics.Kafka()
    private var store = Metrics.Store()
    private var oldestPending: [DestinationID: Int64] = [:]

    private var settled: [Settlement] = []
    private var now = SystemClock.now
    private var nextMetricsLine: Uptime
    private var nextNumbers = Uptime.distantPast
    private var isQueueFull = false
    private var drainDeadline: Uptime?
    private var isAskingForBounds = false
    private var isFinished = false

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
        carryOut(credentials.start(now), now)
        while !isFinished {
            heartbeats.beat(.delivery, at: now.uptime)
            let completions = client.run(timeout: timeout)
            now = SystemClock.now
            for completion in completions { answered(completion) }
            for order in mailboxes.delivery.takeAll() { handle(order) }
            for (id, lane) in lanes where lane.nextWake(now: now) <= now.uptime { tell(id, .tick) }
            if credentials.nextWake <= now.uptime { carryOut(credentials.tick(now), now) }
            sendSettlements()
            watchDrain()
            publish()
        }
        client.cancelAll()
    }

    private var timeout: Duration {
        var wake = min(credentials.nextWake, min(nextMetricsLine, now.uptime + DeliveryLoop.longestWait))
        for lane in lanes.values { wake = min(wake, lane.nextWake(now: now)) }
        if let drainDeadline { wake = min(wake, drainDeadline) }
        return max(.zero, wake - now.uptime)
    }

    private func addLane(_ destination: PlannedDestination) {
        lanes[destination.id] = DestinationLane(
            id: destination.id, settings: destination.settings, rows: rows, depth: destination.depth,
            heldGoals: destination.heldGoals, state: destination.state, now: now, seed: .random(in: .min ... .max))
        requestTimes[destination.id] = Histogram()
    }

    // MARK: Inputs

    private func handle(_ order: DeliveryOrder) {
        switch order {
        case .handOver(let handOver):
            for (id, batch) in handOver.batches { tell(id, .fresh(batch)) }
            numbers = handOver.numbers
            kafka = handOver.kafka
        case .revoked(let assignments): for id in lanes.keys { tell(id, .revoked(assignments)) }
        case .stored(let id, let ticket, let leftOut): tell(id, .stored(ticket, leftOut: leftOut))
        case .expired(let id, let count): tell(id, .expired(count: count))
        case .claimed(let id, let claim): tell(id, .claimed(claim))
        case .depths(let depths): for (id, depth) in depths { tell(id, .depth(depth)) }
        case .storeState(let store, let oldest):
            if store.isWritable != self.store.isWritable {
                for id in lanes.keys { tell(id, .storeHealth(isWritable: store.isWritable)) }
            }
            self.store = store
            oldestPending = oldest
        case .command(let command, let id): tell(id, command.input)
        case .reload(let plan): reload(plan)
        case .drain(let deadline):
            drainDeadline = deadline
            for id in lanes.keys { tell(id, .drain) }
        case .finish(let bounds):
            for id in lanes.keys { tell(id, .finish(bounds)) }
            isFinishing = true
        }
    }

    private var isFinishing = false

    private func tell(_ id: DestinationID, _ input: LaneInput) {
        if lanes[id] != nil {
            let actions = lanes[id]!.handle(input, now: now)
            carryOut(actions, of: id)
        } else if leaving[id] != nil {
            let actions = leaving[id]!.handle(input, now: now)
            carryOut(actions, of: id)
        }
    }

    private func answered(_ completion: HTTPClient.Completion) {
        if let actions = credentials.answered(completion.id, completion.outcome, now) {
            return carryOut(actions, now)
        }
        let id = DestinationLane.destination(of: completion.id)
        requestTimes[id]?.add(completion.elapsed)
        tell(id, .answered(completion.id, completion.outcome, elapsed: completion.elapsed))
    }

    // MARK: Actions

    private func carryOut(_ actions: [LaneAction], of id: DestinationID) {
        for action in actions {
            switch action {
            case .send(let request, let contents, let isStrict):
                guard let credential = credentials.credential(of: id), let lane = lanes[id] ?? leaving[id] else {
                    continue
                }
                client.start(lane.request(contents, isStrict: isStrict, credential), id: request)
            case .store(let ticket, let works): mailboxes.store.put(.work(id, ticket, works))
            case .claim(let request): mailboxes.store.put(.claim(id, request))
            case .release(let rows): mailboxes.store.put(.release(rows))
            case .settled(let settlements): settled += settlements
            case .renewCredential: carryOut(credentials.renew(id, now), now)
            case .rereadSecret: carryOut(credentials.reread(id, now), now)
            case .throttleGrant(let until):
                for other in credentials.sharing(id) { tell(other, .throttled(until: until)) }
            case .signal(let signal): telemetry.report(signal)
            }
        }
    }

    private func carryOut(_ actions: [Credentials.Action], _ now: Moment) {
        for action in actions {
            switch action {
            case .request(let request, let id): client.start(request, id: id)
            case .credential(let id, let isReady, let generation):
                tell(id, .credential(isReady: isReady, generation: generation))
            }
        }
    }

    private func sendSettlements() {
        guard !settled.isEmpty else { return }
        mailboxes.intake.put(.settled(settled))
        settled = []
    }

    // MARK: Reload

    /// A destination that is gone spills what it has; a new one begins; one that changed goes on with what it has.
    private func reload(_ plan: Plan) {
        self.plan = plan
        let known = Set(plan.destinations.map(\.id))
        for id in lanes.keys.filter({ !known.contains($0) }) {
            tell(id, .leave)
            leaving[id] = lanes.removeValue(forKey: id)
        }
        for destination in plan.destinations {
            leaving[destination.id].map { lanes[destination.id] = $0 }
            leaving[destination.id] = nil
            if lanes[destination.id] == nil {
                addLane(destination)
                tell(destination.id, .storeHealth(isWritable: store.isWritable))
            } else {
                tell(destination.id, .reconfigure(destination.settings))
            }
        }
        carryOut(credentials.reload(plan, now), now)
    }

    // MARK: Shutdown

    private func watchDrain() {
        guard let drainDeadline else { return }
        if isFinishing {
            // Only what the store has not confirmed is left.
            if lanes.values.allSatisfy({ $0.isStored }) {
                sendSettlements()
                isFinished = true
            }
            return
        }
        let isDone = lanes.values.allSatisfy { $0.requestsInFlight == 0 }
        if (isDone || drainDeadline <= now.uptime), !isAskingForBounds {
            isAskingForBounds = true
            // Behind the last settlement, so that the bounds know of it.
            sendSettlements()
            mailboxes.intake.put(.sayBounds)
        }
    }

    // MARK: Numbers

    private func publish() {
        let wasFull = isQueueFull
        isQueueFull = lanes.values.contains { $0.isQueueFull } || wasFull && lanes.values.contains { !$0.hasQueueRoom }
        if isQueueFull, !wasFull {
            for lane in lanes.values where lane.isQueueFull {
                telemetry.report(.queueFull(destination: lane.settings.name))
            }
        }
        pressure.set(isBackedUp: lanes.values.contains { $0.isBackedUp }, isQueueFull: isQueueFull)

        let isLogged = nextMetricsLine <= now.uptime
        guard isLogged || nextNumbers <= now.uptime || isFinished else { return }
        nextNumbers = now.uptime + .milliseconds(500)
        if isLogged { nextMetricsLine = now.uptime + plan.configuration.log.metricsInterval }
        telemetry.publish(metrics(), isLogged: isLogged || isFinished)
    }

    private func metrics() -> Metrics {
        let destinations = (lanes.merging(leaving) { lane, _ in lane }).values
            .sorted { $0.id < $1.id }
            .map { lane in
                let numbers = numbers[lane.id] ?? HandOver.Numbers(books: IntakeBooks(), gathering: 0)
                return Metrics.Destination(
                    type: lane.settings.kind.type, intake: numbers.books, gathering: numbers.gathering,
                    lane: lane.snapshot(now: now), requestTime: requestTimes[lane.id] ?? Histogram(),
                    oldestPendingSeconds: oldestPending[lane.id].map { max(0, Double(now.wall.seconds - $0)) })
            }
        return Metrics(
            uptime: now.uptime - startedAt, destinations: destinations, kafka: kafka, store: store,
            logLinesDropped: telemetry.linesDropped, detached: plan.detached)
    }
}

extension LaneCommand {
    var input: LaneInput {
        switch self {
        case .pause: .pause
        case .resume: .resume
        case .replayed(let count): .replayed(count: count)
        case .discarded(let count): .discarded(count: count)
        }
    }
}
