import Testing

@testable import ForwarderCore

@Suite struct RefundTests {
    // MARK: What is sent

    @Test func `part of an offline conversion is taken back by a restatement of what is left`() throws {
        let desk = RefundDesk()
        desk.sell()
        let request = try #require(desk.request(desk.refund("10")))
        let host = "https://campaign.api.bingads.microsoft.com"
        #expect(request.url == "\(host)/CampaignManagement/v13/OfflineConversionAdjustments/Apply")
        let names = request.headers.map(\.name)
        #expect(names == ["Authorization", "DeveloperToken", "CustomerId", "CustomerAccountId", "Content-Type"])
        #expect(
            String(decoding: request.body, as: UTF8.self) == """
                {"OfflineConversionAdjustments":[{"ConversionName":"Purchase","ConversionTime":"2026-08-06T07:06:40Z",\
                "MicrosoftClickId":"0123456789abcdef0123456789abcdef",\
                "HashedEmailAddress":"\(Self.hashOfAda)","AdjustmentType":"Restate",\
                "AdjustmentTime":"2026-08-06T07:07:30Z","AdjustmentValue":69.99,"AdjustmentCurrencyCode":"USD"}]}
                """)
    }

    @Test func `all of an offline conversion is taken back by a retraction`() {
        let desk = RefundDesk()
        desk.sell()
        #expect(
            desk.body(desk.refund("79.99")) == """
                {"OfflineConversionAdjustments":[{"ConversionName":"Purchase","ConversionTime":"2026-08-06T07:06:40Z",\
                "MicrosoftClickId":"0123456789abcdef0123456789abcdef",\
                "HashedEmailAddress":"\(Self.hashOfAda)","AdjustmentType":"Retract",\
                "AdjustmentTime":"2026-08-06T07:07:30Z"}]}
                """)
    }

    @Test func `a conversion of CAPI is found by its transaction, and nothing of the person is kept for it`() throws {
        let desk = RefundDesk(online: true)
        let key = try #require(desk.sell())
        #expect(
            String(decoding: desk.ledger[key]?.conversion ?? [], as: UTF8.self) == """
                {"ConversionTime":"2026-08-06T07:06:40Z","ConversionValue":79.99,"ConversionCurrencyCode":"USD"}
                """)
        let request = try #require(desk.request(desk.refund("10")))
        #expect(request.url.hasSuffix("/CampaignManagement/v13/OnlineConversionAdjustments/Apply"))
        #expect(
            String(decoding: request.body, as: UTF8.self) == """
                {"OnlineConversionAdjustments":[{"TransactionId":"T-1","ConversionName":"Web Sale",\
                "AdjustmentType":"Restate","AdjustmentTime":"2026-08-06T07:07:30Z","AdjustmentValue":69.99,\
                "AdjustmentCurrencyCode":"USD"}]}
                """)
        let rest = desk.body(desk.refund("69.99", event: "refund-2", time: 1_786_000_060))
        #expect(
            rest == """
                {"OnlineConversionAdjustments":[{"TransactionId":"T-1","ConversionName":"Web Sale",\
                "AdjustmentType":"Retract","AdjustmentTime":"2026-08-06T07:07:40Z"}]}
                """)
    }

    // SHA-256 of ada@example.com.
    private static let hashOfAda = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"

    // MARK: Sums

    @Test func `refunds of one order add up, and the last one takes it all back`() {
        let desk = RefundDesk()
        desk.sell()
        #expect(desk.outcome(desk.refund("10", event: "a")) == "69.99")
        #expect(desk.outcome(desk.refund("20", event: "b")) == "49.99")
        #expect(desk.outcome(desk.refund("49.98", event: "c")) == "0.01")
        #expect(desk.outcome(desk.refund("0.01", event: "d")) == "retract")
        #expect(desk.refund("1", event: "e") == .giveUp(reason: "refund_exceeds_purchase"))
    }

    @Test func `more than was paid is all of it`() {
        let desk = RefundDesk()
        desk.sell()
        #expect(desk.outcome(desk.refund("500")) == "retract")
    }

    @Test func `a refund that is published twice is subtracted once`() {
        let desk = RefundDesk()
        desk.sell()
        #expect(desk.outcome(desk.refund("10", event: "a", offset: 5)) == "69.99")
        #expect(desk.refund("10", event: "a", offset: 6) == .duplicate)
        #expect(desk.outcome(desk.refund("10", event: "b", offset: 7)) == "59.99")
    }

    @Test func `the record that is read again says what counts by now`() {
        let desk = RefundDesk()
        desk.sell()
        let first = desk.body(desk.refund("10", event: "a", offset: 5))
        #expect(desk.body(desk.refund("10", event: "a", offset: 5)) == first)
        let second = desk.body(desk.refund("20", event: "b", time: 1_786_000_060, offset: 6))
        // It must not undo what came after it.
        #expect(desk.body(desk.refund("10", event: "a", offset: 5)) == second)
    }

    @Test func `of two adjustments of one conversion the second is later, and none is before the conversion`() {
        let desk = RefundDesk()
        desk.sell(time: 1_786_000_000)
        func time(_ decision: WaitingDecision?) -> String? {
            guard case .adjust(let content, _, _, let earliest)? = decision else { return nil }
            let time = value("AdjustmentTime", in: String(decoding: content, as: UTF8.self))
            // Of what has not happened yet Microsoft takes nothing.
            #expect(time == ISO8601.text(earliest.seconds))
            return time
        }
        #expect(time(desk.refund("1", event: "a", time: 1_785_999_000)) == "2026-08-06T07:06:40Z")
        #expect(time(desk.refund("1", event: "b", time: 1_785_999_000)) == "2026-08-06T07:06:41Z")
        #expect(time(desk.refund("1", event: "c", time: 1_786_000_090)) == "2026-08-06T07:08:10Z")
        #expect(time(desk.refund("1", event: "d", time: 1_786_000_090)) == "2026-08-06T07:08:11Z")
    }

    @Test(arguments: 0..<50)
    func `whatever is refunded, what is left is what was not`(round: Int) {
        var random = SeededRandom(seed: UInt64(4711 + round))
        let desk = RefundDesk(online: Bool.random(using: &random))
        let worth = Int.random(in: 1...100_000, using: &random)
        desk.sell(value: Self.shown(worth))
        var rest = worth
        for number in 0..<20 {
            let part = Int.random(in: 1...max(1, worth / 4), using: &random)
            let decision = desk.refund(Self.shown(part), event: "r\(number)")
            if rest <= 0 {
                #expect(decision == .giveUp(reason: "refund_exceeds_purchase"))
            } else {
                rest -= part
                #expect(desk.outcome(decision) == (rest > 0 ? Self.shown(rest) : "retract"))
            }
        }
    }

    /// Cents as `12.3`.
    private static func shown(_ cents: Int) -> String {
        var fraction = String(100 + cents % 100).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(cents / 100)" : "\(cents / 100).\(fraction)"
    }

    // MARK: Waiting

    @Test func `a refund waits for its purchase, and for the refunds before it`() {
        let desk = RefundDesk()
        #expect(desk.refund("10") == .wait)
        #expect(desk.refund("10", isOriginalWaiting: true) == .wait)
        desk.sell()
        #expect(desk.refund("10", isBehind: true) == .wait)
        #expect(desk.outcome(desk.refund("10")) == "69.99")
    }

    @Test func `a purchase that nobody knows is waited for an hour, one that is on its way as long as it takes`() {
        let desk = RefundDesk()
        desk.now = desk.queuedAt + .seconds(3599)
        #expect(desk.refund("10") == .wait)
        desk.now = desk.queuedAt + .seconds(3600)
        #expect(desk.refund("10") == .giveUp(reason: "purchase_unknown"))
        #expect(desk.refund("10", isOriginalWaiting: true) == .wait)
    }

    @Test func `an order from before the ledger is corrected by what the shop says of it`() {
        let desk = RefundDesk()
        desk.now = desk.queuedAt + .seconds(3600)
        let told = #","original_time":1785900000,"original_value":"50.00""#
        // Without a click nobody can tell which conversion it was.
        #expect(desk.refund("10", others: told) == .giveUp(reason: "purchase_unknown"))
        let click = #""msclkid":"0123456789abcdef0123456789abcdef""#
        #expect(
            desk.body(desk.refund("10", event: "a", others: told, user: click)) == """
                {"OfflineConversionAdjustments":[{"ConversionName":"Purchase","ConversionTime":"2026-08-05T03:20:00Z",\
                "MicrosoftClickId":"0123456789abcdef0123456789abcdef","AdjustmentType":"Restate",\
                "AdjustmentTime":"2026-08-06T07:07:30Z","AdjustmentValue":40,"AdjustmentCurrencyCode":"USD"}]}
                """)
        // From here on the ledger knows.
        #expect(desk.outcome(desk.refund("15", event: "b")) == "25")
    }

    @Test func `what cannot be told is given up, with a reason`() {
        let desk = RefundDesk()
        desk.sell()
        #expect(desk.refund("10", currency: "EUR") == .giveUp(reason: "refund_currency_differs"))
        #expect(desk.outcome(desk.refund("10", currency: nil)) == "69.99")
        let other = RefundDesk()
        other.sell(value: nil)
        #expect(other.refund("10") == .giveUp(reason: "purchase_value_unknown"))
    }

    // MARK: Taking in

    @Test func `a refund without an order or an amount is rejected with both reasons`() {
        let desk = RefundDesk()
        let outcome = desk.shop.publish(event(#""Refund""#, user: nil, properties: #""currency":"USD""#))[1]
        #expect(outcome.rejects == ["transaction_id_missing", "refund_value_missing"])
        for amount in ["0", "-5", "0.0001"] {
            let text = event(#""Refund""#, user: nil, properties: #""value":\#(amount),"transaction_id":"1""#)
            #expect(desk.shop.publish(text)[1].rejects == ["refund_value_missing"], "\(amount)")
        }
    }

    @Test func `a refund is told by the same key as its purchase, and is nobody else's`() throws {
        for isOnline in [false, true] {
            let desk = RefundDesk(online: isOnline)
            let key = try #require(desk.sell("T-1"))
            let text = event(#""Refund""#, user: nil, properties: #""value":1,"transaction_id":"T-1""#)
            let outcomes = desk.shop.publish(text)
            #expect(outcomes[0].disposition == .skipped(.unmappedEvent))
            #expect(outcomes[1].delivery?.transaction == key)
            #expect(desk.sell("T-2") != key)
            let sale = event(properties: #""value":1,"transaction_id":"T-1""#)
            #expect(desk.shop.publish(sale)[1].disposition == .skipped(.unmappedEvent))
        }
    }

    @Test func `a refund that Segment publishes says the same as a storefront's`() throws {
        let storefront = event(
            #""Refund""#, id: #""m-1""#, user: #""msclkid":"0123456789abcdef0123456789abcdef""#,
            properties:
                #""value":10,"currency":"USD","transaction_id":"T-1","original_time":1785900000,"original_value":50"#)
        let segment = """
            {"type":"track","event":"Order Refunded","messageId":"m-1","timestamp":"2026-08-06T07:06:40Z",\
            "properties":{"order_id":"T-1","total":10,"currency":"USD","msclkid":"0123456789abcdef0123456789abcdef",\
            "original_time":"2026-08-05T03:20:00Z","original_value":50}}
            """
        let desk = RefundDesk()
        var input = InputSettings()
        input.preset = .segment
        let refunds = desk.configuration.running[1]
        let other = Shop(.offline(), refunds, input: input)
        let first = try #require(desk.shop.neutral(Array(storefront.utf8), for: 1))
        let second = try #require(other.neutral(Array(segment.utf8), for: 1))
        #expect(String(decoding: first, as: UTF8.self) == String(decoding: second, as: UTF8.self))
        #expect(RefundEvent(neutral: first)?.originalTime == 1_785_900_000)
        let key = try #require(other.publish(segment)[1].delivery?.transaction)
        #expect(desk.shop.publish(storefront)[1].delivery?.transaction == key)
    }

    @Test func `refunds have a destination of their own where there is something to adjust`() {
        func names(_ destinations: DestinationSettings...) -> [String] {
            Configuration(kafka: KafkaSettings(brokers: [], topics: []), destinations: destinations).running.map(\.name)
        }
        #expect(names(.offline()) == ["offline", "offline-refunds"])
        #expect(
            names(
                .offline { _ in
                } _: {
                    $0.refundWait = nil
                }) == ["offline"])
        #expect(names(.offline(goals: [.init(event: "Lead", name: "Lead")])) == ["offline"])
        #expect(names(.capi()) == ["capi"])
        let capi = DestinationSettings.capi { $0.adjustments = RefundSettings(account: "offline", goal: "Sale") }
        #expect(names(capi, .offline()) == ["capi", "offline", "capi-refunds", "offline-refunds"])
    }
}
