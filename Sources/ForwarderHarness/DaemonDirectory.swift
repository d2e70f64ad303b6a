import Forwarder
import ForwarderCore
import Glibc

/// The directory of one daemon under observation: configuration, made-up secrets, state, log.
public final class DaemonDirectory: Sendable {
    public let path: String

    public convenience init() throws(HarnessFailure) {
        // Set to nothing is not set.
        let given = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        try self.init(below: given.isEmpty ? "/tmp" : given)
    }

    /// - Parameter parent: may be relative; a configuration takes absolute paths only.
    init(below parent: String) throws(HarnessFailure) {
        guard let absolute = realpath(parent, nil) else { throw DaemonDirectory.cannotBeMade(in: parent) }
        defer { free(absolute) }
        var template = Array("\(String(cString: absolute))/conversion-forwarder-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DaemonDirectory.cannotBeMade(in: parent) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Why stands in `errno`.
    private static func cannotBeMade(in parent: String) -> HarnessFailure {
        HarnessFailure(
            "no directory can be made in \(parent) (\(String(cString: strerror(errno)))): set TMPDIR to one where it can"
        )
    }

    /// A directory inside of another one, which removes it too.
    init(in parent: DaemonDirectory, _ name: String) throws(HarnessFailure) {
        path = "\(parent.path)/\(name)"
        guard mkdir(path, 0o700) == 0 else { throw HarnessFailure("\(path) cannot be made") }
    }

    public var log: String { "\(path)/log.ndjson" }
    /// What the daemon says to people.
    public var errors: String { "\(path)/stderr" }
    public var state: String { "\(path)/state" }
    public var configuration: String { "\(path)/config.yaml" }

    public func write(_ text: String, to name: String) throws(HarnessFailure) {
        do throws(SmallFile.Failure) {
            try SmallFile.replace("\(path)/\(name)", with: Array(text.utf8))
        } catch {
            throw HarnessFailure("\(path)/\(name) \(error.reason)")
        }
    }

    /// What the daemon says of itself; nil while it does not answer.
    public func status() -> JSONElement? {
        DaemonStatus.ask(stateDirectory: state)
    }

    /// The whole log.
    public func logBytes() -> [UInt8] {
        (try? SmallFile.read(log, limit: 1 << 30)) ?? []
    }

    /// What the daemon has said to people.
    public func errorLines() -> [String] {
        let bytes = (try? SmallFile.read(errors, limit: 1 << 28)) ?? []
        return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The lines of the log that have this `event`.
    public func logLines(_ event: String) -> [JSONElement] {
        let mark = Array("\"event\":\"\(event)\"".utf8)
        return logBytes().split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard line.indices.prefix(160).contains(where: { line[$0...].starts(with: mark) }) else { return nil }
            return (try? JSONDocument(Array(line)))?.root
        }
    }

    /// The last numbers in the log.
    public func lastMetrics() -> JSONElement? {
        logLines("metrics").last
    }

    /// Every file below the directory, by its path.
    public func files() -> [String] {
        DaemonDirectory.files(path)
    }

    /// Everything below a path, directories and the path itself included.
    public static func everything(below path: String) -> [String] {
        [path] + (entries(path) ?? []).flatMap(everything)
    }

    public func remove() {
        DaemonDirectory.remove(path)
    }

    /// The paths of what is in a directory; nil if it is none.
    static func entries(_ path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append("\(path)/\(name)") }
        }
        return names
    }

    private static func files(_ path: String) -> [String] {
        entries(path)?.flatMap(files) ?? [path]
    }

    private static func remove(_ path: String) {
        for entry in entries(path) ?? [] { remove(entry) }
        Glibc.remove(path)
    }
}
