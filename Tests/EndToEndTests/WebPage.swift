import Glibc
import ScenarioKit

/// One page of an HTTP server on loopback.
struct WebPage {
    var status: Int
    var body: String
    /// The lines before the body.
    private var head: [Substring]

    /// - Parameters:
    ///   - address: numeric host and port.
    ///   - headers: lines such as `Cookie: a=b`; a Host among them takes the place of the address.
    ///   - form: the body of a form.
    ///   - source: the numeric address to come from.
    init(
        _ address: String, _ path: String, method: String = "GET", headers: [String] = [], form: String = "",
        from source: String = "127.0.0.1"
    ) throws {
        let descriptor = try WebPage.connection(address, from: source)
        defer { close(descriptor) }
        let host = headers.contains { $0.hasPrefix("Host:") } ? [] : ["Host: \(address)"]
        let type = form.isEmpty ? [] : ["Content-Type: application/x-www-form-urlencoded"]
        let lines =
            ["\(method) \(path) HTTP/1.1"] + host + type + headers
            + ["Connection: close", "Content-Length: \(form.utf8.count)", "", form]
        let request = lines.joined(separator: "\r\n")
        _ = send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count <= 0 { break }
            answer += chunk[..<count]
        }
        let text = String(decoding: answer, as: UTF8.self)
        let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
        status = words.count > 1 ? Int(words[1]) ?? 0 : 0
        head = text.split(separator: "\r\n\r\n", maxSplits: 1).first?.split(separator: "\r\n") ?? []
        body = text.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
    }
}

extension WebPage {
    static func connection(_ address: String, from source: String) throws -> Int32 {
        let parts = address.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else { throw Disappointment("\(address) is no address") }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        func withAddress(_ host: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Bool
        {
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = port.bigEndian
            inet_pton(AF_INET, host, &target.sin_addr)
            return withUnsafePointer(to: target) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
        guard withAddress(source, 0, { bind(descriptor, $0, $1) }),
            withAddress(String(parts[0]), port, { connect(descriptor, $0, $1) })
        else {
            close(descriptor)
            throw Disappointment("nobody listens at \(address)")
        }
        return descriptor
    }

    subscript(header: String) -> String? {
        let mark = "\(header.lowercased()): "
        return head.first { $0.lowercased().hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
    }

    /// What a form on this page would send along.
    var formKey: String {
        let mark = "name=\"form_key\" value=\""
        guard let start = body.firstRange(of: mark) else { return "" }
        return String(body[start.upperBound...].prefix { $0 != "\"" })
    }
}

enum UnixSocket {
    /// Binds a socket to a path.
    static func bind(_ descriptor: Int32, _ path: String) -> Bool {
        withAddress(path) { Glibc.bind(descriptor, $0, $1) == 0 }
    }

    static func connect(_ descriptor: Int32, _ path: String) -> Bool {
        withAddress(path) { Glibc.connect(descriptor, $0, $1) == 0 }
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
