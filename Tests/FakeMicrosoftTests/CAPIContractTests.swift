import FakeMicrosoft
import ForwarderCore
import Testing

/// Part of an event, and what is to be said about it.
struct Sample: Sendable, CustomTestStringConvertible {
    var json: String
    /// The error code; nil for what is in order.
    var code: String?
    var isWarning = true

    var testDescription: String { "\(json) → \(code ?? "in order")" }

    static func good(_ json: String) -> Sample { Sample(json: json) }
    static func warning(_ json: String, _ code: String) -> Sample { Sample(json: json, code: code) }
    static func error(_ json: String, _ code: String) -> Sample { Sample(json: json, code: code, isWarning: false) }
}

@Suite struct CAPIContractTests {
    private func check(_ event: String, _ sample: Sample) throws {
        var bench = Bench()
        let answer = try bench.send([event, Bench.event(id: "other")])
        #expect(answer.status == 200)
        #expect(answer.details.first?.code == sample.code)
        #expect(answer.details.isEmpty || answer.details.first?.isWarning == sample.isWarning)
        #expect(answer.eventsReceived == (sample.code == nil || sample.isWarning ? 2 : 1))
        #expect(try bench.capi.judgedInvalid == (sample.code == nil ? 0 : 1))
    }

    @Test(arguments: [
        Sample.good(#""eventSourceUrl":"https://shop.example/a?b=c""#),
        .warning(#""eventSourceUrl":"shop.example""#, "InvalidUrl"),
        .good(#""referrerUrl":"android-app://com.example/""#),
        .warning(#""referrerUrl":"not a url""#, "InvalidUrl"),
        .warning(#""referrerUrl":"https:///path""#, "InvalidUrl"),
        .good(#""pageTitle":"Mugs""#),
        .warning(#""pageTitle":"""#, "Empty"),
        .warning(#""keywords":7"#, "InvalidType"),
        .warning(#""keywords":null"#, "InvalidType"),
        .good(#""pageLoadId":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77""#),
        .warning(#""pageLoadId":"3f0c1b52-6a5e-1f0e-9c2a-0e6f3b1d9a77""#, "InvalidGuid"),
        .warning(#""pageLoadId":"3f0c1b52-6a5e-4f0e-1c2a-0e6f3b1d9a77""#, "InvalidGuid"),
        .good(#""adStorageConsent":"D""#),
        .warning(#""adStorageConsent":"granted""#, "InvalidEnumValue"),
        .error(#""value":1"#, "UnknownProperty"),
        .error(#""continueOnValidationError":true"#, "UnknownProperty"),
        .error(#""dataProvider":"us""#, "UnknownProperty"),
        .error(#""eventId":"twice""#, "RepeatedProperty"),
    ])
    func `fields of the event`(sample: Sample) throws {
        try check(Bench.event(more: sample.json), sample)
    }

    @Test(arguments: [
        Sample.good(#""em":"\#(Bench.emailHash)""#),
        .warning(#""anonymousId":"a","em":"\#(Bench.emailHash.uppercased())""#, "InvalidSha256"),
        .warning(#""anonymousId":"a","em":"john@contoso.com""#, "InvalidSha256"),
        .good(#""ph":"\#(Bench.phoneHash)""#),
        .warning(#""anonymousId":"a","ph":"\#(Bench.phoneHash.dropLast())""#, "InvalidSha256"),
        .good(#""msclkid":"\#(Bench.clickID)""#),
        .good(#""msclkid":"dd4afccc-b1c9-4a4c-ad95-44dd7e5006ab""#),
        .warning(#""anonymousId":"a","msclkid":"dd4afcccb1c9a4cad9544dd7e5006""#, "InvalidGuid"),
        .warning(#""anonymousId":"a","msclkid":"dd4afccc-b1c9-4a4cad95-44dd-7e5006ab""#, "InvalidGuid"),
        .good(#""externalId":"42""#), .good(#""idfa":"6D92078A-8246-4BA4-AE5B-76104861E7DC""#), .good(#""gaid":"x""#),
        .warning(#""gaid":"x","externalId":42"#, "InvalidType"),
        .good(#""gaid":"x","clientIpAddress":"2001:db8::1""#),
        .good(#""gaid":"x","clientIpAddress":"203.0.113.7""#),
        .warning(#""gaid":"x","clientIpAddress":"203.0.113""#, "InvalidIpAddress"),
        .good(#""gaid":"x","clientUserAgent":"Mozilla/5.0""#),
        .error(#""clientIpAddress":"203.0.113.7","clientUserAgent":"Mozilla/5.0""#, "NoIdentifier"),
        .error(#""gaid":"x","email":"a""#, "UnknownProperty"),
        .error("", "NoIdentifier"),
    ])
    func `fields of userData`(sample: Sample) throws {
        try check(Bench.event(userData: sample.json), sample)
    }

    @Test func `an event whose only identifier is dropped by a warning has none`() throws {
        var bench = Bench()
        let answer = try bench.send([Bench.event(userData: #""em":"x""#)])
        #expect(answer.status == 400)
        #expect(answer.details.map(\.code) == ["InvalidSha256", "NoIdentifier"])
    }

    @Test(arguments: [
        Sample.good(#""value":50.2,"currency":"USD""#), .good(#""value":0"#),
        .warning(#""value":"50.2""#, "InvalidNumber"),
        .warning(#""currency":"usd""#, "InvalidCurrency"), .warning(#""currency":"US""#, "InvalidCurrency"),
        .good(#""eventCategory":"c","eventLabel":"l","eventValue":1.5,"transactionId":"991","searchTerm":"mug""#),
        .warning(#""transactionId":991"#, "InvalidType"),
        .good(#""itemIds":["a","b"]"#), .warning(#""itemIds":"a,b""#, "InvalidType"),
        .warning(#""itemIds":["a",2]"#, "InvalidType"), .warning(#""itemIds":[""]"#, "Empty"),
        .good(#""pageType":"searchresults""#), .warning(#""pageType":"checkout""#, "InvalidEnumValue"),
        .good(#""ecommTotalValue":9.99,"ecommCategory":"7""#),
        .warning(#""ecommTotalValue":true"#, "InvalidNumber"),
        .good(#""items":[{"id":"a","quantity":2,"price":19.99,"name":"Mug"}]"#),
        .warning(#""items":{"id":"a"}"#, "InvalidType"), .warning(#""items":["a"]"#, "InvalidType"),
        .warning(#""items":[{"id":7}]"#, "InvalidType"), .warning(#""items":[{"quantity":1.5}]"#, "InvalidNumber"),
        .warning(#""items":[{"price":"19.99"}]"#, "InvalidNumber"),
        .error(#""items":[{"id":"a","sku":"b"}]"#, "UnknownProperty"),
        .good(#""hotelData":{"totalPrice":9.5,"basePrice":8,"checkinDate":"2026-02-28","lengthOfStay":3}"#),
        .warning(#""hotelData":{"checkoutDate":"2026-02-29"}"#, "InvalidDate"),
        .error(#""hotelData":{"checkInDate":"2026-02-28","lengthOfStay":3}"#, "UnknownProperty"),
        .good(#""hotelData":{"checkoutDate":"2026-03-01","partnerHotelId":"h-7","bookingHref":"b-9"}"#),
        .warning(#""hotelData":{"checkinDate":"2026-02-28"}"#, "Empty"), .warning(#""hotelData":[]"#, "InvalidType"),
        .warning(#""hotelData":{"lengthOfStay":2.5}"#, "InvalidNumber"),
        .warning(#""hotelData":{"lengthOfStay":2,"totalPrice":"9.5"}"#, "InvalidNumber"),
        .warning(#""hotelData":{"lengthOfStay":2,"partnerHotelId":7}"#, "InvalidType"),
        .error(#""revenue":5"#, "UnknownProperty"),
    ])
    func `fields of customData`(sample: Sample) throws {
        try check(Bench.event(customData: sample.json), sample)
    }

    @Test(arguments: [
        Sample.good("1786000000"), .good("1785395200"), .error("1785395199", "InvalidEventTime"),
        .error("1786000001", "InvalidEventTime"), .error("1786000000000", "InvalidEventTime"),
        .error("1786000000.5", "InvalidEventTime"), .error(#""1786000000""#, "InvalidEventTime"),
        .error("99999999999999999999", "InvalidEventTime"), .error("null", "Empty"),
    ])
    func `eventTime is in whole seconds, at most seven days old and not in the future`(sample: Sample) throws {
        let event = Bench.event().replacing(#""eventTime":1786000000"#, with: #""eventTime":\#(sample.json)"#)
        try check(event, sample)
    }

    @Test(arguments: [
        Sample.good(#""eventType":"custom""#), .error(#""eventType":"purchase""#, "InvalidEnumValue"),
        .error(#""eventType":"""#, "Empty"), .error(#""eventType":1"#, "InvalidType"),
    ])
    func `eventType is one of two`(sample: Sample) throws {
        try check(Bench.event().replacing(#""eventType":"custom""#, with: sample.json), sample)
    }

    @Test func `what is required is missed`() throws {
        var bench = Bench()
        let answer = try bench.send(["{}", Bench.event()])
        #expect(answer.eventsReceived == 1)
        #expect(answer.details.map(\.property) == ["data[0].eventType", "data[0].eventTime", "data[0].userData"])
        #expect(answer.details.allSatisfy { $0.code == "Empty" && $0.isWarning == false })
    }

    @Test func `a page load needs a valid URL and carries no value`() throws {
        var bench = Bench()
        let url = #""eventSourceUrl":"https://shop.example/""#
        let answer = try bench.send([
            Bench.event(id: "1", type: "pageLoad", name: nil, more: url),
            Bench.event(id: "2", type: "pageLoad", name: nil),
            Bench.event(id: "3", type: "pageLoad", name: nil, more: #""eventSourceUrl":"shop""#),
            Bench.event(id: "4", type: "pageLoad", name: nil, customData: #""value":5"#, more: url),
        ])
        #expect(answer.eventsReceived == 1)
        #expect(answer.details.map(\.code) == ["Empty", "InvalidUrl", "ValueOnPageLoad"])
        #expect(answer.details.map(\.index) == [1, 2, 3])
    }

    @Test func `evidence that Microsoft would not mention is kept all the same`() throws {
        var bench = Bench()
        let answer = try bench.send([
            Bench.event(id: "1", name: nil), Bench.event(id: "2", userData: #""externalId":"ada@example.com""#),
            Bench.event(id: "3", more: #""eventSourceUrl":"https://shop.example/?m=ada%40example.com""#),
            Bench.event(id: "4", more: #""eventSourceUrl":"https://shop.example/@ada.example/?q=a@b""#),
        ])
        #expect(answer.eventsReceived == 4)
        #expect(answer.json["error"] == nil)
        #expect(try bench.capi.findings.map(\.reason) == ["MissingEventName", "PersonalData", "PersonalData"])
        #expect(try bench.capi.findings.map(\.eventID) == ["1", "2", "3"])
        #expect(try bench.capi.judgedInvalid == 3)
    }

    @Test func `the guide's smallest events are accepted`() throws {
        var bench = Bench()
        for body in [
            #"{"data":[{"eventType":"pageLoad","eventTime":1786000000,"eventSourceUrl":"https://shop.example/","#
                + #""pageLoadId":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77","#
                + #""userData":{"anonymousId":"b171a9b06ce011ecafcd1b209be8601b"}}]}"#,
            #"{"data":[{"eventType":"custom","eventName":"purchase","eventId":"ord-991","eventTime":1786000000,"#
                + #""userData":{"msclkid":"dd4afccc-b1c9-4a4c-ad95-44dd7e5006ab"},"#
                + #""customData":{"transactionId":"991","value":50.2,"currency":"USD","pageType":"purchase"}}],"#
                + #""dataProvider":"my-forwarder"}"#,
        ] {
            let answer = try bench.send(Bench.capi(body))
            #expect(answer.status == 200)
            #expect(String(decoding: answer.reply.body, as: UTF8.self) == #"{"eventsReceived":1}"#)
        }
        #expect(try bench.capi.accepted == 2)
        #expect(try bench.capi.judgedInvalid == 0)
    }
}
