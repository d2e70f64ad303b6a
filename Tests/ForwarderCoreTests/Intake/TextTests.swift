import Testing

@testable import ForwarderCore

@Suite struct TextTests {
    private func title(_ title: String) -> Shop.Outcome {
        Shop(.capi()).publish(event(properties: nil, #""title":"\#(title)""#))[0]
    }

    /// The text between the quotes, as it stands in what is sent.
    private func sent(_ title: String) -> String? {
        guard let content = self.title(title).content,
            let start = content.firstRange(of: #""pageTitle":""#)?.upperBound,
            let end = content[start...].firstRange(of: #"","adStorageConsent""#)?.lowerBound
        else { return nil }
        return String(content[start..<end])
    }

    @Test(arguments: [
        (#"plain"#, #"plain"#), (#"a \"b\" \\ c"#, #"a \"b\" \\ c"#), (#"a\/b"#, "a/b"), (#"\u0041\u00e9"#, "Aé"),
        (#"\b\f\n\r\t"#, #"\b\f\n\r\t"#), (#"\u0001\u001F\u0000"#, #"\u0001\u001f\u0000"#), (#"\uD83D\uDE00"#, "😀"),
        (#"\uD83D"#, "\u{FFFD}"), (#"\u0022\u005c"#, #"\"\\"#), ("日本 😀 é", "日本 😀 é"),
        ("\u{2028}\u{7F}", "\u{2028}\u{7F}"),
        (#"\u2028"#, "\u{2028}"), ("</script>", "</script>"),
    ])
    func `a text leaves as the same text, escaped only where JSON needs it`(_ given: String, _ expected: String) {
        #expect(sent(given) == expected)
    }

    @Test func `every text survives the way, whatever is in it`() {
        for seed in UInt64(0)..<500 {
            var random = SeededRandom(seed: seed)
            let text = "x" + JSONValue.randomText(using: &random)
            let json = String(decoding: JSONValue.string(text).text, as: UTF8.self)
            let content = Shop(.capi()).publish(event(properties: #""label":\#(json)"#))[0].content
            let isPersonal = text.contains("@") || text.contains("%40") || text.contains("+")
            if !isPersonal { #expect(value("customData", "eventLabel", in: content) == text, "seed \(seed)") }
        }
    }

    @Test(arguments: [
        "ada@example.com", "from ada@example.com, with love", "ADA@EXAMPLE.COM", "ada%40example.com",
        "ada%2540example.com",
        "ada\\u0040example.com", "äda@example.com", "ada@bücher.example", "a@b.c", "\\\"ada l\\\"@example.com",
        "x!@example.com",
        "mailto:ada@example.com", "ada+news@mail.example.co.uk", "%61%64%61@example.com", "+14255550100",
        "call +1 (425) 555-0100 now",
        "%2B14255550100", "tel:+1.425.555.0100", "+44 20 7946 0958", "a+1425-555-0100",
    ])
    func `a text that holds an e-mail address or a telephone number is dropped`(_ personal: String) {
        let outcome = title(personal)
        #expect(outcome.dropped == ["title personal_data"])
        #expect(outcome.disposition == .owed)
    }

    @Test(arguments: [
        "@", "@shop", "follow @shop.example", "Mug @ shop.example", "a@b", "a@b.", "package@1.2.3", "50% off", "%",
        "%4", "100%40", "C++ 17",
        "2+2", "+123456", "size 12345678", "4255550100", "2026-08-06T09:06:40+02:00", "+http://bots.example/12345678",
        "(@shop.example)",
    ])
    func `a text that only looks a little like it stays`(_ harmless: String) {
        #expect(title(harmless).dropped == [])
        #expect(value("pageTitle", in: title(harmless).content) == harmless)
    }

    @Test func `no text field lets personal data through`() {
        let page = ["title", "keywords"]
        let user = ["external_id", "anonymous_id", "user_agent"]
        let properties = ["transaction_id", "search_term", "category", "label", "ecomm_category"]
        for personal in ["ada@example.com", "+1 425 555 0100"] {
            func members(_ fields: [String]) -> String {
                fields.map { #""\#($0)":"\#(personal)""# }.joined(separator: ",")
            }
            let outcome = Shop(.capi()).publish(
                event(
                    user: #""idfa":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77","# + members(user),
                    properties: members(properties), members(page)))[0]
            #expect(Set(outcome.dropped) == Set((page + user + properties).map { "\($0) personal_data" }))
            #expect(outcome.content?.contains(personal) == false)
        }
    }
}
