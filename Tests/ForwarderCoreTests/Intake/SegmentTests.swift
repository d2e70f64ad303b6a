import Testing

@testable import ForwarderCore

@Suite struct SegmentTests {
    private static let input: InputSettings = {
        var input = InputSettings()
        input.preset = .segment
        return input
    }()

    /// A call with a user, a time and what `parts` says.
    private func call(
        event: String? = #""Order Completed""#, type: String? = #""track""#,
        time: String? = #""2026-08-06T07:06:40Z""#, user: String? = #""x""#, _ parts: String...
    ) -> String {
        var members = parts
        if let event { members.append(#""event":\#(event)"#) }
        if let type { members.append(#""type":\#(type)"#) }
        if let time { members.append(#""timestamp":\#(time)"#) }
        if let user { members.append(#""userId":\#(user)"#) }
        return #"{"messageId":"m-1",\#(members.joined(separator: ","))}"#
    }

    private func publish(_ call: String, _ change: (inout InputSettings) -> Void = { _ in }) -> Shop.Outcome {
        var input = SegmentTests.input
        change(&input)
        return Shop(.capi({ _ in }) { $0.unmapped = .forward }, input: input).publish(call)[0]
    }

    private func skipped(_ outcome: Shop.Outcome) -> SkipReason? {
        if case .skipped(let reason) = outcome.disposition { reason } else { nil }
    }

    @Test func `a storefront event and the call that says the same give the same bodies`() throws {
        let destinations = [
            DestinationSettings.capi({ $0.pageValue = true }) {
                $0.unmapped = .forward
                $0.consent.denied = .send
            },
            .offline(goals: [.external, .init(event: "Lead", name: "Lead")]),
        ]
        let storefront = Shop(destinations[0], destinations[1])
        let segment = Shop(destinations[0], destinations[1], input: SegmentTests.input)
        var compared = 0
        for seed in UInt64(0)..<6000 {
            var random = SeededRandom(seed: seed)
            guard case .object(var members) = RandomEvent().make(using: &random) else { continue }
            // Otherwise it is made of the record, and the records differ.
            members.removeAll { $0.name == "event_id" }
            members.append(.init(name: "event_id", value: .string("e-\(seed)")))
            guard let twin = SegmentTwin.of(.object(members)) else { continue }
            let (first, second) = (storefront.publish(JSONValue.object(members).text), segment.publish(twin.text))
            for (first, second) in zip(first, second) {
                compared += 1
                let isSame =
                    first.content == second.content && first.disposition == second.disposition
                    && Set(first.dropped) == Set(second.dropped)
                if !isSame {
                    Issue.record(
                        "seed \(seed): \(first) but \(second) of \(String(decoding: twin.text, as: UTF8.self))")
                }
            }
        }
        #expect(compared > 5000)
    }

    // MARK: Calls

    @Test(arguments: ["identify", "group", "alias", "screen", "merge", "", "tracks"])
    func `a call that is no event is skipped`(_ type: String) {
        let outcome = publish(call(type: #""\#(type)""#))
        #expect(skipped(outcome) == (type.isEmpty ? nil : .notAnEvent))
        #expect(outcome.books.consumed == 1)
    }

    @Test(arguments: [#""track""#, #"" Track ""#, "null", nil])
    func `a track call is one that says so, or says nothing`(_ type: String?) {
        #expect(value("eventName", in: publish(call(type: type)).content) == "purchase")
    }

    @Test func `a type that is no text makes no event`() {
        #expect(skipped(publish(call(type: "7"))) == .notAnEvent)
        #expect(skipped(publish(call(type: #"{"track":1}"#))) == .notAnEvent)
        #expect(publish(call(event: nil, type: nil)).rejects == ["event_missing"])
        #expect(publish(call(event: "[1]")).rejects == ["event_invalid"])
    }

    @Test(arguments: [
        ("Order Completed", "purchase"), ("order_completed", "purchase"), (" ORDER completed ", "purchase"),
        ("Completed Order", "purchase"), ("Product Added", "add_to_cart"),
        ("Wishlist Product Added to Cart", "add_to_cart"), ("Product Viewed", "view_item"),
        ("Viewed Product", "view_item"), ("Checkout Started", "begin_checkout"), ("Products Searched", "search"),
        ("Signed Up", "sign_up"), ("Lead Generated", "lead"), ("Purchase", "purchase"), ("Lead", "lead"),
        ("Order Refunded", "Refund"), ("order_refunded", "Refund"), ("Order  Completed", "Order  Completed"),
        ("Product List Viewed", "Product List Viewed"),
        ("order completed but with a longer name", "order completed but with a longer name"),
    ])
    func `events of the specification have the storefront's names, all others their own`(
        _ event: String, _ name: String
    ) {
        #expect(value("eventName", in: publish(call(event: #""\#(event)""#)).content) == name)
    }

    @Test func `the page on migrating has every name of the table, and none besides`() throws {
        let page = String(
            decoding: try #require(Files.read(Files.fixtures("../../deploy/migrating.md"))), as: UTF8.self)
        let table = page.drop(after: "| Their event | Here |").split(separator: "\n\n", maxSplits: 1)[0]
        var told: [String: String] = [:]
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: "|").map(quoted)
            guard cells.count == 2, let here = cells[1].first else { continue }
            for name in cells[0] where name != "page" { told[name.lowercased()] = here }
        }
        var known: [String: String] = [:]
        for (segment, storefront) in SegmentNames.names { known[segment] = "\(storefront)" }
        #expect(told == known)
        let others = page.drop(after: "have no counterpart and keep their names:").split(separator: ". ", maxSplits: 1)[
            0]
        #expect(quoted(others).count == 21)
        for name in quoted(others) {
            #expect(withBytes(name) { bytes, _ in SegmentNames.storefrontName(of: bytes) == nil }, "\(name)")
        }
    }

    /// What stands between backticks.
    private func quoted(_ text: some StringProtocol) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { $0.element.split { $0.isWhitespace }.joined(separator: " ") }
    }

    @Test func `every storefront name is one that is mapped`() {
        for name in ["order completed", "product added", "signed up", "lead generated", "products searched"] {
            let storefront = withBytes(name) { bytes, _ in SegmentNames.storefrontName(of: bytes).map { "\($0)" } }
            #expect(EventRoutes.defaultNames.contains { $0.event == storefront })
        }
        #expect(EventRoutes.defaultNames.contains { $0.event == "\(SegmentNames.pageView)" })
    }

    @Test func `settings of a destination know events by the storefront's names`() {
        let shop = Shop(
            .capi({ _ in }) { $0.match = [.init(field: .event, values: ["Purchase"])] }, input: SegmentTests.input)
        #expect(shop.publish(call())[0].disposition == .owed)
        #expect(skipped(shop.publish(call(event: #""Signed Up""#))[0]) == .notMatched)
    }

    @Test func `no name is left over from the record before`() {
        let shop = Shop(.capi(), input: SegmentTests.input)
        func lastName(_ record: String) -> String? {
            Array(record.utf8).withUnsafeBufferPointer { bytes in
                let origin = Intake.Origin(topic: 0, partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0)
                shop.intake.accept(bytes, origin, now: shop.now)
                return shop.intake.lastEventName
            }
        }
        #expect(lastName(call()) == "Purchase")
        #expect(lastName("{") == nil)
        #expect(lastName(call(type: #""page""#)) == "PageView")
        #expect(lastName(call(type: #""identify""#)) == nil)
        #expect(lastName(call(event: #""Wish""#)) == "Wish")
    }

    // MARK: Time

    @Test(arguments: [
        (#""2026-08-06T07:06:40Z""#, "1786000000"), (#""2026-08-06T09:06:40.999+02:00""#, "1786000000"),
        (#""2026-08-06T02:06:40-0500""#, "1786000000"), ("1786000000", "1786000000"),
    ])
    func `the time is exact to the second, in any zone`(_ time: String, _ seconds: String) {
        #expect(value("eventTime", in: publish(call(time: time)).content) == seconds)
    }

    @Test(arguments: [
        (#""2026-08-06T07:06:40""#, "timestamp_not_a_number"), (#""yesterday""#, "timestamp_not_a_number"),
        ("1786000000000", "timestamp_in_milliseconds"), ("null", "timestamp_missing"), ("[]", "timestamp_not_a_number"),
    ])
    func `a time that could mean anything is refused`(_ time: String, _ reason: String) {
        #expect(publish(call(time: time)).rejects == [reason])
    }

    @Test func `the original time stands in for a time, less what the clock was wrong by`() {
        let original = #""originalTimestamp":"2026-08-06T10:06:30Z""#
        let sent = #""sentAt":"2026-08-06T10:06:35Z""#
        let received = #""receivedAt":"2026-08-06T07:06:41Z""#
        func time(_ parts: String..., given: String? = nil) -> String? {
            value("eventTime", in: publish(call(time: given, parts.joined(separator: ","))).content)
        }
        #expect(time(original, sent, received) == "1785999996")
        #expect(time(received, sent, original, given: #""2026-08-06T07:06:40Z""#) == "1786000000")
        #expect(publish(call(time: nil, original)).rejects == ["in_the_future"])
        #expect(publish(call(time: nil, original, received)).rejects == ["in_the_future"])
        #expect(publish(call(time: nil, sent, received)).rejects == ["timestamp_missing"])
        #expect(time(#""original_timestamp":"2026-08-06T07:06:40Z""#) == "1786000000")
    }

    // MARK: Places

    @Test(arguments: [
        (#""revenue":1,"total":2,"value":3"#, "1"), (#""value":3,"total":2,"revenue":1"#, "1"),
        (#""total":2,"value":3"#, "2"), (#""value":3,"total":2"#, "2"), (#""value":3,"revenue":null"#, "3"),
        (#""revenue":"","total":null,"value":"3.10""#, "3.10"), (#""subtotal":4"#, nil),
    ])
    func `revenue is worth more than a total, and a total more than a value`(_ properties: String, _ value: String?) {
        let content = publish(call(#""properties":{\#(properties)}"#)).content
        #expect(ForwarderCoreTests.value("customData", "value", in: content) == value)
    }

    @Test func `who it was stands in the context first`() {
        func email(_ parts: String...) -> String? {
            value("userData", "em", in: publish(call(parts.joined(separator: ","))).content)
        }
        let context = #""context":{"traits":{"email":"a@example.com"}}"#
        let traits = #""traits":{"email":"b@example.com"}"#
        let properties = #""properties":{"email":"c@example.com"}"#
        #expect(email(properties, traits, context) == sha256("a@example.com"))
        #expect(email(properties, traits) == sha256("b@example.com"))
        #expect(email(properties) == sha256("c@example.com"))
    }

    @Test func `a page's own properties stand in for its context, those of other calls do not`() {
        let properties = #""properties":{"url":"https://shop.example/p","title":"T","referrer":"https://a.example/"}"#
        let page = publish(call(event: nil, type: #""page""#, properties)).content
        #expect(value("eventSourceUrl", in: page) == "https://shop.example/p")
        #expect(value("pageTitle", in: page) == "T" && value("referrerUrl", in: page) == "https://a.example/")
        let track = publish(call(properties)).content
        #expect(value("eventSourceUrl", in: track) == nil && value("pageTitle", in: track) == nil)
        let both = publish(call(event: nil, type: #""page""#, properties, #""context":{"page":{"title":"C"}}"#)).content
        #expect(value("pageTitle", in: both) == "C" && value("eventSourceUrl", in: both) == "https://shop.example/p")
    }

    @Test(arguments: [
        (#""context":{"page":{"search":"?a=1&msclkid=<>&b=2"}}"#, true),
        (#""context":{"page":{"search":"?MSCLKID=<>"}}"#, true),
        (#""context":{"page":{"url":"https://shop.example/?msclkid=<>#msclkid=x"}}"#, true),
        (#""context":{"page":{"url":"https://shop.example/#?msclkid=<>"}}"#, true),
        (#""context":{"page":{"url":"https://shop.example/#msclkid=<>"}}"#, false),
        (#""context":{"page":{"url":"https://shop.example/?a=b#?msclkid=<>"}}"#, false),
        (#""context":{"page":{"url":"https://shop.example/?xmsclkid=<>&msclkidx=<>"}}"#, false),
        (#""context":{"msclkid":"<>"}"#, true), (#""context":{"campaign":{"msclkid":"<>"}}"#, true),
        (#""properties":{"msclkid":"<>"},"context":{"msclkid":"x","page":{"search":"?msclkid=y"}}"#, true),
        (#""integrations":{"Microsoft Bing CAPI (Actions)":{"msclkid":"<>"}}"#, true),
    ])
    func `a click id is found where it may be`(_ parts: String, _ isFound: Bool) {
        let id = "dd4afcccb1c94a4cad9544dd7e5006ab"
        let json = parts.split(separator: "<>", omittingEmptySubsequences: false).joined(separator: id)
        #expect(value("userData", "msclkid", in: publish(call(json)).content) == (isFound ? id : nil))
    }

    @Test func `a click id of the page that is none is counted`() {
        #expect(publish(call(#""context":{"page":{"search":"?msclkid=x"}}"#)).dropped == ["msclkid invalid"])
        #expect(publish(call(#""context":{"page":{"search":"?msclkid=&msclkid=y"}}"#)).dropped == [])
    }

    @Test(arguments: [
        (#""type":"ios""#, "idfa"), (#""type":"Android""#, "gaid"), (#""type":"iOS","adTrackingEnabled":true"#, "idfa"),
        (#""type":"ios","adTrackingEnabled":false"#, nil), (#""type":"roku""#, nil), (#""name":"x""#, nil),
    ])
    func `an advertising id is that of the device's kind`(_ device: String, _ field: String?) {
        let id = "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"
        let content = publish(call(#""context":{"device":{"advertisingId":"\#(id)",\#(device)}}"#)).content
        for name in ["idfa", "gaid"] {
            #expect(value("userData", name, in: content) == (name == field ? id : nil))
        }
    }

    @Test(arguments: [
        (#"{"product_id":"a","sku":"b","id":"c"}"#, "a"), (#"{"id":"c","sku":"b","productId":"a"}"#, "a"),
        (#"{"id":"c","sku":"b"}"#, "b"), (#"{"sku":"b","product_id":""}"#, "b"), (#"{"id":7}"#, "7"),
        (#"{"product_id":{},"sku":"b"}"#, "b"),
    ])
    func `a product goes by its id, or its stock number, or whatever id it has`(_ product: String, _ id: String) {
        let content = publish(call(#""properties":{"products":[\#(product)]}"#)).content
        #expect(value("customData", "items", in: content) == #"[{"id":"\#(id)"}]"#)
    }

    @Test func `a call about one product has one item`() {
        func items(_ properties: String, type: String = #""track""#) -> String? {
            let parts = #""context":{"page":{"url":"https://shop.example/"}},"properties":{\#(properties)}"#
            return value("customData", "items", in: publish(call(type: type, parts)).content)
        }
        #expect(
            items(#""product_id":"a","name":"Mug","price":"1.50","quantity":2"#)
                == #"[{"id":"a","quantity":2,"price":1.50,"name":"Mug"}]"#)
        #expect(items(#""sku":"b","id":"order-1""#) == #"[{"id":"b"}]"#)
        #expect(items(#""id":"1","name":"Peter","price":3"#) == nil)
        #expect(items(#""product_id":"a","products":[]"#) == nil)
        #expect(items(#""product_id":"a""#, type: #""page""#) == nil)
    }

    @Test func `keywords in a list are joined`() {
        func publish(_ keywords: String) -> Shop.Outcome {
            self.publish(call(#""properties":{"keywords":\#(keywords)}"#))
        }
        #expect(value("keywords", in: publish(#"["mug","pl\u0022te",7,"",null]"#).content) == #"mug,pl"te,7"#)
        #expect(value("keywords", in: publish(#""mug, plate""#).content) == "mug, plate")
        #expect(publish(#"[{},"ada@example.com"]"#).dropped == ["keywords personal_data"])
    }

    // MARK: Consent

    @Test(arguments: [
        (#""consent":{"categoryPreferences":{"Advertising":true}}"#, AdStorage.granted),
        (#""consent":{"categoryPreferences":{"Advertising":false}}"#, .denied),
        (#""consent":{"categoryPreferences":{"Analytics":true}}"#, .unreadable),
        (#""consent":{"categoryPreferences":{"Advertising":null}}"#, .missing),
        (#""consent":{"categoryPreferences":{}}"#, .missing), (#""consent":{}"#, .missing),
        (#""consent":{"categoryPreferences":"denied"}"#, .denied), (#""consent":false"#, .denied),
        (#""consent":{"ad_storage":"granted"}"#, .granted),
        (#""consentManagement":{"allowedConsentIds":["x","Advertising"]}"#, .granted),
        (#""consentManagement":{"allowedConsentIds":["Advertising"],"deniedConsentIds":["Advertising"]}"#, .denied),
        (#""consentManagement":{"deniedConsentIds":["Advertising"]}"#, .denied),
        (#""consentManagement":{"allowedConsentIds":[],"deniedConsentIds":[]}"#, .missing),
        (#""consentManagement":{"allowedConsentIds":["advertising"]}"#, .unreadable),
        (#""consentManagement":{"deniedConsentIds":"all"}"#, .unreadable), (#""ip":"::1""#, .missing),
    ])
    func `consent is that of the category for advertising`(_ context: String, _ consent: AdStorage) {
        var reader = EventReader(SegmentTests.input)
        let record = Array(call(#""context":{\#(context)}"#).utf8)
        record.withUnsafeBufferPointer { record in
            #expect(reader.open(record) == nil)
            #expect(reader.adStorage() == consent)
        }
    }

    @Test func `the category has the name that the configuration gives it`() {
        func isSent(_ context: String) -> Bool {
            publish(call(#""context":{\#(context)}"#)) { $0.consentCategory = "C0004" }.disposition == .owed
        }
        #expect(isSent(#""consent":{"categoryPreferences":{"C0004":true}}"#))
        #expect(!isSent(#""consent":{"categoryPreferences":{"C0004":false}}"#))
        #expect(!isSent(#""consent":{"categoryPreferences":{"Advertising":true}}"#))
        #expect(isSent(#""consentManagement":{"allowedConsentIds":["C0001","C0004"]}"#))
        #expect(!isSent(#""consentManagement":{"deniedConsentIds":["C0004"]}"#))
    }

    // MARK: Configured places

    @Test func `a configured path is the only place of its field`() {
        let json = call(
            #""context":{"page":{"search":"?msclkid=dd4afcccb1c94a4cad9544dd7e5006ab"},"#
                + #""device":{"type":"ios","advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"}},"#
                + #""properties":{"revenue":1,"total":2,"value":3,"net":4,"product_id":"a"},"sent":"2026-08-06T07:06:41Z""#
        )
        let fields: [(EventField, [String])] = [
            (.value, ["properties", "net"]), (.clickID, ["no"]), (.idfa, ["no"]), (.items, ["no"]),
            (.eventTime, ["sent"]),
        ]
        let outcome = publish(json) { $0.fields = fields.map { .init(field: $0.0, path: $0.1) } }
        #expect(
            outcome.content
                == #"{"eventType":"custom","eventId":"m-1","eventName":"purchase","eventTime":1786000001,"#
                + #""adStorageConsent":"G","userData":{"externalId":"x"},"customData":{"value":4}}"#)
        // A part of the call can be a field too.
        let value = publish(json) { $0.fields = [.init(field: .category, path: ["properties", "value"])] }.content
        #expect(ForwarderCoreTests.value("customData", "eventCategory", in: value) == "3")
        #expect(ForwarderCoreTests.value("customData", "value", in: value) == "1")
    }

    @Test func `camelCase and snake_case are the same`() {
        let camel =
            #"{"messageId":"m","type":"track","event":"Order Completed","timestamp":"2026-08-06T07:06:40Z","#
            + #""userId":"u","anonymousId":"a","context":{"userAgent":"M","device":{"advertisingId":"#
            + #""7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB","type":"ios"}},"properties":{"orderId":"7","pageType":"cart"}}"#
        let snake =
            #"{"message_id":"m","type":"track","event":"Order Completed","timestamp":"2026-08-06T07:06:40Z","#
            + #""user_id":"u","anonymous_id":"a","context":{"user_agent":"M","device":{"advertising_id":"#
            + #""7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB","type":"ios"}},"properties":{"order_id":"7","page_type":"cart"}}"#
        let content = publish(camel).content
        #expect(content?.contains(#""transactionId":"7","pageType":"cart""#) == true)
        #expect(content == publish(snake).content)
    }
}

extension String {
    fileprivate func drop(after mark: String) -> Substring {
        firstRange(of: mark).map { self[$0.upperBound...] } ?? ""
    }
}
