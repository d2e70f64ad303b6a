import ForwarderCore

/// Answers the command line while the daemon runs.
struct ControlService: Sendable {
    let mailboxes: Mailboxes
    let telemetry: Telemetry
    let readiness: Readiness
    let rows: RowIDs

    /// The store may be in the middle of a large transaction.
    private static let storeTimeout = Duration.seconds(30)

    func answer(_ request: [UInt8]) -> [UInt8] {
        switch ControlRequest(json: request) {
        case .status: return status
        case .pause(let name): return command(.pause, name)
        case .resume(let name): return command(.resume, name)
        case .store(let command): return ask(command)
        case nil: return StoreAnswer.error("the daemon does not know this request; are both of one version?").json
        }
    }

    private var status: [UInt8] {
        guard let metrics = telemetry.metrics else { return StoreAnswer.error("the daemon is just starting").json }
        return metrics.status(isReady: readiness.reasons.isEmpty, reasons: readiness.reasons)
    }

    private func command(_ command: LaneCommand, _ name: String) -> [UInt8] {
        let known = telemetry.metrics?.destinations.map(\.lane) ?? []
        guard let lane = known.first(where: { $0.name == name }) else {
            let names = known.map(\.name).joined(separator: ", ")
            return StoreAnswer.error("there is no destination \(name); there are: \(names)").json
        }
        mailboxes.delivery.put(.command(command, lane.id))
        var writer = JSONWriter()
        writer.object { $0.member("destination", name) }
        return writer.bytes
    }

    private func ask(_ command: StoreCommand) -> [UInt8] {
        let reply = Reply<StoreAnswer>()
        let rows = self.rows
        mailboxes.store.put(
            .inspect { reply.send(command.run($0, now: SystemClock.now.wall, nextRow: rows.next)) })
        guard let answer = reply.wait(timeout: ControlService.storeTimeout) else {
            return StoreAnswer.error("the store has not answered within 30 seconds; look at the log").json
        }
        for (id, count) in answer.replayed { mailboxes.delivery.put(.command(.replayed(count), id)) }
        return answer.json
    }
}
