import Forwarder
import Glibc
import ScenarioKit

/// Files that say what is expected; `UPDATE_GOLDEN=1` writes them anew, and the review is the difference.
enum Golden {
    private static let folder: String = {
        let parts = #filePath.split(separator: "/")
        return "/" + parts.dropLast(2).joined(separator: "/") + "/Fixtures/commands"
    }()

    static func compare(_ text: String, with name: String) throws {
        let path = "\(folder)/\(name)"
        if getenv("UPDATE_GOLDEN") != nil {
            mkdir(folder, 0o755)
            try SmallFile.replace(path, with: Array(text.utf8))
            chmod(path, 0o644)
            return
        }
        let expected = String(decoding: try SmallFile.read(path, limit: 1 << 20), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, pair) in zip(lines, wanted).enumerated() {
            try require(pair.0 == pair.1, "\(name), line \(index + 1):\n\(pair.0)\ninstead of\n\(pair.1)")
        }
        try requireEqual(lines.count, wanted.count, "lines of \(name)")
    }
}
