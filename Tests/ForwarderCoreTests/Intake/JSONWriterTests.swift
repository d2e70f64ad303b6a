import Testing

@testable import ForwarderCore

@Suite struct JSONWriterTests {
    @Test func `commas and quotes stand where they must`() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("text", "a")
            writer.member("number", 7)
            writer.member("flag", true)
            writer.member("share", 0.25)
            writer.name("nothing")
            writer.null()
            writer.name("list")
            writer.array { list in
                list.value(1)
                list.object { _ in }
                list.raw(Array("[2]".utf8))
            }
            writer.member("names", array: ["x", "y"])
        }
        #expect(
            writer.text
                == #"{"text":"a","number":7,"flag":true,"share":0.25,"nothing":null,"list":[1,{},[2]],"names":["x","y"]}"#
        )
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (3.0, "3"), (-2.5, "-2.5"), (1e14, "100000000000000"), (1e300, "1e+300"),
        (.infinity, "null"), (-.infinity, "null"), (.nan, "null"),
    ])
    func `a double is JSON, whatever it is`(_ number: Double, _ text: String) {
        var writer = JSONWriter()
        writer.value(number)
        #expect(writer.text == text)
        #expect(JSONValue(parsing: writer.bytes) != nil)
    }

    @Test(arguments: [(Int64.min, "-9223372036854775808"), (Int64.max, "9223372036854775807"), (0, "0"), (-1, "-1")])
    func `an integer is written to its last digit`(_ number: Int64, _ text: String) {
        var buffer = ByteBuffer()
        buffer.append(decimal: number)
        #expect(String(decoding: buffer.array(), as: UTF8.self) == text)
    }

    @Test func `controls, quotes and backslashes are escaped, everything else is copied`() {
        let all = String(String.UnicodeScalarView((0..<0x100).compactMap { Unicode.Scalar($0) }))
        var writer = JSONWriter()
        writer.value(all)
        #expect(JSONValue(parsing: writer.bytes) == .string(all))
        #expect(writer.text.contains(#"\u0000"#) && writer.text.contains(#"\n"#) && writer.text.contains("ÿ"))
    }
}
