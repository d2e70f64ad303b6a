import ForwarderCore
import Glibc

/// Waits for the answer to a consent request: a browser of this machine brings it to a port on loopback, or somebody
/// pastes the address at which a browser elsewhere has ended.
final class AnswerWatch {
    struct Unavailable: Error {
        var reason: String
    }

    /// Browsers open connections ahead that never say anything; of more than these the oldest is closed.
    private static let connectionLimit = 16
    private static let requestLimit = 16 << 10
    /// How often the deadline is looked at.
    private static let slice: Int32 = 200

    private struct Connection {
        var descriptor: Int32
        var received: [UInt8] = []
    }

    /// Nil: only what is pasted counts.
    private let listener: Int32?
    /// Of the listener; 0 without one.
    let port: UInt16
    private var connections: [Connection] = []
    private var typed: [UInt8] = []
    private var readsInput = true

    /// - Parameter port: 0 for any free one; nil for none.
    init(port: UInt16?) throws(Unavailable) {
        guard let port else {
            listener = nil
            self.port = 0
            return
        }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Unavailable(reason: "no socket: \(String(cString: strerror(errno)))") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw Unavailable(reason: "127.0.0.1:\(port): \(reason); choose another --port, or --paste")
        }
        listener = descriptor
        self.port = UInt16(bigEndian: address.sin_port)
    }

    deinit {
        if let listener { close(listener) }
        for connection in connections { close(connection.descriptor) }
    }

    enum End {
        case code(AuthorizationCode)
        case refused(OAuthRefusal)
        case tooLate
        /// Nothing more can come.
        case inputEnded
    }

    /// Returns when an answer to `consent` is there. What is none is said, to who brought it, and waited on.
    func wait(for consent: ConsentRequest, until deadline: Uptime) -> End {
        while SystemClock.now.uptime < deadline {
            guard listener != nil || readsInput else { return .inputEnded }
            for descriptor in readable() {
                let answer: ConsentRequest.Answer? =
                    switch descriptor {
                    case STDIN_FILENO: readInput(consent)
                    case listener: accept()
                    default: read(descriptor, consent)
                    }
                switch answer {
                case .code(let code): return .code(code)
                case .refused(let refusal): return .refused(refusal)
                case .foreign, nil: break
                }
            }
        }
        return .tooLate
    }

    private func readable() -> [Int32] {
        var watched = connections.map(\.descriptor)
        if let listener { watched.append(listener) }
        if readsInput { watched.append(STDIN_FILENO) }
        var polled = watched.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&polled, nfds_t(polled.count), AnswerWatch.slice) > 0 else { return [] }
        return polled.filter { $0.revents != 0 }.map(\.fd)
    }

    // MARK: A person

    private func readInput(_ consent: ConsentRequest) -> ConsentRequest.Answer? {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
        if count < 0, errno == EINTR { return nil }
        if count <= 0 {
            readsInput = false
            typed.append(UInt8(ascii: "\n"))
        } else {
            typed += chunk[..<count]
        }
        while let end = typed.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: typed[..<end].filter { $0 > 0x20 }, as: UTF8.self)
            typed.removeFirst(end + 1)
            guard !line.isEmpty else { continue }
            let answer = consent.read(line)
            guard case .foreign(let reason) = answer else { return answer }
            StandardError.write("that is not the address: \(reason)")
        }
        if typed.count > AnswerWatch.requestLimit { typed = [] }
        return nil
    }

    // MARK: A browser

    private func accept() -> ConsentRequest.Answer? {
        guard let listener else { return nil }
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        UnixSocket.setTimeout(descriptor, seconds: 2)
        connections.append(Connection(descriptor: descriptor))
        if connections.count > AnswerWatch.connectionLimit { drop(connections[0].descriptor) }
        return nil
    }

    private func drop(_ descriptor: Int32) {
        connections.removeAll { $0.descriptor == descriptor }
        close(descriptor)
    }

    private func read(_ descriptor: Int32, _ consent: ConsentRequest) -> ConsentRequest.Answer? {
        guard let index = connections.firstIndex(where: { $0.descriptor == descriptor }) else { return nil }
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &chunk, chunk.count)
        guard count > 0 else {
            drop(descriptor)
            return nil
        }
        connections[index].received += chunk[..<count]
        let received = connections[index].received
        guard received.count <= AnswerWatch.requestLimit else {
            drop(descriptor)
            return nil
        }
        // The whole head, so that nothing unread is there when it is closed.
        guard received.contains("\r\n\r\n".utf8) else { return nil }
        defer { drop(descriptor) }
        let words = received.prefix { $0 != UInt8(ascii: "\r") }.split(separator: UInt8(ascii: " "))
        guard words.count == 3, words[0].elementsEqual("GET".utf8) else {
            reply(descriptor, "400 Bad Request", "This is not what is waited for.")
            return nil
        }
        let answer = consent.read("http://localhost:\(port)\(String(decoding: words[1], as: UTF8.self))")
        switch answer {
        case .code: reply(descriptor, "200 OK", "Consent has arrived. Go on in the terminal; this page can be closed.")
        case .refused: reply(descriptor, "200 OK", "Consent was not given. The terminal says more.")
        case .foreign:
            reply(descriptor, "400 Bad Request", "This is not the answer to the request that the terminal waits for.")
        }
        return answer
    }

    private func reply(_ descriptor: Int32, _ status: String, _ text: String) {
        let page = "<!DOCTYPE html><html lang=\"en\"><title>conversion-forwarder</title><p>\(text)</p></html>\n"
        let head = """
            HTTP/1.1 \(status)\r
            Content-Type: text/html; charset=utf-8\r
            Content-Length: \(page.utf8.count)\r
            Cache-Control: no-store\r
            Referrer-Policy: no-referrer\r
            Content-Security-Policy: default-src 'none'\r
            Connection: close\r
            \r

            """
        _ = UnixSocket.writeAll(descriptor, Array((head + page).utf8))
    }
}
