import Testing

@testable import ForwarderCore

@Suite struct SkipTests {
    private func skipped(_ outcome: Shop.Outcome) -> SkipReason? {
        if case .skipped(let reason) = outcome.disposition { reason } else { nil }
    }

    @Test func `a tombstone is a counted skip for every destination`() {
        let outcomes = Shop(.capi(), .offline()).publish(nil as [UInt8]?)
        #expect(outcomes.map(skipped) == [.tombstone, .tombstone])
        #expect(
            outcomes.allSatisfy { $0.books.skipped[Int(SkipReason.tombstone.rawValue)] == 1 && $0.books.consumed == 1 })
    }

    @Test func `an event that no destination maps is skipped, or forwarded under its own name`() {
        let shop = Shop(.capi(), .capi({ _ in }) { $0.unmapped = .forward }, .offline())
        let outcomes = shop.publish(event(#"" Wish\u006cist\"Add ""#))
        #expect(outcomes.map(skipped) == [.unmappedEvent, nil, .unmappedEvent])
        #expect(value("eventName", in: outcomes[1].content) == #"Wishlist"Add"#)
        #expect(value("eventType", in: outcomes[1].content) == "custom")
    }

    @Test func `an event can be mapped otherwise, or left out`() {
        let destination = DestinationSettings.capi {
            $0.events = [
                .init(event: "Purchase", target: .custom(name: #"bought "it""#)), .init(event: "Lead", target: .skip),
                .init(event: "Landing", target: .pageLoad),
            ]
        }
        let shop = Shop(destination)
        #expect(value("eventName", in: shop.publish(event())[0].content) == #"bought "it""#)
        #expect(skipped(shop.publish(event(#""Lead""#))[0]) == .unmappedEvent)
        let landing = shop.publish(event(#""Landing""#, properties: nil, #""url":"https://shop.example/""#))[0]
        #expect(value("eventType", in: landing.content) == "pageLoad")
        #expect(value("eventName", in: shop.publish(event(#""Search""#))[0].content) == "search")
    }

    @Test(arguments: [
        ("ViewContent", "view_item"), ("AddToCart", "add_to_cart"), ("InitiateCheckout", "begin_checkout"),
        ("Purchase", "purchase"), ("Lead", "lead"), ("Search", "search"), ("SignUp", "sign_up"),
    ])
    func `the storefront's events have their names`(_ event: String, _ name: String) throws {
        let outcome = Shop(.capi()).publish(ForwarderCoreTests.event("\"\(event)\""))[0]
        #expect(value("eventName", in: outcome.content) == name)
        #expect(value("eventType", in: outcome.content) == "custom")
    }

    @Test func `an event that does not match is skipped`() {
        let shop = Shop(
            .capi({ _ in }) {
                $0.match = [
                    .init(field: .source, values: ["shop-eu", "shop-us"]), .init(field: .category, values: ["7"]),
                ]
            })
        func publish(_ source: String, _ category: String) -> SkipReason? {
            skipped(shop.publish(event(properties: #""category":\#(category)"#, #""source":\#(source)"#))[0])
        }
        #expect(publish(#""shop-eu""#, "7") == nil)
        #expect(publish(#"" shop\u002dus ""#, #""7""#) == nil)
        #expect(publish(#""shop-eu""#, "8") == .notMatched)
        #expect(publish(#""shop""#, "7") == .notMatched)
        #expect(publish("null", "7") == .notMatched)
        #expect(publish("{}", "7") == .notMatched)
    }

    @Test func `records from before a destination's start are none of its`() {
        let start = Timestamp(seconds: Shop.now - 10)
        let shop = Shop(
            .capi(), .capi({ _ in }) { $0.startAt = .latest }, .capi({ _ in }) { $0.startAt = .time(start) })
        func skips(_ publishedAt: Timestamp?) -> [SkipReason?] {
            shop.publish(event(), publishedAt: publishedAt).map(skipped)
        }
        #expect(skips(Timestamp(seconds: Shop.now - 11)) == [nil, .beforeStart, .beforeStart])
        #expect(skips(start) == [nil, .beforeStart, nil])
        #expect(skips(Timestamp(seconds: Shop.now)) == [nil, nil, nil])
        #expect(skips(nil) == [nil, nil, nil])
    }

    @Test func `what the store holds already is not owed again`() {
        let shop = Shop(.capi(), .capi(), .capi())
        #expect(shop.publish(event(), storedFor: 0b101).map(skipped) == [.alreadyStored, nil, .alreadyStored])
    }

    @Test func `every disposition is counted once and the sum is what was consumed`() {
        let shop = Shop(.capi(), .offline())
        shop.publish(nil as [UInt8]?)
        shop.publish("{")
        shop.publish(event())
        shop.publish(event(#""Wish""#))
        shop.publish(event(user: nil))
        let outcomes = shop.publish(event(user: #""phone":"+14255550100""#), storedFor: 1)
        for outcome in outcomes {
            let books = outcome.books
            #expect(books.consumed == 6)
            #expect(books.owed + books.skippedTotal + books.rejected == 6)
        }
        #expect(outcomes.map(\.books.owed) == [1, 1])
    }
}
