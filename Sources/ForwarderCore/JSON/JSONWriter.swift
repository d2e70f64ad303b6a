/// Writes one JSON text value by value and sees to commas and quotes; the nesting is the caller's to get right.
public struct JSONWriter: ~Copyable {
    private var buffer: ByteBuffer
    private var needsComma = false

    public init(capacity: Int = 256) {
        buffer = ByteBuffer(capacity: capacity)
    }

    public var bytes: [UInt8] { buffer.array() }
    public var text: String { buffer.withBytes { String(decoding: $0, as: UTF8.self) } }

    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        container(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        container(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Writes the name of a member; its value must follow.
    public mutating func name(_ name: some StringProtocol) {
        comma()
        quoted(name)
        buffer.append(UInt8(ascii: ":"))
        needsComma = false
    }

    public mutating func value(_ text: some StringProtocol) {
        comma()
        quoted(text)
        needsComma = true
    }

    public mutating func value(_ number: some BinaryInteger) {
        comma()
        buffer.append(decimal: number)
        needsComma = true
    }

    /// Not a finite number is written as null: JSON has no other word for it.
    public mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        comma()
        let rounded = number.rounded()
        if rounded == number, abs(number) < 1e15 {
            buffer.append(decimal: Int64(number))
        } else {
            buffer.append(text: "\(number)")
        }
        needsComma = true
    }

    public mutating func value(_ flag: Bool) {
        comma()
        buffer.append(flag ? "true" : "false")
        needsComma = true
    }

    public mutating func null() {
        comma()
        buffer.append("null")
        needsComma = true
    }

    /// Writes a value that is JSON text already.
    public mutating func raw(_ json: [UInt8]) {
        comma()
        buffer.append(json)
        needsComma = true
    }

    public mutating func member(_ name: some StringProtocol, _ text: some StringProtocol) {
        self.name(name)
        value(text)
    }

    public mutating func member(_ name: some StringProtocol, _ number: some BinaryInteger) {
        self.name(name)
        value(number)
    }

    public mutating func member(_ name: some StringProtocol, _ number: Double) {
        self.name(name)
        value(number)
    }

    public mutating func member(_ name: some StringProtocol, _ flag: Bool) {
        self.name(name)
        value(flag)
    }

    public mutating func member(_ name: some StringProtocol, array texts: some Sequence<String>) {
        self.name(name)
        array { for text in texts { $0.value(text) } }
    }

    private mutating func container(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        comma()
        buffer.append(open)
        needsComma = false
        body(&self)
        buffer.append(close)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { buffer.append(UInt8(ascii: ",")) }
    }

    private mutating func quoted(_ text: some StringProtocol) {
        buffer.append(UInt8(ascii: "\""))
        var copy = String(text)
        copy.withUTF8 { JSONText.escape($0, to: &buffer) }
        buffer.append(UInt8(ascii: "\""))
    }
}
