import ForwarderCore
import Glibc
import Synchronization

/// Writes lines to standard output from a thread of its own: a reader that has stopped reading must not stop the daemon.
/// What does not fit the buffer meanwhile is dropped and counted.
public final class LogSink: Sendable {
    /// Bytes that may wait for the reader.
    static let bufferLimit = 8 << 20

    private struct State {
        var bytes: [UInt8] = []
        var dropped = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let doorbell = Doorbell()
    private let descriptor: Int32
    private let thread = Mutex<Thread?>(nil)

    public init(descriptor: Int32 = STDOUT_FILENO) {
        self.descriptor = descriptor
    }

    public func start() {
        thread.withLock { $0 = Thread(name: "log") { self.run() } }
    }

    /// Lines dropped since the start.
    public var dropped: Int { state.withLock { $0.dropped } }

    public func write(_ line: [UInt8]) {
        let wasEmpty = state.withLock { state in
            guard state.bytes.count + line.count < LogSink.bufferLimit else {
                state.dropped += 1
                return false
            }
            let wasEmpty = state.bytes.isEmpty
            state.bytes += line
            state.bytes.append(UInt8(ascii: "\n"))
            return wasEmpty
        }
        if wasEmpty { doorbell.ring() }
    }

    /// Writes what is left, waiting no longer than a second for the reader.
    public func close() {
        state.withLock { $0.isClosed = true }
        doorbell.ring()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func run() {
        while true {
            let (bytes, isClosed) = state.withLock { state in
                let bytes = state.bytes
                state.bytes = []
                return (bytes, state.isClosed)
            }
            if bytes.isEmpty {
                if isClosed { return }
                doorbell.wait(timeout: .seconds(60))
                continue
            }
            writeAll(bytes)
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let isReady = poll(&entry, 1, 1000) > 0
            if !isReady, state.withLock({ $0.isClosed }) { return }
            guard isReady else { continue }
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, min($0.count, 64 << 10)) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR, errno != EAGAIN {
                // Nobody will ever read this.
                return state.withLock { $0.dropped += 1 }
            }
        }
    }
}
