import DeliveryStore
import ForwarderCore

/// Owns the store: writes what the lanes hand over, as much at once as there is, and answers when it is on disk.
final class StoreLoop {
    private static let retryInterval = Duration.seconds(1)
    private static let purgeInterval = Duration.seconds(60)
    private static let lookInterval = Duration.seconds(1)

    private let store: DeliveryStore
    private let mailboxes: Mailboxes
    private let doorbell: Doorbell
    private let telemetry: Telemetry
    private let heartbeats: Heartbeats
    /// Called when nobody can know any more what is on disk.
    private let giveUp: @Sendable (String) -> Void

    private var plan: Plan
    private var neutralizer: Neutralizer
    private var ballast: Ballast
    private var backlog = StoreBacklog()
    private var claims: [(DestinationID, ClaimRequest)] = []
    private var inspections: [@Sendable (DeliveryStore) -> Void] = []
    private var numbers = Metrics.Store()
    private var trouble: StoreError?
    private var hasBallast = false
    private var now = SystemClock.now
    private var nextRetry = Uptime.distantPast
    private var nextPurge: Uptime
    private var nextLook = Uptime.distantPast
    private var isClosing = false

    init(
        _ store: DeliveryStore, _ plan: Plan, mailboxes: Mailboxes, doorbell: Doorbell, telemetry: Telemetry,
        heartbeats: Heartbeats, giveUp: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.plan = plan
        self.mailboxes = mailboxes
        self.doorbell = doorbell
        self.telemetry = telemetry
        self.heartbeats = heartbeats
        self.giveUp = giveUp
        neutralizer = Neutralizer(plan)
        let state = plan.configuration.state
        ballast = Ballast(directory: state.directory, bytes: state.ballastBytes)
        nextPurge = now.uptime + StoreLoop.purgeInterval
        numbers.isNew = store.wasCreated
    }

    func run() {
        hasBallast = ballast.take()
        while !isClosing {
            now = SystemClock.now
            heartbeats.beat(.store, at: now.uptime)
            for order in mailboxes.store.takeAll() { handle(order) }
            write()
            for inspection in inspections { inspection(store) }
            inspections = []
            answerClaims()
            purgeIfDue()
            look()
            if backlog.isEmpty || trouble != nil {
                doorbell.wait(timeout: trouble == nil ? .seconds(1) : .milliseconds(100))
            }
        }
        close()
    }

    private func handle(_ order: StoreOrder) {
        switch order {
        case .work(let id, let ticket, let works): backlog.append(works.map(neutralizer.neutral), of: id, ticket)
        case .claim(let id, let request): claims.append((id, request))
        case .release(let rows): store.release(rows)
        case .reject(let events, let settlements): backlog.append(rejects: events, settlements)
        case .held(let topic, let partition, let from, let reply):
            // Behind what was handed over before: an assignment must know of it.
            write()
            reply.send(held(topic, partition, from))
        case .inspect(let body): inspections.append(body)
        case .reload(let plan):
            self.plan = plan
            neutralizer = Neutralizer(plan)
        case .close: isClosing = true
        }
    }

    // MARK: Writing

    private func write() {
        if trouble != nil, !recover() { return }
        while !backlog.isEmpty { guard attempt(backlog.next()) else { return } }
    }

    /// Returns whether the transaction is on disk.
    private func attempt(_ transaction: StoreBacklog.Transaction) -> Bool {
        guard !transaction.isEmpty else { return true }
        let started = SystemClock.now.uptime
        do throws(StoreError) {
            let result = try store.perform(transaction.works)
            numbers.transactions += 1
            numbers.transactionTime.add(SystemClock.now.uptime - started)
            tell(result, backlog.committed(transaction))
            return true
        } catch {
            failed(error)
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

    // MARK: Trouble

    private func failed(_ error: StoreError) {
        if error.isStateUnknown { return giveUp(error.description) }
        nextRetry = now.uptime + StoreLoop.retryInterval
        if error.isDiskFull, hasBallast {
            ballast.release()
            hasBallast = false
            // There is room now for what is settled.
            nextRetry = now.uptime
        }
        let isNews = trouble?.kind != error.kind
        trouble = error
        guard isNews else { return }
        numbers.isWritable = false
        telemetry.report(error.isDiskFull ? .storeFull : .storeFailing(reason: error.description))
        sendState()
    }

    /// Sees whether writing works again. On a full disk only what is settled is written until the reserve can be taken
    /// back: else the first delivery would eat it.
    private func recover() -> Bool {
        guard let trouble, nextRetry <= now.uptime else { return false }
        nextRetry = now.uptime + StoreLoop.retryInterval
        if trouble.isDiskFull {
            guard attempt(backlog.nextOnFullDisk()) else { return false }
            if !hasBallast { hasBallast = ballast.take() }
            guard hasBallast else { return false }
        }
        guard attempt(backlog.next()) else { return false }
        self.trouble = nil
        numbers.isWritable = true
        telemetry.report(.storeRecovered)
        sendState()
        return true
    }

    // MARK: Reading

    private func held(_ topic: String, _ partition: Int32, _ from: Int64) -> [HeldPosition] {
        do throws(StoreError) {
            return try store.heldPositions(topic: topic, partition: partition, from: from)
        } catch {
            failed(error)
            return []
        }
    }

    private func answerClaims() {
        for (id, request) in claims {
            guard trouble == nil else {
                mailboxes.delivery.put(.claimed(id, nil))
                continue
            }
            do throws(StoreError) {
                mailboxes.delivery.put(.claimed(id, try store.claim(request)))
            } catch {
                failed(error)
                mailboxes.delivery.put(.claimed(id, nil))
            }
        }
        claims = []
    }

    private func purgeIfDue() {
        guard nextPurge <= now.uptime, trouble == nil else { return }
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
            failed(error)
        }
    }

    private func look() {
        guard nextLook <= now.uptime else { return }
        nextLook = now.uptime + StoreLoop.lookInterval
        sendState()
    }

    private func sendState() {
        var oldest: [DestinationID: Int64] = [:]
        for destination in plan.destinations where store.depth(of: destination.id).rows > 0 {
            // Only a number on a page: trouble in reading it shows elsewhere.
            if let front = try? store.queueFront(of: destination.id) { oldest[destination.id] = front.eventTime }
        }
        mailboxes.delivery.put(.storeState(numbers, oldest: oldest))
    }

    // MARK: The end

    /// What cannot be written now is not committed to Kafka either, and comes again.
    private func close() {
        write()
        do throws(StoreError) {
            try store.close()
        } catch {
            telemetry.report(.storeFailing(reason: error.description))
        }
    }
}

extension StoreError {
    var isDiskFull: Bool { kind == .diskFull }

    /// A sync that failed says nothing about what it wrote, and a second one that succeeds says nothing either. Kafka
    /// still has what was not committed; a new start reads what is really there.
    var isStateUnknown: Bool {
        switch code {
        // SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC
        case 10 | 4 << 8, 10 | 5 << 8: true
        default: false
        }
    }
}
