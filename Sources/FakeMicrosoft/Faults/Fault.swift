/// One way in which a request can go wrong through no fault of the client.
public enum Fault: Sendable, Hashable {
    // MARK: Answered, or not, without a look at the content

    /// A gateway's answer: 401, 403, 404, 408, 429, 5xx, …, with the body the interface documents for it.
    case status(Int, retryAfter: RetryAfter = .absent)
    /// The connection is closed before anything is processed.
    case drop
    /// 413 for every body of more than so many bytes.
    case bodyLimit(Int)
    /// A fault of the Campaign Management service. Offline Conversions only.
    case campaignFault(CampaignCode)
    /// An error of the token endpoint, with the number that stands in `error_codes`. OAuth only.
    case oauthError(String, aadsts: Int)

    // MARK: The content is processed, the answer is wrong

    /// The connection is closed after the events were accepted.
    case answerLost
    /// The connection is closed in the middle of the answer.
    case answerCut
    case slow(Duration)
    /// 200 with an empty body.
    case emptyAnswer
    /// 200 with an HTML page.
    case pageAnswer
    /// `eventsReceived` is off by so many. CAPI only.
    case miscount(Int)

    // MARK: The content is refused

    /// 400 with an HTML page that names no index; nothing is processed. With `sparesSingles` a request with one event
    /// goes through: a client that halves what was refused must come to an end.
    case badRequestPage(sparesSingles: Bool)
    /// 400 without an index for every request that holds one of that share of all events, always the same ones as long
    /// as the fault lasts. Who it was is known only where one stands alone.
    case refuseWhole(share: Double)
    /// That share of all events is invalid, always the same ones as long as the fault lasts. CAPI only.
    case refuse(share: Double)
    /// That share of all conversions gets this code, always the same ones as long as the fault lasts. Offline only.
    case partialErrors(CampaignCode, share: Double)
    /// Every request that holds this event (CAPI: `eventId`; Offline: `MicrosoftClickId`) gets a 500.
    case poison(id: String)

    public enum RetryAfter: Sendable, Hashable {
        case absent
        case seconds(Int)
        /// The same as an HTTP date.
        case date(inSeconds: Int)
    }

    /// What it is called in reports.
    public var name: String {
        switch self {
        case .status(401, _): "unauthorized"
        case .status(429, _): "throttled"
        case .status(let status, _): "status_\(status)"
        case .drop: "drop"
        case .bodyLimit: "body_limit"
        case .campaignFault(let code): "campaign_fault_\(code.rawValue)"
        case .oauthError(let error, let number): "oauth_\(error)_\(number)"
        case .answerLost: "answer_lost"
        case .answerCut: "answer_cut"
        case .slow: "slow"
        case .emptyAnswer: "empty_answer"
        case .pageAnswer: "page_answer"
        case .miscount: "miscount"
        case .badRequestPage: "bad_request_page"
        case .refuseWhole: "refuse_whole"
        case .refuse: "refuse"
        case .partialErrors(let code, _): "partial_errors_\(code.rawValue)"
        case .poison: "poison"
        }
    }

    /// Whether it can befall a request to `target` with a body of that size.
    func concerns(_ target: FaultTargets, bodyBytes: Int) -> Bool {
        switch self {
        case .bodyLimit(let limit): bodyBytes > limit
        case .campaignFault: target == .offline || target == .reports
        case .partialErrors: target == .offline
        case .oauthError: target == .oauth
        case .miscount, .refuse: target == .capi
        case .badRequestPage, .refuseWhole, .poison: target == .capi || target == .offline
        // It would be taken for the end of a redirect that was not followed.
        case .emptyAnswer, .pageAnswer: target != .pixels
        case .status, .drop, .answerLost, .answerCut, .slow: true
        }
    }
}

/// The interfaces that a fault befalls.
public struct FaultTargets: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let capi = FaultTargets(rawValue: 1)
    public static let offline = FaultTargets(rawValue: 2)
    public static let oauth = FaultTargets(rawValue: 4)
    /// What is asked of Campaign Management besides deliveries. Not part of `all`: plans are about what is delivered.
    public static let reports = FaultTargets(rawValue: 8)
    /// Server-side pixels of Invest.
    public static let pixels = FaultTargets(rawValue: 16)
    /// The Conversion Pixel Service. Not part of `all`.
    public static let pixelService = FaultTargets(rawValue: 32)
    public static let events: FaultTargets = [.capi, .offline, .pixels]
    public static let all: FaultTargets = [.capi, .offline, .oauth, .pixels]
}
