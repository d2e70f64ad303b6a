import Testing

@testable import ForwarderCore

@Suite struct FieldTests {
    private func content(_ json: String, input: InputSettings = InputSettings()) -> String? {
        Shop(.capi(), input: input).publish(json)[0].content
    }

    @Test func `every field of the storefront arrives where Microsoft wants it`() {
        let sent = content(Samples.everything)
        #expect(
            sent
                == #"{"eventType":"custom","eventId":"ord-991","eventName":"purchase","eventTime":1786000000,"#
                + #""eventSourceUrl":"https://shop.example/thanks","pageLoadId":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77","#
                + #""referrerUrl":"https://shop.example/cart","pageTitle":"Thank you","keywords":"mug,plate","#
                + #""adStorageConsent":"G","userData":{"clientUserAgent":"Mozilla/5.0","#
                + #""anonymousId":"b171a9b06ce011ecafcd1b209be8601b","externalId":"c0ffee","#
                + #""em":"\#(sha256("ada@example.com"))","ph":"\#(sha256("+14255550100"))","#
                + #""clientIpAddress":"203.0.113.7","msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab","#
                + #""idfa":"3F0C1B52-6A5E-4F0E-9C2A-0E6F3B1D9A77","gaid":"4f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77"},"#
                + #""customData":{"eventCategory":"kitchen","eventLabel":"spring","eventValue":3,"searchTerm":"mug","#
                + #""transactionId":"991","value":79.99,"currency":"USD","itemIds":["a","b"],"#
                + #""items":[{"id":"a","quantity":2,"price":19.99,"name":"Mug"}],"pageType":"purchase","#
                + #""ecommTotalValue":84.99,"ecommCategory":"7"}}"#)
    }

    @Test func `camelCase spellings of every field are the same event`() {
        func camelCased(_ json: String) -> String {
            var result = ""
            var isName = false
            for (index, part) in json.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
                isName = index % 2 == 1 && part.contains("_") && !part.contains(" ")
                let words = part.split(separator: "_")
                result += (index > 0 ? "\"" : "")
                result +=
                    isName ? words.enumerated().map { $0 == 0 ? String($1) : $1.capitalized }.joined() : String(part)
            }
            return result
        }
        let camelCase = camelCased(Samples.everything)
        #expect(camelCase.contains("eventTime") && camelCase.contains("itemIds") && !camelCase.contains("_id\":"))
        #expect(content(camelCase) == content(Samples.everything))
        let client = Samples.everything.replacing(#""ip_address""#, with: #""clientIpAddress""#)
            .replacing(#""user_agent""#, with: #""client_user_agent""#)
        #expect(content(client) == content(Samples.everything))
    }

    @Test func `the proper spelling wins over another one, in any order`() {
        for id in [#""event_id":"proper","eventId":"other""#, #""eventId":"other","event_id":"proper""#] {
            #expect(value("eventId", in: content(event(id: nil, properties: nil, id))) == "proper")
        }
    }

    @Test(arguments: ["null", #""""#])
    func `null and empty are absent, and leave the place to another spelling`(_ absent: String) {
        for id in [#""event_id":\#(absent),"eventId":"other""#, #""eventId":"other","event_id":\#(absent)"#] {
            #expect(value("eventId", in: content(event(id: nil, properties: nil, id))) == "other")
        }
        #expect(
            content(
                event(
                    properties: #""currency":\#(absent),"value":\#(absent),"items":\#(absent)"#, #""title":\#(absent)"#)
            )
                == content(event()))
    }

    @Test func `a text of nothing but white space is absent`() {
        let outcome = Shop(.capi()).publish(
            event(properties: #""category":" ","value":"\t","currency":"\n","item_ids":[" "]"#, #""title":"\u0020""#))[
                0]
        #expect(outcome.content == content(event()))
        #expect(outcome.dropped == [])
    }

    @Test func `of members that are there twice the last that says something counts`() {
        #expect(value("eventId", in: content(event(id: #""a","event_id":"b","event_id":null"#))) == "b")
    }

    @Test func `a number where text is expected is taken literally`() {
        let sent = content(
            event(id: "17.50", user: #""external_id":42"#, properties: #""transaction_id":991,"category":-1e3"#))
        #expect(value("eventId", in: sent) == "17.50")
        #expect(value("userData", "externalId", in: sent) == "42")
        #expect(value("customData", "transactionId", in: sent) == "991")
        #expect(value("customData", "eventCategory", in: sent) == "-1e3")
    }

    @Test(arguments: ["true", "{}", "[1]"])
    func `what is neither text nor number is dropped from every field`(_ other: String) {
        let fields = [
            ("title", "title"), ("referrer", "referrer"), ("keywords", "keywords"), ("page_load_id", "page_load_id"),
            ("url", "url"),
        ]
        let user = ["email", "phone", "anonymous_id", "msclkid", "ip_address", "user_agent", "idfa", "gaid"]
        let properties = [
            "value", "currency", "transaction_id", "search_term", "category", "label", "page_type", "event_value",
            "ecomm_total_value", "ecomm_category",
        ]
        let json = event(
            user: #""external_id":"x","# + user.map { #""\#($0)":\#(other)"# }.joined(separator: ","),
            properties: properties.map { #""\#($0)":\#(other)"# }.joined(separator: ","),
            fields.map { #""\#($0.0)":\#(other)"# }.joined(separator: ","))
        let outcome = Shop(.capi()).publish(json)[0]
        #expect(outcome.content == content(event()))
        let expected = fields.map(\.1) + user + properties
        #expect(Set(outcome.dropped) == Set(expected.map { "\($0) wrong_type" }))
        #expect(outcome.books.fieldsDropped.reduce(0, +) == expected.count)
        #expect(outcome.books.dropped(.email, .wrongType) == 1)
    }

    @Test func `unknown members are ignored, whatever they hold`() {
        let unknown = #""x":{"event":"Lead","user":{"email":"a@b.co"}},"properties2":[1,{"value":2}],"":0,"events":1"#
        #expect(content(event(properties: nil, unknown)) == content(event()))
    }

    @Test func `an id is made of the record where the event has none, and stays the same`() {
        let shop = Shop(.capi(), .offline())
        let json = event(id: nil, user: #""phone":"+14255550100""#)
        let first = shop.publish(json)
        let second = shop.publish(json)
        let id = value("eventId", in: first[0].content)
        #expect(id == String(sha256(json).prefix(32)))
        #expect(first[0].content == second[0].content)
        #expect(second.map(\.books.eventIDsDerived) == [2, 2])
        #expect(value("eventId", in: shop.publish(json + " ")[0].content) != id)
        // An id that may not be sent is as good as none.
        let personal = shop.publish(event(id: #""ada@example.com""#))[0]
        #expect(personal.dropped == ["event_id personal_data"])
        #expect(value("eventId", in: personal.content)?.utf8.count == 32)
    }

    @Test func `only pages that Microsoft knows are named`() {
        for type in ["cart", "category", "home", "other", "product", "purchase", "searchresults"] {
            #expect(
                value("customData", "pageType", in: content(event(properties: #""page_type":" \#(type) ""#))) == type)
        }
        for type in ["Cart", "checkout", "search"] {
            let outcome = Shop(.capi()).publish(event(properties: #""page_type":"\#(type)""#))[0]
            #expect(outcome.dropped == ["page_type invalid"])
            #expect(value("customData", in: outcome.content) == nil)
        }
    }

    @Test func `a field can be read from another place`() {
        var input = InputSettings()
        input.fields = [
            .init(field: .email, path: ["customer", "contact", "mail"]),
            .init(field: .transactionID, path: ["order", "lines", "0", "order id"]),
            .init(field: .externalID, path: ["ids", "2"]),
            .init(field: .eventID, path: ["orderNo"]),
        ]
        let json = event(
            id: #""ignored""#, user: #""email":"ignored@example.com","external_id":"ignored""#,
            properties: #""transaction_id":"ignored","value":5"#,
            #""customer":{"contact":{"mail":"john@contoso.com"}},"ids":[1,{"2":"no"},"third",4],"orderNo":12,"#
                + #""order":{"lines":[{"order id":"first"},{"order id":"second"}]}"#)
        let sent = content(json, input: input)
        #expect(value("eventId", in: sent) == "12")
        #expect(value("userData", "em", in: sent) == sha256("john@contoso.com"))
        #expect(value("userData", "externalId", in: sent) == "third")
        #expect(value("customData", "transactionId", in: sent) == "first")
        #expect(value("customData", "value", in: sent) == "5")
    }

    @Test(arguments: ["9223372036854775807", "9223372036854775808", "9000000000", "1048575", "-1"])
    func `a number that no array reaches is the name of a member`(_ number: String) {
        var input = InputSettings()
        input.fields = [
            .init(field: .eventID, path: ["orders", number]), .init(field: .category, path: ["orders", "1"]),
        ]
        let object = content(event(properties: nil, #""orders":{"\#(number)":"a"}"#), input: input)
        #expect(value("eventId", in: object) == "a")
        let array = content(event(properties: nil, #""orders":["a","b"]"#), input: input)
        #expect(value("customData", "eventCategory", in: array) == "b")
        #expect(value("eventId", in: array)?.utf8.count == 32)
    }

    @Test func `one value can be several fields, and hold others inside`() {
        var input = InputSettings()
        input.fields = [
            .init(field: .eventID, path: ["properties", "transaction_id"]),
            .init(field: .anonymousID, path: ["user", "external_id"]),
            .init(field: .category, path: ["properties", "items", "0", "id"]),
        ]
        let sent = content(
            event(properties: #""transaction_id":"991","items":[{"id":"a"},{"id":"b"}]"#), input: input)
        #expect(value("eventId", in: sent) == "991")
        #expect(value("customData", "transactionId", in: sent) == "991")
        #expect(value("userData", "externalId", in: sent) == "x")
        #expect(value("userData", "anonymousId", in: sent) == "x")
        #expect(value("customData", "eventCategory", in: sent) == "a")
        #expect(value("customData", "items", "1", "id", in: sent) == "b")
    }

    @Test func `a path that ends in something else than a value finds nothing`() {
        var input = InputSettings()
        input.fields = [
            .init(field: .title, path: ["page", "0"]), .init(field: .category, path: ["page", "x"]),
            .init(field: .label, path: ["page", "99"]),
        ]
        for page in [#""text""#, "[]", "{}", "7", "null", #"{"1":"a"}"#] {
            #expect(content(event(properties: nil, #""page":\#(page)"#), input: input) == content(event()), "\(page)")
        }
    }

    @Test func `the last event's id and name can be asked for, also where nobody wanted it`() {
        let shop = Shop(.capi())
        func last(_ record: String?) -> [String?] {
            guard let record else {
                shop.publish(nil as [UInt8]?)
                return [shop.intake.lastEventID, shop.intake.lastEventName]
            }
            return Array(record.utf8).withUnsafeBufferPointer { bytes in
                let origin = Intake.Origin(
                    topic: 0, partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0)
                shop.intake.accept(bytes, origin, now: shop.now)
                return [shop.intake.lastEventID, shop.intake.lastEventName]
            }
        }
        #expect(last(event()) == ["e-1", "Purchase"])
        #expect(last(event(#""Wish""#, id: "7")) == ["7", "Wish"])
        #expect(last(event(#""Wish""#, id: nil)) == [nil, "Wish"])
        #expect(last(event(id: nil)) == [String(sha256(event(id: nil)).prefix(32)), "Purchase"])
        #expect(last("{") == [nil, nil])
        #expect(last(event()) == ["e-1", "Purchase"])
        #expect(last(nil) == [nil, nil])
    }

    @Test func `names with escapes are the names they stand for`() {
        let json =
            #"{"\u0065vent":"Purchase","event_id":"e-1","event_time":1786000000,"us\u0065r":{"external\u005fid":"x"}}"#
        #expect(content(json) == content(event()))
    }
}

extension Substring {
    fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}

extension String {
    fileprivate func replacing(_ part: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            result += rest[..<range.lowerBound] + other
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
