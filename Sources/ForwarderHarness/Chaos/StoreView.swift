import ForwarderCore

/// What the stores of all members hold of what could not be delivered, by what the command line tells.
struct StoreView {
    struct Letter {
        var reasonClass: String
        var reason: String
    }

    struct Key: Hashable {
        var place: TopicReader.Place
        /// nil: every destination.
        var destination: String?
    }

    var rejects: [Key: [String]] = [:]
    var letters: [Key: Letter] = [:]
    private(set) var pending = 0

    /// Adds what the store of a stopped daemon holds.
    mutating func add(_ binary: String, _ directory: DaemonDirectory) throws(HarnessFailure) {
        for row in try StoreView.list(binary, directory, ["rejects"], "rejects") {
            guard let key = Key(row) else { throw HarnessFailure("a reject without a place: \(row.rawText)") }
            rejects[key] = row["reasons"]?.elements?.compactMap(\.string) ?? []
        }
        for row in try StoreView.list(binary, directory, ["dead-letters", "list"], "dead_letters") {
            guard let key = Key(row), let reasonClass = row["class"]?.string, let reason = row["reason"]?.string else {
                throw HarnessFailure("a dead letter without a place or reason: \(row.rawText)")
            }
            letters[key] = Letter(reasonClass: reasonClass, reason: reason)
        }
        pending += try StoreView.list(binary, directory, ["queue", "list"], "deliveries").count
    }

    /// What a command lists as JSON. The daemon may be running.
    static func list(
        _ binary: String, _ directory: DaemonDirectory, _ words: [String], _ member: String
    ) throws(HarnessFailure) -> [JSONElement] {
        let run = try CommandRun(
            binary, words + ["--json", "--limit", "100000", "--config", directory.configuration])
        guard let rows = (try? JSONDocument(run.output))?.root[member]?.elements else {
            throw HarnessFailure("\(words.joined(separator: " ")): \(run.code) \(run.output.prefix(500))\(run.errors)")
        }
        return rows
    }
}

extension StoreView.Key {
    fileprivate init?(_ row: JSONElement) {
        guard let partition = row["partition"]?.integer, let offset = row["offset"]?.integer else { return nil }
        place = TopicReader.Place(partition: Int32(partition), offset: offset)
        destination = row["destination"]?.string
    }
}
