import Glibc
import Testing

/// A script and what came of it, in one text file: lines that begin with `#` or `>` are the script, the others the
/// transcript. With `UPDATE_GOLDEN=1` in the environment the transcripts are written anew; the review is the diff.
struct ScenarioFile: Sendable, CustomTestStringConvertible {
    var name: String

    static let directory: String = {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return here.joined(separator: "/") + "/Fixtures/scenarios"
    }()

    static let isUpdating = getenv("UPDATE_GOLDEN") != nil

    var testDescription: String { name }
    private var path: String { "\(ScenarioFile.directory)/\(name)" }

    static func all(_ prefix: String) -> [ScenarioFile] {
        guard let directory = opendir(directory) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(prefix), name.hasSuffix(".txt") { names.append(name) }
        }
        return names.sorted().map { ScenarioFile(name: $0) }
    }

    func read() -> [Substring] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    func write(_ lines: [String]) {
        guard let file = fopen(path, "w") else { return }
        defer { fclose(file) }
        let text = lines.joined(separator: "\n")
        fwrite(text, 1, text.utf8.count, file)
    }
}

/// Runs the script of a file; `run` takes a line and returns what came of it.
func transcript(of lines: [Substring], run: (Substring) -> [String]) -> [String] {
    var transcript: [String] = []
    for line in lines {
        if line.hasPrefix("#") || line.isEmpty {
            transcript.append(String(line))
        } else if line.hasPrefix("> ") {
            transcript.append(String(line))
            transcript += run(line.dropFirst(2))
        }
    }
    return transcript
}
