import ForwarderCore
import Glibc

/// Wakes a thread that sleeps. Rings before the sleep count: nothing is missed.
public final class Doorbell: Sendable {
    /// A pipe: what only GNU has (eventfd, pipe2) is not in Swift's Glibc module.
    private let reader: Int32
    private let writer: Int32

    public init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "the system has no file descriptor to give (errno \(errno)); raise LimitNOFILE")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        reader = ends[0]
        writer = ends[1]
    }

    deinit {
        close(reader)
        close(writer)
    }

    public func ring() {
        var byte: UInt8 = 1
        // A full pipe has been rung often enough.
        _ = write(writer, &byte, 1)
    }

    /// Sleeps until somebody rings, at most `timeout`.
    public func wait(timeout: Duration) {
        var entry = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, Int32(clamping: max(0, timeout.milliseconds))) > 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { _ = read(reader, $0.baseAddress, $0.count) }
    }
}
