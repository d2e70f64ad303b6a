/// Reads one map of the file key by key and notes every problem on the way. What was asked for is what is known, so the
/// code that reads is the only list of keys there is. A value that is refused or missing leaves what stood before,
/// which nobody gets to see: with one error noted there is no configuration.
final class MapReader {
    private let node: ConfigNode
    private let entries: [ConfigNode.Entry]
    /// The path with `[]` for an index and `*` for a key of the user's own.
    private let pattern: String
    private let findings: ConfigFindings
    private var asked: [String] = []
    /// Known keys that have no meaning in this map; they were refused already.
    private var misplaced: [String] = []
    private var ignoresUnknown = false

    /// Reads `node` with `body`, then refuses the keys that `body` did not ask for.
    static func read<Result>(
        _ node: ConfigNode, pattern: String, _ findings: ConfigFindings, _ body: (MapReader) -> Result
    ) -> Result {
        let reader = MapReader(node, pattern, findings)
        let result = body(reader)
        reader.refuseUnknown()
        return result
    }

    /// The keys that `body` asks for.
    static func keys(of body: (MapReader) -> Void) -> [String] {
        let reader = MapReader(ConfigNode(.map([]), line: 1, column: 1, path: ""), "", ConfigFindings())
        body(reader)
        return reader.asked
    }

    private init(_ node: ConfigNode, _ pattern: String, _ findings: ConfigFindings) {
        self.node = node
        self.pattern = pattern
        switch node.content {
        case .map(let entries):
            self.entries = entries
            self.findings = findings
            refuseRepeated()
        // A section whose lines are all comments.
        case .scalar where node.isNull:
            entries = []
            self.findings = findings
        case .scalar, .list:
            entries = []
            findings.add(.error, at: node, "is no map; write its keys on lines of their own, each with a colon")
            // What it lacks for that reason is not worth a word.
            self.findings = ConfigFindings()
        }
    }

    // MARK: Values

    /// Reads the value of `key` over `value`, which holds the default.
    func set<Value>(_ value: inout Value, _ key: String, _ form: ConfigForm<Value>) {
        if let node = find(key), let read = findings.convert(node, form) { value = read }
    }

    /// As `set`, for what `off` or an empty value turns off.
    func set<Value>(orOff value: inout Value?, _ key: String, _ form: ConfigForm<Value>) {
        guard let node = find(key) else { return }
        if node.isOff {
            value = nil
        } else if let read = findings.convert(node, form, or: ", or off") {
            value = read
        }
    }

    /// The value of `key`; nil after a problem was noted.
    func require<Value>(_ key: String, _ form: ConfigForm<Value>) -> Value? {
        if let node = find(key) { return findings.convert(node, form) }
        refuse(key, because: "is missing; write \(form.allowed)")
        return nil
    }

    func holds(_ key: String) -> Bool {
        find(key) != nil
    }

    // MARK: Lists

    /// Reads the list of `key` over `values`, which holds the default.
    func set<Value: Hashable>(
        _ values: inout [Value], _ key: String, listOf form: ConfigForm<Value>, count: ClosedRange<Int>
    ) {
        if let node = find(key) { values = findings.list(node, form, count) }
    }

    func require<Value: Hashable>(_ key: String, listOf form: ConfigForm<Value>, count: ClosedRange<Int>) -> [Value] {
        if let node = find(key) { return findings.list(node, form, count) }
        refuse(key, because: "is missing; write a list, each element \(form.allowed)")
        return []
    }

    /// Each map of the list of `key`, read with `body`.
    func requireMaps<Value>(_ key: String, count: ClosedRange<Int>, _ body: (MapReader) -> Value) -> [Value] {
        guard let node = find(key) else {
            refuse(key, because: "is missing; write a list with at least one element")
            return []
        }
        return findings.elements(node, count).map {
            MapReader.read($0, pattern: "\(pattern(key))[]", findings, body)
        }
    }

    // MARK: Maps

    /// Reads the map of `key` with `body`; an absent one as if it were empty.
    func section<Value>(_ key: String, _ body: (MapReader) -> Value) -> Value {
        MapReader.read(find(key) ?? node.value(of: key), pattern: pattern(key), findings, body)
    }

    /// Reads a map whose keys are the user's own, in their order; an absent one as if it were empty.
    func entries<Value>(_ key: String, count: ClosedRange<Int>, _ body: (OpenEntry) -> Value?) -> [Value] {
        if find(key) == nil, !count.contains(0) {
            refuse(key, because: "is missing; write a map with at least one key")
            return []
        }
        return section(key) { map in
            map.ignoresUnknown = true
            if !count.contains(map.entries.count) {
                map.refuse(because: "has \(map.entries.count) keys; write \(count.lowerBound) to \(count.upperBound)")
            }
            return map.entries.compactMap { body(OpenEntry(entry: $0, pattern: map.pattern("*"), findings: findings)) }
        }
    }

    /// One key of the user's own and its value.
    struct OpenEntry {
        fileprivate let entry: ConfigNode.Entry
        fileprivate let pattern: String
        fileprivate let findings: ConfigFindings

        var key: String { entry.key }
        var value: ConfigNode { entry.value }

        func refuse(_ text: String) { findings.add(.error, at: entry.position, text) }

        func doubt(_ text: String) { findings.add(.warning, at: entry.position, text) }

        func read<Value>(_ form: ConfigForm<Value>) -> Value? { findings.convert(value, form) }

        func list<Value: Hashable>(of form: ConfigForm<Value>, count: ClosedRange<Int>) -> [Value] {
            findings.list(value, form, count)
        }

        func section<Value>(_ body: (MapReader) -> Value) -> Value {
            MapReader.read(value, pattern: pattern, findings, body)
        }
    }

    // MARK: Problems

    /// Notes an error at the value that `keys` lead to, or at the map that lacks one of them.
    func refuse(_ keys: String..., because text: String) {
        findings.add(.error, at: keys.reduce(node) { $0.value(of: $1) }, text)
    }

    /// Notes a warning, likewise.
    func doubt(_ keys: String..., because text: String) {
        findings.add(.warning, at: keys.reduce(node) { $0.value(of: $1) }, text)
    }

    /// Refuses those of `keys` that are there: they are known, but have no meaning in this map.
    func refuse(misplaced keys: [String], because text: String) {
        let keys = keys.filter { !asked.contains($0) }
        misplaced += keys
        for entry in entries where keys.contains(entry.key) { findings.add(.error, at: entry.position, text) }
    }

    /// Says nothing of unknown keys: what is known here could not be found out.
    func ignoreUnknown() {
        ignoresUnknown = true
    }

    private func refuseUnknown() {
        guard !ignoresUnknown else { return }
        for entry in entries where !asked.contains(entry.key) && !misplaced.contains(entry.key) {
            let near = nearest(to: entry.key, among: asked)
            let advice = near.map { "did you mean \($0)?" } ?? "known here: \(asked.joined(separator: ", "))"
            findings.add(.error, at: entry.position, "unknown key; \(advice)")
        }
    }

    private func refuseRepeated() {
        var firstLines: [String: Int] = [:]
        for entry in entries {
            if let line = firstLines[entry.key] {
                findings.add(.error, at: entry.position, "stands here twice, first on line \(line); keep one of them")
            } else {
                firstLines[entry.key] = entry.line
            }
        }
    }

    // MARK: Steps

    private func find(_ key: String) -> ConfigNode? {
        if !asked.contains(key) {
            asked.append(key)
            findings.add(key: pattern(key))
        }
        return entries.first { $0.key == key }?.value
    }

    private func pattern(_ key: String) -> String {
        pattern.isEmpty ? key : "\(pattern).\(key)"
    }
}

extension ConfigNode {
    /// The value of `key`; an empty one at the place of the map if the key is absent.
    fileprivate func value(of key: String) -> ConfigNode {
        if case .map(let entries) = content, let entry = entries.first(where: { $0.key == key }) { return entry.value }
        return ConfigNode(.map([]), line: line, column: column, path: ConfigNode.path(path, key: key))
    }
}

extension ConfigNode.Entry {
    /// The value as if it stood where its key stands.
    fileprivate var position: ConfigNode {
        ConfigNode(value.content, line: line, column: column, path: value.path)
    }
}
