/// What becomes of each storefront event at one destination, compiled from its settings.
struct EventRoutes: ~Copyable, Sendable {
    enum Target: BitwiseCopyable, Sendable, Equatable {
        case pageLoad
        case custom
        /// A custom event under the name it has in the storefront.
        case customByOwnName
        case goal(isExternallyAttributed: Bool)
        case refund
        /// The mapping of that number.
        case pixel(UInt8)
    }

    struct Route: BitwiseCopyable, Sendable {
        var target: Target
        /// Index into `goals`.
        var goal: UInt16
        /// Its deliveries are kept in the delivery log.
        var isLogged = false
    }

    /// The names that events are sent under, as deliveries name them.
    let goals: [String]
    /// nil: not sent.
    private let routes: NameTable<Route?>
    private let unmapped: Route?

    /// The storefront events that are mapped where the configuration does not say otherwise. The names on the right are
    /// a convention: Microsoft takes any, and matches them by the event goals of the account.
    static let defaultNames: [(event: String, name: String?)] = [
        ("PageView", nil), ("ViewContent", "view_item"), ("AddToCart", "add_to_cart"),
        ("InitiateCheckout", "begin_checkout"), ("Purchase", "purchase"), ("Lead", "lead"), ("Search", "search"),
        ("SignUp", "sign_up"),
    ]

    private static let pageLoadName = "pageLoad"
    private static let forwardedName = "(own name)"

    init(_ destination: DestinationSettings) {
        var draft = Draft()
        switch destination.kind {
        case .capi(let capi):
            for mapping in capi.events { draft.add(mapping.event, draft.route(mapping.target)) }
            for (event, name) in EventRoutes.defaultNames where !draft.knows(event) {
                draft.add(event, draft.route(name.map { .custom(name: $0) } ?? .pageLoad))
            }
            // It goes as a correction, not as an event of its own.
            if destination.remembering == .conversion { draft.add(DestinationSettings.refundEvent, nil) }
            unmapped =
                destination.unmapped == .forward ? draft.route(.customByOwnName, EventRoutes.forwardedName) : nil
            for event in destination.deliveryLog.events where !draft.knows(event) { draft.add(event, unmapped) }
            draft.log { destination.deliveryLog.holds($0) }
        case .offlineConversions(let offline):
            for goal in offline.goals {
                draft.add(
                    goal.event, draft.route(.goal(isExternallyAttributed: goal.isExternallyAttributed), goal.name))
            }
            unmapped = nil
            draft.log { _ in destination.deliveryLog.maxBytes != nil }
        case .investPixel(let pixels):
            for (index, mapping) in pixels.events.enumerated() {
                draft.add(mapping.event, draft.route(.pixel(UInt8(index)), "pixel \(mapping.pixelID)"))
            }
            unmapped = nil
            draft.log { _ in destination.deliveryLog.maxBytes != nil }
        case .adjustments(let adjustments):
            draft.add(DestinationSettings.refundEvent, draft.route(.refund, adjustments.originalGoal))
            unmapped = nil
            draft.log { _ in destination.deliveryLog.maxBytes != nil }
        }
        goals = draft.goals
        routes = NameTable(draft.entries)
    }

    /// The route of an event; nil if nothing is owed.
    @inline(__always)
    func route(of event: Bytes) -> Route? {
        routes.find(event) ?? unmapped
    }

    /// The routes while they are collected. Names are told apart by their bytes, as Microsoft does.
    private struct Draft {
        private(set) var goals: [String] = []
        private(set) var entries: [NameTable<Route?>.Entry] = []

        func knows(_ event: String) -> Bool {
            entries.contains { $0.name.utf8.elementsEqual(event.utf8) }
        }

        mutating func add(_ event: String, _ route: Route?) {
            entries.append(.init(name: event, value: route))
        }

        mutating func log(_ isLogged: (String) -> Bool) {
            for index in entries.indices where isLogged(entries[index].name) { entries[index].value?.isLogged = true }
        }

        mutating func route(_ target: CAPISettings.EventMapping.Target) -> Route? {
            switch target {
            case .skip: nil
            case .pageLoad: route(.pageLoad, EventRoutes.pageLoadName)
            case .custom(let name): route(.custom, name)
            }
        }

        mutating func route(_ target: Target, _ goal: String) -> Route {
            let index = goals.firstIndex { $0.utf8.elementsEqual(goal.utf8) } ?? goals.count
            if index == goals.count { goals.append(goal) }
            return Route(target: target, goal: UInt16(index))
        }
    }
}
