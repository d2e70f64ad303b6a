/// What reading a file has found so far, shared by the readers of its maps.
final class ConfigFindings {
    private(set) var problems: [ConfigProblem] = []
    /// Every key that was asked for: `destinations[].batch.linger`, `destinations[].goals.*.name`.
    private(set) var keys: [String] = []

    func add(_ severity: ConfigProblem.Severity, at node: ConfigNode, _ text: String) {
        problems.append(ConfigProblem(severity, line: node.line, column: node.column, path: node.path, text))
    }

    func add(key: String) {
        if !keys.contains(key) { keys.append(key) }
    }

    /// The value of `node`; nil after an error was noted.
    func convert<Value>(_ node: ConfigNode, _ form: ConfigForm<Value>, or more: String = "") -> Value? {
        do throws(Refusal) {
            return try form.read(node)
        } catch {
            add(.error, at: node, "\(error.text); write \(form.allowed)\(more)")
            return nil
        }
    }

    /// The elements of the list `node` that are of the form and stand there for the first time; errors for the others.
    func list<Value: Hashable>(_ node: ConfigNode, _ form: ConfigForm<Value>, _ count: ClosedRange<Int>) -> [Value] {
        var values: [Value] = []
        var seen: Set<Value> = []
        for element in elements(node, count) {
            guard let value = convert(element, form) else { continue }
            if seen.insert(value).inserted {
                values.append(value)
            } else {
                add(.error, at: element, "stands in this list twice")
            }
        }
        return values
    }

    func elements(_ node: ConfigNode, _ count: ClosedRange<Int>) -> [ConfigNode] {
        guard case .list(let elements) = node.content else {
            add(.error, at: node, "is no list; write [one, another] or a line with a dash for each")
            return []
        }
        if !count.contains(elements.count) {
            add(.error, at: node, "has \(elements.count) elements; write \(count.lowerBound) to \(count.upperBound)")
        }
        return elements
    }
}
