import Testing

@testable import ForwarderCore

@Suite struct OfflineTests {
    private static let external = OfflineSettings.Goal.external

    private func publish(_ properties: String, goal: OfflineSettings.Goal = .init(event: "Purchase", name: "Sale"))
        -> Shop.Outcome
    {
        Shop(.offline(goals: [goal])).publish(
            event(user: #""msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab""#, properties: properties))[0]
    }

    @Test func `a conversion has its nine members in order`() {
        let shop = Shop(.offline(goals: [.external]))
        #expect(
            shop.publish(Samples.everything)[0].content
                == #"{"ConversionName":"Sale \"eu\"","ConversionTime":"2026-08-06T07:06:40Z","#
                + #""MicrosoftClickId":"dd4afcccb1c94a4cad9544dd7e5006ab","#
                + #""HashedEmailAddress":"\#(sha256("ada@example.com"))","HashedPhoneNumber":"\#(sha256("+14255550100"))","#
                + #""ConversionValue":79.99,"ConversionCurrencyCode":"USD","ExternalAttributionCredit":0.5,"#
                + #""ExternalAttributionModel":"LastTouch"}"#)
    }

    @Test func `hashes are sent only where the goals take them`() {
        let shop = Shop(.offline({ _ in }))
        let outcome = shop.publish(Samples.everything)[0]
        #expect(value("HashedEmailAddress", in: outcome.content) == nil)
        #expect(value("HashedPhoneNumber", in: outcome.content) == nil)
        #expect(outcome.delivery?.matchKeys == .clickID)
        // What would not have been sent is not missed.
        #expect(
            shop.publish(event(user: #""msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab","email":"x","phone":"y""#))[0]
                .dropped == [])
    }

    @Test(arguments: ["0", "0.00", "-0", "999999999999", "999999999999.00", "999999999998.999", "1e11"])
    func `a value from 0 to 999,999,999,999 is sent`(_ given: String) {
        let outcome = publish(#""value":\#(given),"currency":"USD""#)
        #expect(value("ConversionValue", in: outcome.content) != nil)
        #expect(outcome.dropped == [])
    }

    @Test(arguments: ["-0.01", "-5", "999999999999.01", "1000000000000", "1e12", "9999999999999999999999"])
    func `a value outside is dropped, the conversion is sent`(_ given: String) {
        let outcome = publish(#""value":\#(given),"currency":"USD""#)
        #expect(outcome.disposition == .owed)
        #expect(value("ConversionValue", in: outcome.content) == nil)
        #expect(outcome.dropped == ["value out_of_range"])
        #expect(outcome.books.dropped(.value, .outOfRange) == 1)
    }

    @Test(arguments: [
        ("59.970000000000006", "59.97"), ("0.30000000000000004", "0.3"),
        ("1.0005", "1.001"), ("1.00049999", "1"), ("9.9995", "10"), ("99.99951", "100"), ("0.0004", "0"),
        ("0.99949", "0.999"), ("999999999998.9999", "999999999999"), ("12345e-4", "1.235"), (#""1.2345""#, "1.235"),
    ])
    func `a value of more than three decimals is rounded, and counted`(_ given: String, _ sent: String) {
        let outcome = publish(#""value":\#(given),"currency":"USD""#)
        #expect(value("ConversionValue", in: outcome.content) == sent)
        #expect(outcome.dropped == ["value rounded"])
        #expect(outcome.books.dropped(.value, .rounded) == 1)
    }

    @Test(arguments: [
        ("19.99", "19.99"), ("0.125", "0.125"), ("0.100", "0.100"), ("79.990", "79.990"), ("7", "7"),
        ("19.9900", "19.99"), ("5.0000", "5"), ("0.00000", "0"),
    ])
    func `a value of up to three decimals, but for zeros, is what was given`(_ given: String, _ sent: String) {
        let outcome = publish(#""value":\#(given)"#)
        #expect(value("ConversionValue", in: outcome.content) == sent)
        #expect(outcome.dropped == [])
    }

    @Test func `attribution from outside is sent only to goals that take it`() {
        let properties = #""external_attribution_credit":0.25,"external_attribution_model":"First""#
        let external = publish(properties, goal: OfflineTests.external)
        #expect(value("ExternalAttributionCredit", in: external.content) == "0.25")
        #expect(value("ExternalAttributionModel", in: external.content) == "First")
        let plain = publish(properties)
        #expect(plain.content?.contains("External") == false)
        #expect(plain.dropped == [])
    }

    @Test func `a credit is more than 0 and at most 1`() {
        for credit in ["0.0001", "1", "1.00", #""0.5""#, "1e0", "5e-1"] {
            #expect(
                publish(#""external_attribution_credit":\#(credit)"#, goal: OfflineTests.external).dropped == [],
                "\(credit)")
        }
        for credit in ["0", "0.0", "-0.5", "1.0001", "2", "100000000000000000000"] {
            #expect(
                publish(#""external_attribution_credit":\#(credit)"#, goal: OfflineTests.external).dropped
                    == ["external_attribution_credit out_of_range"], "\(credit)")
        }
    }

    @Test func `several events can reach one goal, and an event without a goal none`() {
        let shop = Shop(
            .offline(goals: [
                .init(event: "Lead", name: "Form"), .init(event: "SignUp", name: "Form"),
                .init(event: "Purchase", name: "Sale"),
            ]))
        let user = #""phone":"+14255550100""#
        #expect(
            ["Lead", "SignUp", "Purchase"].map { shop.publish(event("\"\($0)\"", user: user))[0].delivery?.goal } == [
                0, 0, 1,
            ])
        #expect(shop.publish(event(#""PageView""#, user: user))[0].disposition == .skipped(.unmappedEvent))
    }

    @Test func `match keys say what the person can be recognised by`() {
        let shop = Shop(.capi(), .offline())
        let user = #""external_id":"x","email":"ada@example.com","msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab""#
        #expect(
            shop.publish(event(user: user)).map { $0.delivery?.matchKeys } == [
                [.email, .clickID], [.email, .clickID],
            ])
        #expect(
            shop.publish(event(user: #""phone":"+14255550100""#)).map { $0.delivery?.matchKeys } == [
                [.phone], [.phone],
            ])
        #expect(shop.publish(event())[0].delivery?.matchKeys == [])
    }
}

extension OfflineSettings.Goal {
    static var external: OfflineSettings.Goal {
        var goal = OfflineSettings.Goal(event: "Purchase", name: #"Sale "eu""#)
        goal.isExternallyAttributed = true
        return goal
    }
}
