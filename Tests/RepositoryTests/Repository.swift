import Glibc

/// The files of this repository, as its tests see them.
enum Repository {
    static let root: String = {
        let parts = #filePath.split(separator: "/")
        return "/" + parts.dropLast(3).joined(separator: "/")
    }()

    struct File {
        /// From the root.
        var path: String
        var text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    /// All files below a folder with one of these endings.
    static func files(_ folder: String, _ endings: String...) -> [File] {
        paths(folder).sorted().filter { path in endings.contains { path.hasSuffix($0) } }.map {
            File(path: $0, text: read($0))
        }
    }

    static func exists(_ path: String) -> Bool {
        access("\(root)/\(path)", F_OK) == 0
    }

    static func read(_ path: String) -> String {
        guard let file = fopen("\(root)/\(path)", "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    private static func paths(_ folder: String) -> [String] {
        guard let directory = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") || name == "downloads" { continue }
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if entry.pointee.d_type == DT_DIR {
                found += paths(path)
            } else {
                found.append(path)
            }
        }
        return found
    }
}
