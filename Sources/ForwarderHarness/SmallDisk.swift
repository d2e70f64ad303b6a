import Glibc

/// A file system of its own for a directory, small enough to be filled. Only root can make one.
public final class SmallDisk {
    public let path: String
    private var filler: String { "\(path)/filler" }

    /// Whether this process may make one is only known by trying: root in a container may not.
    public init(_ path: String, megabytes: Int) throws(HarnessFailure) {
        self.path = path
        mkdir(path, 0o700)
        try SmallDisk.run("/bin/mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path)
    }

    deinit {
        // Lazily: a daemon that a failed scenario left may still be in it.
        try? SmallDisk.run("/bin/umount", "-l", path)
    }

    /// Fills it to the last block.
    public func fill() throws(HarnessFailure) {
        let file = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(file) }
        for size in [1 << 20, 1 << 12] {
            let bytes = [UInt8](repeating: 7, count: size)
            while write(file, bytes, size) == size {}
        }
        guard errno == ENOSPC else { throw HarnessFailure("the disk \(path) is not full (errno \(errno))") }
    }

    /// Leaves what is on it in the directory that it lies over.
    public func keep() throws(HarnessFailure) {
        try SmallDisk.run("/bin/cp", "-a", path, path + ".kept")
        try SmallDisk.run("/bin/umount", path)
        try SmallDisk.run("/bin/cp", "-a", path + ".kept/.", path)
        try SmallDisk.run("/bin/rm", "-r", path + ".kept")
    }

    public func free() {
        unlink(filler)
    }

    private static func run(_ program: String, _ words: String...) throws(HarnessFailure) {
        let process = try ChildProcess(
            program, words, environment: [], output: .file("/dev/null"), error: .file("/dev/null"))
        guard process.exitCode(timeout: .seconds(10)) == 0 else {
            throw HarnessFailure("\(program) \(words.joined(separator: " ")) failed")
        }
    }
}
