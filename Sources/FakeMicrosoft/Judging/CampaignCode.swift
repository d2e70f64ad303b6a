/// The errors of the Campaign Management service that concern offline conversions, by their numbers.
public enum CampaignCode: Int, CaseIterable, Sendable {
    case internalError = 0
    case nullRequest = 100
    case invalidCredentials = 105
    case userIsNotAuthorized = 106
    case userCompromised = 108
    case authenticationTokenExpired = 109
    case invalidDateObject = 113
    case requestMissingHeaders = 116
    case callRateExceeded = 117
    case userLoginAccessDenied = 120
    case customerIDMissing = 1029
    case accountIDMissing = 1030
    case invalidAccountID = 1102
    case noConversions = 5600
    case tooManyConversions = 5601
    case conversionIsNull = 5602
    case clickIDMissing = 5603
    case clickIDInvalid = 5604
    case nameMissing = 5605
    case nameInvalid = 5606
    case timeInvalid = 5607
    case timeMissing = 5608
    case timeOutOfWindow = 5609
    case valueInvalid = 5610
    case currencyInvalid = 5611
    case applyFailed = 5612
    case pilotNotEnabled = 5613
    case timeInFuture = 5614
    case notAcceptedForGoal = 5615
    case earlierThanClick = 5616
    case clickOutsideWindow = 5617
    case adjustmentTypeInvalid = 5618
    case adjustmentTimeMissing = 5619
    case adjustmentEarlierThanConversion = 5620
    case adjustmentTimeInvalid = 5621
    case adjustmentTimeInFuture = 5622
    case adjustmentTimeOutOfWindow = 5623
    case adjustmentValueNotExpected = 5624
    case adjustmentValueMissing = 5625
    case adjustmentCurrencyMissing = 5626
    case adjustmentNotSupported = 5627

    // Microsoft names these but publishes no number; the numbers are made up.
    case emailNotHashed = 99_001
    case phoneNotHashed = 99_002
    case notEligibleForEnhancedConversions = 99_003
    case creditInvalid = 99_004
    case attributionFieldMissing = 99_005
    case goalNotExternallyAttributed = 99_006
    /// Microsoft names none for an online adjustment without its transaction. Made up altogether.
    case transactionIDMissing = 99_007
    case reportRangeInvalid = 99_102
    case reportGoalsInvalid = 99_103
    case reportGoalUnknown = 99_104
    case tagUnknown = 99_105
    /// A field that does not exist, or one that stands there twice. Made up altogether.
    case unknownField = 99_101

    /// Microsoft's `ErrorCode`.
    public var name: String {
        switch self {
        case .internalError: "InternalError"
        case .nullRequest: "NullRequest"
        case .invalidCredentials: "InvalidCredentials"
        case .userIsNotAuthorized: "UserIsNotAuthorized"
        case .userCompromised: "UserCompromised"
        case .authenticationTokenExpired: "AuthenticationTokenExpired"
        case .invalidDateObject: "InvalidDateObject"
        case .requestMissingHeaders: "RequestMissingHeaders"
        case .callRateExceeded: "CallRateExceeded"
        case .userLoginAccessDenied: "UserLoginAccessDenied"
        case .customerIDMissing: "CampaignServiceCustomerIdHasToBeSpecified"
        case .accountIDMissing: "CampaignServiceAccountIdHasToBeSpecified"
        case .invalidAccountID: "CampaignServiceInvalidAccountId"
        case .noConversions: "OfflineConversionsNullOrEmpty"
        case .tooManyConversions: "OfflineConversionsLimitExceeded"
        case .conversionIsNull: "OfflineConversionIsNull"
        case .clickIDMissing: "OfflineConversionMicrosoftClickIdNullOrEmpty"
        case .clickIDInvalid: "OfflineConversionMicrosoftClickIdInvalid"
        case .nameMissing: "OfflineConversionNameNullOrEmpty"
        case .nameInvalid: "OfflineConversionNameInvalid"
        case .timeInvalid: "OfflineConversionTimeInvalid"
        case .timeMissing: "OfflineConversionTimeNullOrEmpty"
        case .timeOutOfWindow: "OfflineConversionTimeOutOfWindow"
        case .valueInvalid: "OfflineConversionValueInvalid"
        case .currencyInvalid: "OfflineConversionCurrencyCodeInvalid"
        case .applyFailed: "OfflineConversionsApplyFailed"
        case .pilotNotEnabled: "OfflineConversionPilotNotEnabledForCustomer"
        case .timeInFuture: "FutureConversionTimeCannotBeSet"
        case .notAcceptedForGoal: "OfflineConversionNotAcceptedForGoal"
        case .earlierThanClick: "ConversionTimeEarlierThanClickTime"
        case .clickOutsideWindow: "ClickIdDateTimeOutsideGoalConversionWindow"
        case .adjustmentTypeInvalid: "OfflineConversionInvalidAdjustmentType"
        case .adjustmentTimeMissing: "OfflineConversionAdjustmentTimeNullOrEmpty"
        case .adjustmentEarlierThanConversion: "OfflineConversionAdjustmentTimeEarlierThanConversionTime"
        case .adjustmentTimeInvalid: "OfflineConversionAdjustmentTimeInvalid"
        case .adjustmentTimeInFuture: "OfflineConversionFutureAdjustmentTimeCannotBeSet"
        case .adjustmentTimeOutOfWindow: "OfflineConversionAdjustmentTimeOutOfWindow"
        case .adjustmentValueNotExpected: "OfflineConversionAdjustmentValueNotExpected"
        case .adjustmentValueMissing: "OfflineConversionAdjustmentValueRequired"
        case .adjustmentCurrencyMissing: "OfflineConversionCurrencyValueRequired"
        case .adjustmentNotSupported: "OfflineConversionRestateRetractNotSupported"
        case .emailNotHashed: "ConversionEmailAddressIsNotHashed"
        case .phoneNotHashed: "ConversionPhoneNumberIsNotHashed"
        case .notEligibleForEnhancedConversions: "NotEligibleForEnhancedConversions"
        case .creditInvalid: "ExternalAttributionCreditValueInvalid"
        case .attributionFieldMissing: "ExternalAttributionRequiredFieldEmpty"
        case .goalNotExternallyAttributed: "GoalNotEligibleForExternalAttribution"
        case .transactionIDMissing: "TransactionIdNullOrEmpty"
        case .reportRangeInvalid: "OfflineConversionReportDateRangeInvalid"
        case .reportGoalsInvalid: "OfflineConversionReportGoalIdsInvalid"
        case .reportGoalUnknown: "OfflineConversionReportGoalIdUnknown"
        case .tagUnknown: "UetTagIdUnknown"
        case .unknownField: "UnknownField"
        }
    }

    /// The status of an answer that reports it for the whole request. 400, 401, 403, 429 and 500 are known to occur;
    /// which code comes with which is not published.
    var status: Int {
        switch self {
        case .invalidCredentials, .authenticationTokenExpired: 401
        case .userIsNotAuthorized, .userCompromised, .userLoginAccessDenied: 403
        case .callRateExceeded: 429
        case .internalError, .applyFailed: 500
        default: 400
        }
    }

    /// Whether a fault of the whole request is an `AdApiFaultDetail`; else it is an `ApiFaultDetail`.
    var isAdAPIFault: Bool { rawValue < 1000 }
}

extension CampaignCode: ProblemCode {
    var reason: String { name }
    var told: String { "\(rawValue)" }
}
