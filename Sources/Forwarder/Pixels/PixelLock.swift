import Glibc

/// Held by the one `pixels` command that speaks to the service. Not the daemon's lock, which may be held meanwhile; the
/// system gives it back when the process ends, however it ends.
final class PixelLock {
    private static let patienceSeconds = 60
    private let descriptor: Int32

    /// Waits for another command to end, for a minute.
    init(_ folder: String) throws(PixelDesk.Refused) {
        let path = "\(folder)/pixels.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .init(reason: "\(path): cannot be opened (\(String(cString: strerror(errno))))")
        }
        var tries = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let isHeld = errno == EWOULDBLOCK || errno == EINTR
            let reason = String(cString: strerror(errno))
            guard isHeld, tries < 5 * PixelLock.patienceSeconds else {
                close(descriptor)
                throw .init(
                    reason: isHeld
                        ? "another `pixels` command has held \(path) for \(PixelLock.patienceSeconds) s; wait for its end"
                        : "\(path): cannot be locked (\(reason))")
            }
            if tries == 0 { StandardError.write("another `pixels` command is at work; waiting for its end") }
            tries += 1
            usleep(200_000)
        }
    }

    deinit {
        close(descriptor)
    }
}
