import ForwarderCore
import Glibc

/// Reads a YAML file into a tree of values with their places. Of YAML only what a configuration needs is taken: one
/// document of maps, lists and scalars. Anchors, aliases, tags, merge keys and keys that are not text are refused, so
/// the tree is never larger than the file.
public enum ConfigFile {
    /// Largest file, in bytes.
    public static let sizeLimit = 1 << 20
    /// Deepest nesting of maps and lists.
    public static let depthLimit = 16
    /// Most values, maps and lists.
    public static let valueLimit = 10_000

    /// Reads the file at `path`, which may be a pipe.
    public static func load(_ path: String) throws(ConfigFileError) -> ConfigNode {
        try parse(read(path))
    }

    public static func parse(_ bytes: [UInt8]) throws(ConfigFileError) -> ConfigNode {
        guard bytes.count <= sizeLimit else {
            throw .invalid(line: 1, column: 1, "the file is larger than \(sizeLimit >> 20) MiB")
        }
        // Libyaml would count a byte order mark as a column, so that the first line is indented by one.
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        // A typed error does not cross withUnsafeBufferPointer's rethrow; a result does.
        return try text.withUnsafeBufferPointer { text -> Result<ConfigNode, ConfigFileError> in
            do throws(ConfigFileError) {
                var builder = try TreeBuilder(text)
                return .success(try builder.document())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    /// The bytes of the file, one more than the limit at the most.
    private static func read(_ path: String) throws(ConfigFileError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= sizeLimit {
            let count = Glibc.read(file, &chunk, min(chunk.count, sizeLimit + 1 - bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}

/// Why there is no tree.
public enum ConfigFileError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    /// Not YAML, or YAML that is not read here.
    case invalid(ConfigProblem)

    static func invalid(line: Int, column: Int, path: String = "", _ text: String) -> ConfigFileError {
        .invalid(ConfigProblem(.error, line: line, column: column, path: path, text))
    }

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .invalid(let problem): problem.description
        }
    }
}
