import ForwarderCore

/// Where in Microsoft's own pages to look next. Menus as they were in August 2026.
enum MicrosoftPlaces {
    private static let conversions = "Microsoft Advertising → Conversions →"

    /// `goal`: what the conversion was for; nil if none was made.
    static func toLook(
        _ meaning: TestResult.Meaning, _ kind: DestinationSettings.Kind, goal: String?
    ) -> String? {
        switch kind {
        case .capi(let settings): ofTag(meaning, settings.uetTagID)
        case .offlineConversions(let settings): ofAccount(meaning, settings, goal: goal)
        case .investPixel: ofPixel(meaning, goal: goal)
        // Nobody sends a test to it.
        case .adjustments: nil
        }
    }

    private static func ofTag(_ meaning: TestResult.Meaning, _ tag: String) -> String? {
        switch meaning {
        case .accepted, .unconfirmed:
            "\(conversions) UET tag: tag \(tag) shows that it is active; Conversion goals: what was counted, hours later, and "
                + "only for an event that belongs to a click"
        case .refused: "nothing of it is to be seen at Microsoft; the codes above are all there is"
        case .credentialRefused:
            "\(conversions) UET tag → tag \(tag) → Edit → Save and next → Set up tagging → Use Conversions API → Copy token; "
                + "a new one may need a quarter of an hour"
        case .configurationRefused:
            "\(conversions) UET tag: is \(tag) a tag of this account? Without the entry Use Conversions API there the account does "
                + "not have it yet"
        case .throttled, .unavailable: nil
        }
    }

    private static func ofPixel(_ meaning: TestResult.Meaning, goal: String?) -> String? {
        switch meaning {
        case .accepted, .unconfirmed:
            "the report pixel_fired: when \(goal ?? "the pixel") was fired last. It is attributed only if the token is of an auction "
                + "within its windows, and the pixel belongs to an active line item"
        case .refused, .configurationRefused:
            "the endpoint: `conversion-forwarder pixels export ID` says what to call, and an export in Invest the host"
        case .credentialRefused, .throttled, .unavailable: nil
        }
    }

    private static func ofAccount(
        _ meaning: TestResult.Meaning, _ settings: OfflineSettings, goal: String?
    ) -> String? {
        switch meaning {
        case .accepted, .unconfirmed:
            "\(conversions) Conversion goals → \(goal ?? "the goal"): it counts there after up to six hours, if Microsoft finds the "
                + "click. Uploads → history does not show what came through the API"
        case .refused: "\(conversions) Conversion goals: is there an offline goal \(goal ?? ""), and what does it take?"
        case .credentialRefused:
            "the developer portal of Microsoft Advertising → Account: the developer token; Tools → Account access: does the "
                + "user who gave consent see account \(settings.accountID)?"
        case .configurationRefused:
            "Tools → Account access: does the user who gave consent see account \(settings.accountID)? The address bar of "
                + "Microsoft Advertising with the account open: cid is customer_id (\(settings.customerID) here), aid "
                + "is account_id (\(settings.accountID) here)"
        case .throttled, .unavailable: nil
        }
    }
}
