/// The interface that a request is for.
enum Route: Equatable {
    case capi(tag: String)
    case offline(CampaignContent)
    case oauth
    case goalReport
    case tagToken
    /// The page on which people consent.
    case consent
    case customers(CustomerRequest)
    /// A server-side pixel, or what it was sent on to.
    case pixel(isSentOn: Bool)
    case pixelService(PixelServiceRequest)
    case unknown

    init(path: String) {
        if let request = PixelServiceRequest(rawValue: path) {
            self = .pixelService(request)
            return
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        switch parts.count {
        case 2 where parts[1] == "sspx": self = .pixel(isSentOn: false)
        case 3 where path == MicrosoftModel.pixelHop: self = .pixel(isSentOn: true)
        case 4 where parts[1] == "v1" && parts[3] == "events" && !parts[2].isEmpty: self = .capi(tag: String(parts[2]))
        case 5 where parts[1...].elementsEqual(["CampaignManagement", "v13", "OfflineConversions", "Apply"]):
            self = .offline(.conversions)
        case 5 where parts[1...].elementsEqual(["CampaignManagement", "v13", "OfflineConversionAdjustments", "Apply"]):
            self = .offline(.offlineAdjustments)
        case 5 where parts[1...].elementsEqual(["CampaignManagement", "v13", "OnlineConversionAdjustments", "Apply"]):
            self = .offline(.onlineAdjustments)
        case 5
        where parts[1...].elementsEqual(["CampaignManagement", "v13", "OfflineConversionReport", "QueryByGoalIds"]):
            self = .goalReport
        case 5 where parts[1] == "CampaignManagement" && parts[2...].elementsEqual(["v13", "UetTagAuthKey", "Query"]):
            self = .tagToken
        case 5 where !parts[1].isEmpty && parts[2...].elementsEqual(["oauth2", "v2.0", "token"]): self = .oauth
        case 5 where !parts[1].isEmpty && parts[2...].elementsEqual(["oauth2", "v2.0", "authorize"]): self = .consent
        case 5 where parts[1] == "CustomerManagement" && parts[2] == "v13":
            self = CustomerRequest(rawValue: parts[3...].joined(separator: "/")).map(Route.customers) ?? .unknown
        default: self = .unknown
        }
    }

    var target: FaultTargets {
        switch self {
        case .capi: .capi
        case .offline: .offline
        case .oauth: .oauth
        case .goalReport, .tagToken: .reports
        case .pixel: .pixels
        case .pixelService: .pixelService
        case .consent, .customers, .unknown: []
        }
    }
}
