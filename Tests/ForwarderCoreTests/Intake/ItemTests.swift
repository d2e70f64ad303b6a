import Testing

@testable import ForwarderCore

@Suite struct ItemTests {
    private func publish(_ properties: String) -> Shop.Outcome {
        Shop(.capi()).publish(event(properties: properties))[0]
    }

    private func items(_ items: String) -> (String?, [String]) {
        let outcome = publish(#""items":\#(items)"#)
        return (value("customData", "items", in: outcome.content), outcome.dropped)
    }

    @Test func `items keep their order and what is good of them`() {
        #expect(
            items(#"[{"name":"Mug","id":7,"quantity":"2","price":"19.99","color":"red"},{"id":"b"}]"#)
                == (#"[{"id":"7","quantity":2,"price":19.99,"name":"Mug"},{"id":"b"}]"#, []))
    }

    @Test(arguments: [
        ("2", "2"), ("2.0", "2"), (#""3""#, "3"), ("0", "0"), ("2e0", "2"), ("20e-1", "2"), ("-0", "0"),
        ("2147483647", "2147483647"),
    ])
    func `a quantity is a whole number`(_ given: String, _ expected: String) {
        #expect(items(#"[{"id":"a","quantity":\#(given)}]"#) == (#"[{"id":"a","quantity":\#(expected)}]"#, []))
    }

    @Test(arguments: [
        ("2.5", "invalid"), ("-1", "invalid"), (#""two""#, "invalid"), ("true", "wrong_type"), ("[]", "wrong_type"),
        ("2147483648", "out_of_range"), ("1e20", "out_of_range"),
    ])
    func `a quantity that is none is dropped, the item stays`(_ given: String, _ reason: String) {
        #expect(items(#"[{"id":"a","quantity":\#(given)}]"#) == (#"[{"id":"a"}]"#, ["items.quantity \(reason)"]))
    }

    @Test func `bad members are dropped, each counted, and items with nothing left as well`() {
        #expect(
            items(#"[{"id":{},"name":"ada@example.com","price":"x"},7,"a",null,[],{"x":1},{},{"id":"b","name":null}]"#)
                == (
                    #"[{"id":"b"}]"#,
                    ["items wrong_type", "items.id wrong_type", "items.name personal_data", "items.price invalid"]
                ))
        #expect(items("[{}]") == (nil, []))
        #expect(items("[]") == (nil, []))
        #expect(items(#"{"id":"a"}"#) == (nil, ["items wrong_type"]))
        #expect(items(#""a""#) == (nil, ["items wrong_type"]))
    }

    @Test func `item ids are a list of texts, or one`() {
        func ids(_ given: String) -> (String?, [String]) {
            let outcome = publish(#""item_ids":\#(given)"#)
            return (value("customData", "itemIds", in: outcome.content), outcome.dropped)
        }
        #expect(ids(#"["a",2,"c"]"#) == (#"["a","2","c"]"#, []))
        #expect(ids(#""a""#) == (#"["a"]"#, []))
        #expect(ids("7") == (#"["7"]"#, []))
        #expect(ids(#"["a",null,"",{},"ada@example.com"]"#) == (#"["a"]"#, ["item_ids personal_data"]))
        #expect(ids("[]") == (nil, []))
        #expect(ids("{}") == (nil, ["item_ids wrong_type"]))
    }

    @Test func `lists of one event do not leak into the next`() {
        let shop = Shop(.capi())
        shop.publish(event(properties: #""item_ids":["a"],"items":[{"id":"a"}]"#))
        #expect(value("customData", in: shop.publish(event())[0].content) == nil)
    }
}
