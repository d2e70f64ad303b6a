import FakeMicrosoft
import ForwarderCore

extension ChaosPlan {
    /// Faults after which an event is a dead letter, and the reason that it is given, by the destination.
    static let refusals: [(fault: Fault, targets: FaultTargets)] = [
        (.refuse(share: 0.03), .capi),
        (.partialErrors(.clickIDInvalid, share: 0.03), .offline),
        (.partialErrors(.timeOutOfWindow, share: 0.02), .offline),
    ]

    /// Everything that Microsoft may do, a good part of it at any time, some of it for seconds on end. Left out is what
    /// Microsoft's rules make a client wait for longer than a run lasts: a goal that is too young (two hours).
    static func microsoft(length: Duration, using random: inout SeededRandom) -> FaultPlan {
        var phases: [FaultPlan.Phase] = []
        let windows = max(2, Int(length.milliseconds / 1000 / 6))
        for _ in 0..<windows {
            let (fault, targets) = long[Int.random(in: long.indices, using: &random)]
            let start = Int64.random(in: 0...max(1, length.milliseconds - 2000), using: &random)
            let end = min(length.milliseconds, start + Int64.random(in: 500...6000, using: &random))
            phases.append(.init(fault, targets: targets, window: .milliseconds(start)..<Duration.milliseconds(end)))
        }
        // A minute's silence by Microsoft's rule: few runs, and once.
        if Int.random(in: 0..<6, using: &random) == 0 {
            phases.append(
                .init(.campaignFault(.callRateExceeded), targets: .offline, window: .zero..<length, rate: 0.05, most: 1)
            )
        }
        for (fault, targets) in short where Int.random(in: 0..<3, using: &random) > 0 {
            phases.append(
                .init(
                    fault, targets: targets, window: .zero..<length,
                    rate: Double.random(in: 0.002...0.03, using: &random)))
        }
        // Last, as the first that strikes wins, and these strike all the time.
        for (fault, targets) in refusals where Bool.random(using: &random) {
            phases.append(.init(fault, targets: targets, window: .zero..<length))
        }
        // A request that another fault strikes is not refused anything in it, but processed. So a refusal would not be
        // steady, the search for it would find nothing, and the daemon rightly stop to trust the count.
        if phases.contains(where: { $0.fault == refusals[0].fault }) { phases.removeAll { $0.isProcessedByCAPI } }
        return FaultPlan(phases)
    }

    private static let long: [(fault: Fault, targets: FaultTargets)] = [
        (.status(503), .capi), (.status(500), .offline), (.status(502), .all),
        (.status(429, retryAfter: .seconds(2)), .all), (.status(429), .events),
        (.drop, .capi), (.drop, .offline), (.answerLost, .all), (.answerCut, .events),
        (.slow(.milliseconds(4000)), .events), (.slow(.milliseconds(1200)), .all),
        (.status(401), .capi), (.status(403), .capi), (.status(404), .events), (.status(401), .offline),
        (.bodyLimit(4 << 10), .events), (.badRequestPage(sparesSingles: true), .events),
        (.miscount(-1), .capi), (.emptyAnswer, .events), (.pageAnswer, .events),
        (.campaignFault(.invalidCredentials), .offline), (.campaignFault(.userIsNotAuthorized), .offline),
        (.campaignFault(.authenticationTokenExpired), .offline), (.campaignFault(.pilotNotEnabled), .offline),
        (.partialErrors(.nameInvalid, share: 1), .offline), (.partialErrors(.applyFailed, share: 0.5), .offline),
        (.oauthError("invalid_grant", aadsts: 700_082), .oauth), (.status(503), .oauth), (.drop, .oauth),
        (.oauthError("temporarily_unavailable", aadsts: 90_033), .oauth),
    ]

    private static let short: [(fault: Fault, targets: FaultTargets)] = [
        (.status(500), .all), (.status(502), .all), (.status(503, retryAfter: .seconds(1)), .events),
        (.status(504), .events), (.status(408), .events), (.status(429), .all),
        (.status(429, retryAfter: .seconds(1)), .all), (.status(429, retryAfter: .date(inSeconds: 2)), .events),
        (.status(301), .events), (.status(405), .events), (.status(415), .events), (.status(422), .events),
        (.drop, .all), (.answerLost, .all), (.answerCut, .all), (.slow(.milliseconds(700)), .all),
        (.emptyAnswer, .events), (.pageAnswer, .events), (.miscount(-2), .capi), (.miscount(3), .capi),
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
