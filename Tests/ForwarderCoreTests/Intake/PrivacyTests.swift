import Testing

@testable import ForwarderCore

/// Raw e-mail and phone reach neither what is sent nor what is kept on disk, wherever a storefront puts them.
@Suite struct PrivacyTests {
    private static let emails = [
        "ada@example.com", "Grace.Hopper+navy@Mail.Example.org", "jöhn@contoso.com", "x_y-z@sub.example.co.uk",
    ]
    private static let phones = ["+14255550100", "+1 (425) 555-0100", "+44 20 7946 0958", "+49.170.1234567"]

    /// In each form a storefront or a redirect may give it.
    private static func forms(_ personal: String) -> [String] {
        let once = encoded(personal)
        return [personal, once, encoded(once), String(once.map { $0 == "%" ? $0 : Character($0.lowercased()) })]
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: ".")
                ? String(decoding: [byte], as: UTF8.self)
                : "%" + [byte >> 4, byte & 15].map { String($0, radix: 16, uppercase: true) }.joined()
        }.joined()
    }

    /// Whether the text holds the personal data, percent-encoded or not, in letters of either case.
    private static func holds(_ text: [UInt8], _ personal: String) -> Bool {
        var current = String(decoding: text, as: UTF8.self)
        for _ in 0..<3 {
            if current.lowercased().contains(personal.lowercased()) { return true }
            current = withBytes(current) { bytes, arena in
                ForwarderCoreTests.text(PersonalData.decoded(bytes, in: &arena))
            }
        }
        return false
    }

    private static func shop() -> Shop {
        Shop(
            .capi({ $0.pageValue = true }) {
                $0.unmapped = .forward
                $0.consent.denied = .send
            }, .offline(goals: [.external, .init(event: "Lead", name: "Lead")]))
    }

    @Test func `planted in any text of an event it is neither sent nor kept`() {
        let shop = PrivacyTests.shop()
        let personal = PrivacyTests.emails + PrivacyTests.phones
        var delivered = 0
        for seed in UInt64(0)..<4000 {
            var random = SeededRandom(seed: seed)
            let generator = RandomEvent(planted: personal.flatMap(PrivacyTests.forms))
            let record = generator.make(using: &random).text
            let outcomes = shop.publish(record)
            for (index, outcome) in outcomes.enumerated() {
                guard let content = outcome.content else { continue }
                delivered += 1
                let neutral = shop.neutral(record, for: index) ?? []
                for personal in personal {
                    if PrivacyTests.holds(Array(content.utf8), personal) {
                        Issue.record("seed \(seed): sent \(content)")
                    }
                    if PrivacyTests.holds(neutral, personal) {
                        Issue.record("seed \(seed): kept \(String(decoding: neutral, as: UTF8.self))")
                    }
                }
            }
        }
        #expect(delivered > 1000)
    }

    @Test func `an address is found at any stage of decoding`() {
        let shop = PrivacyTests.shop()
        for hidden in ["ada%2540%40mail.example", "ada%40mail.example", "ada%2540mail.example", "%252B14255550100"] {
            let record =
                #"{"event":"Lead","event_id":"e","event_time":1786000000,"user":{"anonymous_id":"a","external_id":""#
                + hidden + #""}}"#
            let content = shop.publish(Array(record.utf8))[0].content
            #expect(content?.contains("anonymousId") == true, "\(hidden)")
            #expect(content?.contains("externalId") == false, "\(hidden)")
        }
    }

    @Test func `this test would see it`() {
        for personal in PrivacyTests.emails + PrivacyTests.phones {
            for form in PrivacyTests.forms(personal) {
                #expect(PrivacyTests.holds(Array("x\(form)y".utf8), personal))
            }
        }
    }
}
