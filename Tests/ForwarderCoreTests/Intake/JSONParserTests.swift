import Testing

@testable import ForwarderCore

@Suite struct JSONParserTests {
    private func fault(_ text: [UInt8]) -> JSONFault? {
        do throws(JSONFault) {
            _ = try JSONDocument(text)
            return nil
        } catch {
            return error
        }
    }

    private func fault(_ text: String) -> JSONFault? { fault(Array(text.utf8)) }

    @Test(arguments: [
        "{}", "[]", "null", "true", "false", "0", "-0", "1", "-1", "10", "0.5", "-0.0", "1e5", "1E5", "1e+5", "1e-5",
        "1.5e10", "123456789012345678901234567890", "1e400", #""""#, #""a""#, #""\"\\\/\b\f\n\r\t""#, #""\u0041""#,
        #""\u0000""#, #""\uD83D\uDE00""#, #""\uD83D""#, #""\uDE00""#, #""\uDE00\uD83D""#, #""\uD83Dx""#,
        #""\ud83d\u0041""#, "\"\u{7F}\"", "\"é日本😀\"", " \t\r\n[ 1 , 2 ] \n", #"{"a":1,"a":2}"#, #"{"":0}"#,
        "[[],{},[{}]]", "\u{FEFF}{}", "[1,[2,[3]]]", #"{"a":{"b":[null,true,false]}}"#,
    ])
    func `what RFC 8259 allows is read`(_ text: String) {
        #expect(fault(text) == nil)
        #expect(JSONValue(parsing: Array(text.utf8)) == SlowJSON.parse(Array(text.utf8)))
    }

    @Test(arguments: [
        ("", JSONFault.truncated), ("   ", .truncated), ("\u{FEFF}", .truncated), ("{", .truncated), ("[", .truncated),
        ("{\"a\"", .truncated), ("{\"a\":", .truncated), ("{\"a\":1", .truncated), ("{\"a\":1,", .truncated),
        ("[1", .truncated), ("[1,", .truncated), ("\"", .truncated), ("\"a", .truncated), ("\"\\", .truncated),
        ("\"\\u00", .truncated), ("tru", .truncated), ("-", .truncated), ("1.", .truncated), ("1e", .truncated),
        ("1e+", .truncated), ("[1]]", .trailingBytes(at: 3)), ("{}{}", .trailingBytes(at: 2)),
        ("1 2", .trailingBytes(at: 2)), ("nullx", .trailingBytes(at: 4)), ("{,}", .unexpectedByte(at: 1)),
        ("[,]", .unexpectedByte(at: 1)), ("[1,]", .unexpectedByte(at: 3)), ("{\"a\":1,}", .unexpectedByte(at: 7)),
        ("{a:1}", .unexpectedByte(at: 1)), ("{'a':1}", .unexpectedByte(at: 1)), ("{\"a\" 1}", .unexpectedByte(at: 5)),
        ("{\"a\"::1}", .unexpectedByte(at: 5)), ("{1:1}", .unexpectedByte(at: 1)), ("[1 2]", .unexpectedByte(at: 3)),
        ("[1}", .unexpectedByte(at: 2)), ("{\"a\":1]", .unexpectedByte(at: 6)), ("{]", .unexpectedByte(at: 1)),
        ("[}", .unexpectedByte(at: 1)), ("}", .unexpectedByte(at: 0)), ("]", .unexpectedByte(at: 0)),
        ("nul!", .unexpectedByte(at: 3)), ("True", .unexpectedByte(at: 0)), ("NaN", .unexpectedByte(at: 0)),
        ("Infinity", .unexpectedByte(at: 0)), ("+1", .unexpectedByte(at: 0)), (".5", .unexpectedByte(at: 0)),
        ("01", .invalidNumber(at: 0)), ("-01", .invalidNumber(at: 0)), ("[-]", .invalidNumber(at: 1)),
        ("[1.]", .invalidNumber(at: 1)), ("[1.e5]", .invalidNumber(at: 1)), ("[1e]", .invalidNumber(at: 1)),
        ("[1e+]", .invalidNumber(at: 1)), ("0x10", .trailingBytes(at: 1)), ("// c\n1", .unexpectedByte(at: 0)),
        ("[1/**/]", .unexpectedByte(at: 2)), ("\"\\x\"", .invalidEscape(at: 1)), ("\"\\u00g0\"", .invalidEscape(at: 1)),
        ("\"\\U0041\"", .invalidEscape(at: 1)), ("\"a\u{1}\"", .controlCharacter(at: 2)),
        ("\"a\n\"", .controlCharacter(at: 2)), ("\"\0\"", .controlCharacter(at: 1)),
        ("\u{A0}1", .unexpectedByte(at: 0)),
        ("\u{0B}1", .unexpectedByte(at: 0)), ("\u{FEFF}\u{FEFF}1", .unexpectedByte(at: 3)),
        ("é", .unexpectedByte(at: 0)),
    ])
    func `what RFC 8259 does not allow is refused, and where`(_ text: String, _ expected: JSONFault) {
        #expect(fault(text) == expected)
        #expect(SlowJSON.parse(Array(text.utf8)) == nil)
    }

    @Test func `a fault is found wherever in the text it stands`() {
        for length in 0..<40 {
            let padding = String(repeating: "x", count: length)
            #expect(fault("\"\(padding)\u{1F}\"") == .controlCharacter(at: length + 1))
            #expect(fault("\"\(padding)\\q\"") == .invalidEscape(at: length + 1))
            #expect(fault("\"\(padding)") == .truncated)
            #expect(fault("\"\(padding)\\\"") == .truncated)
            #expect(fault("\"\(padding)\"x") == .trailingBytes(at: length + 2))
            #expect(JSONValue(parsing: Array("\"\(padding)\\\"\u{20}\"".utf8)) == .string(padding + "\" "))
        }
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF0, 0x28, 0x8C, 0xBC],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused in values and names`(_ bytes: [UInt8]) {
        for padding in [0, 1, 7, 8, 9, 20] {
            let quoted = [0x22] + [UInt8](repeating: 0x78, count: padding) + bytes + [0x22]
            #expect(fault(quoted) == .invalidUTF8)
            #expect(fault([0x7B] + quoted + Array(":1}".utf8)) == .invalidUTF8)
            #expect(fault([0x22] + bytes + [UInt8](repeating: 0x78, count: padding) + [0x22]) == .invalidUTF8)
        }
    }

    @Test func `every scalar of Unicode is read back as it was written`() {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 0x61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(JSONValue(parsing: JSONValue.string("\(scalar)").text) == .string("\(scalar)"))
        }
    }

    @Test func `a lone surrogate becomes the replacement character, a pair its scalar`() throws {
        #expect(try JSONDocument(#""\uD83D\uDE00""#).root.string == "😀")
        #expect(try JSONDocument(#""a\uD83Db""#).root.string == "a\u{FFFD}b")
        #expect(try JSONDocument(#""\uDE00\uD83D""#).root.string == "\u{FFFD}\u{FFFD}")
        #expect(try JSONDocument(#""\uD83D\uD83D\uDE00""#).root.string == "\u{FFFD}😀")
        #expect(try JSONDocument(#""\uD83D\n""#).root.string == "\u{FFFD}\n")
    }

    @Test func `nesting is read to 32 levels and refused beyond`() {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        #expect(fault(nested(32, "[", "]")) == nil)
        #expect(fault(nested(33, "[", "]")) == .tooDeep)
        #expect(fault(nested(32, "{\"a\":", "}")) == nil)
        #expect(fault(nested(33, "{\"a\":", "}")) == .tooDeep)
        #expect(fault(String(repeating: "[", count: 100_000)) == .tooDeep)
        // Breadth is no depth.
        #expect(fault("[" + String(repeating: "[],", count: 1000) + "[]]") == nil)
    }

    @Test func `a text cut off at any byte is refused`() {
        let text = Array(#"{"a":[1,-2.5e3,true,false,null],"b\u0041":{"c":"d\n\uD83D\uDE00é"},"e":""}"#.utf8)
        #expect(fault(text) == nil)
        for length in 0..<text.count {
            #expect(JSONValue(parsing: Array(text[..<length])) == nil, "cut to \(length) bytes")
        }
    }

    @Test func `the last of several members of one name counts`() throws {
        #expect(try JSONDocument(#"{"a":1,"b":2,"a":3}"#).root["a"]?.integer == 3)
    }

    @Test func `a tape that saw a fault reads the next text`() {
        var tape = JSONTape()
        let texts: [(String, Int)] = [
            ("[1,2,3]", 4), ("[1,2", 0), ("{}", 1), ("[" + String(repeating: "7,", count: 5000) + "7]", 5002), ("0", 1),
        ]
        for (text, count) in texts {
            Array(text.utf8).withUnsafeBufferPointer { try? tape.parse($0) }
            #expect(tape.count == count)
        }
    }

    @Test func `what was written is parsed to the same`() {
        for seed in UInt64(0)..<2000 {
            var random = SeededRandom(seed: seed)
            let value = JSONValue.random(using: &random)
            #expect(JSONValue(parsing: value.text) == value, "seed \(seed)")
        }
    }

    @Test func `the parser agrees with a slow one on damaged texts`() {
        var accepted = 0
        for seed in UInt64(0)..<20_000 {
            var random = SeededRandom(seed: seed)
            var text = JSONValue.random(using: &random).text
            for _ in 0..<Int.random(in: 0...3, using: &random) { damage(&text, using: &random) }
            let value = JSONValue(parsing: text)
            #expect(value == SlowJSON.parse(text), "seed \(seed): \(String(decoding: text, as: UTF8.self))")
            if value != nil { accepted += 1 }
        }
        // Neither all nor none: the damage is of the interesting kind.
        #expect((5000..<19_000).contains(accepted))
    }

    private func damage(_ text: inout [UInt8], using random: inout SeededRandom) {
        let bytes = Array("{}[]\",:\\u0019.-+eE tn\n\u{1}é".utf8) + [0x80, 0xFF, 0xC3]
        let index = text.indices.randomElement(using: &random)
        switch (Int.random(in: 0..<4, using: &random), index) {
        case (0, let index?): text.remove(at: index)
        case (1, let index?): text[index] = bytes.randomElement(using: &random) ?? 0
        case (2, let index?): text.swapAt(index, text.indices.randomElement(using: &random) ?? index)
        case (_, let index): text.insert(bytes.randomElement(using: &random) ?? 0, at: index ?? 0)
        }
    }
}
