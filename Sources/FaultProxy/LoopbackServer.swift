import Glibc
import Synchronization

/// Why there is no server.
public struct LoopbackFailure: Error, CustomStringConvertible {
    public var description: String
}

/// Listens on a free port of loopback and runs a script for every connection, each on a thread of its own. The
/// connection is closed when its script returns.
public final class LoopbackServer: Sendable {
    public typealias Script = @Sendable (Connection) -> Void

    public let port: UInt16
    private let listening: Int32
    private let state: Mutex<State>

    private struct State {
        var threads: [pthread_t] = []
        /// Of the connections whose scripts run.
        var open: Set<Int32> = []
        var isStopped = false
    }

    public init(_ script: @escaping Script) throws(LoopbackFailure) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening =
            withLoopback(port: 0) { bind(descriptor, $0, $1) } == 0 && listen(descriptor, 64) == 0
            && withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            } == 0
        guard isListening else {
            throw LoopbackFailure(description: "loopback cannot be listened on: \(String(cString: strerror(errno)))")
        }
        listening = descriptor
        port = UInt16(bigEndian: address.sin_port)
        state = Mutex(State())
        start { $0.serve(script) }
    }

    deinit {
        close(listening)
    }

    /// Ends every connection and returns when all scripts have. Calling it again does nothing.
    public func stop() {
        state.withLock { state in
            state.isStopped = true
            shutdown(listening, Int32(SHUT_RDWR))
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
        while let thread = state.withLock({ $0.threads.popLast() }) { pthread_join(thread, nil) }
    }

    private func serve(_ script: @escaping Script) {
        while true {
            let descriptor = accept(listening, nil, nil)
            guard descriptor >= 0 else { return }
            let isStopped = state.withLock { state in
                if !state.isStopped { state.open.insert(descriptor) }
                return state.isStopped
            }
            if isStopped {
                close(descriptor)
                return
            }
            start { $0.run(script, descriptor) }
        }
    }

    private func run(_ script: Script, _ descriptor: Int32) {
        // Taken out before it is closed: the number may be another connection's at once.
        let connection = Connection(descriptor: descriptor)
        script(connection)
        withExtendedLifetime(connection) { _ = state.withLock { $0.open.remove(descriptor) } }
    }

    private func start(_ body: @escaping @Sendable (LoopbackServer) -> Void) {
        final class Start: Sendable {
            let server: LoopbackServer
            let body: @Sendable (LoopbackServer) -> Void

            init(_ server: LoopbackServer, _ body: @escaping @Sendable (LoopbackServer) -> Void) {
                self.server = server
                self.body = body
            }
        }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                start.body(start.server)
                return nil
            }, Unmanaged.passRetained(Start(self, body)).toOpaque())
        precondition(code == 0, "the system has no thread to give (errno \(code))")
        state.withLock { $0.threads.append(thread) }
    }
}
