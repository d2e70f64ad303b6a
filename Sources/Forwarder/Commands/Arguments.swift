import ForwarderCore

/// The words behind a command's name, sorted into options and the rest.
public struct Arguments {
    public struct Wrong: Error {
        public var text: String

        public init(_ text: String) {
            self.text = text
        }
    }

    public private(set) var words: [String] = []
    private var values: [String: String] = [:]
    private var lists: [String: [String]] = [:]
    private var flags: Set<String> = []

    /// `options` take a value (`--name value` or `--name=value`), `lists` too and may be given several times, `flags` do not.
    public init(
        _ arguments: some Sequence<String>, options: [String], lists repeatable: [String] = [], flags known: [String]
    ) throws(Wrong) {
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                words.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0]
            if known.contains(name), parts.count == 1 {
                flags.insert(name)
            } else if options.contains(name) || repeatable.contains(name) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.hasPrefix("--") else {
                    throw Wrong("\(name) needs a value")
                }
                if repeatable.contains(name) {
                    lists[name, default: []].append(value)
                } else if values.updateValue(value, forKey: name) != nil {
                    throw Wrong("\(name) is given twice")
                }
            } else {
                let all = (options + repeatable + known + ["--help"]).sorted().joined(separator: ", ")
                throw Wrong(
                    known.contains(name) ? "\(name) takes no value" : "unknown option \(name); there are: \(all)")
            }
        }
    }

    public func value(_ name: String) -> String? { values[name] }
    /// All that was given for an option that may be given several times.
    public func values(_ name: String) -> [String] { lists[name] ?? [] }
    /// The options and flags that were given.
    public var given: Set<String> { flags.union(values.keys).union(lists.keys) }
    public func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The number behind an option.
    public func number(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(Wrong) -> Int {
        guard let text = values[name] else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw Wrong("\(name) takes a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
