import Testing

@testable import ForwarderCore

@Suite struct ConsentTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var missing: ConsentRule.Missing
        var denied: ConsentRule.Denied
        /// What becomes of a granted, a missing and a denied consent: the signal that is sent, or the reason for a skip.
        var granted: String
        var absent: String
        var refused: String

        var testDescription: String { "missing \(missing), denied \(denied)" }
    }

    static let cases = [
        Case(missing: .granted, denied: .skip, granted: "G", absent: "G", refused: "consent_denied"),
        Case(missing: .granted, denied: .send, granted: "G", absent: "G", refused: "D"),
        Case(missing: .denied, denied: .skip, granted: "G", absent: "consent_denied", refused: "consent_denied"),
        Case(missing: .denied, denied: .send, granted: "G", absent: "D", refused: "D"),
        Case(missing: .skip, denied: .skip, granted: "G", absent: "consent_missing", refused: "consent_denied"),
        Case(missing: .skip, denied: .send, granted: "G", absent: "consent_missing", refused: "D"),
    ]

    private func signal(_ consent: String?, _ rule: Case) -> [String] {
        signal(of: consent.map { #""consent":{"ad_storage":\#($0)}"# } ?? #""x":1"#, rule)
    }

    private func signal(of member: String, _ rule: Case) -> [String] {
        func apply(_ settings: inout DestinationSettings) {
            settings.consent.missing = rule.missing
            settings.consent.denied = rule.denied
        }
        let shop = Shop(.capi({ _ in }, apply), .offline({ $0.enhancedConversions = true }, apply))
        return shop.publish(event(user: #""phone":"+14255550100""#, properties: nil, member)).map { outcome in
            switch outcome.disposition {
            case .skipped(let reason): return "\(reason.name)"
            case .rejected(let reasons): return reasons.names.joined()
            case .owed: return value("adStorageConsent", in: outcome.content) ?? "sent"
            }
        }
    }

    /// An offline conversion has no place for the signal.
    private func both(_ signal: String) -> [String] {
        [signal, signal == "G" || signal == "D" ? "sent" : signal]
    }

    @Test(arguments: cases)
    func `consent decides at both kinds of destination`(_ rule: Case) {
        for granted in [#""granted""#, #""GRANTED""#, #"" Granted ""#, #""G""#, #""g""#, "true"] {
            #expect(signal(granted, rule) == both(rule.granted), "\(granted)")
        }
        for missing in [nil, "null", #""""#, #"" ""#] { #expect(signal(missing, rule) == both(rule.absent)) }
        for denied in [#""denied""#, #""Denied""#, #""D""#, "false"] {
            #expect(signal(denied, rule) == both(rule.refused), "\(denied)")
        }
    }

    @Test(arguments: [#""unknown""#, "1", "{}", "[]", #""yes""#], cases)
    func `what is said but not understood is never taken for granted`(_ consent: String, _ rule: Case) {
        #expect(signal(consent, rule) == both(rule.refused))
    }

    @Test(arguments: cases)
    func `a consent that is said without naming a storage is not missing`(_ rule: Case) {
        for granted in [#""granted""#, "true"] {
            #expect(signal(of: #""consent":\#(granted)"#, rule) == both(rule.granted), "\(granted)")
        }
        for refused in [#""denied""#, "false", #""no""#, "0", "[]", #"["granted"]"#] {
            #expect(signal(of: #""consent":\#(refused)"#, rule) == both(rule.refused), "\(refused)")
        }
        for missing in ["null", #""""#, "{}", #"{"analytics_storage":"denied"}"#] {
            #expect(signal(of: #""consent":\#(missing)"#, rule) == both(rule.absent), "\(missing)")
        }
        // What names the storage counts more, wherever it stands.
        for both in [#""consent":"granted","consent":{"ad_storage":"denied"}"#, #""consent":{"adStorage":"denied"}"#] {
            #expect(signal(of: both, rule) == self.both(rule.refused), "\(both)")
        }
    }

    @Test func `a consent that is not understood is counted as dropped`() {
        let shop = Shop(.capi({ _ in }) { $0.consent.denied = .send })
        #expect(
            shop.publish(event(properties: nil, #""consent":{"ad_storage":"perhaps"}"#))[0].dropped
                == ["ad_storage invalid"])
    }
}
