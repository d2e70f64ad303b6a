/// The time of an event, in seconds since 1970, and the rules it must keep.
enum EventTime {
    /// From here on the number is taken for milliseconds: as seconds it would be the year 5138.
    static let millisecondsFrom: Int64 = 100_000_000_000
    /// How far ahead of this clock a storefront's clock may be.
    static let futureLimit: Int64 = 300

    enum Reading {
        case seconds(Int64)
        case rejected(RejectReason)
    }

    /// UNIX seconds as a number or as text that holds one; a fraction is cut off.
    static func read(unix text: Bytes, in arena: inout Arena) -> Reading {
        guard let number = DecimalText(text, in: &arena) else { return .rejected(.timestampNotANumber) }
        guard let seconds = number.truncatedInteger, abs(seconds) < millisecondsFrom else {
            // As far before 1970, it is just too old.
            return number.isNegative ? .seconds(-millisecondsFrom) : .rejected(.timestampInMilliseconds)
        }
        return .seconds(seconds)
    }

    /// ISO 8601 with a zone (`2026-08-06T09:06:40.5+02:00`), or UNIX seconds. A time without a zone is refused: a shop's
    /// local time taken for UTC is an error that nobody sees.
    static func read(iso8601 text: Bytes, in arena: inout Arena) -> Reading {
        if let seconds = ISO8601.seconds(text.trimmed()) { return .seconds(seconds) }
        return read(unix: text, in: &arena)
    }
}

enum ISO8601 {
    /// Seconds since 1970 of a date and time with a zone; the fraction is cut off.
    static func seconds(_ text: Bytes) -> Int64? {
        var reader = Reader(text: text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T") || reader.take("t") || reader.take(" "),
            let hour = reader.number(2), reader.take(":"), let minute = reader.number(2)
        else { return nil }
        var second: Int64 = 0
        if reader.take(":") {
            guard let value = reader.number(2) else { return nil }
            second = value
            if reader.take(".") || reader.take(","), !reader.skipDigits() { return nil }
        }
        guard let offset = reader.zone(), reader.isAtEnd else { return nil }
        guard 1...12 ~= month, 1...daysIn(month, of: year) ~= day, hour < 24, minute < 60, second <= 60 else {
            return nil
        }
        return daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
    }

    /// Whether the text is a day that exists, as `2026-08-06`.
    static func isDate(_ text: Bytes) -> Bool {
        var reader = Reader(text: text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.isAtEnd
        else { return false }
        return 1...12 ~= month && 1...daysIn(month, of: year) ~= day
    }

    /// Writes `2026-08-06T07:06:40Z`.
    static func append(_ seconds: Int64, to output: inout ByteBuffer) {
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        let (year, month, day) = date(daysSince1970: days)
        appendDigits(year, 4, to: &output)
        output.append(UInt8(ascii: "-"))
        appendDigits(month, 2, to: &output)
        output.append(UInt8(ascii: "-"))
        appendDigits(day, 2, to: &output)
        output.append(UInt8(ascii: "T"))
        appendDigits(rest / 3600, 2, to: &output)
        output.append(UInt8(ascii: ":"))
        appendDigits(rest / 60 % 60, 2, to: &output)
        output.append(UInt8(ascii: ":"))
        appendDigits(rest % 60, 2, to: &output)
        output.append(UInt8(ascii: "Z"))
    }

    private static func appendDigits(_ number: Int64, _ width: Int, to output: inout ByteBuffer) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    // Proleptic Gregorian calendar in eras of 400 years, which all have the same number of days.

    static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private struct Reader {
        let text: Bytes
        var index = 0

        var isAtEnd: Bool { index == text.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        mutating func number(_ width: Int) -> Int64? {
            guard index + width <= text.count else { return nil }
            var value: Int64 = 0
            for _ in 0..<width {
                guard isDigit(text[index]) else { return nil }
                value = value * 10 + Int64(text[index] - UInt8(ascii: "0"))
                index += 1
            }
            return value
        }

        mutating func skipDigits() -> Bool {
            let start = index
            while index < text.count, isDigit(text[index]) { index += 1 }
            return index > start
        }

        /// The offset from UTC in seconds.
        mutating func zone() -> Int64? {
            if take("Z") || take("z") { return 0 }
            let sign: Int64
            if take("+") {
                sign = 1
            } else if take("-") {
                sign = -1
            } else {
                return nil
            }
            guard let hours = number(2), hours <= 23 else { return nil }
            guard !isAtEnd else { return sign * hours * 3600 }
            _ = take(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            return sign * (hours * 3600 + minutes * 60)
        }
    }
}
