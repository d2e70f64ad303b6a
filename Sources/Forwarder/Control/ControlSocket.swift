import ForwarderCore
import Glibc
import Synchronization

/// Where the command line reaches the running daemon: a socket in the state directory that only its owner can open. One
/// line of JSON goes in, one comes back.
final class ControlSocket: Sendable {
    /// Longest answer.
    static let answerLimit = 64 << 20
    private static let requestLimit = 1 << 20
    /// How long one side waits for the other to read or write; an answer may take as long as the store does.
    private static let transferSeconds = 30
    private static let answerSeconds = 60
    /// Requests answered at a time; more wait.
    private static let connectionLimit = 8

    static func path(in directory: String) -> String { "\(directory)/control.sock" }

    enum Unavailable: Error {
        case pathTooLong(String)
        case failed(String)
    }

    private let descriptor: Int32
    private let path: String
    private let isStopped = Atomic(false)
    private let connections = Atomic(0)

    /// The process's umask keeps others out.
    init(directory: String) throws(Unavailable) {
        path = ControlSocket.path(in: directory)
        if let problem = ControlSocket.problem(directory: directory) { throw .pathTooLong(problem) }
        // Left behind by a process that died; the lock of the state directory says that it is nobody else's.
        unlink(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard UnixSocket.withAddress(path, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw .failed("\(path): \(reason)")
        }
    }

    /// What keeps a socket from being in that directory; nil if nothing does.
    static func problem(directory: String) -> String? {
        UnixSocket.address(path(in: directory)) == nil
            ? "\(path(in: directory)) is too long for a socket; choose a shorter directory" : nil
    }

    /// Answers requests from now on, each on a thread of its own: one that takes long holds up no other.
    func start(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        Thread.start(name: "control") {
            while !self.isStopped.load(ordering: .relaxed) { self.accept(answer) }
        }
    }

    /// Takes no more requests. Those being answered are not waited for.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        unlink(path)
        // Wakes the thread that waits for a connection.
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func accept(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        let connection = Glibc.accept(descriptor, nil, nil)
        guard connection >= 0 else {
            // Out of file descriptors, for one: not to be asked again at once.
            if !isStopped.load(ordering: .relaxed) { usleep(100_000) }
            return
        }
        connections.add(1, ordering: .relaxed)
        let isStarted = Thread.startIfPossible(name: "control") {
            UnixSocket.setTimeout(connection, seconds: ControlSocket.transferSeconds)
            if let request = UnixSocket.readLine(connection, limit: ControlSocket.requestLimit) {
                _ = UnixSocket.writeAll(connection, answer(request) + [UInt8(ascii: "\n")])
            }
            close(connection)
            self.connections.subtract(1, ordering: .relaxed)
        }
        if !isStarted {
            close(connection)
            connections.subtract(1, ordering: .relaxed)
        }
        while connections.load(ordering: .relaxed) >= ControlSocket.connectionLimit { usleep(20_000) }
    }

    enum Answer {
        case line([UInt8])
        /// Nobody listens there.
        case notRunning
        /// Somebody does, and says nothing.
        case silent
    }

    /// Asks the daemon of a state directory.
    static func ask(directory: String, _ request: [UInt8]) -> Answer {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .notRunning }
        defer { close(descriptor) }
        UnixSocket.setTimeout(descriptor, seconds: answerSeconds)
        guard UnixSocket.withAddress(path(in: directory), { connect(descriptor, $0, $1) }) == 0 else {
            return .notRunning
        }
        guard UnixSocket.writeAll(descriptor, request + [UInt8(ascii: "\n")]),
            let line = UnixSocket.readLine(descriptor, limit: answerLimit), !line.isEmpty
        else { return .silent }
        return .line(line)
    }
}
