/// What becomes of each storefront event at one destination, compiled from its settings.
struct EventRoutes: Sendable {
    enum Target: Sendable, Equatable {
        case pageLoad
        /// A custom event under the name that `goals` has for this route.
        case custom
        case goal(isExternallyAttributed: Bool)
    }

    struct Route: Sendable {
        var target: Target
        /// Index into `goals`.
        var goal: UInt16
    }

    /// The names that events are sent under; the last one stands for all events forwarded under their own name.
    private(set) var goals: [String] = []
    private var events: [(name: [UInt8], route: Route?)] = []
    private var forwardsUnmapped = false

    /// The storefront events that are mapped where the configuration does not say otherwise. The names on the right are
    /// a convention: Microsoft takes any, and matches them by the event goals of the account.
    static let defaultNames: [(event: String, name: String?)] = [
        ("PageView", nil), ("ViewContent", "view_item"), ("AddToCart", "add_to_cart"),
        ("InitiateCheckout", "begin_checkout"), ("Purchase", "purchase"), ("Lead", "lead"), ("Search", "search"),
        ("SignUp", "sign_up"),
    ]

    /// Under which the custom event that carries a page's value is sent.
    static let pageValueName = "page_value"
    static let pageLoadName = "pageLoad"
    private static let forwardedName = "(own name)"

    init(_ destination: DestinationSettings) {
        switch destination.kind {
        case .capi(let capi):
            forwardsUnmapped = destination.unmapped == .forward
            for mapping in capi.events { add(mapping) }
            for (event, name) in EventRoutes.defaultNames where !knows(event) {
                add(.init(event: event, target: name.map { .custom(name: $0) } ?? .pageLoad))
            }
            goals.append(EventRoutes.forwardedName)
        case .offlineConversions(let offline):
            for goal in offline.goals {
                let target = Target.goal(isExternallyAttributed: goal.isExternallyAttributed)
                add(goal.event, Route(target: target, goal: intern(goal.name)))
            }
        }
    }

    /// The route of an event; nil if nothing is owed.
    func route(of event: Bytes) -> Route? {
        for (name, route) in events where name.count == event.count {
            if name.withUnsafeBufferPointer({ event.equals($0) }) { return route }
        }
        return forwardsUnmapped ? Route(target: .custom, goal: ownName) : nil
    }

    /// The index of the name that stands for events forwarded under their own.
    var ownName: UInt16 { UInt16(goals.count - 1) }

    private mutating func add(_ mapping: CAPISettings.EventMapping) {
        switch mapping.target {
        case .skip: add(mapping.event, nil)
        case .pageLoad: add(mapping.event, Route(target: .pageLoad, goal: intern(EventRoutes.pageLoadName)))
        case .custom(let name): add(mapping.event, Route(target: .custom, goal: intern(name)))
        }
    }

    private mutating func add(_ event: String, _ route: Route?) {
        events.append((Array(event.utf8), route))
    }

    private func knows(_ event: String) -> Bool {
        events.contains { $0.name == Array(event.utf8) }
    }

    private mutating func intern(_ goal: String) -> UInt16 {
        if let index = goals.firstIndex(of: goal) { return UInt16(index) }
        goals.append(goal)
        return UInt16(goals.count - 1)
    }
}
