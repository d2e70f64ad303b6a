import Glibc
import Synchronization

// Compiled into one module with the server, so that nothing has to be public for it.

/// Sends any bytes to a server on loopback, and checks that it still answers who asks properly.
private final class AdminFuzzer {
    private static let handled = Atomic(0)
    private let server: HTTPServer

    init() {
        do {
            server = try HTTPServer(
                host: "127.0.0.1", port: 0, bodyLimit: 64, connectionLimit: 32, idleTimeout: .seconds(1)
            ) { request in
                precondition(
                    !request.method.isEmpty && request.path.utf8.first != UInt8(ascii: "?"), "a request is one")
                precondition(request.body.count <= 64, "no body is larger than allowed")
                AdminFuzzer.handled.add(1, ordering: .relaxed)
                return .answer(ServerAnswer(status: 200, headers: [("Content-Type", "text/plain")], body: [111, 107]))
            }
        } catch {
            preconditionFailure("no server: \(error)")
        }
    }

    func check(_ bytes: [UInt8]) {
        _ = exchange(bytes)
        let answer = exchange(Array("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        precondition(answer.starts(with: Array("HTTP/1.1 200".utf8)), "it answers no more")
    }

    /// What comes back until the other side closes, or for a tenth of a second.
    private func exchange(_ bytes: [UInt8]) -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        precondition(isConnected, "it does not listen any more")
        // Not a thousand sockets in TIME_WAIT: this side resets when all is read.
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        shutdown(descriptor, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 100) > 0 {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            answer += chunk[..<count]
        }
        return answer
    }
}

// libFuzzer calls from one thread only.
nonisolated(unsafe) private let fuzzer = AdminFuzzer()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzer.check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
