import Testing

@testable import ForwarderCore

/// What a storefront's event becomes for a server-side pixel of Invest.
@Suite struct InvestPixelTests {
    private static let token = "ams1AAAAAAAAkQC8AD4AAA."

    private func publish(
        _ properties: String? = nil, user: String? = #""sspdata":"\#(token)""#,
        pixel: (inout InvestPixelSettings.Mapping) -> Void = { _ in }, others: String = #""source":"shop""#
    ) -> Shop.Outcome {
        var mapping = InvestPixelSettings.Mapping(event: "Purchase", pixelID: 37)
        pixel(&mapping)
        return Shop(.pixels([mapping])).publish(event(user: user, properties: properties, others))[0]
    }

    @Test func `the query has the token last, with the period at its end`() {
        let outcome = publish(#""value":79.99,"currency":"USD","transaction_id":"991","label":"Mug7""#) {
            $0.other = .label
        }
        #expect(outcome.content == #""id=37&order_id=991&value=79.99&other=Mug7&sspdata=ams1AAAAAAAAkQC8AD4AAA.""#)
        #expect(outcome.dropped == [])
        #expect(outcome.delivery?.matchKeys == .clickID)
    }

    @Test func `what the event does not have, or is not asked for, is not sent`() {
        #expect(publish().content == #""id=37&sspdata=ams1AAAAAAAAkQC8AD4AAA.""#)
        let outcome = publish(#""value":5,"transaction_id":"7""#) {
            $0.value = nil
            $0.orderID = nil
        }
        #expect(outcome.content == #""id=37&sspdata=ams1AAAAAAAAkQC8AD4AAA.""#)
    }

    @Test(arguments: [
        (
            "nym1CJjYiJ3oq6LkMxACGIHey7vM0vGDRyIJMTAuMS4xMi42KAE.",
            "nym1CJjYiJ3oq6LkMxACGIHey7vM0vGDRyIJMTAuMS4xMi42KAE."
        ),
        ("a$b+c/d=e&f.", "a%24b%2Bc%2Fd%3De%26f."), ("a%2Eb-_~.", "a%252Eb-_~."), (" tok. ", "tok."), ("x", "x"),
    ])
    func `a token leaves as it came, encoded where a query needs it`(given: String, sent: String) {
        #expect(publish(user: #""sspdata":"\#(given)""#).content == #""id=37&sspdata=\#(sent)""#)
    }

    @Test(arguments: [
        ("https://shop.example/thanks?token=ams1A%2Bb.&utm=1", "ams1A%2Bb."),
        ("https://shop.example/?a=b&token=x.", "x."),
        ("https://shop.example/?token=a+b%2e#top", "a%2Bb."), ("https://shop.example/?token=100%zz.", "100%25zz."),
    ])
    func `the parameter of the landing page stands in for it`(url: String, sent: String) {
        let outcome = publish(user: #""external_id":"x""#, others: #""url":"\#(url)""#)
        #expect(outcome.content == #""id=37&sspdata=\#(sent)""#)
    }

    @Test func `the event's own token comes before that of its page`() {
        let outcome = publish(others: #""url":"https://shop.example/?token=other.""#)
        #expect(outcome.content == #""id=37&sspdata=\#(InvestPixelTests.token)""#)
    }

    @Test(arguments: [
        "https://shop.example/?token=", "https://shop.example/?Token=a.", "https://shop.example/token=a.", "",
    ])
    func `an event that no auction led to is skipped`(url: String) {
        let outcome = publish(user: #""sspdata":"","email":"ada@example.com""#, others: #""url":"\#(url)""#)
        #expect(outcome.disposition == .skipped(.noToken))
        #expect(outcome.books.skipped[Int(SkipReason.noToken.rawValue)] == 1)
    }

    @Test(arguments: [
        #""${SSP_DATA}""#, #""a b.""#, #""ada@example.com""#, #""ä.""#, #""a\u0000.""#,
        #""\#(String(repeating: "a", count: 1025))""#,
    ])
    func `a text that cannot be a token is none`(given: String) {
        let outcome = publish(user: #""sspdata":\#(given)"#)
        #expect(outcome.rejects == ["no_identifier"])
        #expect(outcome.dropped == ["sspdata invalid"])
    }

    @Test(arguments: ["{}", "[1]", "true", "null"])
    func `what is no text says nothing of an auction`(given: String) {
        #expect(publish(user: #""sspdata":\#(given)"#).disposition == .skipped(.noToken))
    }

    @Test func `a configured place is looked at for it`() {
        var input = InputSettings()
        input.fields = [.init(field: .sspData, path: ["ads", "invest", "token"])]
        let record = event(user: #""external_id":"x""#, properties: nil, #""ads":{"invest":{"token":"t."}}"#)
        #expect(Shop(.pixels(), input: input).publish(record)[0].content == #""id=37&sspdata=t.""#)
    }

    @Test func `a macro that nobody filled in is no token in a page's URL either`() {
        let page = #""url":"https://shop.example/?token=%24%7BSSP_DATA%7D""#
        #expect(publish(user: #""external_id":"x""#, others: page).rejects == ["no_identifier"])
    }

    @Test func `another parameter, or none, can be looked for`() {
        let page = event(
            user: #""external_id":"x""#, properties: nil, #""url":"https://shop.example/?ssp=a.&token=b.""#)
        let content = Shop(.pixels { $0.tokenParameter = "ssp" }).publish(page)[0].content
        #expect(content == #""id=37&sspdata=a.""#)
        #expect(Shop(.pixels { $0.tokenParameter = nil }).publish(page)[0].disposition == .skipped(.noToken))
    }

    @Test(arguments: [
        (#""ord-991""#, "not_alphanumeric"), (#""9 91""#, "not_alphanumeric"), (#""Größe""#, "not_alphanumeric"),
        (#""\#(String(repeating: "7", count: 37))""#, "too_long"),
    ])
    func `an order id that Invest does not take is left out, and counted`(id: String, reason: String) {
        let outcome = publish(#""transaction_id":\#(id)"#)
        #expect(outcome.content == #""id=37&sspdata=\#(InvestPixelTests.token)""#)
        #expect(outcome.dropped == ["transaction_id \(reason)"])
    }

    @Test func `an order id of 36 and another text of 20 are sent, one more is not`() {
        let long = String(repeating: "a", count: 36)
        let short = String(repeating: "B", count: 20)
        let outcome = publish(#""transaction_id":"\#(long)","label":"\#(short)""#) { $0.other = .label }
        #expect(outcome.content == #""id=37&order_id=\#(long)&other=\#(short)&sspdata=\#(InvestPixelTests.token)""#)
        let tooLong = publish(#""label":"\#(short)C""#) { $0.other = .label }
        #expect(tooLong.dropped == ["label too_long"])
    }

    @Test(arguments: [("10", "10"), ("\"10.50\"", "10.50"), ("1e3", "1000"), ("0", "0")])
    func `a value is a number and nothing else`(given: String, sent: String) {
        #expect(publish(#""value":\#(given)"#).content?.contains("&value=\(sent)&") == true)
    }

    @Test(arguments: [("-1", "value out_of_range"), ("\"$10\"", "value invalid"), ("\"10 EUR\"", "value invalid")])
    func `any other value is left out`(given: String, dropped: String) {
        let outcome = publish(#""value":\#(given)"#)
        #expect(outcome.content == #""id=37&sspdata=\#(InvestPixelTests.token)""#)
        #expect(outcome.dropped == [dropped])
    }

    @Test func `each event fires its own pixel, and what none is mapped to is skipped`() {
        let shop = Shop(.pixels([.init(event: "Purchase", pixelID: 37), .init(event: "Lead", pixelID: 38)]))
        let user = #""sspdata":"t.""#
        #expect(shop.publish(event(#""Lead""#, user: user))[0].content == #""id=38&sspdata=t.""#)
        #expect(shop.publish(event(#""PageView""#, user: user))[0].disposition == .skipped(.unmappedEvent))
    }

    @Test func `an order fires its pixel once`() {
        let shop = Shop(.pixels())
        let order = event(user: #""sspdata":"t.""#, properties: #""transaction_id":"9""#)
        #expect(shop.publish(order)[0].delivery?.transaction != TransactionKey.none)
        let off = Shop(.pixels([.init(event: "Purchase", pixelID: 37)], { _ in }, { $0.dedupe.window = nil }))
        #expect(off.publish(order)[0].delivery?.transaction == TransactionKey.none)
    }

    @Test func `a call of Segment has its token among its properties or in its context`() {
        var input = InputSettings()
        input.preset = .segment
        for place in [#""properties":{"sspdata":"t."}"#, #""context":{"sspdata":"t."}"#] {
            let shop = Shop(.pixels(), input: input)
            let call =
                #"{"type":"track","event":"Order Completed","messageId":"m","timestamp":"2026-08-06T07:06:40Z",\#(place)}"#
            #expect(shop.publish(call)[0].content == #""id=37&sspdata=t.""#)
        }
    }

    @Test func `what is kept on disk fires the same pixel again`() throws {
        let record = event(
            user: #""sspdata":"a+b.""#, properties: #""value":1,"transaction_id":"9""#,
            #""url":"https://shop.example/?token=c.""#)
        let shop = Shop(.pixels())
        let content = shop.publish(record)[0].content
        let neutral = try #require(shop.neutral(Array(record.utf8), for: 0))
        #expect(Shop(.pixels()).publish(neutral)[0].content == content)
    }
}
