import Testing

@testable import ForwarderCore

/// What the service writes, and what people see of it.
struct ConversionPixelTests {
    static func element(_ text: String) throws -> JSONElement { try JSONDocument(text).root }

    static func pixel(_ members: String) throws -> ConversionPixel {
        try #require(ConversionPixel(element("{\(members)}")))
    }

    private static let sample =
        #""id":"1017110","advertiser_id":57992,"campaigns":[{"id":"17607"}],"code":null,"name":"Confirmation\u001b[2J","#
        + #""line_items":[{"id":382,"name":"Line Item","state":"active"}],"min_minutes_per_conv":"0","#
        + #""piggyback_pixels":[{"url":"https://a.example","pixel_type":"img"},{"url":"x","pixel_type":"gif"}],"#
        + #""pixel_conversion_event_id":3,"post_click_expire_mins":20160,"post_click_value":10,"#
        + #""post_view_expire_mins":0,"post_view_value":"1.5","state":"active","trigger_type":"hybrid","#
        + #""created_on":"2018-07-25 18:39:30","last_modified":"2018-07-27 20:55:31""#

    @Test func `ids and numbers are read as numbers and as texts`() throws {
        let pixel = try Self.pixel(Self.sample)
        #expect(pixel.id == "1017110" && pixel.advertiserID == "57992" && pixel.campaigns == ["17607"])
        #expect(pixel.lineItems == [.init(id: "382", name: "Line Item", state: "active")])
        #expect(pixel.values[.repeatMinutes] == .integer(0) && pixel.values[.postViewValue] == .number(1.5))
        #expect(pixel.piggybacks == [PiggybackPixel(.image, url: "https://a.example")])
    }

    @Test func `what is shown has no control characters, and every member is there`() throws {
        var json = JSONWriter()
        try Self.pixel(Self.sample).write(to: &json)
        #expect(
            json.text
                == #"{"id":"1017110","advertiser_id":"57992","name":"Confirmation�[2J","code":null,"state":"active","#
                + #""trigger_type":"hybrid","pixel_conversion_event_id":3,"post_click_expire_mins":20160,"#
                + #""post_view_expire_mins":0,"min_minutes_per_conv":0,"post_click_value":10,"post_view_value":1.5,"#
                + #""piggyback_pixels":[{"pixel_type":"img","url":"https://a.example"}],"#
                + #""line_items":[{"id":"382","name":"Line Item","state":"active"}],"campaigns":["17607"],"#
                + #""created_on":"2018-07-25 18:39:30","last_modified":"2018-07-27 20:55:31"}"#)
        var empty = JSONWriter()
        try Self.pixel(#""id":5"#).write(to: &empty)
        let members = { (text: String) in try Self.element(text).members?.map(\.name) }
        #expect(try members(empty.text) == members(json.text))
    }

    @Test func `an answer holds one pixel, or a list, or a list of one`() throws {
        for text in [
            #"{"pixel":{"id":5}}"#, #"{"pixels":[{"id":"5"}]}"#, #"{"pixel":[{"id":5}]}"#,
            #"{"pixels":[{"id":5},{"name":"no id"},7]}"#,
        ] {
            #expect(try Self.element(text).pixels.map(\.id) == ["5"], "\(text)")
        }
        for text in ["{}", #"{"pixels":null}"#, #"{"pixel":7}"#, "[]", #"{"pixel":{"id":"five"}}"#] {
            #expect(try Self.element(text).pixels.isEmpty, "\(text)")
        }
        #expect(try Self.element(#"{"id":17}"#).pixelID == "17")
        #expect(try Self.element(#"{"id":"17"}"#).pixelID == "17")
        #expect(try Self.element(#"{"pixel":{"id":17}}"#).pixelID == "17")
        #expect(try Self.element(#"{"status":"OK"}"#).pixelID == nil)
    }

    @Test func `a change says what was and what will be, in words`() throws {
        let pixel = try Self.pixel(Self.sample)
        let draft = try PixelDraftTests.draft(
            ("--attribution", "hybrid"), ("--post-click", "max"), ("--post-view", "1d"), ("--count", "every=2h"),
            ("--category", "none"), ("--post-click-value", "10.0"), ("--piggyback", "img=https://b.example"))
        #expect(
            PixelChange.all(of: pixel, by: draft, appends: false).map(\.words) == [
                "category: view-item → none", "post-click: 14d → max (90d)", "post-view: max (30d) → 1d",
                "count: all → one per user every 2h",
                "piggyback: img=https://a.example → img=https://b.example",
            ])
        let added = PixelChange.all(of: pixel, by: draft, appends: true).last?.words
        #expect(added == "piggyback: img=https://a.example → img=https://a.example img=https://b.example")
    }

    @Test func `a value that the service has made another of is told`() throws {
        let old = try Self.pixel(Self.sample)
        let draft = try PixelDraftTests.draft(("--name", "New"), ("--post-click", "90d"))
        let changes = PixelChange.all(of: old, by: draft, appends: false)
        let result = try Self.pixel(#""id":1017110,"name":"New","post_click_expire_mins":43200"#)
        #expect(PixelChange.otherwise(changes, in: result).map(\.words) == ["post-click: 90d → 30d"])
    }
}
