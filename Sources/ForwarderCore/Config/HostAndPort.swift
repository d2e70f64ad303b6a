import Glibc

/// `host:port` with a name, an IPv4 address or an IPv6 address in brackets.
struct HostAndPort {
    /// Without brackets.
    var host: String
    var port: UInt16?

    /// Whether connecting to it cannot leave this machine.
    var isLoopback: Bool {
        switch host {
        case "localhost", "::1": true
        default: host.hasPrefix("127.") && HostAndPort.isAddress(host, AF_INET)
        }
    }

    var text: String {
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(bracketed):\($0)" } ?? bracketed
    }
}

extension HostAndPort {
    init?(_ text: Substring) {
        let colon: Substring.Index?
        if text.first == "[" {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<bracket])
            guard HostAndPort.isAddress(host, AF_INET6) else { return nil }
            let rest = text[text.index(after: bracket)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            colon = rest.isEmpty ? nil : rest.startIndex
        } else {
            colon = text.firstIndex(of: ":")
            host = String(text[..<(colon ?? text.endIndex)])
            guard HostAndPort.isName(host) else { return nil }
        }
        guard let colon else { return }
        let digits = text[text.index(after: colon)...]
        guard let number = UInt16(digits), digits.utf8.allSatisfy(isDigit) else { return nil }
        port = number
    }

    private static func isName(_ text: String) -> Bool {
        let isLegal = text.utf8.allSatisfy { isDigit($0) || isLetter($0) || "-._".utf8.contains($0) }
        guard isLegal, 1...253 ~= text.utf8.count, text.utf8.first != UInt8(ascii: "-"), !text.contains("..") else {
            return false
        }
        let looksLikeAddress = text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
        return !looksLikeAddress || isAddress(text, AF_INET)
    }

    fileprivate static func isAddress(_ text: String, _ family: Int32) -> Bool {
        var address = in6_addr()
        // inet_pton would stop reading at a NUL.
        return !text.utf8.contains(0) && inet_pton(family, text, &address) == 1
    }
}

extension ConfigForm<String> {
    static var broker: ConfigForm {
        ConfigForm("host:port") { node throws(Refusal) in
            let text = try node.scalar()
            if text.contains(",") { throw Refusal("holds more than one broker") }
            guard let broker = HostAndPort(text[...]), broker.port != 0 else {
                throw Refusal("is no broker")
            }
            return text
        }
    }

    /// The base of a URL that bears secrets: https, or http that stays on this machine. Slashes at the end are removed.
    static var endpoint: ConfigForm {
        let allowed = "https://host, or http:// to 127.0.0.1, [::1] or localhost"
        return ConfigForm("\(allowed), without credentials, query and fragment") { node throws(Refusal) in
            let url = try BaseURL(node.scalar())
            if url.scheme == "http", !url.authority.isLoopback {
                throw Refusal("would send secrets over plain http to another machine")
            }
            return "\(url.scheme)://\(url.authority.text)\(url.path)"
        }
    }

    static var proxy: ConfigForm {
        ConfigForm("http://host:port without credentials") { node throws(Refusal) in
            let url = try BaseURL(node.scalar())
            guard url.scheme == "http", url.path.isEmpty, url.authority.port ?? 0 != 0 else {
                throw Refusal("is no proxy")
            }
            return "http://\(url.authority.text)"
        }
    }
}

extension ConfigForm<String> {
    /// A name or numeric address without its port; in lower case, an IPv6 address without brackets.
    static var hostName: ConfigForm {
        ConfigForm("the name of a host, without port") { node throws(Refusal) in
            let text = try node.scalar()
            guard let host = HostAndPort(text[...]), host.port == nil else {
                throw Refusal("\(quoted(text)) is no name of a host")
            }
            return host.host.lowercased()
        }
    }
}

extension ConfigForm<AdminSettings.Endpoint> {
    static var listen: ConfigForm {
        ConfigForm("host:port, port 0 for any free one") { node throws(Refusal) in
            let text = try node.scalar()
            guard let address = HostAndPort(text[...]), let port = address.port else {
                throw Refusal("\(quoted(text)) is no host with a port")
            }
            return AdminSettings.Endpoint(host: address.host, port: port)
        }
    }
}

extension AdminSettings.Endpoint {
    var isLoopback: Bool { HostAndPort(host: host, port: port).isLoopback }
    /// `host:port`
    var text: String { HostAndPort(host: host, port: port).text }
}

/// The parts of an http or https URL. Refusals do not repeat the text: it may hold a password.
private struct BaseURL {
    let scheme: String
    let authority: HostAndPort
    /// Empty or beginning with a slash; no slash at the end.
    let path: String

    init(_ text: String) throws(Refusal) {
        let lowered = text.lowercased()
        guard let scheme = ["https", "http"].first(where: { lowered.hasPrefix("\($0)://") }) else {
            throw Refusal("is no https URL")
        }
        let rest = text.dropFirst(scheme.count + 3)
        let start = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let authority = rest[..<start]
        var path = rest[start...]
        if authority.contains("@") { throw Refusal("holds credentials") }
        if path.contains(where: { "?#".contains($0) }) { throw Refusal("holds a query or a fragment") }
        let isLegal = path.utf8.allSatisfy { isDigit($0) || isLetter($0) || "/-._~%!$&'()*+,;=:@".utf8.contains($0) }
        guard isLegal, text.utf8.count <= 500 else { throw Refusal("holds what a URL cannot hold") }
        guard let address = HostAndPort(authority), address.port != 0 else { throw Refusal("has no valid host") }
        while path.last == "/" { path.removeLast() }
        self.scheme = scheme
        self.authority = address
        self.path = String(path)
    }
}
