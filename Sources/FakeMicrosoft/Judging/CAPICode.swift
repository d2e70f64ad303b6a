/// What can be wrong with a CAPI request. The raw value is Microsoft's `errorCode` where one is known, else a name in
/// the same manner.
enum CAPICode: String, ProblemCode {
    case empty = "Empty"
    case invalidEnumValue = "InvalidEnumValue"
    case invalidURL = "InvalidUrl"
    case invalidSHA256 = "InvalidSha256"
    case invalidEventTime = "InvalidEventTime"
    // Names that Microsoft has not published.
    case invalidType = "InvalidType"
    case invalidGUID = "InvalidGuid"
    case invalidNumber = "InvalidNumber"
    case invalidCurrency = "InvalidCurrency"
    case invalidDate = "InvalidDate"
    case invalidIPAddress = "InvalidIpAddress"
    case unknownProperty = "UnknownProperty"
    case repeatedProperty = "RepeatedProperty"
    case valueOnPageLoad = "ValueOnPageLoad"
    case noIdentifier = "NoIdentifier"
    case notJSON = "NotJson"
    case noEvents = "NoEvents"
    case tooManyEvents = "TooManyEvents"
    case blocked = "Blocked"
    // Kept as evidence, never told.
    case personalData = "PersonalData"
    case missingEventName = "MissingEventName"

    var reason: String { rawValue }
    var told: String { rawValue }

    /// The sentence that goes with it.
    func message(for property: String) -> String {
        switch self {
        case .empty: "'\(property)' must not be empty."
        case .invalidEnumValue: "'\(property)' must be one of the following: \(CAPICode.choices(property))."
        case .invalidURL: "'\(property)' must be a valid URL."
        case .invalidSHA256: "'\(property)' must be a valid SHA256 string."
        case .invalidEventTime:
            "'\(property)' must be a valid UNIX UTC timestamp in seconds within last 7 days."
        case .invalidType: "'\(property)' has a value of the wrong type."
        case .invalidGUID: "'\(property)' must be a valid UUID."
        case .invalidNumber: "'\(property)' must be a number."
        case .invalidCurrency: "'\(property)' must be an ISO 4217 currency code."
        case .invalidDate: "'\(property)' must be a date of the form YYYY-MM-DD."
        case .invalidIPAddress: "'\(property)' must be an IPv4 or IPv6 address."
        case .unknownProperty: "'\(property)' is not a known property."
        case .repeatedProperty: "'\(property)' must not occur twice."
        case .valueOnPageLoad: "'\(property)' is not accepted for pageLoad events."
        case .noIdentifier: "'\(property)' must hold at least one identifier."
        case .notJSON: "The request body is not valid JSON."
        case .noEvents: "'\(property)' must not be empty."
        case .tooManyEvents: "'\(property)' must not hold more than 1000 events."
        case .blocked: "The event was not accepted."
        case .personalData: "'\(property)' holds an e-mail address."
        case .missingEventName: "'\(property)' is needed for custom events."
        }
    }

    private static func choices(_ property: String) -> String {
        switch property {
        case "eventType": "pageLoad, custom"
        case "adStorageConsent": "G, D"
        default: "cart, category, home, other, product, purchase, searchresults"
        }
    }
}
