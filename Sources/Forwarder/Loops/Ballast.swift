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

    enum Taking: Equatable {
        /// It is there, or none is wanted.
        case taken
        case noRoom
        /// It will not be there however much room there is.
        case impossible(reason: String)
    }

    /// Takes the space.
    func take() -> Taking {
        guard bytes > 0 else {
            release()
            return .taken
        }
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return failure(errno) }
        defer { close(file) }
        // Real blocks: a sparse file would hold nothing in reserve.
        var code = posix_fallocate(file, 0, off_t(bytes))
        // What an earlier configuration took beyond it is given back.
        if code == 0, ftruncate(file, off_t(bytes)) != 0 { code = errno }
        guard code == 0 else {
            release()
            return failure(code)
        }
        return .taken
    }

    private func failure(_ code: Int32) -> Taking {
        switch code {
        case ENOSPC, EDQUOT, EINTR: .noRoom
        default: .impossible(reason: "\(path): \(String(cString: strerror(code)))")
        }
    }

    /// Gives the space up. Returns whether there was any.
    @discardableResult
    func release() -> Bool {
        unlink(path) == 0
    }
}
