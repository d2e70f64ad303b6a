import DeliveryStore
import ForwarderCore
import Glibc

/// Answers the command line while the daemon runs.
struct ControlService: Sendable {
    let mailboxes: Mailboxes
    let telemetry: Telemetry
    let readiness: Readiness
    let rows: RowIDs
    let stateDirectory: String

    /// The store may be in the middle of a large transaction.
    private static let storeTimeout = Duration.seconds(30)
    private static let laneTimeout = Duration.seconds(10)
    /// A test request takes up to 30 seconds.
    private static let testTimeout = Duration.seconds(45)
    /// Who asks waits for a minute.
    private static let accountTimeout = Duration.seconds(55)

    func answer(_ request: [UInt8]) -> [UInt8] {
        guard let request = ControlRequest(json: request) else {
            return StoreCommand.error("the daemon does not know this request; are both of one version?")
        }
        return answer(request)
    }

    func answer(_ request: ControlRequest) -> [UInt8] {
        switch request {
        case .status: return status
        case .pause(let name): return change(name, .pause, to: .paused)
        case .resume(let name): return change(name, .resume, to: .running)
        // Files of their own: the store's thread is not asked.
        case .deliveries(let query): return DeliveryLogReader(stateDirectory: stateDirectory).answer(query)
        case .erase(let request): return erase(request)
        case .store(let command): return ask(command)
        case .test(let request): return test(request)
        case .verdicts(let request): return verdicts(request)
        case .redeem(let code, let name): return account { .redeem(code, for: name, $0) }
        case .accounts(let name): return account { .list(of: name, $0) }
        case .grants(let name): return account { .grants(of: name, $0) }
        }
    }

    private static var starting: [UInt8] { StoreCommand.error("the daemon is just starting") }

    private var status: [UInt8] {
        guard let metrics = telemetry.metrics else { return ControlService.starting }
        let reasons = readiness.reasons
        return metrics.status(isReady: reasons.isEmpty, reasons: reasons)
    }

    // MARK: Lanes

    /// Answers when the lane has been told and its state is on disk, where it outlives the process.
    private func change(_ name: String, _ command: LaneCommand, to state: DestinationState) -> [UInt8] {
        guard let metrics = telemetry.metrics else { return ControlService.starting }
        let known = metrics.destinations.filter { $0.lane.gate != "detached" }.map(\.lane)
        guard let lane = known.first(where: { $0.name == name }) else {
            let names = known.map(\.name).joined(separator: ", ")
            return StoreCommand.error("there is no destination \(name); there are: \(names)")
        }
        let told = Reply<Void>()
        mailboxes.delivery.put(.command(command, lane.id, told))
        guard told.wait(timeout: ControlService.laneTimeout) != nil else {
            return StoreCommand.error("the delivery loop has not answered within 10 seconds; look at the log")
        }
        // Behind what the lane has just handed over.
        let isKept = inspect { store, _ in
            let known = try? store.destinations()
            return known?.first { $0.id == lane.id }?.state == state
        }
        guard isKept == true else {
            return StoreCommand.error(
                "\(name) is \(state.rawValue) now, but that could not be written down: the next start will not know")
        }
        // An operator who says so does not want to wait for what was put off.
        if state == .running { mailboxes.store.put(.hasten(at: SystemClock.now.wall, of: lane.id)) }
        var writer = JSONWriter()
        writer.object {
            $0.member("destination", name)
            $0.member("state", state.rawValue)
        }
        return writer.bytes
    }

    private func test(_ request: TestRequest) -> [UInt8] {
        let reply = Reply<TestResult>()
        mailboxes.delivery.put(.test(request, reply))
        guard let result = reply.wait(timeout: ControlService.testTimeout) else {
            return StoreCommand.error("the delivery loop has not answered within 45 seconds; look at the log")
        }
        return result.json
    }

    private func verdicts(_ request: VerdictRequest) -> [UInt8] {
        let reply = Reply<VerdictAnswer>()
        mailboxes.delivery.put(.verdicts(request, reply))
        guard let answer = reply.wait(timeout: VerdictRequest.timeLimit + GoalReport.longestTimeout) else {
            return StoreCommand.error("the delivery loop has not answered in time; look at the log")
        }
        return answer.json
    }

    private func account(_ order: (Reply<[UInt8]>) -> AccountOrder) -> [UInt8] {
        let reply = Reply<[UInt8]>()
        mailboxes.delivery.put(.account(order(reply)))
        return reply.wait(timeout: ControlService.accountTimeout)
            ?? StoreCommand.error("Microsoft has not answered within 55 seconds; look at the log, and try again")
    }

    // MARK: Store

    /// What may be many rows is done in slices, with the store's own work between them.
    private func ask(_ command: StoreCommand) -> [UInt8] {
        let (rows, delivery) = (rows, mailboxes.delivery)
        var progress = StoreProgress()
        while true {
            let soFar = progress
            let step = inspect { store, plan in
                let context = StoreContext(
                    now: SystemClock.now, destinations: plan.configuration.running, isRunning: true,
                    nextRow: rows.next)
                let step = command.step(store, soFar, context)
                step.effects.tell(delivery)
                return step
            }
            switch step?.next {
            case nil: return ControlService.silent
            case .done(let json): return json
            case .more(let next): progress = next
            }
        }
    }

    private func erase(_ request: EraseRequest) -> [UInt8] {
        let delivery = mailboxes.delivery
        var eraser = Eraser(request, isRunning: true)
        while !eraser.isDone {
            if eraser.mustWait { usleep(500_000) }
            let soFar = eraser
            let step = inspect { store, plan -> Result<Eraser, StoreError> in
                var eraser = soFar
                do throws(StoreError) {
                    try eraser.step(store, plan.configuration.destinations).tell(delivery)
                    return .success(eraser)
                } catch {
                    return .failure(error)
                }
            }
            switch step {
            case nil: return ControlService.silent
            case .failure(let error)?: return StoreCommand.error(error.description)
            case .success(let next)?: eraser = next
            }
        }
        let isRotated = Reply<Void>()
        mailboxes.store.put(.rotateDeliveryLog(isRotated))
        guard isRotated.wait(timeout: ControlService.storeTimeout) != nil else { return ControlService.silent }
        eraser.eraseLog(stateDirectory: stateDirectory)
        if !request.isDryRun { telemetry.report(.personErased(eraser.report)) }
        return eraser.answer
    }

    private static var silent: [UInt8] {
        StoreCommand.error("the store has not answered within 30 seconds; look at the log")
    }

    private func inspect<Result: Sendable>(_ body: @escaping @Sendable (DeliveryStore, Plan) -> Result) -> Result? {
        let reply = Reply<Result>()
        mailboxes.store.put(.inspect { reply.send(body($0, $1)) })
        return reply.wait(timeout: ControlService.storeTimeout)
    }
}

extension StoreEffects {
    /// Tells the lanes. Done by the store's thread, before anything that it says later.
    fileprivate func tell(_ delivery: Mailbox<DeliveryOrder>) {
        for (id, count) in replayed { delivery.put(.command(.replayed(count), id, nil)) }
        for (id, count) in discarded { delivery.put(.command(.discarded(count), id, nil)) }
        for (id, count) in erased { delivery.put(.command(.erased(count), id, nil)) }
        if !depths.isEmpty { delivery.put(.depths(depths)) }
    }
}
