/// The interface a destination speaks: how entries become a request and what an answer means.
public enum MicrosoftInterface: Sendable {
    case conversionsAPI(ConversionsAPI)
    case campaignManagement(CampaignManagement)
    case investPixels(InvestPixels)

    public init(_ settings: DestinationSettings) {
        switch settings.kind {
        case .capi(let capi):
            self = .conversionsAPI(ConversionsAPI(capi, endpoint: settings.endpoint, timeout: settings.requestTimeout))
        case .offlineConversions(let offline):
            self = .campaignManagement(
                CampaignManagement(offline, endpoint: settings.endpoint, timeout: settings.requestTimeout))
        case .investPixel(let pixels):
            self = .investPixels(InvestPixels(pixels, endpoint: settings.endpoint, timeout: settings.requestTimeout))
        case .adjustments(let adjustments):
            let operation: CampaignManagement.Operation =
                adjustments.form == .offline ? .adjustOffline : .adjustOnline
            self = .campaignManagement(
                CampaignManagement(
                    adjustments.account, operation, endpoint: settings.endpoint, timeout: settings.requestTimeout))
        }
    }

    /// What a request needs to be let in.
    public struct Credential: Sendable, Equatable {
        /// The tag's token, or the access token of the grant.
        public var token: String
        public var developerToken: String

        public init(token: String, developerToken: String = "") {
            self.token = token
            self.developerToken = developerToken
        }
    }

    public func request(_ contents: [UInt8], isStrict: Bool, _ credential: Credential) -> HTTPRequest {
        switch self {
        case .conversionsAPI(let api): api.request(contents, isStrict: isStrict, token: credential.token)
        case .campaignManagement(let api):
            api.request(contents, accessToken: credential.token, developerToken: credential.developerToken)
        case .investPixels(let pixels): pixels.request(contents)
        }
    }

    public func verdict(_ outcome: HTTPOutcome, entryCount: Int, now: Timestamp) -> Verdict {
        switch self {
        case .conversionsAPI: ConversionsAPI.verdict(outcome, entryCount: entryCount, now: now)
        case .campaignManagement: CampaignManagement.verdict(outcome, entryCount: entryCount, now: now)
        case .investPixels: InvestPixels.verdict(outcome, now: now)
        }
    }

    /// How many deliveries a request has room for, whatever the size of the batches they come in.
    var deliveriesPerRequest: Int {
        if case .investPixels = self { 1 } else { .max }
    }

    /// Whether a request that may have been carried out is sent again. The others recognise a repeat.
    var repeatsUnclear: Bool {
        if case .investPixels(let pixels) = self { pixels.repeatsUnclear } else { true }
    }
}
