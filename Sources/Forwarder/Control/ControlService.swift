import DeliveryStore
import ForwarderCore

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

    func answer(_ request: [UInt8]) -> [UInt8] {
        switch ControlRequest(json: request) {
        case .status: return status
        case .pause(let name): return change(name, .pause, to: .paused)
        case .resume(let name): return change(name, .resume, to: .running)
        // Files of their own: the store's thread is not asked.
        case .deliveries(let query): return DeliveryLogReader(stateDirectory: stateDirectory).answer(query)
        case .store(let command): return ask(command)
        case .test(let request): return test(request)
        case nil:
            return StoreCommand.error("the daemon does not know this request; are both of one version?")
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
        let isKept = inspect { store in
            let known = try? store.destinations()
            return known?.first { $0.id == lane.id }?.state == state
        }
        guard isKept == true else {
            return StoreCommand.error(
                "\(name) is \(state.rawValue) now, but that could not be written down: the next start will not know")
        }
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

    // MARK: Store

    /// What may be many rows is done in slices, with the store's own work between them. The lanes are told by the store's
    /// thread, before anything that it says later.
    private func ask(_ command: StoreCommand) -> [UInt8] {
        let (rows, delivery) = (rows, mailboxes.delivery)
        var progress = StoreProgress()
        while true {
            let soFar = progress
            let step = inspect { store in
                let step = command.step(store, soFar, now: SystemClock.now.wall, nextRow: rows.next)
                for (id, count) in step.effects.replayed { delivery.put(.command(.replayed(count), id, nil)) }
                for (id, count) in step.effects.discarded { delivery.put(.command(.discarded(count), id, nil)) }
                if !step.effects.depths.isEmpty { delivery.put(.depths(step.effects.depths)) }
                return step
            }
            switch step?.next {
            case nil: return StoreCommand.error("the store has not answered within 30 seconds; look at the log")
            case .done(let json): return json
            case .more(let next): progress = next
            }
        }
    }

    private func inspect<Result: Sendable>(_ body: @escaping @Sendable (DeliveryStore) -> Result) -> Result? {
        let reply = Reply<Result>()
        mailboxes.store.put(.inspect { reply.send(body($0)) })
        return reply.wait(timeout: ControlService.storeTimeout)
    }
}
