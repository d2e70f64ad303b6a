/// `application/x-www-form-urlencoded`, in bodies and in the query of a URL.
enum FormEncoding {
    static func encode(_ fields: [(name: String, value: String)]) -> [UInt8] {
        var output = ByteBuffer()
        for (index, field) in fields.enumerated() {
            if index > 0 { output.append(UInt8(ascii: "&")) }
            append(field.name, to: &output)
            output.append(UInt8(ascii: "="))
            append(field.value, to: &output)
        }
        return output.array()
    }

    /// The fields in their order. An escape that is none stands for itself.
    static func decode(_ text: some StringProtocol) -> [(name: String, value: String)] {
        text.utf8.split(separator: UInt8(ascii: "&")).map { field in
            let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (plain(parts[0]), parts.count == 2 ? plain(parts[1]) : "")
        }
    }

    private static func append(_ text: String, to output: inout ByteBuffer) {
        for byte in text.utf8 { output.append(percentEncoded: byte) }
    }

    private static func plain(_ escaped: some Sequence<UInt8>) -> String {
        var plain: [UInt8] = []
        var rest = Array(escaped)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): plain.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2).compactMap(hexValue)
                guard digits.count == 2 else {
                    plain.append(byte)
                    continue
                }
                plain.append(digits[0] << 4 | digits[1])
                rest = rest.dropFirst(2)
            default: plain.append(byte)
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}

extension ByteBuffer {
    /// One byte of a value in a query: what RFC 3986 calls unreserved stays as it is, a period among it.
    @inline(__always)
    mutating func append(percentEncoded byte: UInt8) {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): append(byte)
        case _ where isLetter(byte) || isDigit(byte): append(byte)
        default:
            append(UInt8(ascii: "%"))
            for digit in [byte >> 4, byte & 15] {
                append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") - 10 + digit)
            }
        }
    }
}
