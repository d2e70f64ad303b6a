import ForwarderCore

extension HTTPRequest {
    /// Why this must not be handed to libcurl, which writes URL and headers into the request as they are: a line break
    /// in one of them would start another header, or another request. The text never quotes what is wrong; it may be a
    /// secret.
    var refusal: String? {
        if !HTTPRequest.isUsable(url) { return "the URL has no host or holds a space or control character" }
        for header in headers {
            if header.name.isEmpty || !header.name.utf8.allSatisfy(isTokenByte) {
                return "a header's name is empty or holds a character that cannot be in one"
            }
            if !header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == UInt8(ascii: "\t") }) {
                return "the value of header '\(header.name)' holds a line break or control character"
            }
        }
        return nil
    }
}

extension HTTPRequest {
    /// Whether a URL has a host, and nothing in it that ends a line.
    static func isUsable(_ url: String) -> Bool {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let colon = url.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return false }
        let rest = url.utf8[colon...].dropFirst()
        return rest.starts(with: "//".utf8) && rest.dropFirst(2).first.map { !"/?#".utf8.contains($0) } ?? false
    }
}

/// Whether the byte may stand in the name of a header (RFC 9110, section 5.6.2).
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
