/// One destination as configured.
public struct DestinationSettings: Sendable, Equatable {
    /// Lower-case letters, digits, `-` and `_`, a letter or digit first; at most 64. It names the queue on disk, so it
    /// must not be re-used for another account.
    public var name: String
    public var kind: Kind
    /// Base URL, without a slash at the end. Plain http only to loopback.
    public var endpoint: String
    /// All of these must hold, or the event is skipped as `not_matched`.
    public var match: [FieldMatch] = []
    public var unmapped = UnmappedRule.skip
    public var batch = BatchSettings()
    /// Most requests in flight at once.
    public var concurrency = 4
    public var requestTimeout = Duration.seconds(30)
    /// Most events sent a second; nil is no limit.
    public var rateLimit: Int?
    public var mode = Mode.live
    public var startAt = StartAt.committed
    public var buffer = BufferSettings()
    public var deliveryLog = DeliveryLogSettings()
    public var retry = RetrySettings()
    public var maxEventAge = Duration.seconds(7 * 86_400)
    public var queue = QueueSettings()
    public var consent = ConsentRule()
    public var dedupe = DedupeSettings()
    /// How long a refund waits for a purchase that nobody knows of; nil: refunds are not forwarded.
    public var refundWait: Duration? = .seconds(3600)

    public init(name: String, kind: Kind, endpoint: String? = nil) {
        self.name = name
        self.kind = kind
        self.endpoint = endpoint ?? kind.defaultEndpoint
        dedupe.window = kind.defaultDedupeWindow
        guard case .investPixel = kind else { return }
        // A request carries one event of a batch, and may be sent on elsewhere before it is answered.
        batch.maxEvents = 100
        concurrency = 16
    }

    public enum Kind: Sendable, Equatable {
        case capi(CAPISettings)
        case offlineConversions(OfflineSettings)
        case investPixel(InvestPixelSettings)
        /// Carries the refunds of another destination; not in the configuration, see `Configuration.running`.
        case adjustments(AdjustmentSettings)

        /// The `type` of the configuration.
        public var type: String {
            switch self {
            case .capi: "capi"
            case .offlineConversions: "offline_conversions"
            case .investPixel: "invest_pixel"
            case .adjustments: "adjustments"
            }
        }

        /// The account that requests of this kind are let in for; nil for those that need none.
        public var account: OfflineSettings? {
            switch self {
            case .capi, .investPixel: nil
            case .offlineConversions(let offline): offline
            case .adjustments(let adjustments): adjustments.account
            }
        }

        public var defaultEndpoint: String {
            switch self {
            case .capi: "https://capi.uet.microsoft.com"
            case .offlineConversions, .adjustments: "https://campaign.api.bingads.microsoft.com"
            case .investPixel: "https://\(InvestPixelSettings.defaultHost)"
            }
        }

        /// As long as Microsoft takes corrections of an offline conversion, and events of CAPI, and as long as a
        /// conversion can belong to a click of Invest.
        fileprivate var defaultDedupeWindow: Duration? {
            switch self {
            case .capi: .seconds(7 * 86_400)
            case .offlineConversions, .investPixel: .seconds(90 * 86_400)
            case .adjustments: nil
            }
        }
    }

    /// Whether a credential that is refused can be replaced by a newer one without anybody's help.
    var hasRenewableCredential: Bool {
        switch kind {
        case .capi(let capi): if case .destination = capi.token { true } else { false }
        case .offlineConversions, .adjustments: true
        case .investPixel: false
        }
    }

    /// What must not change while deliveries wait: they were written for exactly this receiver.
    public var fingerprint: String {
        switch kind {
        case .capi(let capi): "capi tag \(capi.uetTagID)"
        case .offlineConversions(let offline):
            "offline_conversions customer \(offline.customerID) account \(offline.accountID)"
        // The pixel stands in what waits.
        case .investPixel: "invest_pixel"
        case .adjustments(let adjustments):
            """
            adjustments customer \(adjustments.account.customerID) account \(adjustments.account.accountID) of \
            \(adjustments.original)
            """
        }
    }

    public struct FieldMatch: Sendable, Equatable {
        public var field: EventField
        public var values: [String]

        public init(field: EventField, values: [String]) {
            self.field = field
            self.values = values
        }
    }

    public enum UnmappedRule: String, Sendable, CaseIterable {
        case skip
        /// Sent as a custom event under its own name.
        case forward
    }

    public enum Mode: String, Sendable, CaseIterable {
        case live
        /// Maps, counts and logs; sends nothing.
        case shadow
    }

    /// Where a destination that is new to an old group begins.
    public enum StartAt: Sendable, Equatable {
        /// Where the group stands.
        case committed
        /// With records published after the destination was first seen.
        case latest
        /// With records published at or after this time.
        case time(Timestamp)
    }
}

public struct BatchSettings: Sendable, Equatable {
    public var maxEvents = 1000
    public var maxBytes = 2 << 20
    public var linger = Duration.milliseconds(200)

    public init() {}
}

/// What a destination may hold in memory before its deliveries go to its queue.
public struct BufferSettings: Sendable, Equatable {
    public var maxBytes = 32 << 20
    public var maxAge = Duration.seconds(5)

    public init() {}
}

public struct DeliveryLogSettings: Sendable, Equatable {
    /// Storefront events whose deliveries are kept in the delivery log.
    public var events = ["Purchase", "Lead", "SignUp"]
    /// What is older is deleted.
    public var maxAge = Duration.seconds(30 * 86_400)
    /// What the log of the destination takes on disk; nil: there is none.
    public var maxBytes: Int64? = 256 << 20

    public init() {}

    func holds(_ event: String) -> Bool { maxBytes != nil && events.contains(event) }
}

public struct RetrySettings: Sendable, Equatable {
    public var base = Duration.seconds(1)
    public var cap = Duration.seconds(300)
    /// Attempts after which a delivery is dead-lettered; nil: only its expiry ends it.
    public var maxAttempts: Int?
    public var parkedProbe = Duration.seconds(60)

    public init() {}
}

public struct QueueSettings: Sendable, Equatable {
    public var maxBytes: Int64 = 10 << 30

    public init() {}
}

public struct ConsentRule: Sendable, Equatable {
    public enum Missing: String, Sendable, CaseIterable {
        case granted, denied, skip
    }

    public enum Denied: String, Sendable, CaseIterable {
        /// Sent with the signal `D`.
        case send
        case skip
    }

    public var missing = Missing.granted
    public var denied = Denied.skip

    public init() {}
}

public struct DedupeSettings: Sendable, Equatable {
    /// How long a transaction that was delivered is remembered, so that another record of it is skipped; nil: none is.
    public var window: Duration?

    public init() {}
}

/// Which conversions of a CAPI destination can be refunded, and through which account.
public struct RefundSettings: Sendable, Equatable {
    /// The name of an offline destination, whose account and grant are used.
    public var account: String
    /// Microsoft's name of the conversion goal that a Purchase counts for.
    public var goal: String

    public init(account: String, goal: String) {
        self.account = account
        self.goal = goal
    }
}

/// The refunds of one destination.
public struct AdjustmentSettings: Sendable, Equatable {
    public enum Form: Sendable, Equatable {
        /// Of offline conversions, which are named by click, goal and time.
        case offline
        /// Of conversions that came by CAPI or the browser's tag, named by transaction and this goal.
        case online(goal: String)
    }

    /// The name of the destination whose conversions are adjusted.
    public var original: String
    /// What a Purchase counts as there: goal, or name of the event.
    public var originalGoal: String
    public var form: Form
    public var wait: Duration
    public var account: OfflineSettings

    public init(original: String, originalGoal: String, form: Form, wait: Duration, account: OfflineSettings) {
        self.original = original
        self.originalGoal = originalGoal
        self.form = form
        self.wait = wait
        self.account = account
    }
}

public struct CAPISettings: Sendable, Equatable {
    public var uetTagID: String
    public var token: TokenSource
    /// Sent as `dataProvider` with every request.
    public var dataProvider = "conversion-forwarder"
    /// A PageView with a value becomes a pageLoad and a custom event that carries it.
    public var pageValue = false
    public var adjustments: RefundSettings?
    /// What overrides or extends the default mapping of storefront events.
    public var events: [EventMapping] = []

    public init(uetTagID: String, token: SecretReference) {
        self.uetTagID = uetTagID
        self.token = .secret(token)
    }

    /// Where the tag's token comes from.
    public enum TokenSource: Sendable, Equatable {
        case secret(SecretReference)
        /// Campaign Management is asked for it, as the offline destination of this name.
        case destination(String)
    }

    public struct EventMapping: Sendable, Equatable {
        public enum Target: Sendable, Equatable {
            case pageLoad
            case custom(name: String)
            case skip
        }

        public var event: String
        public var target: Target

        public init(event: String, target: Target) {
            self.event = event
            self.target = target
        }
    }
}

public struct OfflineSettings: Sendable, Equatable {
    public var goals: [Goal]
    public var customerID: String
    public var accountID: String
    public var developerToken: SecretReference
    public var oauth: OAuthSettings
    public var enhancedConversions = false
    /// How often Microsoft is asked what became of the conversions of goals that have an id; nil: never.
    public var verdictInterval: Duration? = .seconds(6 * 3600)
    /// Base URL of Customer Management, which is asked who consented and which accounts there are.
    public var customerEndpoint = "https://clientcenter.api.bingads.microsoft.com"

    public init(
        goals: [Goal], customerID: String, accountID: String, developerToken: SecretReference, oauth: OAuthSettings
    ) {
        self.goals = goals
        self.customerID = customerID
        self.accountID = accountID
        self.developerToken = developerToken
        self.oauth = oauth
    }

    /// A conversion goal of the account and the storefront event that reaches it.
    public struct Goal: Sendable, Equatable {
        public var event: String
        public var name: String
        /// The goal takes its attribution from outside: credit and model of the event are sent along.
        public var isExternallyAttributed = false
        /// Microsoft's id of it, in digits: what became of its conversions can be asked by that only.
        public var id: String?

        public init(event: String, name: String) {
            self.event = event
            self.name = name
        }
    }
}

public struct OAuthSettings: Sendable, Equatable {
    public var clientID: String
    /// Only for web-app registrations.
    public var clientSecret: SecretReference?
    /// Seeds the first grant; rotated tokens live in the state directory. Nil: the grant begins with `auth login`.
    public var refreshToken: SecretReference?
    /// Tells grants of one application apart.
    public var grant = OAuthSettings.defaultGrant
    /// Without a slash at the end.
    public var authority = "https://login.microsoftonline.com/common"
    public var scope = OAuthSettings.defaultScope

    public static let defaultScope = "https://ads.microsoft.com/msads.manage offline_access"
    public static let defaultGrant = "default"

    public init(clientID: String, refreshToken: SecretReference?) {
        self.clientID = clientID
        self.refreshToken = refreshToken
    }
}
