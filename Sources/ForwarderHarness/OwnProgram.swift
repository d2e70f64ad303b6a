import Glibc

/// The program that runs here.
public enum OwnProgram {
    /// Its file.
    public static let path: String = {
        var path = [CChar](repeating: 0, count: 4096)
        let length = max(0, readlink("/proc/self/exe", &path, path.count - 1))
        return String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// A program that was built with this one.
    public static func besides(_ name: String) -> String {
        (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + name
    }
}
