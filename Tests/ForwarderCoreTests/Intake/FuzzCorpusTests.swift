import Testing

@testable import ForwarderCore

/// What the fuzzer starts from, and what it once found: Tests/Fixtures/fuzz.
@Suite struct FuzzCorpusTests {
    static let files = Files.list(Files.fixtures("fuzz"))

    @Test func `there is a corpus`() {
        #expect(FuzzCorpusTests.files.count > 20)
    }

    @Test(arguments: files)
    func `a record of the corpus is read as by a slow reader, settled once, and kept as it is sent`(_ name: String)
        throws
    {
        let record = try #require(Files.read(Files.fixtures("fuzz/\(name)")))
        #expect(JSONValue(parsing: record) == SlowJSON.parse(record))
        for preset in InputSettings.Preset.allCases {
            let shop = FuzzCorpusTests.shop(preset)
            for (index, outcome) in shop.publish(record).enumerated() {
                #expect(outcome.books.consumed == 1)
                #expect(outcome.books.owed + outcome.books.skippedTotal + outcome.books.rejected == 1)
                #expect((outcome.disposition == .owed) == (outcome.content != nil))
                guard outcome.disposition == .owed else { continue }
                let repair = FuzzCorpusTests.shop(.storefront)
                #expect(repair.publish(shop.neutral(record, for: index))[index].content == outcome.content)
            }
        }
    }

    private static func shop(_ preset: InputSettings.Preset) -> Shop {
        var input = InputSettings()
        input.preset = preset
        return Shop(
            .capi({ $0.pageValue = true }) { $0.unmapped = .forward },
            .offline(goals: [.external, .init(event: "Lead", name: "Lead")]), input: input)
    }
}
