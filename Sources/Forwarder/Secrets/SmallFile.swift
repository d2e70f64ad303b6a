import Glibc

/// Files that fit into memory at once, read and written whole.
public enum SmallFile {
    public struct Failure: Error, Sendable {
        public var reason: String
        /// The file does not exist, or cannot, as what should be its directory is none.
        public var isMissing: Bool
    }

    /// - Parameter isRegular: refuses what is no file on a disk: a pipe could keep its reader waiting for ever.
    public static func read(_ path: String, limit: Int, isRegular: Bool = false) throws(Failure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | (isRegular ? O_NONBLOCK : 0))
        guard file >= 0 else { throw failure("cannot be opened") }
        defer { close(file) }
        var status = stat()
        if isRegular, fstat(file, &status) != 0 || status.st_mode & S_IFMT != S_IFREG {
            throw Failure(reason: "is no regular file", isMissing: false)
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("cannot be read")
            }
            bytes += chunk[..<count]
            if bytes.count > limit { throw Failure(reason: "is larger than \(limit) bytes", isMissing: false) }
        }
    }

    /// Replaces the file in one step, readable by its owner only: after a crash there is the old one or the new one.
    public static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let temporary = path + ".new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("cannot be created") }
        var isWritten = false
        defer {
            close(file)
            if !isWritten { unlink(temporary) }
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("cannot be written")
            }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0, rename(temporary, path) == 0 else { throw failure("cannot be written") }
        isWritten = true
        // The new name must survive as well.
        let directory = open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("cannot be made durable") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("cannot be made durable") }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func failure(_ what: String) -> Failure {
        Failure(reason: "\(what) (\(String(cString: strerror(errno))))", isMissing: errno == ENOENT || errno == ENOTDIR)
    }
}
