/// How durations, sizes and times are written in the configuration. Each `text` is read back as the same value.
enum ConfigUnits {
    // MARK: Durations

    private static let durationUnits: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    static func duration(_ text: String) throws(Refusal) -> Duration {
        let (number, suffix) = try split(text)
        if suffix.isEmpty { throw Refusal("\(quoted(text)) has no unit") }
        guard let unit = durationUnits.first(where: { $0.suffix == suffix }) else {
            throw Refusal("\(quoted(text)) has a unit that is none of ms, s, m, h, d")
        }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return .milliseconds(overflow ? .max : milliseconds)
    }

    /// In the largest unit that needs no fraction.
    static func text(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        if milliseconds == 0 { return "0s" }
        let unit = durationUnits.last { milliseconds % $0.milliseconds == 0 } ?? durationUnits[0]
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }

    // MARK: Sizes

    private static let sizeUnits: [(suffix: String, bytes: Int64)] = [
        ("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]

    static func size(_ text: String) throws(Refusal) -> Int64 {
        let (number, suffix) = try split(text)
        guard let unit = sizeUnits.first(where: { $0.suffix == suffix }) else {
            throw Refusal("\(quoted(text)) has a unit that is none of KiB, MiB, GiB, TiB")
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? .max : bytes
    }

    static func text(size bytes: Int64) -> String {
        if bytes == 0 { return "0" }
        let unit = sizeUnits.last { bytes % $0.bytes == 0 } ?? sizeUnits[0]
        return "\(bytes / unit.bytes)\(unit.suffix)"
    }

    // MARK: Times

    /// ISO 8601 with a zone, from 1970 on: `2026-01-02T03:04:05Z`, `2026-01-02T03:04:05+02:00`.
    static func time(_ text: String) -> Timestamp? {
        let seconds = Array(text.utf8).withUnsafeBufferPointer { ISO8601.seconds($0) }
        return seconds.flatMap { $0 < 0 ? nil : Timestamp(seconds: $0) }
    }

    static func text(_ time: Timestamp) -> String { time.iso8601 }

    /// A whole number and the letters that follow it.
    private static func split(_ text: String) throws(Refusal) -> (number: Int64, suffix: String) {
        let end = text.utf8.firstIndex { !isDigit($0) } ?? text.endIndex
        let suffix = String(text[end...])
        guard end > text.startIndex, suffix.utf8.allSatisfy(isLetter) else {
            throw Refusal("\(quoted(text)) is not a whole number with its unit")
        }
        return (Int64(text[..<end]) ?? .max, suffix)
    }
}

/// Text of the file in a line of output. Not for what may be a secret.
func quoted(_ text: String) -> String {
    "`\(text.printable())`"
}
