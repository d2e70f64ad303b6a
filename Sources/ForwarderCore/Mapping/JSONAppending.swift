extension ByteBuffer {
    /// A JSON string.
    @inline(__always)
    mutating func append(json text: EventText) {
        append(UInt8(ascii: "\""))
        if text.needsEscaping {
            JSONText.escape(text.bytes, to: &self)
        } else {
            append(text.bytes)
        }
        append(UInt8(ascii: "\""))
    }

    /// `opening` and a JSON string, where there is a text.
    @inline(__always)
    mutating func append(_ opening: StaticString, ifPresent text: EventText) {
        guard text.isPresent else { return }
        append(opening)
        append(json: text)
    }

    /// `opening` and the number, where there is one.
    @inline(__always)
    mutating func append(_ opening: StaticString, ifPresent number: DecimalText?) {
        guard let number else { return }
        append(opening)
        append(number.text)
    }

    /// A JSON string of a text that is the program's own.
    mutating func append(json text: String) {
        append(UInt8(ascii: "\""))
        var copy = text
        copy.withUTF8 { JSONText.escape($0, to: &self) }
        append(UInt8(ascii: "\""))
    }

    /// A member with a comma behind it, where there is a text.
    @inline(__always)
    mutating func appendMember(_ opening: StaticString, _ text: EventText) {
        guard text.isPresent else { return }
        append(opening)
        append(json: text)
        append(UInt8(ascii: ","))
    }

    /// A member with a comma behind it, where there is a number.
    @inline(__always)
    mutating func appendMember(_ opening: StaticString, _ number: DecimalText?) {
        guard let number else { return }
        append(opening)
        append(number.text)
        append(UInt8(ascii: ","))
    }

    /// A member that is a list of texts with a comma behind it, where there are any.
    mutating func appendList(_ opening: StaticString, _ texts: [EventText]) {
        guard !texts.isEmpty else { return }
        append(opening)
        for text in texts {
            append(json: text)
            append(UInt8(ascii: ","))
        }
        dropTrailingComma()
        append("],")
    }

    /// The member `items` with a comma behind it, where there are any.
    mutating func appendItems(_ items: [EventItem]) {
        guard !items.isEmpty else { return }
        append(#""items":["#)
        for item in items {
            append("{")
            appendMember(#""id":"#, item.id)
            appendMember(#""quantity":"#, item.quantity)
            appendMember(#""price":"#, item.price)
            appendMember(#""name":"#, item.name)
            dropTrailingComma()
            append("},")
        }
        dropTrailingComma()
        append("],")
    }

    /// Takes back the comma that the last member left behind, if it did.
    @inline(__always)
    mutating func dropTrailingComma() {
        let endsInComma = withBytes { $0.last == UInt8(ascii: ",") }
        if endsInComma { truncate(to: count - 1) }
    }
}
