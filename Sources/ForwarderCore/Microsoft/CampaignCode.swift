/// An error code of Campaign Management and what it asks for. Numbers and names: Microsoft Advertising API operation error
/// codes. Some newer statuses have only a name, so both count.
struct CampaignCode: Sendable, Equatable {
    var number: Int
    var name: String

    enum Meaning: Equatable {
        /// This entry will never be taken.
        case refused
        /// Nothing is wrong with what was sent.
        case retry
        case throttled
        case credential
        /// Somebody must change a setting, here or at Microsoft.
        case configuration
        case goalMissing
        case goalTooYoung
        case tooMany
        /// Their clock says the conversion has not happened yet.
        case future
    }

    /// A call rate that was exceeded is counted over the last sixty seconds.
    static let throttleWait = Duration.seconds(60)
    /// A goal takes conversions two hours after it was made.
    static let goalWait = Duration.seconds(2 * 3600)

    var meaning: Meaning {
        switch name {
        case "OfflineConversionGoalTooRecent", "OfflineConversionNotAcceptedForGoal": return .goalTooYoung
        case "OfflineConversionBatchSizeExceedsLimit": return .tooMany
        case "CallRateExceeded": return .throttled
        default: break
        }
        switch number {
        case 0, 5612, 207: return .retry
        case 117: return .throttled
        case 105, 106, 108, 109: return .credential
        case 116, 120...126, 1029, 1030, 1102, 5613: return .configuration
        case 5606: return .goalMissing
        case 5615: return .goalTooYoung
        case 5601: return .tooMany
        case 5614: return .future
        default: return .refused
        }
    }

    /// What becomes of one entry that has this error.
    var fate: Verdict.Fate {
        switch meaning {
        case .refused: .refused
        case .retry, .credential, .configuration, .tooMany: .retry(after: nil)
        case .throttled, .future: .retry(after: CampaignCode.throttleWait)
        case .goalMissing: .goalMissing
        case .goalTooYoung: .retry(after: CampaignCode.goalWait)
        }
    }

    /// The reason in the queue, the log and the dead letters.
    var reason: String {
        number >= 0 && !(number == 0 && !name.isEmpty && name != "InternalError") ? "\(number)" : name
    }
}
