import ForwarderCore
import HTTPClient

/// What Microsoft made of conversions, read back from time to time, and for `verdicts`.
struct Verdicts {
    fileprivate struct Reading {
        var destination: DestinationID
        var answer: VerdictAnswer
        /// nil: it was time to read.
        var reply: Reply<VerdictAnswer>?
        var deadline: Uptime
    }

    fileprivate struct Known {
        var book = GoalBook()
        var readAt: Uptime?
        var next = Uptime.distantPast
        var isReading = false
    }

    /// Where nothing else says so, things are looked at this often.
    fileprivate static let lookInterval = Duration.seconds(1)
    /// A destination that cannot be asked now, and one whose answer could not be used.
    fileprivate static let notNowWait = Duration.seconds(10)
    fileprivate static let againWait = Duration.seconds(900)

    fileprivate var readings: [RequestID: Reading] = [:]
    fileprivate var known: [DestinationID: Known] = [:]
    var nextLook = Uptime.distantPast
}

extension DeliveryLoop {
    /// For the command line.
    func start(_ request: VerdictRequest, _ reply: Reply<VerdictAnswer>) {
        let answer = VerdictAnswer(request, plan.configuration, now: now.wall)
        let destination = plan.destinations.first { $0.settings.name == request.destination }
        guard let destination, answer.report != nil else { return reply.send(answer) }
        askOn(
            Verdicts.Reading(
                destination: destination.id, answer: answer, reply: reply,
                deadline: now.uptime + VerdictRequest.timeLimit))
    }

    /// Begins to read where it is time to.
    func lookForVerdicts() {
        verdicts.nextLook = now.uptime + Verdicts.lookInterval
        guard case .none = ending else { return }
        for destination in plan.destinations where isDue(destination) {
            verdicts.known[destination.id, default: Verdicts.Known()].next = now.uptime + Verdicts.notNowWait
            // What is in trouble has other questions to ask.
            let gate = lanes[destination.id]?.snapshot(now: now).gate
            guard ["open", "paused", "halted"].contains(gate), credentials.credential(of: destination.id) != nil else {
                continue
            }
            verdicts.known[destination.id]?.isReading = true
            let request = VerdictRequest(
                destination: destination.settings.name, since: now.wall - .seconds((GoalBook.daysKept - 1) * 86_400))
            askOn(
                Verdicts.Reading(
                    destination: destination.id, answer: VerdictAnswer(request, plan.configuration, now: now.wall),
                    deadline: .distantFuture))
        }
    }

    private func isDue(_ destination: PlannedDestination) -> Bool {
        guard case .offlineConversions(let offline) = destination.settings.kind, offline.verdictInterval != nil,
            destination.settings.mode == .live, !offline.goalsWithID.isEmpty
        else { return false }
        let known = verdicts.known[destination.id] ?? Verdicts.Known()
        return !known.isReading && known.next <= now.uptime
    }

    /// Sends the next request of a reading, or ends it.
    private func askOn(_ reading: Verdicts.Reading) {
        var reading = reading
        guard let credential = credentials.credential(of: reading.destination) else {
            let problem = credentials.problem(of: reading.destination) ?? "missing"
            reading.answer.report?.stop("credential: \(problem)")
            return finish(reading)
        }
        if reading.deadline <= now.uptime { reading.answer.endInTime(credential) }
        guard let request = reading.answer.report?.request(credential) else { return finish(reading) }
        let id = nextTestID()
        verdicts.readings[id] = reading
        client.start(request, id: id)
    }

    /// Whether it was an answer to one of these.
    func isVerdict(_ completion: HTTPClient.Completion) -> Bool {
        guard var reading = verdicts.readings.removeValue(forKey: completion.id) else { return false }
        reading.answer.report?.answered(completion.outcome, now: now.wall)
        if case .throttled(let wait) = reading.answer.report?.trouble {
            throttle(reading.destination, for: wait)
        }
        askOn(reading)
        return true
    }

    private func finish(_ reading: Verdicts.Reading) {
        if let reply = reading.reply { return reply.send(reading.answer) }
        let id = reading.destination
        guard var known = verdicts.known[id], let report = reading.answer.report,
            let settings = plan.destinations.first(where: { $0.id == id })?.settings,
            case .offlineConversions(let offline) = settings.kind
        else { return verdicts.known[id] = nil }
        known.isReading = false
        let isStopped = report.trouble != nil
        if !isStopped { known.readAt = now.uptime }
        let interval = offline.verdictInterval ?? .zero
        known.next = now.uptime + (isStopped ? min(interval, Verdicts.againWait) : interval)
        let news = known.book.enter(report.found, now: now.wall)
        verdicts.known[id] = known
        for day in news {
            telemetry.report(.verdictRead(VerdictReport(destination: settings.name, day: day)))
        }
        for gap in report.gaps {
            telemetry.report(.verdictMissed(destination: settings.name, goal: gap.goal, reason: gap.reason))
        }
        if !news.isEmpty { mailboxes.store.put(.logVerdicts(id, news, at: now.wall)) }
    }

    // MARK: Numbers

    func verdictNumbers(of lane: DestinationLane) -> (goals: [GoalSum], ageSeconds: Double?) {
        guard let known = verdicts.known[lane.id], let readAt = known.readAt,
            case .offlineConversions(let offline) = lane.settings.kind
        else { return ([], nil) }
        let goals = known.book.recent(of: offline.goalsWithID.map(\.name), now: now.wall)
        return (goals, Double((now.uptime - readAt).milliseconds) / 1000)
    }
}
