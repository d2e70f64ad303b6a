import Glibc

/// What every commit carries along: which replica made it and which store that had. If the same replica later comes up
/// with another store, deliveries that waited in the first are missing, and somebody must know.
struct StoreMarker: Equatable {
    var replica: String
    var identity: String

    private static let prefix = "cf1"

    static func text(_ identity: String) -> String {
        "\(prefix) \(thisReplica) \(identity)"
    }

    init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == StoreMarker.prefix else { return nil }
        replica = String(words[1])
        identity = String(words[2])
    }

    /// The host's name: stable under systemd and in a StatefulSet.
    static let thisReplica: String = {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        let text = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        return text.filter { $0 != " " }
    }()
}
