import Glibc

/// What kind of file system a directory is on, as far as that matters to a queue that must survive. Read from the
/// kernel's list of mounts: statfs is not in Swift's Glibc module.
enum FileSystemKind {
    private static let doubtfulKinds: Set<String> = [
        "tmpfs", "ramfs", "overlay", "aufs", "nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs",
    ]

    /// The kind if it is doubtful for the state directory; nil for all others.
    static func doubtful(_ directory: String) -> String? {
        guard let kind = kind(of: directory) else { return nil }
        return doubtfulKinds.contains(kind) ? kind : nil
    }

    /// Of a directory that is still to be made: where it will be.
    private static func kind(of directory: String) -> String? {
        guard let resolved = realpath(directory, nil) ?? realpath(SmallFile.parent(of: directory), nil) else {
            return nil
        }
        defer { free(resolved) }
        let path = String(cString: resolved)
        guard let bytes = try? SmallFile.read("/proc/self/mountinfo", limit: 4 << 20) else { return nil }
        return kind(of: path, mounts: String(decoding: bytes, as: UTF8.self))
    }

    /// The kind of the last mount that the path is below, by the lines of mountinfo (proc(5)).
    static func kind(of path: String, mounts: String) -> String? {
        var best: (length: Int, kind: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let point = fields[4] == "/" ? "" : String(fields[4])
            guard path == point || path.hasPrefix(point + "/") else { continue }
            if point.utf8.count >= best?.length ?? -1 { best = (point.utf8.count, String(fields[dash + 1])) }
        }
        return best?.kind
    }
}
