import Glibc

/// Keeps a second process out of a directory. The kernel lets go of the lock when the process ends, however it ends.
public final class DirectoryLock {
    private var descriptor: Int32

    /// - Parameter mayCreate: make the lock file if it is not there.
    public init(directory: String, mayCreate: Bool) throws(StoreError) {
        let path = directory + "/lock"
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (mayCreate ? O_CREAT : 0)
        let opened = open(path, flags, 0o600)
        guard opened >= 0 else { throw StoreError(systemError: errno, path: path) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let failure = errno
            let holder = Self.processID(in: opened)
            close(opened)
            guard failure == EWOULDBLOCK else { throw StoreError(systemError: failure, path: path) }
            throw StoreError(.locked(processID: holder), path: directory)
        }
        descriptor = opened
        writeProcessID()
    }

    deinit {
        release()
    }

    func release() {
        guard descriptor >= 0 else { return }
        // Closing alone would leave the lock with a child process that was forked meanwhile and has not yet become
        // another program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
        descriptor = -1
    }

    /// For the error that whoever comes second gets, and only for that: on a full disk the file stays empty.
    private func writeProcessID() {
        let text = "\(getpid())\n"
        guard ftruncate(descriptor, 0) == 0 else { return }
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    private static func processID(in descriptor: Int32) -> Int32? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            return Int32(String(decoding: buffer[..<count], as: UTF8.self).prefix { $0 != "\n" })
        }
    }
}
