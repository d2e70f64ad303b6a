import ForwarderCore
import Glibc
import Synchronization

/// Writes lines to standard output from a thread of its own: a reader that has stopped reading must not stop the daemon.
/// What does not fit the buffer meanwhile is dropped and counted.
public final class LogSink: Sendable {
    /// Bytes that may wait for the reader.
    static let bufferLimit = 8 << 20
    /// POSIX promises that a pipe which poll calls writable takes this much (PIPE_BUF) without blocking.
    private static let chunk = 4096

    private struct State {
        var bytes: [UInt8] = []
        /// Bytes the thread has taken and is writing.
        var taken = 0
        var dropped = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let doorbell = Doorbell()
    private let ended = Reply<Void>()
    private let descriptor: Int32
    private let isJournal: Bool

    /// `journalStream` is what systemd says of the journal's socket.
    public init(
        descriptor: Int32 = STDOUT_FILENO,
        journalStream: String? = getenv("JOURNAL_STREAM").map { String(cString: $0) }
    ) {
        self.descriptor = descriptor
        isJournal = JournalStream.isAt(descriptor, variable: journalStream)
    }

    public func start() {
        Thread.start(name: "log") {
            self.run()
            self.ended.send(())
        }
    }

    /// Lines dropped since the start.
    public var dropped: Int { state.withLock { $0.dropped } }

    public func write(_ line: [UInt8], _ level: LogSettings.Level) {
        let wasEmpty = state.withLock { state in
            guard state.taken + state.bytes.count + line.count < LogSink.bufferLimit else {
                state.dropped += 1
                return false
            }
            let wasEmpty = state.bytes.isEmpty
            if isJournal { JournalStream.prefix(level).withUTF8Buffer { state.bytes += $0 } }
            state.bytes += line
            state.bytes.append(UInt8(ascii: "\n"))
            return wasEmpty
        }
        if wasEmpty { doorbell.ring() }
    }

    /// Writes what is left, waiting no longer than `timeout` for the reader. To be called once, after `start`.
    public func close(timeout: Duration = .seconds(2)) {
        state.withLock { $0.isClosed = true }
        doorbell.ring()
        _ = ended.wait(timeout: timeout)
    }

    private func run() {
        var isMidLine = false
        while true {
            let (bytes, isClosed) = state.withLock { state in
                let bytes = state.bytes
                state.bytes = []
                state.taken = bytes.count
                return (bytes, state.isClosed)
            }
            if !bytes.isEmpty {
                // What was broken off must not take the next line with it.
                isMidLine = writeAll(isMidLine ? [UInt8(ascii: "\n")] + bytes : bytes)
            } else if isClosed {
                return
            } else {
                doorbell.wait(timeout: .seconds(60))
            }
        }
    }

    /// Returns whether it had to stop in the middle of a line.
    private func writeAll(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, 1000) > 0 else { continue }
            let written = rest.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, min($0.count, LogSink.chunk))
            }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR, errno != EAGAIN {
                // Nobody will ever read this; or the log is a file and its disk is full.
                let lines = rest.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
                state.withLock { $0.dropped += lines }
                return rest.startIndex > 0 && bytes[rest.startIndex - 1] != UInt8(ascii: "\n")
            }
        }
        return false
    }
}
