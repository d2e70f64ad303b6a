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

    /// RFC 3339, to the second: `2026-01-02T03:04:05Z`, `2026-01-02T03:04:05+02:00`.
    static func time(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy(isDigit) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 &- UInt8(ascii: "0")) }
        }
        func stands(_ character: Unicode.Scalar, at index: Int) -> Bool {
            index < bytes.count && bytes[index] == UInt8(ascii: character)
        }
        guard let year = number(0..<4), stands("-", at: 4), let month = number(5..<7), stands("-", at: 7),
            let day = number(8..<10), stands("T", at: 10), let hour = number(11..<13), stands(":", at: 13),
            let minute = number(14..<16), stands(":", at: 16), let second = number(17..<19),
            year >= 1970, 1...12 ~= month, day >= 1, day <= daysOfMonth(year, month), hour < 24, minute < 60,
            second < 60
        else { return nil }
        var seconds = (daysSince1970(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
        if bytes.count == 20, stands("Z", at: 19) { return Timestamp(seconds: seconds) }
        guard bytes.count == 25, stands("+", at: 19) || stands("-", at: 19), let zoneHour = number(20..<22),
            stands(":", at: 22), let zoneMinute = number(23..<25), zoneHour < 24, zoneMinute < 60
        else { return nil }
        let ahead = zoneHour * 3600 + zoneMinute * 60
        seconds += stands("+", at: 19) ? -ahead : ahead
        return seconds < 0 ? nil : Timestamp(seconds: seconds)
    }

    static func text(_ time: Timestamp) -> String {
        let second = time.seconds % 86_400
        let (year, month, day) = date(daysSince1970: time.seconds / 86_400)
        func padded(_ number: Int64, _ width: Int = 2) -> String {
            String(repeating: "0", count: max(width - "\(number)".utf8.count, 0)) + "\(number)"
        }
        return "\(padded(year, 4))-\(padded(month))-\(padded(day))"
            + "T\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))Z"
    }

    private static func daysOfMonth(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // The year is taken to begin in March, so that the leap day is its last.

    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let years = month > 2 ? year : year - 1
        let months = month > 2 ? month - 3 : month + 9
        return years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1 - 719_468
    }

    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let months = (5 * dayOfYear + 2) / 153
        let month = months < 10 ? months + 3 : months - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * months + 2) / 5 + 1)
    }

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
