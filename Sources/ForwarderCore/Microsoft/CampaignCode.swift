/// An error code of Campaign Management and what it asks for. Numbers and names: Microsoft Advertising API operation error
/// codes. Some newer statuses have a name and no published number, so the name counts first.
struct CampaignCode: Sendable, Equatable {
    /// -1 if there is none.
    var number: Int
    /// Empty if there is none.
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
        case "InternalError", "OfflineConversionsApplyFailed": .retry
        case "CallRateExceeded": .throttled
        case "InvalidCredentials", "AuthenticationTokenExpired": .credential
        // What a person may do is not changed by a new token; and asking for one holds up all who share the grant.
        case "UserIsNotAuthorized", "UserCompromised", "RequestMissingHeaders",
            "CampaignServiceCustomerIdHasToBeSpecified",
            "CampaignServiceAccountIdHasToBeSpecified", "CampaignServiceInvalidAccountId",
            "OfflineConversionPilotNotEnabledForCustomer":
            .configuration
        case "OfflineConversionNameInvalid": .goalMissing
        case "OfflineConversionGoalTooRecent", "OfflineConversionNotAcceptedForGoal": .goalTooYoung
        case "OfflineConversionsLimitExceeded", "OfflineConversionBatchSizeExceedsLimit": .tooMany
        case "FutureConversionTimeCannotBeSet", "OfflineConversionFutureAdjustmentTimeCannotBeSet": .future
        default: meaningOfNumber
        }
    }

    private var meaningOfNumber: Meaning {
        switch number {
        // A status that has no number may come with 0, the number of an internal error.
        case 0: name.isEmpty ? .retry : .refused
        case 207, 5612: .retry
        case 117: .throttled
        case 105, 109: .credential
        case 106, 108, 116, 120...126, 1029, 1030, 1102, 5613: .configuration
        case 5606: .goalMissing
        case 5615: .goalTooYoung
        case 5601: .tooMany
        case 5614, 5622: .future
        default: .refused
        }
    }

    /// What becomes of one entry that has this error.
    var fate: Verdict.Fate {
        switch meaning {
        case .refused: .refused
        case .retry, .credential, .configuration, .tooMany: .retry(after: nil)
        case .throttled, .future: .retry(after: CampaignCode.throttleWait)
        case .goalMissing: .goalMissing
        case .goalTooYoung: .goalTooYoung
        }
    }

    /// The code in the queue, the log and the dead letters: the number, unless it says nothing.
    var reason: String {
        if number > 0 || number == 0 && ["", "InternalError"].contains(name) { return "\(number)" }
        return name.isEmpty ? "unknown" : name
    }
}
