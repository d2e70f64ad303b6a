@testable import ForwarderCore

/// A JSON value as a tree: what the tape is compared with.
indirect enum JSONValue: Equatable {
    case null
    case bool(Bool)
    /// As it stands in the text.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Equatable {
        var name: String
        var value: JSONValue
    }

    init(_ element: JSONElement) {
        switch element.kind {
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .number: self = .number(element.rawText)
        case .string: self = .string(element.string ?? "")
        case .array: self = .array((element.elements ?? []).map { JSONValue($0) })
        case .object:
            self = .object((element.members ?? []).map { Member(name: $0.name, value: JSONValue($0.value)) })
        }
    }

    /// What the parser makes of a text; nil if it refuses it.
    init?(parsing text: [UInt8]) {
        guard let document = try? JSONDocument(text) else { return nil }
        self.init(document.root)
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let flag): writer.value(flag)
        case .number(let text): writer.raw(Array(text.utf8))
        case .string(let text): writer.value(text)
        case .array(let values): writer.array { for value in values { value.write(to: &$0) } }
        case .object(let members):
            writer.object { writer in
                for member in members {
                    writer.name(member.name)
                    member.value.write(to: &writer)
                }
            }
        }
    }

    var text: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// With a line for each value, to be read by people.
    func pretty(indentation: String = "") -> String {
        let inner = indentation + "  "
        switch self {
        case .array(let values) where !values.isEmpty:
            let lines = values.map { inner + $0.pretty(indentation: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n" + indentation + "]"
        case .object(let members) where !members.isEmpty:
            let lines = members.map { member in
                let name = String(decoding: JSONValue.string(member.name).text, as: UTF8.self)
                return inner + name + ": " + member.value.pretty(indentation: inner)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + indentation + "}"
        default: return String(decoding: text, as: UTF8.self)
        }
    }
}

extension JSONValue {
    static func random(using random: inout SeededRandom, depth: Int = 0) -> JSONValue {
        switch Int.random(in: 0..<(depth < 4 ? 8 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(randomNumber(using: &random))
        case 3, 4: return .string(randomText(using: &random))
        case 5:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    .random(using: &random, depth: depth + 1)
                })
        default:
            return .object(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    Member(name: randomText(using: &random), value: .random(using: &random, depth: depth + 1))
                })
        }
    }

    static func randomNumber(using random: inout SeededRandom) -> String {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: "\(Int.random(in: -1000...1000, using: &random))"
        case 1: "\(Int.random(in: 0...99999, using: &random)).\(Int.random(in: 0...99, using: &random))"
        case 2: "-0"
        case 3: "\(Int.random(in: 1...9, using: &random))e\(Int.random(in: -30...30, using: &random))"
        default: "\(UInt64.random(in: 0...UInt64.max, using: &random))"
        }
    }

    /// Texts that are hard on a parser: everything that is escaped, controls, accents, emoji, and plain words.
    static func randomText(using random: inout SeededRandom) -> String {
        let pieces = [
            "a", "shop", "\"", "\\", "/", "\n", "\r\n", "\t", "\u{8}", "\u{C}", "\0", "\u{1F}", "\u{7F}", "é", "ß",
            "日本",
            "😀", "\u{FFFD}", "\u{10FFFF}", "\u{2028}", "{", "}", "[", ",", ":", "@", "+", "%40", "12345678",
        ]
        return (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
    }
}

/// JSON read slowly and by the letter of RFC 8259: what the fast parser is compared with. It knows the same bounds.
struct SlowJSON {
    private let text: [UInt8]
    private var index = 0

    /// nil if the text is not JSON, or nested too deeply.
    static func parse(_ text: [UInt8]) -> JSONValue? {
        guard String(validating: text, as: UTF8.self) != nil else { return nil }
        var reader = SlowJSON(text: text)
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { reader.index = 3 }
        guard let value = reader.element(depth: 0), reader.index == text.count else { return nil }
        return value
    }

    private init(text: [UInt8]) {
        self.text = text
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func space() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
    }

    private mutating func element(depth: Int) -> JSONValue? {
        space()
        guard let value = value(depth: depth) else { return nil }
        space()
        return value
    }

    private mutating func value(depth: Int) -> JSONValue? {
        if take("{") { return depth < 32 ? object(depth) : nil }
        if take("[") { return depth < 32 ? array(depth) : nil }
        if next == UInt8(ascii: "\"") { return string().map { .string($0) } }
        for (word, value) in [("null", JSONValue.null), ("true", .bool(true)), ("false", .bool(false))]
        where text[index...].starts(with: word.utf8) {
            index += word.utf8.count
            return value
        }
        return number()
    }

    private mutating func object(_ depth: Int) -> JSONValue? {
        var members: [JSONValue.Member] = []
        space()
        if take("}") { return .object([]) }
        while true {
            space()
            guard let name = string() else { return nil }
            space()
            guard take(":"), let value = element(depth: depth + 1) else { return nil }
            members.append(.init(name: name, value: value))
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array(_ depth: Int) -> JSONValue? {
        var values: [JSONValue] = []
        space()
        if take("]") { return .array([]) }
        while true {
            guard let value = element(depth: depth + 1) else { return nil }
            values.append(value)
            if take("]") { return .array(values) }
            guard take(",") else { return nil }
        }
    }

    private mutating func number() -> JSONValue? {
        let start = index
        _ = take("-")
        if !take("0"), !digits() { return nil }
        if take("."), !digits() { return nil }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            if !digits() { return nil }
        }
        return .number(String(decoding: text[start..<index], as: UTF8.self))
    }

    private mutating func digits() -> Bool {
        let start = index
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index > start
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var units: [UInt16] = []
        var plain: [UInt8] = []
        func flushed() -> [UInt16] { Array(String(decoding: plain, as: UTF8.self).utf16) }
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: units + flushed(), as: UTF16.self)
            case 0..<0x20: return nil
            case UInt8(ascii: "\\"):
                units += flushed()
                plain = []
                guard let unit = escape() else { return nil }
                units.append(unit)
            default: plain.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> UInt16? {
        guard let byte = next else { return nil }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt16(byte)
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "u"):
            guard index + 4 <= text.count else { return nil }
            let digits = String(decoding: text[index..<(index + 4)], as: UTF8.self)
            index += 4
            guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit) else { return nil }
            return UInt16(digits, radix: 16)
        default: return nil
        }
    }
}
