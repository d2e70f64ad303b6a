import ForwarderCore
import Glibc

/// Disk space held in reserve next to the store. When the disk is full it is given up, so that what was settled can still
/// be written down.
struct Ballast {
    private let path: String
    private let bytes: Int

    init(_ settings: StateSettings) {
        path = "\(settings.directory)/ballast"
        bytes = settings.ballastBytes
    }

    /// Takes the space. Returns whether it is there; on a full disk it is not.
    func take() -> Bool {
        guard bytes > 0 else {
            release()
            return true
        }
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        // Real blocks: a sparse file would hold nothing in reserve. What an earlier configuration took beyond it is
        // given back.
        guard posix_fallocate(file, 0, off_t(bytes)) == 0, ftruncate(file, off_t(bytes)) == 0 else {
            release()
            return false
        }
        return true
    }

    /// Gives the space up. Returns whether there was any.
    @discardableResult
    func release() -> Bool {
        unlink(path) == 0
    }
}
