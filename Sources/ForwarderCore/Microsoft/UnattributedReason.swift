/// Why Microsoft counted an uploaded conversion for no click. The raw value is Microsoft's word for it
/// (OfflineConversionUnattributedReason).
public enum UnattributedReason: String, CaseIterable, Sendable {
    case noMatchingClickFound = "NoMatchingClickFound"
    case missingMatchIdentifiers = "MissingMatchIdentifiers"
    case outsideGoalLookbackWindow = "OutsideGoalLookbackWindow"
    case clickTimestampAfterConversion = "ClickTimestampAfterConversion"
    case accountMismatch = "AccountMismatch"
    case goalNotFoundOrInactive = "GoalNotFoundOrInactive"
    case duplicateConversionKey = "DuplicateConversionKey"
    case conversionTimeExceedsMaxLookback = "ConversionTimeExceedsMaxLookback"
    case conversionTimeInFuture = "ConversionTimeInFuture"
    case historicalClickDataExpired = "HistoricalClickDataExpired"
    case adjustmentOriginalNotFound = "AdjustmentOriginalNotFound"
    case conversionAlreadyRetracted = "ConversionAlreadyRetracted"
    case malformedData = "MalformedData"
    case unknown = "Unknown"
    /// A word that this version does not know.
    case other = "Other"

    public init(microsoft word: String) {
        self = UnattributedReason(rawValue: word) ?? .other
    }

    /// As a label and in the log: `no_matching_click_found`.
    public var name: String {
        var name = ""
        for letter in rawValue {
            if letter.isUppercase, !name.isEmpty { name += "_" }
            name += letter.lowercased()
        }
        return name
    }

    public init?(name: String) {
        guard let reason = UnattributedReason.allCases.first(where: { $0.name == name }) else { return nil }
        self = reason
    }

    /// What it means.
    public var meaning: String {
        switch self {
        case .noMatchingClickFound: "Microsoft finds no click on an ad, neither by click id nor by e-mail or phone"
        case .missingMatchIdentifiers: "it came without a click id, and e-mail and phone led to no click"
        case .outsideGoalLookbackWindow: "the click is older than the goal's conversion window"
        case .clickTimestampAfterConversion: "the click came after the conversion"
        case .accountMismatch: "the click was on an ad of another account or customer"
        case .goalNotFoundOrInactive: "no goal has that name, or it is switched off"
        case .duplicateConversionKey: "the same conversion was counted before"
        case .conversionTimeExceedsMaxLookback: "the conversion was more than 90 days old"
        case .conversionTimeInFuture: "its time lay in the future"
        case .historicalClickDataExpired: "the click is more than 90 days old"
        case .adjustmentOriginalNotFound: "it corrects a conversion that Microsoft does not have"
        case .conversionAlreadyRetracted: "it corrects a conversion that was taken back before"
        case .malformedData: "Microsoft could not read it"
        case .unknown: "Microsoft gives no reason"
        case .other: "a reason that this version does not know"
        }
    }

    /// What to do about it.
    public var advice: String {
        switch self {
        case .noMatchingClickFound:
            "buyers who saw no ad end here, so some are normal; if it is nearly all, see whether the account tags its "
                + "links (msclkid) and the shop keeps that id up to the order"
        case .missingMatchIdentifiers:
            "keep the msclkid of the visit with the order; the metric match_keys shows how many were sent with one"
        case .outsideGoalLookbackWindow: "widen the goal's conversion window if such sales are to count"
        case .clickTimestampAfterConversion:
            "event_time must be the moment of the order, and the click id that of the visit before it"
        case .accountMismatch: "send each shop's events to the account that pays for its ads: match"
        case .goalNotFoundOrInactive: "compare the goal's name letter by letter, and see whether it is active"
        case .duplicateConversionKey:
            "repeats after an outage end here and are harmless; if it goes on, the shop publishes orders twice"
        case .conversionTimeExceedsMaxLookback:
            "look at event_time, and at how long events waited before they came here"
        case .conversionTimeInFuture: "look at the clock of whoever stamps event_time"
        case .historicalClickDataExpired: "nothing; Microsoft keeps clicks for 90 days"
        case .adjustmentOriginalNotFound: "see whether the purchase was sent, and accepted: deliveries"
        case .conversionAlreadyRetracted: "nothing; a conversion can be taken back only once"
        case .malformedData: "send one more with send-test, and ask Microsoft's support with its trace id"
        case .unknown: "if it stays, ask Microsoft's support"
        case .other: "look for it in Microsoft's list (OfflineConversionUnattributedReason), and update this program"
        }
    }
}
