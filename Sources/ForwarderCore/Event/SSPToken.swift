/// The token that Invest gives to one auction (the macro `${SSP_DATA}`), and a conversion gives back. It leaves as it came,
/// the period at its end included: Microsoft finds the auction by nothing else.
struct SSPToken {
    private let text: Bytes
    /// It stands in a URL, where anything may be written as `%2E`.
    private let isEncoded: Bool

    /// Microsoft says only that the length may change; those seen have some sixty characters.
    private static let lengthLimit = 1024

    /// The token of an event: its own, or else the parameter of its page's URL; nil if there is none that can be one.
    init?(_ event: borrowing StorefrontEvent, parameter: [UInt8]) {
        if event.sspData.isPresent {
            text = event.sspData.bytes
            isEncoded = false
        } else {
            guard let value = SSPToken.parameter(parameter, of: event.url.bytes) else { return nil }
            text = value
            isEncoded = true
            guard isValid else { return nil }
        }
    }

    /// What stands in a URL for the parameter of that name; nil if nothing does, or no such parameter is looked for.
    static func parameter(_ name: [UInt8], of url: Bytes) -> Bytes? {
        guard !name.isEmpty, !url.isEmpty else { return nil }
        let value = name.withUnsafeBufferPointer { name in PageURL.parameter(of: url) { $0.equals(name) } }
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether a text can be a token. What an ad server left unfilled (`${SSP_DATA}`) is none.
    static func isValid(_ text: Bytes) -> Bool {
        SSPToken(text, isEncoded: false).isValid
    }

    private init(_ text: Bytes, isEncoded: Bool) {
        self.text = text
        self.isEncoded = isEncoded
    }

    private var isValid: Bool {
        guard 1...SSPToken.lengthLimit ~= text.count else { return false }
        var isClean = true
        var first: (UInt8, UInt8) = (0, 0)
        var index = 0
        forEachByte { byte in
            // Anything that can be seen but `@`, which only an e-mail address would have.
            if !(0x21...0x7E ~= byte) || byte == UInt8(ascii: "@") { isClean = false }
            if index == 0 { first.0 = byte } else if index == 1 { first.1 = byte }
            index += 1
        }
        return isClean && first != (UInt8(ascii: "$"), UInt8(ascii: "{"))
    }

    /// Appends it as a query carries it.
    func appendEncoded(to output: inout ByteBuffer) {
        forEachByte { output.append(percentEncoded: $0) }
    }

    private func forEachByte(_ body: (UInt8) -> Void) {
        var index = 0
        while index < text.count {
            if isEncoded, text[index] == UInt8(ascii: "%"), index + 2 < text.count,
                let high = hexValue(text[index + 1]),
                let low = hexValue(text[index + 2])
            {
                body(high << 4 | low)
                index += 3
            } else {
                body(text[index])
                index += 1
            }
        }
    }
}
