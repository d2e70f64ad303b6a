import Testing

@testable import ForwarderCore

/// What is kept on disk is the event again: reading it gives what reading the record gave.
@Suite struct NeutralEventTests {
    private static func destinations() -> [DestinationSettings] {
        [
            .capi({ $0.pageValue = true }) {
                $0.unmapped = .forward
                $0.consent.denied = .send
            },
            .offline(goals: [.external, .init(event: "Lead", name: "Lead")], { $0.enhancedConversions = true }) {
                $0.consent.denied = .send
            },
        ]
    }

    @Test func `it has only known fields, and hashes for e-mail and phone`() {
        let shop = Shop(.capi(), .offline())
        let record = Array((String(Samples.everything.dropLast()) + #","password":"x"}"#).utf8)
        let user = { (email: String) in
            #""user":{"email":"\#(sha256(email))","phone":"\#(sha256("+14255550100"))","external_id":"c0ffee","#
        }
        for index in 0..<2 {
            let neutral = String(decoding: shop.neutral(record, for: index) ?? [], as: UTF8.self)
            #expect(neutral.hasPrefix(#"{"event":"Purchase","event_id":"ord-991","event_time":1786000000,"url":"#))
            #expect(neutral.contains(user("ada@example.com")))
            #expect(neutral.hasSuffix(#""external_attribution_credit":0.5,"external_attribution_model":"LastTouch"}}"#))
            #expect(!neutral.contains("password") && !neutral.contains("ada@"))
        }
    }

    @Test func `each destination keeps the form of the address it is sent`() {
        let shop = Shop(.capi(), .offline())
        let record = Array(event(user: #""email":"jöhn@contoso.com""#).utf8)
        let kept = (0..<2).map {
            value("user", "email", in: shop.neutral(record, for: $0).map { String(decoding: $0, as: UTF8.self) })
        }
        #expect(kept == [sha256("jöhn@contoso.com"), sha256("john@contoso.com")])
    }

    @Test func `a record that cannot be read has none`() {
        #expect(Shop(.capi()).neutral(Array("{".utf8), for: 0) == nil)
    }

    @Test func `mapping it gives the same content, byte for byte, and keeping it again the same bytes`() {
        let (first, second) = (NeutralEventTests.destinations()[0], NeutralEventTests.destinations()[1])
        let shop = Shop(first, second)
        // What is kept is read with the preset alone, whatever the shop's own input looks like.
        let repair = Shop(first, second)
        var compared = 0
        for seed in UInt64(0)..<4000 {
            var random = SeededRandom(seed: seed)
            let record = RandomEvent().make(using: &random).text
            for (index, outcome) in shop.publish(record).enumerated() where outcome.disposition == .owed {
                guard let neutral = shop.neutral(record, for: index) else { Issue.record("seed \(seed)"); continue }
                compared += 1
                let again = repair.publish(neutral)[index]
                if again.content != outcome.content {
                    Issue.record(
                        "seed \(seed): \(outcome.content ?? "") became \(again.content ?? "\(again.disposition)")")
                }
                if repair.neutral(neutral, for: index) != neutral { Issue.record("seed \(seed): kept otherwise") }
            }
        }
        #expect(compared > 2000)
    }

    @Test func `what time and places the shop uses does not matter afterwards`() {
        var input = InputSettings()
        input.timeFormat = .iso8601
        input.fields = [.init(field: .email, path: ["mail"]), .init(field: .eventID, path: ["nr"])]
        let shop = Shop(.capi(), input: input)
        let record = #"{"event":"Purchase","nr":7,"event_time":"2026-08-06T09:06:40+02:00","mail":"ada@example.com"}"#
        let outcome = shop.publish(record)[0]
        let neutral = shop.neutral(Array(record.utf8), for: 0)
        #expect(outcome.content != nil)
        #expect(Shop(.capi()).publish(neutral)[0].content == outcome.content)
    }
}
