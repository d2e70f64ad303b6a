import Testing

@testable import ForwarderCore

/// What is asked, letter by letter.
struct PixelCallTests {
    private static func query(
        _ ids: [String] = [], _ advertiser: PixelAdvertiser? = nil, filters: [String] = [], sort: String? = nil
    ) throws -> PixelQuery {
        try PixelQuery(ids: ids, advertiser: advertiser, filters: filters, sort: sort)
    }

    @Test func `each call has the service's method and address`() throws {
        let draft = try PixelDraftTests.draft(("--state", "active"))
        let calls: [(PixelCall, String)] = [
            (.list(PixelQuery(), start: 0, size: 100), "GET /pixel?start_element=0&num_elements=100"),
            (
                .list(try Self.query(["123", "456"]), start: 0, size: 100),
                "GET /pixel?id=123,456&start_element=0&num_elements=100"
            ),
            (
                .list(
                    try Self.query([], .id("2"), filters: ["min_last_modified=2026-01-01 00:00:00", "name=a,b&c"]),
                    start: 100, size: 50),
                "GET /pixel?advertiser_id=2&min_last_modified=2026-01-01%2000%3A00%3A00&name=a%2Cb%26c"
                    + "&start_element=100&num_elements=50"
            ),
            (
                .list(try Self.query([], .code("a b"), sort: "name"), start: 0, size: 1),
                "GET /pixel?advertiser_code=a%20b&sort=name.asc&start_element=0&num_elements=1"
            ),
            (.one(.id("17", advertiserID: nil)), "GET /pixel?id=17"),
            (.one(.id("17", advertiserID: "2")), "GET /pixel?advertiser_id=2&id=17"),
            (.one(.code("p/1", advertiserCode: "a")), "GET /pixel?advertiser_code=a&code=p%2F1"),
            (.meta, "GET /pixel/meta"), (.create(draft, for: .id("2")), "POST /pixel?advertiser_id=2"),
            (.create(draft, for: .code("a")), "POST /pixel?advertiser_code=a"),
            (
                .change(draft, of: "17", advertiserID: "2", appends: false),
                "PUT /pixel?advertiser_id=2&id=17"
            ),
            (
                .change(draft, of: "17", advertiserID: "2", appends: true),
                "PUT /pixel?advertiser_id=2&id=17&append=true"
            ),
            (.delete("17", advertiserID: "2"), "DELETE /pixel?advertiser_id=2&id=17"),
        ]
        for (call, expected) in calls {
            #expect("\(call.method.rawValue) \(call.target)" == expected)
            #expect(call.isRepeatable == expected.hasPrefix("GET"))
            let hasBody = expected.hasPrefix("P")
            #expect(String(decoding: call.body, as: UTF8.self) == (hasBody ? #"{"pixel":{"state":"active"}}"# : ""))
        }
    }

    @Test func `everything that is wrong with a query is said at once`() {
        #expect(
            throws: PixelProblems([
                "`17x` is no id of a pixel",
                "--filter: `name` is not FIELD=VALUE; `conversion-forwarder pixels meta` lists the fields",
                "--filter: num_elements is no filter; give ids as they are, or an option of its own",
                "--sort: `name.up` is not FIELD, FIELD.asc or FIELD.desc",
            ])
        ) {
            try Self.query(["17x"], filters: ["name", "num_elements=1"], sort: "name.up")
        }
        #expect(throws: PixelProblems.self) { try Self.query((0...100).map { "\($0)" }) }
    }

    // MARK: Lists

    private static func page(_ ids: Range<Int>, count: Int?) throws -> JSONElement {
        let list = ids.map { #"{"id":\#($0)}"# }.joined(separator: ",")
        return try JSONDocument(#"{"status":"OK","pixels":[\#(list)]\#(count.map { #","count":\#($0)"# } ?? "")}"#).root
    }

    /// Plays a service with so many pixels.
    private static func list(_ total: Int, limit: Int, tellsCount: Bool = true) throws -> (PixelListing, [[Int]]) {
        var listing = PixelListing(PixelQuery(), limit: limit)
        var call: PixelCall? = listing.firstCall
        var asked: [[Int]] = []
        while case .list(_, let start, let size) = call {
            asked.append([start, size])
            try #require(asked.count < 200)
            call = listing.answered(
                try page(start..<max(start, min(start + size, total)), count: tellsCount ? total : nil))
        }
        return (listing, asked)
    }

    @Test(arguments: [true, false])
    func `a list is read page by page to its end`(tellsCount: Bool) throws {
        let (listing, asked) = try Self.list(250, limit: 1000, tellsCount: tellsCount)
        #expect(listing.pixels.map(\.id) == (0..<250).map { "\($0)" })
        #expect(asked == [[0, 100], [100, 100], [200, 100]] && !listing.isCut)
        #expect(try Self.list(0, limit: 1000, tellsCount: tellsCount).1.count == 1)
    }

    @Test(arguments: [true, false])
    func `a list is cut where it was asked to be, and says so`(tellsCount: Bool) throws {
        let (listing, asked) = try Self.list(250, limit: 120, tellsCount: tellsCount)
        #expect(listing.pixels.count == 120 && listing.isCut && listing.count == (tellsCount ? 250 : nil))
        #expect(asked == [[0, 100], [100, 20]])
        #expect(try !Self.list(120, limit: 120).0.isCut)
    }

    @Test func `a service that sends the same page for ever is asked twice`() throws {
        var listing = PixelListing(PixelQuery(), limit: 10_000)
        #expect(listing.answered(try Self.page(0..<100, count: 500)) != nil)
        #expect(listing.answered(try Self.page(0..<100, count: 500)) == nil)
        #expect(listing.pixels.count == 100)
    }

    @Test func `a service that sends more than a page loses nothing, and nothing goes unsaid`() throws {
        var listing = PixelListing(PixelQuery(), limit: 200)
        #expect(listing.answered(try Self.page(0..<150, count: 150)) == nil)
        #expect(listing.pixels.count == 150 && !listing.isCut)
        listing = PixelListing(PixelQuery(), limit: 120)
        #expect(listing.answered(try Self.page(0..<150, count: 150)) == nil)
        #expect(listing.pixels.count == 120 && listing.isCut)
    }

    @Test func `ids that are not there are named`() throws {
        var listing = PixelListing(try Self.query(["1", "7", "2"]), limit: 1000)
        #expect(listing.answered(try Self.page(1..<3, count: 2)) == nil)
        #expect(listing.missing == ["7"])
    }

    // MARK: Export

    @Test func `the exported address ends with sspdata`() throws {
        let export = try PixelExport(id: "17")
        #expect(
            export.url == "https://sspx-router.adnxs.com/sspx?id=17&order_id=[ORDER_ID]&value=[VALUE]&other=[OTHER]"
                + "&sspdata=[SSPDATA]")
        #expect(
            try PixelExport(id: "17", host: "secure.adnxs.com").url.hasPrefix("https://secure.adnxs.com/sspx?id=17&"))
        for (id, host) in [("17", "a b"), ("17", "a/b"), ("17", ""), ("x", "a.example"), ("", "a.example")] {
            #expect(throws: PixelExport.Unusable.self, "\(id) \(host)") { try PixelExport(id: id, host: host) }
        }
    }
}
