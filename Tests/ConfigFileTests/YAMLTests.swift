import ConfigFile
import ForwarderCore
import Glibc
import Testing

@Suite struct YAMLTests {
    @Test func `values keep their text, order, place and path`() throws {
        let text = """
            # a comment
            b: yes
            a:
              - 'no'
              - {c d: 0123}
            """
        func scalar(_ text: String, _ isPlain: Bool, _ line: Int, _ column: Int, _ path: String) -> ConfigNode {
            ConfigNode(.scalar(text, isPlain: isPlain), line: line, column: column, path: path)
        }
        let inner = ConfigNode.Entry(key: "c d", line: 5, column: 6, value: scalar("0123", true, 5, 11, "a[1].c d"))
        let list = ConfigNode(
            .list([
                scalar("no", false, 4, 5, "a[0]"),
                ConfigNode(.map([inner]), line: 5, column: 5, path: "a[1]"),
            ]), line: 4, column: 3, path: "a")
        let expected = ConfigNode(
            .map([
                ConfigNode.Entry(key: "b", line: 2, column: 1, value: scalar("yes", true, 2, 4, "b")),
                ConfigNode.Entry(key: "a", line: 3, column: 1, value: list),
            ]), line: 2, column: 1, path: "")
        #expect(try parse(text) == expected)
    }

    @Test func `a key that stands twice is kept for the core to judge`() throws {
        guard case .map(let entries) = try parse("a: 1\na: 2").content else {
            Issue.record("no map")
            return
        }
        #expect(entries.map(\.line) == [1, 2])
    }

    static let refused: [(text: String, problem: String)] = [
        ("", "line 1: the file is empty"),
        ("# nothing", "line 1: the file is empty"),
        (
            "a: [1",
            "line 2: this is not YAML: did not find expected ',' or ']' while parsing a flow sequence from line 1 on"
        ),
        ("a: b\nc: d: e", "line 2: this is not YAML: mapping values are not allowed in this context"),
        (
            "a: 1\n\tb: 2",
            "line 2: this is not YAML: found a tab character that violates indentation "
                + "while scanning a plain scalar from line 1 on"
        ),
        ("a: 1\nb: &x 2", line2("anchors, aliases and tags (&, *, !)")),
        ("a: 1\nb: *x", line2("anchors, aliases and tags (&, *, !)")),
        ("a: 1\nb: !!int 2", line2("anchors, aliases and tags (&, *, !)")),
        ("a: 1\nb: ! 2", line2("anchors, aliases and tags (&, *, !)")),
        ("a: 1\nb: &x [1]", line2("anchors, aliases and tags (&, *, !)")),
        ("a: 1\nb: !x {c: 1}", line2("anchors, aliases and tags (&, *, !)")),
        ("a:\n  <<: {b: 1}", "line 2: a: merge keys (<<) are not read here"),
        ("a: 1\n? [b]\n: c", "line 2: holds a key that is no text; check the colons, braces and dashes"),
        ("a: 1\n\"\": c", "line 2: holds a key that is no text; check the colons, braces and dashes"),
        ("a: 1\n---\nb: 1", "line 2: a second document begins here; write a single one"),
        ("a: 1\nb: \u{1}", "line 2: this is not text in UTF-8: control characters are not allowed"),
    ]

    private static func line2(_ what: String) -> String {
        "line 2: \(what) are not read here; write the value out, in quotes if need be"
    }

    @Test(arguments: refused)
    func `what is not a plain YAML document is refused with its line`(text: String, problem: String) {
        #expect(problems(text) == [problem])
    }

    @Test func `bytes that are not UTF-8 are refused with their line`() {
        let bytes = Array("a: 1\nb: ".utf8) + [0xFF]
        #expect(throws: invalid(2, 4, "this is not text in UTF-8: invalid leading UTF-8 octet")) {
            try ConfigFile.parse(bytes)
        }
    }

    @Test func `a byte order mark of UTF-8 is skipped, another encoding is refused`() throws {
        #expect(try parse("\u{FEFF}a: 1\nb: 2") == parse("a: 1\nb: 2"))
        let utf16: [UInt8] = [0xFF, 0xFE] + "a: 1".utf8.flatMap { [$0, 0] }
        #expect(throws: invalid(1, 1, "this is not text in UTF-8: invalid leading UTF-8 octet")) {
            try ConfigFile.parse(utf16)
        }
    }

    @Test func `a quoted merge key is an ordinary key`() throws {
        #expect(throws: Never.self) { try parse("'<<': 1") }
    }

    @Test func `nesting is bounded`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try parse(nested(ConfigFile.depthLimit)) }
        for depth in [ConfigFile.depthLimit + 2, 500_000] {
            #expect(problems(nested(depth)).first?.hasSuffix("is nested too deep") == true)
        }
    }

    @Test func `the number of values is bounded`() throws {
        let most = "[" + String(repeating: "1,", count: ConfigFile.valueLimit - 1) + "]"
        #expect(throws: Never.self) { try parse(most) }
        #expect(problems("[1," + most.dropFirst()) == ["line 1: [9999]: is one of too many values"])
    }

    @Test func `the size is bounded`() throws {
        let most = "a: 1\n#" + String(repeating: "x", count: ConfigFile.sizeLimit - 6)
        #expect(throws: Never.self) { try parse(most) }
        #expect(problems(most + "x") == ["line 1: the file is larger than 1 MiB"])
    }

    @Test func `a file is loaded, and one that cannot be read is named`() throws {
        var template = Array("/tmp/config-file-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        try #require(file >= 0)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        #expect(write(file, "a: 1", 4) == 4)
        close(file)
        #expect(try ConfigFile.load(path) == parse("a: 1"))

        #expect(throws: ConfigFileError.unreadable(path: "/tmp", reason: "Is a directory")) {
            try ConfigFile.load("/tmp")
        }
        let missing = path + ".missing"
        #expect(throws: ConfigFileError.unreadable(path: missing, reason: "No such file or directory")) {
            try ConfigFile.load(missing)
        }
    }

    @Test func `an endless file is read up to the limit`() {
        #expect(throws: invalid(1, 1, "the file is larger than 1 MiB")) { try ConfigFile.load("/dev/zero") }
    }

    private func invalid(_ line: Int, _ column: Int, _ text: String) -> ConfigFileError {
        .invalid(ConfigProblem(.error, line: line, column: column, path: "", text))
    }
}
