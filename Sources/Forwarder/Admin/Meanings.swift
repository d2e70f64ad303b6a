import ForwarderCore

/// What the words of the log and the configuration mean, for a person who sees them for the first time.
enum Meanings {
    static func ofReject(_ name: String) -> String? {
        RejectReason.allCases.first { "\($0.name)" == name }.map(words)
    }

    static func ofSkip(_ name: String) -> String? {
        SkipReason.allCases.first { "\($0.name)" == name }.map(words)
    }

    static func ofDrop(_ name: String) -> String? {
        DropReason.allCases.first { "\($0.name)" == name }.map(words)
    }

    /// A destination's type by Microsoft's name for it.
    static func ofType(_ type: String) -> String {
        switch type {
        case "capi": "Conversions API"
        case "offline_conversions": "Offline Conversions"
        case "invest_pixel": "Invest pixels"
        case "adjustments": "Refunds"
        default: type
        }
    }

    private static func words(_ reason: RejectReason) -> String {
        switch reason {
        case .malformedJSON: "it is not JSON"
        case .notAnObject: "it is JSON, but no object"
        case .invalidUTF8: "its text is not UTF-8"
        case .tooDeep: "it is nested too deep"
        case .eventTooLarge: "it is larger than input.max_event_bytes"
        case .eventMissing: "it does not say what happened (event)"
        case .eventInvalid: "the name of the event is no short text"
        case .timestampMissing: "it has no event_time"
        case .timestampNotANumber: "event_time is not what input.time_format says"
        case .timestampInMilliseconds: "event_time is in milliseconds; seconds are wanted"
        case .inTheFuture: "it lies in the future"
        case .tooOld: "it is older than this destination takes (max_event_age)"
        case .noIdentifier:
            "nothing in it says who it was: no click id, e-mail, phone or id that this destination takes"
        case .urlMissing: "a page load needs a url"
        case .urlInvalid: "the url cannot be sent"
        case .transactionIDMissing: "a refund must say of which order it is (transaction_id)"
        case .refundValueMissing: "a refund must say how much was refunded (value), more than nothing"
        }
    }

    private static func words(_ reason: SkipReason) -> String {
        switch reason {
        case .tombstone: "the record is empty"
        case .unmappedEvent: "this destination is not configured for events of this name"
        case .notMatched: "the destination’s match rules leave it out"
        case .consentDenied: "consent was denied (consent.denied)"
        case .consentMissing: "it says nothing of consent (consent.missing)"
        case .beforeStart: "it lies before the destination’s start_at"
        case .alreadyStored: "the queue has it already"
        case .shadow: "the destination is in shadow mode: mapped, not sent"
        case .notAnEvent: "it is a call that tells of no event, such as identify"
        case .duplicateTransaction: "another event with its transaction id was delivered"
        case .noToken: "it has no sspdata: no auction of Invest led to it"
        }
    }

    private static func words(_ reason: DropReason) -> String {
        switch reason {
        case .wrongType: "a value of another kind is expected there"
        case .invalid: "the value cannot be what it should be"
        case .personalData: "it holds personal data where none belongs"
        case .personalDataCut: "personal data was cut out of it"
        case .phoneNotE164: "the number lacks its country: +, country code, digits"
        case .emailNotNormalizable: "it is no e-mail address"
        case .outOfRange: "the number is out of range"
        case .notOnPageLoad: "a page load has no place for it"
        case .rounded: "rounded to the decimals Microsoft takes"
        case .incomplete: "what it belongs to lacks something without which it says nothing"
        case .notAlphanumeric: "letters and digits alone are taken there"
        case .tooLong: "it is longer than what is taken there"
        }
    }
}
