/// Server-side conversion pixels of Microsoft Invest.
public struct InvestPixelSettings: Sendable, Equatable {
    /// What Invest exports for its pixels.
    public static let defaultHost = "sspx-router.adnxs.com"

    public var events: [Mapping]
    /// The parameter of the page's URL that holds the token where `user.sspdata` does not; nil: none is looked for.
    public var tokenParameter: String? = "token"
    /// As configured; nil: what the pixels' rules say.
    public var retryAmbiguous: Bool?

    public init(events: [Mapping]) {
        self.events = events
    }

    /// Whether a conversion is sent again of which nobody knows whether it was counted. A pixel that counts every
    /// conversion would count it twice.
    public var repeatsUnclear: Bool {
        retryAmbiguous ?? !events.contains { $0.repetition == .minutes(0) }
    }

    /// A pixel and the storefront event that fires it.
    public struct Mapping: Sendable, Equatable {
        public var event: String
        public var pixelID: Int64
        /// Which field of the event is sent as `order_id`, as `value`, as `other`; nil: none.
        public var orderID: EventField? = .transactionID
        public var value: EventField? = .value
        public var other: EventField?
        /// As far as it is known.
        public var repetition: Repetition?

        public init(event: String, pixelID: Int64) {
            self.event = event
            self.pixelID = pixelID
        }
    }

    /// How many conversions of a user the pixel counts (its `min_minutes_per_conv`).
    public enum Repetition: Sendable, Equatable {
        case onePerUser
        /// One in so many minutes; 0: all.
        case minutes(Int64)
    }

    /// The fields that can be sent as `order_id` and `other`, and those that can be a `value`.
    static let textFields: [EventField] = [
        .transactionID, .eventID, .category, .label, .pageType, .ecommCategory, .currency, .source,
    ]
    static let numberFields: [EventField] = [.value, .eventValue, .ecommTotalValue]
}
