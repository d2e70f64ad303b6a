extension Configuration {
    /// The destinations that run: those of the file, and behind them one for the refunds of each whose conversions can be
    /// adjusted. Adjustments go to another address, under another credential, and have a gate and a queue of their own.
    public var running: [DestinationSettings] { destinations + destinations.compactMap(refunds) }

    /// The name of the destination that carries the refunds of another one.
    public static func refundsName(of name: String) -> String { name + "-refunds" }

    private func refunds(of destination: DestinationSettings) -> DestinationSettings? {
        guard let wait = destination.refundWait, let goal = destination.purchaseGoal else { return nil }
        let form: AdjustmentSettings.Form
        let carrier: DestinationSettings?
        switch destination.kind {
        case .capi(let capi):
            guard let adjustments = capi.adjustments else { return nil }
            form = .online(goal: adjustments.goal)
            carrier = destinations.first { $0.name == adjustments.account }
        case .offlineConversions:
            form = .offline
            carrier = destination
        case .investPixel, .adjustments: return nil
        }
        guard let carrier, let account = carrier.kind.account else { return nil }
        let adjustments = AdjustmentSettings(
            original: destination.name, originalGoal: goal, form: form, wait: wait, account: account)
        var refunds = destination
        refunds.name = Configuration.refundsName(of: destination.name)
        refunds.kind = .adjustments(adjustments)
        refunds.endpoint = carrier.endpoint
        // As long as Microsoft takes corrections.
        refunds.maxEventAge = .seconds(90 * 86_400)
        refunds.dedupe.window = nil
        refunds.refundWait = nil
        refunds.unmapped = .skip
        // A refund comes from the back office, without a word on consent: the purchase had it, or was not sent.
        refunds.consent = ConsentRule()
        return refunds
    }
}

extension DestinationSettings {
    /// The storefront event that can be refunded, and the one that does it.
    static let purchaseEvent = "Purchase"
    public static let refundEvent = "Refund"

    /// What a Purchase counts as: goal, or name of the event; nil if it is not sent, or a Refund is mapped otherwise.
    var purchaseGoal: String? {
        switch kind {
        case .capi(let capi):
            if capi.events.contains(where: { $0.event == Self.refundEvent && $0.target != .skip }) { return nil }
            if let mapping = capi.events.first(where: { $0.event == Self.purchaseEvent }) {
                if case .custom(let name) = mapping.target { return name }
                return nil
            }
            return EventRoutes.defaultNames.first { $0.event == Self.purchaseEvent }?.name
        case .offlineConversions(let offline):
            if offline.goals.contains(where: { $0.event == Self.refundEvent }) { return nil }
            return offline.goals.first { $0.event == Self.purchaseEvent }?.name
        case .investPixel, .adjustments: return nil
        }
    }

    /// Whether a transaction may be delivered once only for this goal, or name of an event.
    func countsOnce(_ goal: String) -> Bool {
        switch kind {
        // An order is many events for CAPI, of which one is worth money.
        case .capi: remembering != .nothing && goal == purchaseGoal
        case .offlineConversions, .investPixel: remembering != .nothing
        case .adjustments: true
        }
    }

    /// What the ledger keeps of a delivered transaction.
    enum Remembering {
        case nothing
        /// That it was delivered.
        case key
        /// And what an adjustment of a Purchase needs.
        case conversion
    }

    var remembering: Remembering {
        switch kind {
        case .capi(let capi):
            guard purchaseGoal != nil else { return .nothing }
            if capi.adjustments != nil, refundWait != nil { return .conversion }
        case .offlineConversions: if purchaseGoal != nil, refundWait != nil { return .conversion }
        case .investPixel: break
        case .adjustments: return .nothing
        }
        return dedupe.window == nil ? .nothing : .key
    }
}
