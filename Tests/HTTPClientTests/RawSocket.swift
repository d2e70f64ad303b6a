import Glibc
import Synchronization

struct SocketFault: Error {
    var call: String
    var code = errno
}

/// One end of a TCP connection, for what no proper client or server would do. A read gives up after ten seconds.
final class RawConnection: Sendable {
    let descriptor: Int32

    /// - Parameter readLimit: seconds; 0 for ever.
    init(descriptor: Int32, readLimit: Int = 10) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: readLimit, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    convenience init(toPort port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SocketFault(call: "socket") }
        self.init(descriptor: descriptor)
        let code = withLoopback(port: port) { connect(descriptor, $0, $1) }
        guard code == 0 else { throw SocketFault(call: "connect") }
    }

    deinit {
        close(descriptor)
    }

    /// False when the other end is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Nil at the end.
    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[0..<count]) : nil
    }

    /// What comes until `end` was seen or nothing comes any more.
    func read(until end: String) -> String {
        var text = ""
        while !text.contains(end), let more = read() { text += String(decoding: more, as: UTF8.self) }
        return text
    }

    /// The header lines of a request or an answer, and perhaps some of its body.
    func readHead() -> String { read(until: "\r\n\r\n") }

    /// What comes until the other end closes.
    func readToEnd() -> String { read(until: "\u{0}never\u{0}") }

    /// No more will be sent.
    func finish() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// When the connection is closed, the other end gets a reset instead of an end.
    func resetWhenClosed() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }
}

private func withLoopback(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    return withUnsafeBytes(of: &address) {
        body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
}

/// A server that runs a script for every connection, each on its own thread.
final class RawServer: Sendable {
    typealias Script = @Sendable (_ connection: RawConnection, _ number: Int) -> Void

    let port: UInt16
    private let listening: RawConnection
    private let threads = Mutex<[pthread_t]>([])
    private let count = Atomic(0)

    /// - Parameter script: gets the number of the connection, from 0. The connection is closed when it returns. Nil:
    ///   nothing is ever accepted.
    init(backlog: Int32 = 64, _ script: Script?) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        listening = RawConnection(descriptor: descriptor, readLimit: 0)
        guard withLoopback(port: 0, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0 else {
            throw SocketFault(call: "listen")
        }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutableBytes(of: &address) {
            getsockname(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        port = UInt16(bigEndian: address.sin_port)
        if let script { threads.withLock { $0.append(startThread { self.serve(script) }) } }
    }

    /// How many connections were accepted.
    var accepted: Int { count.load(ordering: .sequentiallyConsistent) }

    private func serve(_ script: @escaping Script) {
        while true {
            let descriptor = accept(listening.descriptor, nil, nil)
            guard descriptor >= 0 else { return }
            let connection = RawConnection(descriptor: descriptor)
            let number = count.add(1, ordering: .sequentiallyConsistent).oldValue
            threads.withLock { $0.append(startThread { script(connection, number) }) }
        }
    }

    /// Returns when every script is through.
    func stop() {
        shutdown(listening.descriptor, Int32(SHUT_RDWR))
        while let thread = threads.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { pthread_join(thread, nil) }
    }
}
