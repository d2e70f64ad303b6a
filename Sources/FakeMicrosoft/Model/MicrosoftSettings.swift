import ForwarderCore

/// What the imitated Microsoft knows: tags, accounts, one OAuth grant.
public struct MicrosoftSettings: Sendable {
    /// The API token of each UET tag.
    public var tags: [String: String]
    public var accounts: [OfflineAccount]
    public var developerToken: String
    public var grant: GrantSettings
    public var user = ConsentingUser()
    public var invest = InvestSettings()
    /// Findings kept of each destination, the first ones.
    public var findingLimit = 100

    public init(
        tags: [String: String] = [:], accounts: [OfflineAccount] = [], developerToken: String = "developer-token",
        grant: GrantSettings = GrantSettings()
    ) {
        self.tags = tags
        self.accounts = accounts
        self.developerToken = developerToken
        self.grant = grant
    }
}

/// An advertising account and its goals for offline conversions.
public struct OfflineAccount: Sendable {
    public var customerID: String
    public var accountID: String
    public var goals: [String: OfflineGoal]
    /// The UET tags whose conversions it may adjust; nil: every tag.
    public var tags: Set<String>?
    /// The goals that count conversions of its tags; nil: a goal of every name.
    public var onlineGoals: Set<String>?

    public init(customerID: String, accountID: String, goals: [String: OfflineGoal]) {
        self.customerID = customerID
        self.accountID = accountID
        self.goals = goals
    }
}

public struct OfflineGoal: Sendable {
    /// Conversions without a click id are taken by their hashes.
    public var takesEnhancedConversions: Bool
    public var isExternallyAttributed: Bool
    /// Until then the goal is too young, and conversions get code 5615.
    public var acceptsFrom: Timestamp?
    /// By which reports are asked for.
    public var id: String?
    /// Why none of its conversions is counted for a click; nil: all are.
    public var unattributedReason: String?

    public init(
        takesEnhancedConversions: Bool = false, isExternallyAttributed: Bool = false, acceptsFrom: Timestamp? = nil,
        id: String? = nil, unattributedReason: String? = nil
    ) {
        self.id = id
        self.unattributedReason = unattributedReason
        self.takesEnhancedConversions = takesEnhancedConversions
        self.isExternallyAttributed = isExternallyAttributed
        self.acceptsFrom = acceptsFrom
    }
}

/// One consent of one user to one application.
public struct GrantSettings: Sendable {
    public var clientID = "client-id"
    /// Nil for a public client, which must not send one.
    public var clientSecret: String?
    /// The refresh token that the consent gave.
    public var refreshToken = "refresh-token"
    public var scope = "https://ads.microsoft.com/msads.manage"
    public var accessTokenLifetime = Duration.seconds(3600)
    /// How long a refresh token stays valid once it has been used for the first time.
    public var rotationGrace = Duration.seconds(90 * 86_400)
    /// Where a browser may be sent after consent. For http://localhost any port will do.
    public var redirectURIs = ["http://localhost", "https://login.microsoftonline.com/common/oauth2/nativeclient"]
    /// How long a code may wait to be redeemed.
    public var codeLifetime = Duration.seconds(300)

    public init() {}
}

/// Somewhere events are sent to.
public enum FakeDestination: Hashable, Sendable {
    case capi(tag: String)
    case offline(account: String)
    /// An account's restated and retracted offline conversions.
    case offlineAdjustments(account: String)
    /// An account's restated and retracted conversions of UET tags.
    case onlineAdjustments(account: String)
    /// A pixel of Invest.
    case pixel(id: Int)

    /// Its key in the report.
    public var name: String {
        switch self {
        case .capi(let tag): "capi/\(tag)"
        case .offline(let account): "offline/\(account)"
        case .offlineAdjustments(let account): "offline_adjustments/\(account)"
        case .onlineAdjustments(let account): "online_adjustments/\(account)"
        case .pixel(let id): "pixel/\(id)"
        }
    }

    static func campaign(_ content: CampaignContent, account: String) -> FakeDestination {
        switch content {
        case .conversions: .offline(account: account)
        case .offlineAdjustments: .offlineAdjustments(account: account)
        case .onlineAdjustments: .onlineAdjustments(account: account)
        }
    }
}
