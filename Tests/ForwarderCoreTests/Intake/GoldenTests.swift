import Glibc
import Testing

@testable import ForwarderCore

/// One folder a case: the event as a shop publishes it (Tests/Fixtures/golden) or as a call of Segment or RudderStack
/// (Tests/Fixtures/segment), what each destination is sent, and what is kept on disk. `UPDATE_GOLDEN=1 swift test --filter GoldenTests` writes them anew; the review is the difference.
@Suite struct GoldenTests {
    static let cases = Files.list(Files.fixtures("golden")).map { "golden/\($0)" }
    static let calls = Files.list(Files.fixtures("segment")).map { "segment/\($0)" }

    /// Settings that use every feature of the mapping.
    private static func shop(_ preset: InputSettings.Preset = .storefront) -> Shop {
        var input = InputSettings()
        input.preset = preset
        let goals: [OfflineSettings.Goal] = [
            .external, .init(event: "Lead", name: "Lead Form Submit"), .init(event: "SignUp", name: "Registration"),
        ]
        var purchase = InvestPixelSettings.Mapping(event: "Purchase", pixelID: 37)
        purchase.other = .label
        let pixels = DestinationSettings.pixels([purchase, .init(event: "Lead", pixelID: 38)])
        return Shop(
            .capi({ $0.pageValue = true }) {
                $0.unmapped = .forward
                $0.consent.denied = .send
            }, .offline(goals: goals), pixels, input: input)
    }

    @Test func `there is a case for each of the storefront's events`() {
        let names = Set(
            GoldenTests.cases.compactMap { name in
                Files.read(Files.fixtures("\(name)/event.json")).flatMap {
                    value("event", in: String(decoding: $0, as: UTF8.self))
                }
            })
        #expect(names.isSuperset(of: EventRoutes.defaultNames.map(\.event)))
    }

    @Test func `there is a call that becomes each of the storefront's events`() throws {
        let names = try GoldenTests.calls.map { name in
            let record = try #require(Files.read(Files.fixtures("\(name)/event.json")))
            let neutral = GoldenTests.shop(.segment).neutral(record, for: 0) ?? []
            return value("event", in: String(decoding: neutral, as: UTF8.self)) ?? ""
        }
        #expect(Set(names).isSuperset(of: EventRoutes.defaultNames.map(\.event)))
    }

    @Test(arguments: cases + calls)
    func `an event becomes what was agreed`(_ name: String) throws {
        let record = try #require(Files.read(Files.fixtures("\(name)/event.json")))
        let shop = GoldenTests.shop(name.hasPrefix("segment/") ? .segment : .storefront)
        let outcomes = shop.publish(record)
        try compare(name, "capi.json", GoldenTests.form(outcomes[0]))
        try compare(name, "offline.json", GoldenTests.form(outcomes[1]))
        // Few events are of an auction.
        if outcomes[2].disposition == .owed { try compare(name, "invest.json", GoldenTests.form(outcomes[2])) }
        let neutral = try #require(shop.neutral(record, for: 0))
        try compare(name, "neutral.json", try #require(JSONValue(parsing: neutral)))

        // Read again from what is kept, it is the same to the byte.
        for (index, outcome) in outcomes.enumerated() where outcome.disposition == .owed {
            let again = GoldenTests.shop().publish(shop.neutral(record, for: index))[index]
            #expect(again.content == outcome.content)
        }
    }

    /// The entries of the request, or why there are none, and what was left out.
    private static func form(_ outcome: Shop.Outcome) throws -> JSONValue {
        let list: JSONValue
        switch outcome.disposition {
        case .owed: list = try #require(JSONValue(parsing: Array("[\(outcome.content ?? "")]".utf8)))
        case .skipped(let reason): list = .string("skipped: \(reason.name)")
        case .rejected(let reasons): list = .string("rejected: " + reasons.names.joined(separator: ", "))
        }
        guard !outcome.dropped.isEmpty else { return list }
        return .object([
            .init(name: "sent", value: list),
            .init(name: "left out", value: .array(outcome.dropped.map { .string($0) })),
        ])
    }

    private func compare(_ name: String, _ file: String, _ value: JSONValue) throws {
        let path = Files.fixtures("\(name)/\(file)")
        let text = Array((value.pretty() + "\n").utf8)
        if getenv("UPDATE_GOLDEN") != nil {
            try #require(Files.write(text, to: path), "cannot write \(path)")
        } else {
            let expected = Files.read(path).map { String(decoding: $0, as: UTF8.self) }
            #expect(
                expected == String(decoding: text, as: UTF8.self),
                "\(name)/\(file); UPDATE_GOLDEN=1 accepts what is sent now")
        }
    }
}
