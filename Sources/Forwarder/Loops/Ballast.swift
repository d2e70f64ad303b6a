import Glibc

/// Disk space held in reserve next to the store. When the disk is full it is given up, so that what was settled can still
/// be written down.
struct Ballast {
    private let path: String
    private let bytes: Int

    init(directory: String, bytes: Int) {
        path = "\(directory)/ballast"
        self.bytes = bytes
    }

    /// Takes the space. Returns whether it is there; on a full disk it is not.
    func take() -> Bool {
        guard bytes > 0 else { return true }
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        // Real blocks: a sparse file would hold nothing in reserve.
        guard posix_fallocate(file, 0, off_t(bytes)) == 0 else {
            unlink(path)
            return false
        }
        return true
    }

    func release() {
        unlink(path)
    }
}
