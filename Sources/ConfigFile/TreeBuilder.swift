import ForwarderCore

/// Makes a tree of libyaml's events. Lives for one file.
struct TreeBuilder: ~Copyable {
    private var events: YAMLEvents
    private var valueCount = 0

    init(_ text: UnsafeBufferPointer<UInt8>) throws(ConfigFileError) {
        events = try YAMLEvents(text)
    }

    mutating func document() throws(ConfigFileError) -> ConfigNode {
        _ = try events.next()
        guard case .documentStart = try events.next().kind else {
            throw .invalid(line: 1, column: 1, "the file is empty")
        }
        let root = try value(events.next(), path: "", depth: 0)
        _ = try events.next()
        let end = try events.next()
        guard case .streamEnd = end.kind else {
            throw .invalid(line: end.line, column: end.column, "a second document begins here; write a single one")
        }
        return root
    }

    private mutating func value(_ event: YAMLEvent, path: String, depth: Int) throws(ConfigFileError) -> ConfigNode {
        valueCount += 1
        if valueCount > ConfigFile.valueLimit { throw refusal(event, path, "is one of too many values") }
        if depth > ConfigFile.depthLimit { throw refusal(event, path, "is nested too deep") }
        let content: ConfigNode.Content =
            switch event.kind {
            case .scalar(let text, let isPlain): .scalar(text, isPlain: isPlain)
            case .listStart: .list(try elements(path: path, depth: depth))
            default: .map(try entries(path: path, depth: depth))
            }
        return ConfigNode(content, line: event.line, column: event.column, path: path)
    }

    private mutating func elements(path: String, depth: Int) throws(ConfigFileError) -> [ConfigNode] {
        var elements: [ConfigNode] = []
        while true {
            let event = try events.next()
            if case .listEnd = event.kind { return elements }
            elements.append(
                try value(event, path: ConfigNode.path(path, index: elements.count), depth: depth + 1))
        }
    }

    private mutating func entries(path: String, depth: Int) throws(ConfigFileError) -> [ConfigNode.Entry] {
        var entries: [ConfigNode.Entry] = []
        while true {
            let event = try events.next()
            if case .mapEnd = event.kind { return entries }
            guard case .scalar(let key, let isPlain) = event.kind, !key.isEmpty else {
                throw refusal(event, path, "holds a key that is no text; check the colons, braces and dashes")
            }
            if key == "<<", isPlain { throw refusal(event, path, "merge keys (<<) are not read here") }
            let value = try value(events.next(), path: ConfigNode.path(path, key: key), depth: depth + 1)
            entries.append(ConfigNode.Entry(key: key, line: event.line, column: event.column, value: value))
        }
    }

    private func refusal(_ event: YAMLEvent, _ path: String, _ text: String) -> ConfigFileError {
        .invalid(line: event.line, column: event.column, path: path, text)
    }
}
