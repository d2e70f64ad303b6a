import FakeMicrosoft
import ForwarderCore

extension ChaosPlan {
    /// Faults after which an event is a dead letter. Whom Microsoft refused, and in which words, is in its books.
    private static let refusals: [(fault: Fault, targets: FaultTargets)] = [
        (.refuse(share: 0.03), .capi), (.refuseWhole(share: 0.005), .capi), (.refuseWhole(share: 0.01), .offline),
    ]

    /// What may be wrong with one conversion for good.
    private static let conversionCodes: [CampaignCode] = [
        .conversionIsNull, .clickIDMissing, .clickIDInvalid, .nameMissing, .timeInvalid, .timeMissing,
        .timeOutOfWindow, .valueInvalid, .currencyInvalid, .earlierThanClick, .clickOutsideWindow, .emailNotHashed,
        .phoneNotHashed, .notEligibleForEnhancedConversions, .creditInvalid, .attributionFieldMissing,
        .goalNotExternallyAttributed,
    ]

    /// Words of Microsoft that end an event; "" where it said none.
    static let finalWords = Set(["", "Blocked", "\(CampaignCode.invalidDateObject.rawValue)"])
        .union(conversionCodes.map { "\($0.rawValue)" })

    /// Everything that Microsoft may do, a good part of it at any time, some of it for seconds on end.
    mutating func drawMicrosoft() {
        // The first that strikes wins.
        var phases: [FaultPlan.Phase] = []
        if chance(25) { phases.append(everythingRefused()) }
        phases += poisons()
        for _ in 0..<max(2, Int(length.milliseconds / 1000 / 6)) {
            let (fault, targets) = pick(ChaosPlan.long)
            phases.append(.init(fault, targets: targets, window: window()))
        }
        // Two hours' silence, for some. To the end, as every start and every clock that is set back ends it.
        if chance(30) {
            let young = Fault.partialErrors(.notAcceptedForGoal, share: 0.5)
            phases.append(.init(young, targets: .offline, window: window().lowerBound..<length))
        }
        // A minute's silence by Microsoft's rule: few runs, and once.
        if chance(15) {
            let (fault, targets) = pick(ChaosPlan.minutes)
            phases.append(.init(fault, targets: targets, window: .zero..<length, rate: 0.05, most: 1))
        }
        for (fault, targets) in ChaosPlan.short where chance(67) {
            let rate = Double.random(in: 0.002...0.03, using: &random)
            phases.append(.init(fault, targets: targets, window: .zero..<length, rate: rate))
        }
        phases += steadyRefusals()
        // A token that is good for an hour is asked for by nobody.
        for phase in phases where phase.targets == .oauth && phase.rate == 1 {
            add(.expireAccessTokens, at: phase.window.lowerBound + .milliseconds(100))
        }
        // A request that another fault strikes is not refused anything in it, but processed. So a refusal would not be
        // steady, the search for it would find nothing, and the daemon rightly stop to trust the count.
        if phases.contains(where: { $0.fault == .refuse(share: 0.03) }) { phases.removeAll { $0.isProcessedByCAPI } }
        faults = FaultPlan(phases)
    }

    private mutating func window() -> Range<Duration> {
        let start = duration(0...max(1, length.milliseconds - 2000))
        return start..<min(length, start + duration(500...6000))
    }

    /// At the beginning, before much is delivered: the destination is halted, and somebody has to resume it.
    private mutating func everythingRefused() -> FaultPlan.Phase {
        let isCAPI = chance(50)
        let end = min(length, duration(3000...8000))
        for _ in 0..<2 { add(.resumeHalted, at: end + duration(0...6000)) }
        return .init(
            isCAPI ? .refuse(share: 1) : .partialErrors(.clickIDInvalid, share: 1), targets: isCAPI ? .capi : .offline,
            window: .zero..<end)
    }

    private mutating func poisons() -> [FaultPlan.Phase] {
        guard chance(40) else { return [] }
        return (0..<Int.random(in: 1...3, using: &random)).map { _ in
            let number = Int.random(in: 1...max(1, rate * Int(length.milliseconds) / 3000), using: &random)
            return .init(.poison(id: ChaosShop.id(number)), targets: .capi, window: .zero..<length)
        }
    }

    /// Last, as these strike all the time.
    private mutating func steadyRefusals() -> [FaultPlan.Phase] {
        var phases: [FaultPlan.Phase] = []
        for targets in [FaultTargets.capi, .offline] where chance(60) {
            var choice = ChaosPlan.refusals.filter { $0.targets == targets }.map(\.fault)
            if targets == .offline { choice.append(.partialErrors(pick(ChaosPlan.conversionCodes), share: 0.03)) }
            phases.append(.init(pick(choice), targets: targets, window: .zero..<length))
        }
        return phases
    }

    private static let minutes: [(fault: Fault, targets: FaultTargets)] = [
        (.campaignFault(.callRateExceeded), .offline), (.partialErrors(.callRateExceeded, share: 0.1), .offline),
        (.partialErrors(.timeInFuture, share: 0.2), .offline),
    ]

    private static let long: [(fault: Fault, targets: FaultTargets)] = [
        (.status(503), .capi), (.status(500), .offline), (.status(502), .all),
        (.status(429, retryAfter: .seconds(2)), .all), (.status(429), .events),
        (.drop, .capi), (.drop, .offline), (.answerLost, .all), (.answerCut, .events),
        (.slow(.milliseconds(4000)), .events), (.slow(.milliseconds(1200)), .all),
        (.status(401), .capi), (.status(403), .capi), (.status(404), .events), (.status(401), .offline),
        (.bodyLimit(4 << 10), .events), (.badRequestPage(sparesSingles: true), .events),
        (.miscount(-1), .capi), (.emptyAnswer, .events), (.pageAnswer, .events),
        (.campaignFault(.invalidCredentials), .offline), (.campaignFault(.userIsNotAuthorized), .offline),
        (.campaignFault(.userCompromised), .offline), (.campaignFault(.userLoginAccessDenied), .offline),
        (.campaignFault(.authenticationTokenExpired), .offline), (.campaignFault(.pilotNotEnabled), .offline),
        (.campaignFault(.requestMissingHeaders), .offline), (.campaignFault(.customerIDMissing), .offline),
        (.campaignFault(.accountIDMissing), .offline),
        (.partialErrors(.nameInvalid, share: 1), .offline), (.partialErrors(.applyFailed, share: 0.5), .offline),
        (.partialErrors(.internalError, share: 1), .offline),
        (.oauthError("invalid_grant", aadsts: 700_082), .oauth), (.oauthError("invalid_grant", aadsts: 50_173), .oauth),
        (.oauthError("invalid_client", aadsts: 7_000_215), .oauth),
        (.oauthError("interaction_required", aadsts: 50_076), .oauth), (.status(503), .oauth), (.drop, .oauth),
        (.oauthError("temporarily_unavailable", aadsts: 90_033), .oauth), (.answerLost, .oauth), (.pageAnswer, .oauth),
    ]

    private static let short: [(fault: Fault, targets: FaultTargets)] = [
        (.status(500), .all), (.status(502), .all), (.status(503, retryAfter: .seconds(1)), .events),
        (.status(504), .events), (.status(408), .events), (.status(425), .events), (.status(429), .all),
        (.status(429, retryAfter: .seconds(1)), .all), (.status(429, retryAfter: .date(inSeconds: 2)), .events),
        (.status(301), .events), (.status(307), .events), (.status(410), .events), (.status(405), .events),
        (.status(415), .events), (.status(422), .events),
        (.drop, .all), (.answerLost, .all), (.answerCut, .all), (.slow(.milliseconds(700)), .all),
        (.bodyLimit(16 << 10), .events), (.emptyAnswer, .events), (.pageAnswer, .events), (.miscount(-2), .capi),
        (.miscount(3), .capi),
        (.badRequestPage(sparesSingles: true), .events), (.campaignFault(.internalError), .offline),
        (.campaignFault(.applyFailed), .offline), (.campaignFault(.invalidAccountID), .offline),
        (.partialErrors(.internalError, share: 0.1), .offline), (.partialErrors(.applyFailed, share: 0.3), .offline),
        (.oauthError("temporarily_unavailable", aadsts: 90_033), .oauth),
    ]
}

extension FaultPlan.Phase {
    /// All is accepted, with an answer that the daemon believes.
    fileprivate var isProcessedByCAPI: Bool {
        guard targets.contains(.capi) else { return false }
        return switch fault {
        case .slow, .miscount: true
        default: false
        }
    }
}

extension FaultPlan {
    /// The destinations of which everything is refused for a time.
    var haltable: Set<String> {
        Set(
            phases.compactMap { phase in
                switch phase.fault {
                case .refuse(share: 1): "capi"
                case .partialErrors(.clickIDInvalid, share: 1): "offline"
                default: nil
                }
            })
    }

    /// Whether a goal is too young for a time.
    var hasYoungGoal: Bool {
        phases.contains { if case .partialErrors(.notAcceptedForGoal, _) = $0.fault { true } else { false } }
    }

    /// Whether the grant is refused in a way that only a person mends.
    var endsGrant: Bool {
        phases.contains { phase in
            if case .oauthError(let error, _) = phase.fault { error != "temporarily_unavailable" } else { false }
        }
    }
}
