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

    /// A JSON string of a text that is the program's own.
    mutating func append(json text: String) {
        append(UInt8(ascii: "\""))
        var copy = text
        copy.withUTF8 { JSONText.escape($0, to: &self) }
        append(UInt8(ascii: "\""))
    }

    // MARK: Members, each with a comma behind it

    /// The member, where there is a text.
    @inline(__always)
    mutating func member(_ name: StaticString, _ text: EventText) {
        guard text.isPresent else { return }
        append(name: name)
        append(json: text)
        append(UInt8(ascii: ","))
    }

    /// The member, where there is a number.
    @inline(__always)
    mutating func member(_ name: StaticString, _ number: DecimalText?) {
        guard let number else { return }
        append(name: name)
        append(number.text)
        append(UInt8(ascii: ","))
    }

    @inline(__always)
    mutating func member(_ name: StaticString, _ number: Int64) {
        append(name: name)
        append(decimal: number)
        append(UInt8(ascii: ","))
    }

    /// An object with the members that `body` appends.
    @inline(__always)
    mutating func object(_ name: StaticString, _ body: (inout ByteBuffer) -> Void) {
        append(name: name)
        append(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
        append(UInt8(ascii: ","))
    }

    /// A list of texts, where there are any.
    mutating func list(_ name: StaticString, _ texts: [EventText]) {
        guard !texts.isEmpty else { return }
        append(name: name)
        append(UInt8(ascii: "["))
        for text in texts {
            append(json: text)
            append(UInt8(ascii: ","))
        }
        close(UInt8(ascii: "]"))
        append(UInt8(ascii: ","))
    }

    /// The list of items, where there are any.
    mutating func items(_ items: [EventItem]) {
        guard !items.isEmpty else { return }
        append(name: "items")
        append(UInt8(ascii: "["))
        for item in items {
            append(UInt8(ascii: "{"))
            member("id", item.id)
            member("quantity", item.quantity)
            member("price", item.price)
            member("name", item.name)
            close(UInt8(ascii: "}"))
            append(UInt8(ascii: ","))
        }
        close(UInt8(ascii: "]"))
        append(UInt8(ascii: ","))
    }

    /// Puts the bracket in the place of the comma that the last member left behind, if there was a member.
    @inline(__always)
    mutating func close(_ bracket: UInt8) {
        if withBytes({ $0.last == UInt8(ascii: ",") }) { truncate(to: count - 1) }
        append(bracket)
    }

    @inline(__always)
    private mutating func append(name: StaticString) {
        append(UInt8(ascii: "\""))
        append(name)
        append("\":")
    }
}
