import DeliveryStore
import ForwarderCore

/// Owns the store: writes what the lanes hand over, as much at once as there is, and answers when it is on disk.
final class StoreLoop {
    private static let purgeInterval = Duration.seconds(60)
    private static let lookInterval = Duration.seconds(1)
    private static let hasteningSlice = 1000
    /// How long what nobody is in a hurry for waits for more of it.
    private static let linger = Duration.milliseconds(200)

    let store: DeliveryStore
    let mailboxes: Mailboxes
    let telemetry: Telemetry
    private let doorbell: Doorbell
    let pressure: Pressure
    private let heartbeats: Heartbeats
    let end: ProcessEnd
    let file: StoreFile
    let ballast: Ballast

    private(set) var plan: Plan
    private var neutralizer: Neutralizer
    var backlog = StoreBacklog()
    /// When it has waited long enough, while nobody is in a hurry for any of it.
    private var lingersUntil: Uptime?
    private var claims: [(DestinationID, ClaimRequest)] = []
    private var inquiries: [(InquiryID, TransactionInquiry)] = []
    private var reviews: [ReviewRequest] = []
    private var inspections: [@Sendable (DeliveryStore, Plan) -> Void] = []
    let deliveryLog: DeliveryLog
    private var settled: [(DestinationID, SettledDeliveries, Timestamp)] = []
    var numbers = Metrics.Store()
    var now = SystemClock.now
    private var nextPurge: Uptime
    private var nextLook = Uptime.distantPast
    /// The time to which the clock was set back, or when an operator wanted it, until the queue has heard of it. The clock
    /// may have been set while no process ran, so every start is taken for it: what waits is tried once more.
    private var hastening: [DestinationID: Timestamp] = [:]
    private var isClosing = false

    // Trouble; see StoreLoop+Trouble.
    var trouble: Trouble?
    var hasBallast = false
    var nextRetry = Uptime.distantPast
    var lastReadFault: (kind: StoreError.Kind, at: Uptime)?
    /// Nobody can know any more what is on disk.
    var hasGivenUp = false

    init(
        _ store: DeliveryStore, _ plan: Plan, mailboxes: Mailboxes, doorbell: Doorbell, pressure: Pressure,
        telemetry: Telemetry, heartbeats: Heartbeats, end: ProcessEnd
    ) {
        self.store = store
        self.plan = plan
        self.mailboxes = mailboxes
        self.doorbell = doorbell
        self.pressure = pressure
        self.telemetry = telemetry
        self.heartbeats = heartbeats
        self.end = end
        file = StoreFile(store.path)
        neutralizer = Neutralizer(plan.makeIntake())
        deliveryLog = DeliveryLog(plan)
        ballast = Ballast(plan.configuration.state)
        nextPurge = now.uptime + StoreLoop.purgeInterval
        numbers.isNew = store.wasCreated
        if !store.wasCreated { for destination in plan.destinations { hastening[destination.id] = now.wall } }
    }

    func run() {
        takeBallast()
        while !isClosing, !hasGivenUp {
            now = SystemClock.now
            heartbeats.beat(.store, at: now.uptime)
            for order in mailboxes.store.takeAll() { handle(order) }
            if !isLingering() { write() }
            for inspection in inspections { inspection(store, plan) }
            inspections = []
            answerClaims()
            answerInquiries()
            review()
            writeDeliveryLog()
            hasten()
            purgeIfDue()
            look()
            giveUpIfStateIsUnknown()
            sleep()
        }
        if !hasGivenUp { close() }
        giveUpIfStateIsUnknown()
    }

    private func sleep() {
        guard !isClosing, !hasGivenUp else { return }
        if trouble != nil {
            doorbell.wait(timeout: .milliseconds(100))
        } else if let lingersUntil {
            // Up to the millisecond behind it: a sleep that is cut down to whole ones would be repeated.
            doorbell.wait(timeout: max(.zero, lingersUntil - SystemClock.now.uptime) + .milliseconds(1))
        } else if backlog.isEmpty {
            doorbell.wait(timeout: .seconds(1))
        }
    }

    /// Whether what is to be written may wait. Whoever looks at what is there sees all of it.
    private func isLingering() -> Bool {
        let mayWait =
            backlog.isUnhurried && trouble == nil && !isClosing && reviews.isEmpty && inspections.isEmpty
            && hastening.isEmpty
        guard mayWait, now.uptime < lingersUntil ?? .distantFuture else {
            lingersUntil = nil
            return false
        }
        lingersUntil = lingersUntil ?? now.uptime + StoreLoop.linger
        return true
    }

    private func handle(_ order: StoreOrder) {
        switch order {
        case .work(let id, let ticket, let works): backlog.append(works.map(neutralizer.neutral), of: id, ticket)
        case .log(let id, let settled, let time): self.settled.append((id, settled, time))
        case .logVerdicts(let id, let days, let time):
            if trouble != nil || !deliveryLog.append(days, of: id, at: time) { pressure.addUnlogged(days.count) }
        case .claim(let id, let request): claims.append((id, request))
        case .inquire(let id, let inquiry): inquiries.append((id, inquiry))
        case .review(let request): reviews.append(request)
        case .release(let rows): store.release(rows)
        case .reject(let events, let settlements): backlog.append(rejects: events, settlements)
        case .write(let reply):
            write()
            reply.send(())
        case .held(let questions, let reply):
            // Behind what was handed over before: an assignment must know of it.
            write()
            reply.send(questions.map(held))
        case .inspect(let body): inspections.append(body)
        case .reload(let plan):
            self.plan = plan
            neutralizer.add(plan.makeIntake())
            deliveryLog.reload(plan)
        case .hasten(let time, let id):
            for destination in plan.destinations where id == nil || id == destination.id {
                hastening[destination.id] = time
            }
        case .rotateDeliveryLog(let reply):
            deliveryLog.rotate()
            reply.send(())
        case .close: isClosing = true
        }
    }

    // MARK: Writing

    private func write() {
        if trouble != nil, !recover() { return }
        while !backlog.isEmpty { guard attempt(backlog.next()) else { return } }
    }

    /// Returns whether the transaction is on disk.
    func attempt(_ transaction: StoreBacklog.Transaction) -> Bool {
        guard !transaction.isEmpty else { return true }
        let started = SystemClock.now.uptime
        // A backlog on a slow disk is many of these.
        heartbeats.beat(.store, at: started)
        do throws(StoreError) {
            let result = try store.perform(transaction.works)
            numbers.transactions += 1
            numbers.transactionTime.add(SystemClock.now.uptime - started)
            tell(result, backlog.committed(transaction))
            if let fault = store.checkpointFault { readFailed(fault) }
            for work in transaction.works {
                if case .reject(let events) = work { pressure.addRejects(-events.count) }
            }
            return true
        } catch {
            writeFailed(error)
            return false
        }
    }

    private func tell(_ result: StoreResult, _ outcome: StoreBacklog.Outcome) {
        if !outcome.settlements.isEmpty { mailboxes.intake.put(.settled(outcome.settlements)) }
        var leftOut = result.leftOut
        for (id, ticket) in outcome.tickets {
            mailboxes.delivery.put(.stored(id, ticket, leftOut: leftOut.removeValue(forKey: id) ?? []))
        }
        for (id, count) in result.expired where count > 0 { mailboxes.delivery.put(.expired(id, count: count)) }
        if !result.depths.isEmpty { mailboxes.delivery.put(.depths(result.depths)) }
    }

    /// Behind all that others wait for. On a disk in trouble the log takes no room from what matters.
    private func writeDeliveryLog() {
        for (id, settled, time) in settled {
            if trouble != nil || !deliveryLog.append(settled, of: id, at: time) {
                pressure.addUnlogged(settled.indices.count)
            }
            pressure.addLogged(bytes: -settled.batch.byteCount)
        }
        settled = []
    }

    /// A slice of what was told to wait, when there is nothing better to do.
    private func hasten() {
        guard trouble == nil, backlog.isEmpty, let (id, time) = hastening.min(by: { $0.key < $1.key }) else { return }
        do throws(StoreError) {
            let isMore = try store.hasten(id, at: time, limit: StoreLoop.hasteningSlice)
            if !isMore {
                hastening[id] = nil
                mailboxes.delivery.put(.hastened(id))
            }
            if !hastening.isEmpty { doorbell.ring() }
        } catch {
            writeFailed(error)
        }
    }

    // MARK: Reading

    private func held(_ question: HeldQuestion) -> [HeldPosition] {
        do throws(StoreError) {
            return try store.heldPositions(
                topic: question.topic, partition: question.partition, from: question.from)
        } catch {
            // The worst is a repeat, which Microsoft recognises.
            readFailed(error)
            return []
        }
    }

    private func answerClaims() {
        for (id, request) in claims { mailboxes.delivery.put(.claimed(id, claim(request))) }
        claims = []
    }

    private func claim(_ request: ClaimRequest) -> Claim? {
        guard trouble?.takesWork ?? true else { return nil }
        do throws(StoreError) {
            return try store.claim(request)
        } catch {
            readFailed(error)
            return nil
        }
    }

    private func answerInquiries() {
        for (id, inquiry) in inquiries {
            mailboxes.delivery.put(.identified(inquiry.destination, id, identify(inquiry)))
        }
        inquiries = []
    }

    private func identify(_ inquiry: TransactionInquiry) -> [TransactionInquiry.Answer]? {
        do throws(StoreError) {
            return try store.identify(inquiry)
        } catch {
            readFailed(error)
            return nil
        }
    }

    /// What is still to be written may be what the rows wait for. Under a file that was deleted there always is some: there
    /// the rows are looked through all the same, as what is in it is to be delivered. None flows too early by it: the lane
    /// takes for open what the store has not confirmed.
    private func review() {
        for request in reviews {
            let result = trouble?.takesWork ?? backlog.isEmpty ? review(request) : nil
            mailboxes.delivery.put(.reviewed(request.destination, result))
            if let result { mailboxes.delivery.put(.depths([request.destination: result.depth])) }
        }
        reviews = []
    }

    private func review(_ request: ReviewRequest) -> ReviewResult? {
        guard let settings = plan.destinations.first(where: { $0.id == request.destination })?.settings else {
            return nil
        }
        var original: DestinationID?
        if case .adjustments(let adjustments) = settings.kind {
            original = plan.destinations.first { $0.settings.name == adjustments.original }?.id
        }
        let review = TransactionReview(settings)
        do throws(StoreError) {
            return try store.review(request, original: original) { review.decide($0, now: now.wall) }
        } catch {
            // What cannot be read here holds up nobody else.
            if [.diskFull, .stateUnknown].contains(error.kind) { writeFailed(error) } else { readFailed(error) }
            return nil
        }
    }

    private func purgeIfDue() {
        guard nextPurge <= now.uptime, trouble == nil else { return }
        deliveryLog.purge(now: now.wall)
        do throws(StoreError) {
            let state = plan.configuration.state
            let purged = try store.purge(now: now.wall, keepFor: state.keepFor, keepRows: state.keepRows)
            nextPurge = purged.isComplete ? now.uptime + StoreLoop.purgeInterval : now.uptime
            let deadLetters = purged.deadLetters.values.reduce(0, +)
            if deadLetters + purged.rejects > 0 {
                telemetry.report(.purged(deadLetters: deadLetters, rejects: purged.rejects))
            }
        } catch {
            nextPurge = now.uptime + StoreLoop.purgeInterval
            readFailed(error)
        }
    }

    private func look() {
        guard nextLook <= now.uptime else { return }
        nextLook = now.uptime + StoreLoop.lookInterval
        checkFile(pending: plan.destinations.reduce(0) { $0 + store.depth(of: $1.id).rows })
        (numbers.freeBytes, numbers.sizeBytes) = file.space
        sendState()
    }

    func sendState() {
        // Only numbers on a page: trouble in reading them shows elsewhere.
        let known = (try? store.destinations()) ?? []
        let planned = Set(plan.destinations.map(\.id))
        var state = StoreState(numbers: numbers, takesWork: trouble?.takesWork ?? true)
        for destination in known where destination.depth.rows > 0 {
            if let front = try? store.queueFront(of: destination.id) { state.oldest[destination.id] = front.eventTime }
            if !planned.contains(destination.id) { state.detached[destination.name] = destination.depth.rows }
        }
        mailboxes.delivery.put(.storeState(state))
    }

    // MARK: The end

    /// What cannot be written now is not committed to Kafka either, and comes again.
    private func close() {
        nextRetry = .distantPast
        write()
        do throws(StoreError) {
            try store.close()
        } catch {
            telemetry.report(.storeFailing(reason: error.description))
        }
    }
}
