import ForwarderCore
import Testing

/// The words of one line of a script: plain ones, and those of the form `name=value`.
struct ScriptWords {
    private(set) var words: [Substring]
    private(set) var named: [Substring: Substring] = [:]

    init(_ line: Substring) {
        words = []
        for word in line.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { named[parts[0]] = parts[1] } else { words.append(word) }
        }
    }

    /// Takes the first plain word.
    mutating func next() -> Substring? {
        words.isEmpty ? nil : words.removeFirst()
    }

    func integer(_ name: Substring) -> Int? { named[name].flatMap { Int($0) } }
    func duration(_ name: Substring) -> Duration? { named[name].map(ScriptWords.duration) }

    /// `250ms`, `2s`, `0.5s`, `5m`, `3h`, `7d`.
    static func duration(_ text: some StringProtocol) -> Duration {
        let number = text.prefix { $0.isNumber || $0 == "." || $0 == "-" }
        let units: [String: Double] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let value = Double(number), let unit = units[String(text.dropFirst(number.count))] else {
            Issue.record("not a duration: \(text)")
            return .zero
        }
        return .milliseconds(Int64(value * unit))
    }
}

extension Duration {
    /// In seconds, without what is zero.
    var shown: String {
        var text = "\(milliseconds / 1000)"
        let rest = milliseconds.magnitude % 1000
        if rest > 0 {
            var digits = "\(1000 + rest)".dropFirst()
            while digits.last == "0" { digits = digits.dropLast() }
            text = (milliseconds < 0 && milliseconds > -1000 ? "-0" : text) + "." + digits
        }
        return text + "s"
    }
}

/// `1-3 7` for 1, 2, 3, 7.
func shown(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
        if let last = runs.last, number == last.upperBound + 1 {
            runs[runs.count - 1] = last.lowerBound...number
        } else {
            runs.append(number...number)
        }
    }
    let texts = runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    return "[" + texts.joined(separator: " ") + "]"
}
