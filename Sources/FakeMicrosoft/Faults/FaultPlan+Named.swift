extension FaultPlan {
    /// The names that `named` knows.
    public static let names = [
        "none", "mixed", "outage", "throttled", "unauthorized", "forbidden", "slow", "lost-answers", "refusals",
        "miscount", "dead-grant",
    ]

    /// A plan by its name, for use by hand; nil for a name that is not known.
    public static func named(_ name: String, seed: UInt64, length: Duration) -> FaultPlan? {
        func throughout(_ fault: Fault, _ targets: FaultTargets = .all, rate: Double = 1) -> FaultPlan {
            FaultPlan([Phase(fault, targets: targets, window: .zero..<length, rate: rate)])
        }
        switch name {
        case "none": return FaultPlan.none
        case "mixed": return mixed(seed: seed, length: length)
        case "outage": return throughout(.status(503))
        case "throttled": return throughout(.status(429, retryAfter: .seconds(2)), rate: 0.5)
        case "unauthorized": return throughout(.status(401), .events)
        case "forbidden": return throughout(.status(403), .events)
        case "slow": return throughout(.slow(.seconds(5)), .events)
        case "lost-answers": return throughout(.answerLost, .events, rate: 0.2)
        case "refusals": return throughout(.refuse(share: 0.02), .capi)
        case "miscount": return throughout(.miscount(-1), .capi)
        case "dead-grant": return throughout(.oauthError("invalid_grant", aadsts: 700_082), .oauth)
        default: return nil
        }
    }

    /// A bit of everything that a correct client gets over without losing or giving up an event: the same plan for the
    /// same seed and length. Faults for which a client has to wait a minute or more by Microsoft's rules (401, 403,
    /// code 117, a refused grant) are part of it from a length of ten minutes on.
    public static func mixed(seed: UInt64, length: Duration = .seconds(30)) -> FaultPlan {
        var rng = SeededGenerator(seed: seed)
        // Windows come first: within them they win over the faults that happen at any time.
        var phases = [
            Phase(.status(503), targets: .capi, window: window(of: 0.15, in: length, using: &rng)),
            Phase(.drop, targets: .offline, window: window(of: 0.15, in: length, using: &rng)),
            Phase(.bodyLimit(64 << 10), targets: .events, window: window(of: 0.1, in: length, using: &rng)),
        ]
        if length >= .seconds(600) {
            phases += [
                Phase(.status(401), targets: .capi, window: window(of: 0.05, in: length, using: &rng)),
                Phase(.status(403), targets: .offline, window: window(of: 0.05, in: length, using: &rng)),
                Phase(
                    .campaignFault(.callRateExceeded), targets: .offline,
                    window: window(of: 0.05, in: length, using: &rng)),
                Phase(
                    .oauthError("invalid_grant", aadsts: 50_196), targets: .oauth,
                    window: window(of: 0.05, in: length, using: &rng)),
            ]
        }
        return FaultPlan(phases + anyTime(length: length))
    }

    /// Faults that strike now and then during the whole plan.
    private static func anyTime(length: Duration) -> [Phase] {
        let faults: [(fault: Fault, targets: FaultTargets, rate: Double)] = [
            (.status(429), .all, 0.01),
            (.status(429, retryAfter: .seconds(1)), .all, 0.01),
            (.status(429, retryAfter: .date(inSeconds: 2)), .events, 0.01),
            (.status(500), .events, 0.01),
            (.status(502), .all, 0.01),
            (.status(503, retryAfter: .seconds(1)), .events, 0.01),
            (.status(504), .events, 0.01),
            (.status(408), .events, 0.005),
            (.drop, .all, 0.01),
            (.answerLost, .all, 0.02),
            (.answerCut, .all, 0.01),
            (.slow(.milliseconds(700)), .all, 0.02),
            (.emptyAnswer, .events, 0.005),
            (.pageAnswer, .events, 0.005),
            (.miscount(-2), .capi, 0.005),
            (.miscount(3), .capi, 0.005),
            (.badRequestPage(sparesSingles: true), .events, 0.01),
            (.campaignFault(.internalError), .offline, 0.01),
            (.partialErrors(.internalError, share: 0.1), .offline, 0.01),
            (.partialErrors(.applyFailed, share: 0.3), .offline, 0.02),
            (.oauthError("temporarily_unavailable", aadsts: 90_033), .oauth, 0.05),
        ]
        return faults.map { Phase($0.fault, targets: $0.targets, window: .zero..<length, rate: $0.rate) }
    }

    /// A window that takes `share` of the length, somewhere between its first tenth and its end.
    private static func window(
        of share: Double, in length: Duration, using rng: inout SeededGenerator
    ) -> Range<Duration> {
        let start = Double.random(in: 0.1...(1 - share), using: &rng)
        return (length * start)..<(length * (start + share))
    }
}
