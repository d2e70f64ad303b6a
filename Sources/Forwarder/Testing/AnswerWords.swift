import ForwarderCore

/// What the codes of Microsoft's answers, and of no answer, mean to whoever sets things up.
enum AnswerWords {
    /// One reason of a test's result, with its meaning behind it where one is known.
    static func explained(_ reason: String) -> String {
        words(reason).map { "\(reason): \($0)" } ?? reason
    }

    private static func words(_ reason: String) -> String? {
        let parts = reason.split(separator: ": ", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count == 2 ? parts.last : nil) {
        case ("skip", let name?): return Meanings.ofSkip(name)
        case ("reject", let names?):
            let meanings = names.split(separator: ", ").compactMap { Meanings.ofReject(String($0)) }
            return meanings.isEmpty ? nil : meanings.joined(separator: "; ")
        case ("credential", let problem?): return credential[problem]
        default: break
        }
        if reason.hasPrefix("campaign_") { return ofCode(reason.dropFirst("campaign_".count)) }
        if let words = transport[reason] ?? ofStatus(reason) { return words }
        // `Code`, `Code property` of the Conversions API; `number Name` of Campaign Management.
        for word in reason.split(separator: " ") {
            if let words = ofCode(word) { return words }
        }
        return nil
    }

    private static func ofCode(_ code: Substring) -> String? {
        Int(code).flatMap { campaign[$0] } ?? named[String(code)]
    }

    private static func ofStatus(_ reason: String) -> String? {
        guard reason.hasPrefix("http_"), let status = Int(reason.dropFirst(5)) else { return nil }
        switch status {
        case 400: return "refused as a whole, and it is not said why"
        case 401: return "the token is not accepted"
        case 403:
            return "no right to do this: the token is another tag’s or account’s, or something on the way forbids it"
        case 404: return "nothing is there: the tag’s number or the endpoint is wrong"
        case 300...399:
            return
                "sent elsewhere, where nothing is sent to (only a pixel’s call follows, five times and over https). The "
                + "endpoint is wrong, or a proxy answers"
        case 408, 425, 429: return "too much at once, or too slow"
        case 413, 414, 431: return "too large for something on the way"
        case 500...599: return "Microsoft, or something on the way to it, has trouble of its own"
        default: return nil
        }
    }

    private static let transport: [String: String] = [
        "dns": "the name of the endpoint cannot be resolved", "connect": "nobody answers at the endpoint",
        "tls": "the server could not prove who it is: http.ca_file, a proxy that looks into TLS, or the clock",
        "proxy": "the proxy refuses, or is not there (http.proxy)", "reset": "the connection broke",
        "timeout": "no answer in time (request_timeout)", "protocol": "what answers does not speak HTTP",
        "local": "this machine lacks memory, file descriptors or the like",
        "unreadable_200": "200 without a body that says what was done", "answer_too_long": "more answer than is read",
    ]

    private static let credential: [String: String] = [
        "invalid_grant": "the refresh token is not accepted (any more): grant consent anew",
        "invalid_client": "the client secret is wrong or has run out: make a new one for the application in Entra",
        "unauthorized_client": "client_id is unknown there, or the application may not be used like this",
        "invalid_scope": "the scope is not granted to the application (oauth.scope)",
        "no_consent": "nobody has consented yet: `auth login`",
        "consent_required": "somebody has to consent anew: `auth login`",
        "refused": "Microsoft gave a token for the tag and does not take it; a new one may need a quarter of an hour",
        "interaction_required": "Microsoft wants somebody to sign in: grant consent anew",
        "unreadable": "a secret cannot be read: `check` says which",
        "no answer": "the token endpoint gave none in time",
    ]

    /// Names that Microsoft publishes without a number, and the Conversions API's codes.
    private static let named: [String: String] = [
        "Empty": "a field that must be there is missing or empty",
        "InvalidEnumValue": "the value is none of those that Microsoft lists",
        "InvalidUrl": "it is no URL that Microsoft takes",
        "InvalidSha256": "it is no SHA-256 in hexadecimal digits",
        "InvalidEventTime": "not within the last 7 days, or ahead of Microsoft’s clock: is this machine’s clock right?",
        "OfflineConversionGoalTooRecent": young, "NotEligibleForEnhancedConversions": notEnhanced,
        "ConversionEmailAddressIsNotHashed": "the e-mail hash is none",
        "ConversionPhoneNumberIsNotHashed": "the phone hash is none",
        "GoalNotEligibleForExternalAttribution":
            "the goal takes no attribution from outside: leave out externally_attributed",
        "ExternalAttributionRequiredFieldEmpty":
            "the goal takes its attribution from outside, and credit or model is missing",
        "ExternalAttributionCreditValueInvalid": "the credit must be above 0 and at most 1",
        "ExternalAttributionModelTooLong": "the name of the attribution model is too long",
    ]

    private static let young =
        "the goal was made less than two hours ago; conversions for it wait that long by themselves"
    private static let notEnhanced =
        "a conversion without a click id needs a goal with enhanced conversions; or give --msclkid"

    private static let campaign: [Int: String] = [
        0: "Microsoft has trouble of its own; try again later",
        100: "the request could not be read: a fault of this program, please report it",
        105: "access token, developer token or environment (sandbox or not) do not fit together",
        106: "the user who gave consent has no access to this account",
        108: "Microsoft thinks the user’s account is compromised; that user has to act",
        109: "the access token has expired; the next one is fetched by itself",
        113: "a time could not be read: a fault of this program, please report it",
        116: "a header is missing: something on the way takes it out",
        117: "too many calls within a minute, of all programs of this user together",
        120: "the user may not sign in; two-step verification or the kind of sign-in has to be changed",
        1029: "customer_id is missing", 1030: "account_id is missing", 1102: "there is no such account: account_id",
        5603: "no click id, and no hash that the goal takes", 5604: "the click id is none that Microsoft made",
        5605: "the conversion has no goal", 5606: "the account has no offline goal of that name, letter by letter",
        5607: "the time of the conversion is not what Microsoft takes", 5608: "the conversion has no time",
        5609: "older than 90 days", 5610: "the value is negative, too large, or has more than three decimals",
        5611: "no currency that Microsoft takes for goals",
        5612: "Microsoft could not pass it on inside; try again later",
        5613: "the customer has no offline conversions: ask Microsoft’s support",
        5614: "ahead of Microsoft’s clock: is this machine’s clock right?", 5615: young,
        5616: "the click came after the conversion", 5617: "the click is older than the goal’s conversion window",
    ]
}
