import Testing

@testable import ForwarderCore

struct LogfmtTests {
    private static let time = Timestamp(milliseconds: 1_786_000_000_123)

    private static func line(_ fields: [LogField]) -> String {
        let line = LogLine(time: time, level: .warning, event: "x.y", fields: fields)
        return String(decoding: line.bytes(.logfmt), as: UTF8.self)
    }

    @Test func `a line begins like every other, and plain values stand as they are`() {
        #expect(
            Self.line([.text("a", "b/c:d.e-f"), .number("n", -3), .flag("f", true), .milliseconds("t_ms", .seconds(2))])
                == "ts=2026-08-06T07:06:40.123Z level=warning event=x.y a=b/c:d.e-f n=-3 f=true t_ms=2000")
    }

    @Test func `what a reader could take for something else is quoted`() {
        let cases = [
            ("", #""""#), ("a b", #""a b""#), ("a=b", #""a=b""#), (#"say "hi""#, #""say \"hi\"""#),
            (#"C:\x"#, #""C:\\x""#), ("two\nlines", #""two\nlines""#), ("tab\there", #""tab\there""#),
            ("\u{0}\u{1B}[31m", #""\u0000\u001b[31m""#), ("é", #""é""#), ("\u{2028}", "\"\u{2028}\""),
            ("level=error event=forged", #""level=error event=forged""#),
        ]
        for (value, written) in cases {
            #expect(Self.line([.text("v", value)]).hasSuffix(" v=\(written)"), "\(value.debugDescription)")
        }
    }

    @Test func `lists and objects are JSON, as one value`() {
        let partition = PartitionReport(topic: "t", partition: 3, offset: nil)
        let line = Self.line([
            .list("reasons", ["a,b", "c"]), LogField("partitions", .partitions([partition])),
            LogField("configuration", .object(Array(#"{"a":[1]}"#.utf8))), .list("none", []),
        ])
        #expect(
            line.hasSuffix(
                #" reasons="[\"a,b\",\"c\"]" partitions="[{\"topic\":\"t\",\"partition\":3}]""#
                    + #" configuration="{\"a\":[1]}" none=[]"#))
    }

    @Test(arguments: 0..<200) func `whatever the value, the line is one, and it reads back`(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let pieces = [
            "a", " ", "=", "\"", "\\", "\n", "\r", "\t", "\u{0}", "\u{7F}", "é", "🛒", "\u{85}", "n", "{", "'", "\\n",
        ]
        let values = (0..<5).map { _ in
            (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        }
        let line = Self.line(values.enumerated().map { .text("v\($0)", $1) })
        #expect(!line.utf8.contains(UInt8(ascii: "\n")))
        let read = try #require(Self.read(line), "seed \(seed): \(line)")
        #expect(read.dropFirst(3).map(\.value) == values, "seed \(seed): \(line)")
        #expect(read.map(\.name) == ["ts", "level", "event", "v0", "v1", "v2", "v3", "v4"])
    }

    @Test func `the metrics line has the paths of the JSON line`() throws {
        let metrics = Metrics.sample(destinations: ["capi", "shop-eu_2"])
        let read = try #require(Self.read(String(decoding: metrics.logfmt(at: Self.time), as: UTF8.self)))
        let values = Dictionary(uniqueKeysWithValues: read.map { ($0.name, $0.value) })
        let root = try JSONDocument(metrics.json(at: Self.time)).root
        #expect(values["lag"] == "12345" && root["lag"]?.integer == 12345)
        #expect(values["destinations.capi.gate.open"] == "1")
        #expect(values["destinations.capi.gate.closed"] == nil)
        var count = 0
        func leaves(_ element: JSONElement, _ path: String) {
            for (name, value) in element.members ?? [] {
                let path = path.isEmpty ? name : "\(path).\(name)"
                if value.kind == .object {
                    leaves(value, path)
                } else {
                    count += 1
                    #expect(values[path] == value.string ?? value.rawText, "\(path)")
                }
            }
        }
        leaves(root, "")
        #expect(count == read.count)
    }

    /// Reads as the format's readers do: a name, `=`, and a value up to the next space, or in quotes with escapes of JSON.
    private static func read(_ line: String) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        var rest = Array(line.unicodeScalars)[...]
        while !rest.isEmpty {
            let name = rest.prefix { $0 != "=" }
            guard !name.isEmpty, name.count < rest.count else { return nil }
            rest = rest.dropFirst(name.count + 1)
            var value = rest.prefix { $0 != " " }
            if rest.first == "\"" {
                var end = rest.startIndex + 1
                while end < rest.endIndex, rest[end] != "\"" { end += rest[end] == "\\" ? 2 : 1 }
                guard end < rest.endIndex else { return nil }
                value = rest[...end]
            }
            rest = rest.dropFirst(value.count)
            guard rest.isEmpty || rest.first == " " else { return nil }
            rest = rest.dropFirst()
            pairs.append((text(name), value.first == "\"" ? unquoted(text(value)) : text(value)))
        }
        return pairs
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    private static func unquoted(_ json: String) -> String {
        (try? JSONDocument(Array("[\(json)]".utf8)))?.root.elements?.first?.string ?? "?"
    }
}
