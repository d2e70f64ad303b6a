import Testing

@testable import ForwarderCore

/// What is asked of somebody at a terminal.
struct PixelDialogTests {
    /// Types lines, and returns what was asked and what came of it.
    private static func type(
        _ lines: [String?], advertiser: PixelAdvertiser? = .id("2")
    ) -> (asked: [String], end: PixelDialog.Step) {
        var dialog = PixelDialog(advertiser: advertiser)
        var step = dialog.first
        var asked: [String] = []
        var rest = lines[...]
        while case .ask(let prompt) = step {
            asked.append(prompt)
            guard let line = rest.popFirst() else { break }
            step = dialog.answered(line)
        }
        return (asked, step)
    }

    @Test func `it asks in the order of the page, and Enter takes the page's defaults`() throws {
        let (asked, end) = Self.type(["Thank you", "", "", "", "", "", "", "yes"])
        let beginnings = [
            "Name: ", "Attribution: ", "Event category: ", "Post-view interval, ", "Post-click interval, ",
            "Count conversions: ", "Piggyback pixel: ",
        ]
        for (prompt, beginning) in zip(asked, beginnings) { #expect(prompt.hasPrefix(beginning)) }
        #expect(
            asked.last == """
                  advertiser: 2
                  name: Thank you
                  attribution: hybrid
                  category: none
                  post-click: 14d
                  post-view: 1d
                  count: one per user
                Create this pixel? yes or no [no]: 
                """)
        #expect(end == .create(try PixelDraftTests.draft(("--name", "Thank you"), isNew: true), for: .id("2")))
    }

    @Test func `a wrong answer is explained and asked again`() throws {
        let (asked, end) = Self.type(
            [
                "shop", " 7 ", "", "Lead", "last", "view", "shoes", "Generate lead", "31d", "30d", "1y", "90d",
                "twice", "every=2h", "gif=x", "js=https://a.example/1", "img=https://a.example/2",
                "js=https://a.example/2", "", "perhaps", "YES",
            ], advertiser: nil)
        let explained = asked.compactMap { $0.contains("; it takes ") ? $0.split(separator: "`")[0] : nil }
        #expect(explained.count == 7)
        #expect(asked[1] == "`shop` is no id; write its digits\nAdvertiser (its id): ")
        #expect(asked[17].hasPrefix("--piggyback: image and script pixels do not go together"))
        #expect(asked[20].hasPrefix("`perhaps` is neither yes nor no\n  advertiser: 7\n"))
        let draft = try PixelDraftTests.draft(
            [
                ("--name", ["Lead"]), ("--attribution", ["view"]), ("--category", ["generate-lead"]),
                ("--post-view", ["30d"]), ("--post-click", ["90d"]), ("--count", ["every=2h"]),
                ("--piggyback", ["js=https://a.example/1", "js=https://a.example/2"]),
            ], isNew: true)
        #expect(end == .create(draft, for: .id("7")))
    }

    @Test func `after an image no other piggyback pixel is asked for`() {
        let (asked, _) = Self.type(["a", "", "", "", "", "", "img=https://a.example/1"])
        #expect(asked.last?.hasSuffix("Create this pixel? yes or no [no]: ") == true)
    }

    @Test func `whatever ends the input, nothing is created`() {
        let answers = ["a", "", "", "", "", "", ""]
        for count in 0...answers.count {
            var lines: [String?] = answers.prefix(count).map(Optional.some)
            lines.append(nil)
            #expect(Self.type(lines).end == .abandoned("the input has ended"))
        }
        for answer in ["", "no", "n", "N"] {
            #expect(Self.type(answers + [answer]).end == .abandoned("it was not confirmed"))
        }
    }
}
