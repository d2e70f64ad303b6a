import Testing

@testable import ForwarderCore

/// What is typed, and what is sent for it.
struct PixelDraftTests {
    static func draft(_ given: [(String, [String])], isNew: Bool = false) throws -> PixelDraft {
        try PixelDraft(given.map { (name: $0.0, values: $0.1) }, isNew: isNew)
    }

    static func draft(_ given: (String, String)..., isNew: Bool = false) throws -> PixelDraft {
        try draft(given.map { ($0.0, [$0.1]) }, isNew: isNew)
    }

    private static func problems(_ given: (String, [String])..., isNew: Bool = false) -> [String] {
        do {
            _ = try draft(given, isNew: isNew)
            return []
        } catch let error as PixelProblems {
            return error.lines
        } catch {
            return ["\(error)"]
        }
    }

    private static func body(_ draft: PixelDraft) -> String { String(decoding: draft.json, as: UTF8.self) }

    @Test func `a new pixel is as Monetize's page would make it`() throws {
        let draft = try Self.draft(("--name", "Thank you"), isNew: true)
        #expect(
            Self.body(draft)
                == #"{"pixel":{"name":"Thank you","trigger_type":"hybrid","post_click_expire_mins":20160,"#
                + #""post_view_expire_mins":1440}}"#)
    }

    @Test func `every field goes out under the service's name`() throws {
        let draft = try Self.draft([
            ("--name", ["A \"b\""]), ("--code", ["c"]), ("--state", ["inactive"]), ("--attribution", ["view"]),
            ("--category", ["purchase"]), ("--post-click", ["90d"]), ("--post-view", ["30d"]), ("--count", ["all"]),
            ("--post-click-value", ["10"]), ("--post-view-value", ["2.50"]),
            ("--piggyback", ["js=https://a.example/1", "js=https://a.example/2"]),
        ])
        #expect(
            Self.body(draft)
                == #"{"pixel":{"name":"A \"b\"","code":"c","state":"inactive","trigger_type":"view","#
                + #""pixel_conversion_event_id":7,"post_click_expire_mins":129600,"post_view_expire_mins":43200,"#
                + #""min_minutes_per_conv":0,"post_click_value":10,"post_view_value":2.5,"piggyback_pixels":["#
                + #"{"pixel_type":"js","url":"https://a.example/1"},{"pixel_type":"js","url":"https://a.example/2"}]}}"#
        )
    }

    @Test func `a change holds what was said and nothing else, also that something is to be nothing`() throws {
        #expect(Self.body(try Self.draft(("--state", "active"))) == #"{"pixel":{"state":"active"}}"#)
        #expect(
            Self.body(
                try Self.draft(
                    ("--code", ""), ("--category", "none"), ("--post-click", "max"), ("--count", "one-per-user"),
                    ("--post-view-value", "null"), ("--piggyback", "none")))
                == #"{"pixel":{"code":null,"pixel_conversion_event_id":null,"post_click_expire_mins":null,"#
                + #""min_minutes_per_conv":null,"post_view_value":null,"piggyback_pixels":[]}}"#)
    }

    @Test(arguments: [
        ("--attribution", "hybrid", "--trigger-type", "hybrid"), ("--attribution", "click", "--trigger-type", "click"),
        ("--category", "Visit landing page", "--pixel-conversion-event-id", "2"),
        ("--category", "View an item", "--pixel-conversion-event-id", "3"),
        ("--category", "ItemView", "--pixel-conversion-event-id", "3"),
        ("--category", "Add to cart", "--pixel-conversion-event-id", "4"),
        ("--category", "initiate-checkout", "--pixel-conversion-event-id", "5"),
        ("--category", "AddPaymentInfo", "--pixel-conversion-event-id", "6"),
        ("--category", "purchase", "--pixel-conversion-event-id", "7"),
        ("--category", "Generate lead", "--pixel-conversion-event-id", "8"),
        ("--category", "none", "--pixel-conversion-event-id", "null"),
        ("--post-click", "14d", "--post-click-expire-mins", "20160"),
        ("--post-click", "max", "--post-click-expire-mins", "null"),
        ("--post-view", "36h", "--post-view-expire-mins", "2160"),
        ("--count", "every=2h", "--min-minutes-per-conv", "120"), ("--count", "all", "--min-minutes-per-conv", "0"),
        ("--count", "every=32767m", "--min-minutes-per-conv", "32767"),
        ("--count", "one-per-user", "--min-minutes-per-conv", "null"),
    ])
    func `the page's words and the service's say the same`(
        page: String, word: String, service: String, value: String
    ) throws {
        #expect(try Self.draft((page, word)) == Self.draft((service, value)))
        let both = Self.problems((page, [word]), (service, [value]))
        #expect(both == ["\(page) and \(service) are two words for one thing; give one of them"])
    }

    @Test(arguments: [
        ("--name", "  ", "is empty"), ("--name", "a\nb", "holds a line break"),
        ("--code", "a\u{1B}", "holds a line break or another control character"), ("--state", "paused", "is no state"),
        ("--attribution", "last", "is none of these"), ("--category", "shoes", "is no category"),
        ("--pixel-conversion-event-id", "1", "is out of bounds"),
        ("--pixel-conversion-event-id", "9", "is out of bounds"), ("--post-click", "91d", "is out of bounds"),
        ("--post-click", "129601m", "is out of bounds"), ("--post-click", "0m", "is out of bounds"),
        ("--post-click", "90s", "is not in whole minutes"), ("--post-click", "14", "is no time such as"),
        ("--post-click", "999999999999999999d", "is out of bounds"), ("--post-view", "31d", "is out of bounds"),
        ("--post-click-expire-mins", "129601", "is out of bounds"),
        ("--post-view-expire-mins", "43201", "is out of bounds"),
        ("--post-view-expire-mins", "-1", "is no whole number"), ("--count", "twice", "is none of these"),
        ("--count", "every=32768m", "is out of bounds"), ("--count", "every=0m", "is out of bounds"),
        ("--min-minutes-per-conv", "32768", "is out of bounds"),
        ("--min-minutes-per-conv", "99999999999999999999", "is out of bounds"),
        ("--post-click-value", "-1", "is no such number"), ("--post-click-value", "$10", "is no such number"),
        ("--post-click-value", "1e3", "is no such number"), ("--post-view-value", "1.", "is no such number"),
        ("--post-view-value", "1234567890123456", "is no such number"),
        ("--piggyback", "https://a.example", "says no kind of pixel"),
        ("--piggyback", "gif=https://a.example", "says no kind of pixel"),
        ("--piggyback", "img=ftp://a.example", "holds no http or https URL"),
        ("--piggyback", "img=https://a.example/ b", "holds what a URL cannot hold"),
    ])
    func `what the service cannot take is not sent to it`(option: String, value: String, reason: String) throws {
        let problems = Self.problems((option, [value]))
        #expect(problems.count == 1)
        let problem = try #require(problems.first)
        #expect(problem.hasPrefix("\(option): `") && problem.contains(reason) && problem.contains("; it takes "))
        #expect(!problem.utf8.contains(0x1B) && !problem.utf8.contains(0x0A))
    }

    @Test func `everything that is wrong is said at once`() {
        let problems = Self.problems(
            ("--state", ["paused"]), ("--post-click", ["91d"]), ("--trigger-type", ["x"]),
            ("--piggyback", ["js=https://a.example", "img=https://a.example"]), isNew: true)
        #expect(problems.count == 5)
        #expect(problems.first == "--name is missing; every pixel has one")
    }

    @Test func `a URL of 255 characters is taken, a longer one is not`() throws {
        func url(_ count: Int) -> String { "https://a.example/" + String(repeating: "x", count: count - 18) }
        #expect(try Self.draft(("--piggyback", "img=\(url(255))")).piggybacks?.count == 1)
        #expect(Self.problems(("--piggyback", ["img=\(url(256))"])).first?.contains("has 256 characters") == true)
    }

    @Test func `piggyback pixels are of one kind, and an image takes one`() {
        let image = "img=https://a.example/1"
        let script = "js=https://a.example/1"
        #expect(Self.problems(("--piggyback", [script, script, script])).isEmpty)
        #expect(Self.problems(("--piggyback", [image])).isEmpty)
        #expect(Self.problems(("--piggyback", [image, image])).first?.contains("takes one piggyback pixel") == true)
        #expect(Self.problems(("--piggyback", [image, script])).first?.contains("do not go together") == true)
        #expect(Self.problems(("--piggyback", ["none", script])) == ["--piggyback: none goes with no other"])
    }
}
