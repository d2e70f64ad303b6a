import Testing

@testable import ForwarderCore

@Suite struct PageValueTests {
    private static let withValue = DestinationSettings.capi { $0.pageValue = true }

    private func page(
        _ others: String = #""url":"https://shop.example/a""#,
        properties: String? = #""value":5,"currency":"EUR","category":"c""#
    ) -> String {
        event(#""PageView""#, user: #""external_id":"x","email":"ada@example.com""#, properties: properties, others)
    }

    @Test func `a page load carries no revenue`() {
        let outcome = Shop(.capi()).publish(page())[0]
        #expect(outcome.delivery?.itemCount == 1)
        #expect(value("eventType", in: outcome.content) == "pageLoad")
        #expect(value("eventName", in: outcome.content) == nil)
        #expect(value("customData", in: outcome.content) == #"{"eventCategory":"c"}"#)
        #expect(outcome.dropped == ["value not_on_page_load"])
        #expect(Shop(.capi()).publish(page(properties: nil))[0].dropped == [])
    }

    @Test func `where the destination asks for it, the value travels in an event of its own`() throws {
        let outcome = Shop(PageValueTests.withValue).publish(page())[0]
        #expect(outcome.delivery?.itemCount == 2)
        #expect(outcome.dropped == [])
        let items = try #require(outcome.content.flatMap { JSONValue(parsing: Array("[\($0)]".utf8)) })
        guard case .array(let values) = items, values.count == 2 else { Issue.record("two items"); return }
        let (load, worth) = (
            String(decoding: values[0].text, as: UTF8.self), String(decoding: values[1].text, as: UTF8.self)
        )
        let id = try #require(value("pageLoadId", in: load))
        #expect(withBytes(id) { bytes, _ in UUIDText.isVersion4(bytes) })
        let email = sha256("ada@example.com")
        #expect(
            load
                == #"{"eventType":"pageLoad","eventId":"e-1","eventTime":1786000000,"eventSourceUrl":"https://shop.example/a","#
                + #""pageLoadId":"\#(id)","adStorageConsent":"G","userData":{"externalId":"x","em":"\#(email)"},"#
                + #""customData":{"eventCategory":"c"}}"#)
        #expect(
            worth
                == #"{"eventType":"custom","eventId":"e-1-value","eventName":"page_value","eventTime":1786000000,"#
                + #""pageLoadId":"\#(id)","adStorageConsent":"G","userData":{"externalId":"x","em":"\#(email)"},"#
                + #""customData":{"value":5,"currency":"EUR"}}"#)
    }

    @Test func `the derived page load id is that of the event id, a given one stays`() {
        let shop = Shop(PageValueTests.withValue)
        let first = shop.publish(page())[0].content
        #expect(shop.publish(page())[0].content == first)
        let other = shop.publish(
            #"{"event":"PageView","event_id":"e-2","event_time":1786000000,"url":"https://shop.example/a","user":{"external_id":"x"},"properties":{"value":1}}"#
        )
        #expect(
            value("0", "pageLoadId", in: other[0].content.map { "[\($0)]" })
                != value("0", "pageLoadId", in: first.map { "[\($0)]" }))
        let given = "3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77"
        let content = shop.publish(page(#""url":"https://shop.example/a","page_load_id":"\#(given)""#))[0].content.map {
            "[\($0)]"
        }
        #expect(value("0", "pageLoadId", in: content) == given && value("1", "pageLoadId", in: content) == given)
    }

    @Test func `a page without a value stays one item`() {
        let outcome = Shop(PageValueTests.withValue).publish(page(properties: #""currency":"EUR""#))[0]
        #expect(outcome.delivery?.itemCount == 1)
        #expect(value("pageLoadId", in: outcome.content) == nil)
    }

    @Test func `both items carry the consent`() {
        let shop = Shop(.capi({ $0.pageValue = true }) { $0.consent.denied = .send })
        let content = shop.publish(page(#""url":"https://shop.example/a","consent":{"ad_storage":"denied"}"#))[0]
            .content
        let list = content.map { "[\($0)]" }
        #expect(value("0", "adStorageConsent", in: list) == "D" && value("1", "adStorageConsent", in: list) == "D")
    }

    @Test func `a value in other events is theirs`() {
        let outcome = Shop(PageValueTests.withValue).publish(event(properties: #""value":5"#))[0]
        #expect(outcome.delivery?.itemCount == 1)
        #expect(value("customData", "value", in: outcome.content) == "5")
    }
}
