import FakeMicrosoft
import ForwarderCore

/// What goes on outside, and what goes wrong.
extension Simulation {
    mutating func makeSettings() -> [DestinationSettings] {
        let oauth = OAuthSettings(clientID: "client-id", refreshToken: .environment("SEED"))
        var capi = DestinationSettings(
            name: "capi", kind: .capi(CAPISettings(uetTagID: Simulation.tag, token: .environment("TOKEN"))))
        var offline = DestinationSettings(
            name: "offline",
            kind: .offlineConversions(
                OfflineSettings(
                    goals: SimulatedShop.goals.map { .init(event: $0, name: $0) }, customerID: "1",
                    accountID: Simulation.account, developerToken: .environment("DEVELOPER"), oauth: oauth)))
        func vary(_ settings: inout DestinationSettings) {
            settings.batch.maxEvents = [1, 3, 10, 1000].randomElement(using: &random) ?? 1000
            settings.concurrency = .random(in: 1...4, using: &random)
            settings.buffer.maxBytes = [4 << 10, 32 << 20].randomElement(using: &random) ?? 32 << 20
            settings.queue.maxBytes = [20 << 10, 10 << 30].randomElement(using: &random) ?? 10 << 30
            if chance(20, &random) { settings.rateLimit = 20 }
        }
        vary(&capi)
        vary(&offline)
        if chance(30, &random) { offline.refundWait = .seconds(60) }
        // Behind the refunds, which have the third place.
        var pixels = InvestPixelSettings(
            events: SimulatedShop.goals.map { .init(event: $0, pixelID: Int64(Simulation.pixel)) })
        if chance(50, &random) { pixels.events[0].repetition = .minutes(0) }
        var invest = DestinationSettings(name: "invest", kind: .investPixel(pixels))
        vary(&invest)
        let configuration = Configuration(kafka: KafkaSettings(brokers: [], topics: []), destinations: [capi, offline])
        return configuration.running + [invest]
    }

    // MARK: Plans

    mutating func planTrouble() {
        // Minutes mostly, hours often, and now and then more days than an event has.
        let minutes = [2, 10, 60, 300, 1500].randomElement(using: &random) ?? 10
        troubleEnd = Int64(minutes) * 60_000
        if chance(5, &random) {
            // An outage that outlives events, which may be a day old here.
            troubleEnd = 30 * 3_600_000
            for index in settings.indices { settings[index].maxEventAge = .seconds(86_400) }
        }
        microsoft.follow(plan(length: .milliseconds(troubleEnd)), from: Simulation.start)
        for goal in SimulatedShop.goals where chance(60, &random) { createGoal(goal, isYoung: chance(30, &random)) }
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let trouble = Trouble.allCases.randomElement(using: &random) ?? .crash
            agenda.add(.trouble(trouble), at: .random(in: 0...troubleEnd, using: &random))
        }
        for _ in 0..<Int.random(in: 20...120, using: &random) {
            agenda.add(.publish, at: .random(in: 0...troubleEnd / 10 * 9, using: &random))
        }
    }

    private mutating func plan(length: Duration) -> FaultPlan {
        var phases: [FaultPlan.Phase] = []
        func window() -> Range<Duration> {
            let start = Int64.random(in: 0..<length.milliseconds / 5 * 4, using: &random)
            let end = Int64.random(in: start...length.milliseconds, using: &random)
            return .milliseconds(start)..<(.milliseconds(end))
        }
        if settings[0].maxEventAge < length { phases.append(.init(.status(503), window: .zero..<length)) }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let fault = Simulation.faults.randomElement(using: &random) ?? .drop
            switch fault {
            case .refuse: refusals.insert("Blocked")
            case .partialErrors(.clickIDInvalid, _): refusals.insert("\(CampaignCode.clickIDInvalid.rawValue)")
            default: break
            }
            let rate: Double = [0.1, 0.5, 1].randomElement(using: &random) ?? 1
            phases.append(.init(fault, window: window(), rate: rate))
        }
        if chance(60, &random) { phases += FaultPlan.mixed(seed: random.next(), length: length).phases }
        return FaultPlan(phases)
    }

    private static let faults: [Fault] = [
        .status(503), .status(500), .status(429), .status(429, retryAfter: .seconds(30)),
        .status(503, retryAfter: .date(inSeconds: 20)), .status(401), .status(403), .drop, .bodyLimit(900),
        .answerLost, .answerCut, .slow(.seconds(8)), .slow(.seconds(40)), .emptyAnswer, .pageAnswer, .miscount(-1),
        .miscount(2), .badRequestPage(sparesSingles: true), .refuse(share: 0.05), .refuse(share: 0.8),
        .partialErrors(.applyFailed, share: 0.5), .partialErrors(.clickIDInvalid, share: 0.1),
        .partialErrors(.internalError, share: 1), .campaignFault(.callRateExceeded),
        .campaignFault(.authenticationTokenExpired), .campaignFault(.invalidAccountID), .campaignFault(.internalError),
        .oauthError("invalid_grant", aadsts: 70_000), .oauthError("temporarily_unavailable", aadsts: 90_033),
        .oauthError("invalid_client", aadsts: 7_000_215), .poison(id: "event-5"), .poison(id: "event-17"),
    ]

    private mutating func createGoal(_ name: String, isYoung: Bool) {
        let goal = OfflineGoal(acceptsFrom: isYoung ? trueTime + .seconds(7200) : nil)
        microsoft.setGoal(goal, named: name, ofAccount: Simulation.account)
    }

    mutating func begin() {
        startProcess()
    }

    // MARK: The shop

    mutating func publish() {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let hole: Int64 = chance(10, &random) ? .random(in: 1...20, using: &random) : 0
            let record = shop.next(now: trueTime)
            kafka.publish(record, hole: hole)
            if let order = record.fate.order {
                let offset = kafka.partitions[record.partition].nextOffset - 1
                let name = "\(shop.orders[order].transactionID)\(record.fate.refunds == .delivered ? ", refunded" : "")"
                trace("published \(offset) of \(record.partition): \(name)")
            }
            report.records += 1
        }
        pollSoon()
    }

    // MARK: Trouble

    mutating func begin(_ trouble: Trouble) {
        if process == nil { return startProcess() }
        if isHealed { return }
        trace("-- \(trouble)")
        switch trouble {
        case .crash:
            endProcess("crashed")
            after(100...600_000, .trouble(.crash))
        case .stop: stop()
        case .rebalance:
            let gone = kafka.partitions.indices.filter { _ in Bool.random(using: &random) }
            revoke(Array(gone))
            // To nobody else; they come back, at once or later.
            if chance(50, &random) {
                assign(Array(kafka.partitions.indices))
            } else {
                after(1...60_000, .trouble(.rebalance))
            }
            if process?.assignments.count != kafka.partitions.count { assign(Array(kafka.partitions.indices)) }
        case .fullDisk:
            isDiskFull.toggle()
            if isDiskFull { after(1000...600_000, .trouble(.fullDisk)) }
        case .slowDisk: isDiskSlow.toggle()
        case .pause: tell(Int.random(in: settings.indices, using: &random), .pause)
        case .expiredToken, .revokedGrant, .refusedGrant, .newTagToken: beginCredentialTrouble(trouble)
        case .youngGoal: createGoal(SimulatedShop.goals.randomElement(using: &random) ?? "Lead", isYoung: true)
        case .grantNotSaved: isGrantUnsavable.toggle()
        case .suspension:
            // The machine sleeps: the clock on the wall goes on, the uptime does not.
            let length = Int64.random(in: 1000...3_600_000, using: &random)
            time += length
            uptimeShift -= length
        case .clockStep:
            // Somebody sets the clock wrong; later somebody sets it right.
            clockError = clockError == 0 ? .random(in: -7_200_000...7_200_000, using: &random) : 0
            clockRightSince = time
            if clockError != 0 { after(1000...3_600_000, .trouble(.clockStep)) }
        }
    }

    /// Everything works from here on.
    mutating func heal() {
        isHealed = true
        trace("-- all is well")
        microsoft.follow(.none, from: trueTime)
        for goal in SimulatedShop.goals { createGoal(goal, isYoung: false) }
        secrets = validSecrets
        isDiskFull = false
        isDiskSlow = false
        if clockError != 0 { clockRightSince = time }
        clockError = 0
        isGrantUnsavable = false
        if process == nil {
            startProcess()
        } else {
            assign(Array(kafka.partitions.indices))
        }
    }
}
