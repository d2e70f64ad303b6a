import Testing

@testable import ForwarderCore

@Suite struct RejectionTests {
    private func rejects(_ json: String, _ destination: DestinationSettings = .capi()) -> [String]? {
        Shop(destination).publish(json)[0].rejects
    }

    @Test(arguments: [
        ("{", "malformed_json"), ("", "malformed_json"), (#"{"event":"Purchase"} {"#, "malformed_json"),
        ("[]", "not_an_object"), ("null", "not_an_object"), (#""Purchase""#, "not_an_object"),
        (String(repeating: #"{"a":"#, count: 33) + "1" + String(repeating: "}", count: 33), "too_deep"),
    ])
    func `a record that is no event is rejected for every destination`(_ record: String, _ reason: String) {
        let outcomes = Shop(.capi(), .offline()).publish(record)
        #expect(outcomes.map(\.rejects) == [[reason], [reason]])
    }

    @Test func `a record that is not UTF-8 is rejected as such`() {
        let record = Array(#"{"event":"Purchase","title":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        #expect(Shop(.capi()).publish(record)[0].rejects == ["invalid_utf8"])
    }

    @Test func `a record of exactly the limit is read, a byte more is too large`() {
        var input = InputSettings()
        input.maxEventBytes = 1 << 10
        let start = String(event().dropLast()) + #","padding":""#
        let fitting = start + String(repeating: "x", count: (1 << 10) - start.utf8.count - 2) + #""}"#
        #expect(fitting.utf8.count == 1 << 10)
        #expect(Shop(.capi(), input: input).publish(fitting)[0].disposition == .owed)
        #expect(Shop(.capi(), input: input).publish(fitting + " ")[0].rejects == ["event_too_large"])
    }

    @Test(arguments: [
        (nil, "event_missing"), ("null", "event_missing"), (#""""#, "event_missing"), (#""  ""#, "event_missing"),
        ("true", "event_invalid"), ("{}", "event_invalid"),
    ])
    func `an event needs a name`(_ name: String?, _ reason: String) {
        #expect(rejects(event(name)) == [reason])
    }

    @Test func `a name that holds an e-mail address is not forwarded`() {
        let shop = Shop(.capi({ _ in }) { $0.unmapped = .forward })
        #expect(shop.publish(event(#""Mail from ada@example.com""#))[0].rejects == ["event_invalid"])
    }

    @Test func `an event for the Conversions API needs one identifier, any one`() {
        #expect(rejects(event(user: nil)) == ["no_identifier"])
        #expect(rejects(event(user: #""ip_address":"203.0.113.7","user_agent":"x""#)) == ["no_identifier"])
        for user in [
            #""anonymous_id":"a""#, #""external_id":42"#, #""email":"ada@example.com""#, #""phone":"+14255550100""#,
            #""msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab""#, #""idfa":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77""#,
            #""gaid":"3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77""#,
        ] { #expect(rejects(event(user: user)) == nil, "\(user)") }
    }

    @Test func `an identifier that had to be dropped is none`() {
        let outcome = Shop(.capi()).publish(event(user: #""phone":"555-0100","external_id":"ada@example.com""#))[0]
        #expect(outcome.rejects == ["no_identifier"])
        #expect(outcome.dropped == ["phone phone_not_e164", "external_id personal_data"])
    }

    @Test func `an offline conversion needs a click id, or a hash where the goals take one`() {
        let plain = DestinationSettings.offline { $0.enhancedConversions = false }
        for user in [#""email":"ada@example.com""#, #""phone":"+14255550100""#] {
            #expect(rejects(event(user: user), .offline()) == nil)
            #expect(rejects(event(user: user), plain) == ["no_identifier"])
        }
        #expect(rejects(event(user: #""msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab""#), plain) == nil)
        #expect(rejects(event(user: #""external_id":"x","anonymous_id":"y""#), .offline()) == ["no_identifier"])
    }

    @Test func `a page load needs a URL`() {
        #expect(rejects(event(#""PageView""#)) == ["url_missing"])
        #expect(
            rejects(event(#""PageView""#, user: #""external_id":"x""#, properties: nil, #""url":"shop""#)) == [
                "url_invalid"
            ])
        #expect(rejects(event(#""PageView""#, properties: nil, #""url":"https://shop.example/""#)) == nil)
        #expect(rejects(event(#""Purchase""#, properties: nil, #""url":"shop""#)) == nil)
    }

    @Test func `everything that is wrong with an event is said at once`() {
        #expect(
            rejects(event(#""PageView""#, time: "1000", user: nil)) == ["too_old", "no_identifier", "url_missing"])
        #expect(
            rejects(event(#""PageView""#, time: #""x""#, user: nil, properties: nil, #""url":"x y""#))
                == ["timestamp_not_a_number", "no_identifier", "url_invalid"])
        #expect(rejects(event(nil, time: nil, user: nil)) == ["event_missing", "timestamp_missing", "no_identifier"])
        #expect(rejects(event("[]", time: "1", user: nil)) == ["event_invalid", "too_old", "no_identifier"])
        #expect(
            rejects(event(time: "1786000000000", user: nil), .offline())
                == ["timestamp_in_milliseconds", "no_identifier"])
        #expect(rejects(event(time: "9999999999", user: nil)) == ["in_the_future", "no_identifier"])
    }

    @Test func `every reason is counted, the event once`() {
        let shop = Shop(.capi())
        let books = shop.publish(event(nil, time: nil, user: nil))[0].books
        #expect(books.rejected == 1 && books.consumed == 1)
        for reason in [RejectReason.eventMissing, .timestampMissing, .noIdentifier] {
            #expect(books.rejectedByReason[Int(reason.rawValue)] == 1)
        }
        #expect(books.rejectedByReason.reduce(0, +) == 3)
    }

    @Test func `the reasons are stable words`() {
        #expect(
            RejectReason.allCases.map { "\($0.name)" } == [
                "malformed_json", "not_an_object", "invalid_utf8", "too_deep", "event_too_large", "event_missing",
                "event_invalid", "timestamp_missing", "timestamp_not_a_number", "timestamp_in_milliseconds",
                "in_the_future", "too_old", "no_identifier", "url_missing", "url_invalid",
                "transaction_id_missing", "refund_value_missing",
            ])
        #expect(
            SkipReason.allCases.map { "\($0.name)" } == [
                "tombstone", "unmapped_event", "not_matched", "consent_denied", "consent_missing", "before_start",
                "already_stored", "shadow", "not_an_event", "duplicate_transaction", "no_sspdata",
            ])
        #expect(
            DropReason.allCases.map { "\($0.name)" } == [
                "wrong_type", "invalid", "personal_data", "personal_data_cut", "phone_not_e164",
                "email_not_normalizable", "out_of_range", "not_on_page_load", "rounded", "incomplete",
                "not_alphanumeric", "too_long",
            ])
    }

    @Test func `every field has a name of its own`() {
        for field in EventField.allCases { #expect(EventField(name: "\(field.name)") == field) }
        #expect(EventField(name: "nothing") == nil)
        #expect(EventField.allCases.count <= 64)
    }

    @Test func `the fields of a hotel follow each other`() {
        #expect(EventField.hotelFields.reduce(0) { $0 | $1.bit } == EventField.hotelBits)
    }

    @Test func `fields and the parts of a call have a bit each`() {
        let fields = EventField.allCases.map(\.bit)
        #expect(Set(fields).count == fields.count && !fields.contains(0))
        // What stands inside of items is counted where it is left out, but is found in its item.
        let placed = EventField.allCases.filter { !"\($0.name)".hasPrefix("items.") }.map(\.bit)
        let bits = placed + SegmentPart.allCases.map(\.bit)
        #expect(Set(bits).count == bits.count && !bits.contains(0))
    }
}
