import FakeMicrosoft
import ForwarderCore
import Testing

/// Server-side conversion pixels of Invest.
@Suite struct PixelContractTests {
    private static let now = Timestamp(seconds: 1_786_000_000)
    private var model: MicrosoftModel
    private var rng = Chance()

    private struct Chance: RandomNumberGenerator {
        var state: UInt64 = 7
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    init() {
        var settings = MicrosoftSettings()
        settings.invest.add(FakePixel(id: 37, advertiserID: 2, name: "Purchases"))
        model = MicrosoftModel(settings)
    }

    private mutating func ask(_ path: String, _ query: String, now: Timestamp = PixelContractTests.now) -> FakeReply {
        var request = FakeRequest(method: "GET", path: path)
        request.query = query
        return model.handle(request, now: now, using: &rng)
    }

    /// Calls the pixel and goes where it is sent on to.
    private mutating func fire(_ query: String, now: Timestamp = PixelContractTests.now) -> FakeReply {
        let first = ask("/sspx", query, now: now)
        guard let location = first.headers["Location"], let mark = location.firstIndex(of: "?") else { return first }
        return ask(String(location[..<mark]), String(location[location.index(after: mark)...]), now: now)
    }

    private mutating func change(_ body: (inout FakePixel) -> Void) {
        model.change { settings in
            guard var pixel = settings.invest.pixels[37] else { return }
            body(&pixel)
            settings.invest.add(pixel)
        }
    }

    private func token(_ kind: AuctionToken.Kind = .click, user: UInt64 = 1, minutesAgo: Int = 1) -> String {
        AuctionToken(kind, user: user, at: PixelContractTests.now - .seconds(60 * minutesAgo)).text
    }

    private var books: DestinationBooks? { model.books(of: .pixel(id: 37)) }
    private var counts: PixelCounts { model.pixelCounts[37] ?? PixelCounts() }

    @Test mutating func `a call is sent on, and counted only once that is followed`() {
        let query = "id=37&order_id=991&value=79.99&sspdata=\(token())"
        let first = ask("/sspx", query)
        #expect(first.status == 302 && first.headers["Location"]?.hasSuffix(query) == true)
        #expect(books?.accepted == 0 && counts.attributed == 0)
        #expect(fire(query).status == 200)
        #expect(books?.accepted == 1 && counts.attributed == 1 && books?.judgedInvalid == 0)
    }

    @Test(arguments: [
        ("id=37&sspdata=a.&value=1", "sspdata_not_last"), ("id=37", "sspdata_missing"),
        ("id=37&sspdata=", "sspdata_missing"),
        ("id=37&sspdata=a", "sspdata_without_period"), ("id=9&sspdata=a.", "unknown_pixel"),
        ("sspdata=a.", "unknown_pixel"),
        ("id=37&order_id=a-1&sspdata=a.", "not_alphanumeric"), ("id=37&value=$10&sspdata=a.", "not_encoded"),
        ("id=37&value=-1&sspdata=a.", "not_numeric"), ("id=37&value=1e3&sspdata=a.", "not_numeric"),
        ("id=37&other=aaaaaaaaaaaaaaaaaaaaa&sspdata=a.", "too_long"), ("id=37&seg=1&sspdata=a.", "unknown_parameter"),
        ("id=37&id=37&sspdata=a.", "parameter_twice"),
    ])
    mutating func `a call against the contract is evidence`(query: String, reason: String) {
        _ = fire(query)
        let findings = (books?.findings ?? []) + model.strayBooks.findings
        #expect(findings.contains { $0.reason == reason }, "\(findings)")
    }

    @Test mutating func `the windows are measured from the auction, 0 and null are the longest`() {
        change {
            $0.trigger = .hybrid
            $0.minMinutesPerConversion = 0
            $0.postClickMinutes = 20_160
            $0.postViewMinutes = 1440
        }
        _ = fire("id=37&sspdata=\(token(.click, minutesAgo: 20_160))")
        _ = fire("id=37&sspdata=\(token(.view, minutesAgo: 1440))")
        #expect(counts.attributed == 2)
        _ = fire("id=37&sspdata=\(token(.click, minutesAgo: 20_161))")
        _ = fire("id=37&sspdata=\(token(.view, minutesAgo: 1441))")
        #expect(counts.attributed == 2 && counts.unattributed[.outsideWindow] == 2)
        change {
            $0.postClickMinutes = nil
            $0.postViewMinutes = 0
        }
        _ = fire("id=37&sspdata=\(token(.click, user: 2, minutesAgo: 129_600))")
        _ = fire("id=37&sspdata=\(token(.view, user: 2, minutesAgo: 43_200))")
        #expect(counts.attributed == 4)
    }

    @Test mutating func `a click's pixel counts no view, and an inactive one nothing`() {
        _ = fire("id=37&sspdata=\(token(.view))")
        #expect(counts.unattributed[.otherTrigger] == 1)
        change { $0.isActive = false }
        _ = fire("id=37&sspdata=\(token())")
        #expect(counts.unattributed[.inactivePixel] == 1)
        _ = fire("id=37&sspdata=nym1CJjYiJ3o.")
        #expect(counts.unattributed[.unknownToken] == 1)
    }

    @Test(arguments: [(Int?.none, 1), (0, 3), (120, 2)])
    mutating func `repeats count as the pixel says`(minutes: Int?, counted: Int) {
        change { $0.minMinutesPerConversion = minutes }
        for pause in [0, 60, 120] {
            _ = fire("id=37&sspdata=\(token())", now: PixelContractTests.now + .seconds(60 * pause))
        }
        #expect(counts.attributed == counted)
        // To the books a repeat is a repeat, whatever it counts as.
        #expect(books?.accepted == 1 && books?.duplicates == 2)
    }

    @Test mutating func `a lost answer is one of a call that was counted`() {
        model.follow(FaultPlan([.init(.answerLost, targets: .pixels)]), from: PixelContractTests.now)
        #expect(ask("/sspx/count", "id=37&sspdata=\(token())").conduct == .dropped)
        #expect(counts.attributed == 1)
        model.follow(FaultPlan([.init(.drop, targets: .pixels)]), from: PixelContractTests.now)
        #expect(ask("/sspx/count", "id=37&sspdata=\(token(user: 2))").conduct == .dropped)
        #expect(counts.attributed == 1)
    }
}
