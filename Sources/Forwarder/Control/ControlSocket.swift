import ForwarderCore
import Glibc
import Synchronization

/// Where the command line reaches the running daemon: a socket in the state directory that only its owner can open. One
/// line of JSON goes in, one comes back.
final class ControlSocket: Sendable {
    /// Longest request, and longest answer.
    static let lineLimit = 64 << 20
    private static let timeoutSeconds = 30

    static func path(in directory: String) -> String { "\(directory)/control.sock" }

    struct Unavailable: Error {
        var reason: String
    }

    private let descriptor: Int32
    private let path: String
    private let isStopped = Atomic(false)
    private let thread = Mutex<Thread?>(nil)

    init(directory: String) throws(Unavailable) {
        path = ControlSocket.path(in: directory)
        // Left behind by a process that died; the lock of the state directory says that it is nobody else's.
        unlink(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let before = umask(0o177)
        let code = UnixSocket.withAddress(path) { bind(descriptor, $0, $1) }
        umask(before)
        guard let code else {
            close(descriptor)
            throw Unavailable(reason: "\(path) is too long for a socket; choose a shorter state.directory")
        }
        guard code == 0, listen(descriptor, 8) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw Unavailable(reason: "\(path): \(reason)")
        }
    }

    /// Answers requests from now on, one after the other.
    func start(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        thread.withLock { $0 = Thread(name: "control") { self.run(answer) } }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        thread.withLock {
            $0?.join(); $0 = nil
        }
        close(descriptor)
        unlink(path)
    }

    private func run(_ answer: ([UInt8]) -> [UInt8]) {
        while !isStopped.load(ordering: .relaxed) {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 200) > 0 else { continue }
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { continue }
            UnixSocket.setTimeout(connection, seconds: ControlSocket.timeoutSeconds)
            if let request = UnixSocket.readLine(connection, limit: 1 << 20) {
                _ = UnixSocket.writeAll(connection, answer(request) + [UInt8(ascii: "\n")])
            }
            close(connection)
        }
    }

    /// Asks the daemon of a state directory; nil if none answers there.
    static func ask(directory: String, _ request: [UInt8]) -> [UInt8]? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        UnixSocket.setTimeout(descriptor, seconds: timeoutSeconds * 2)
        guard UnixSocket.withAddress(path(in: directory), { connect(descriptor, $0, $1) }) == 0 else { return nil }
        guard UnixSocket.writeAll(descriptor, request + [UInt8(ascii: "\n")]) else { return nil }
        return UnixSocket.readLine(descriptor, limit: lineLimit).flatMap { $0.isEmpty ? nil : $0 }
    }
}
