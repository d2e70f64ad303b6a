import ForwarderCore

/// A day of the Gregorian calendar that exists.
struct CivilDate: Equatable {
    let year: Int
    let month: Int
    let day: Int

    init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= CivilDate.length(ofMonth: month, year: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date so many days after 1970-01-01.
    init(daysSince1970 days: Int) {
        // Eras of 400 years that start on a 1st of March, so that the leap day comes last.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return [4, 6, 9, 11].contains(month) ? 30 : 31
    }
}

/// What a `ConversionTime` says.
enum TimeReading: Equatable {
    case utc(Timestamp)
    /// A time, but with an offset or without a zone: the service reads it somehow, nobody says how.
    case notUTC
    case unreadable

    /// Reads `YYYY-MM-DDThh:mm:ss` with at most seven digits of a fraction and a zone.
    init(_ text: Bytes) {
        self = .unreadable
        guard text.count >= 19, let year = text.digits(0..<4), let month = text.digits(5..<7),
            let day = text.digits(8..<10), let hour = text.digits(11..<13), let minute = text.digits(14..<16),
            let second = text.digits(17..<19), text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 60
        else { return }
        var end = 19
        var milliseconds = 0
        if end < text.count, text[end] == UInt8(ascii: ".") {
            end += 1
            let start = end
            while end < text.count, text.digits(end..<(end + 1)) != nil { end += 1 }
            guard (1...7).contains(end - start) else { return }
            let kept = start..<min(end, start + 3)
            milliseconds = (text.digits(kept) ?? 0) * [100, 10, 1][kept.count - 1]
        }
        let zone = Bytes(rebasing: text[end...])
        if zone.matches("Z") {
            let seconds = ((date.daysSince1970 * 24 + hour) * 60 + minute) * 60 + second
            self = .utc(Timestamp(milliseconds: Int64(seconds * 1000 + milliseconds)))
        } else if zone.isEmpty || TimeReading.isOffset(zone) {
            self = .notUTC
        }
    }

    private static func isOffset(_ zone: Bytes) -> Bool {
        zone.count == 6 && (zone[0] == UInt8(ascii: "+") || zone[0] == UInt8(ascii: "-"))
            && zone.digits(1..<3) != nil && zone[3] == UInt8(ascii: ":") && zone.digits(4..<6) != nil
    }
}

extension Timestamp {
    /// As in `Retry-After`: `Sun, 06 Nov 1994 08:49:37 GMT`.
    var httpDate: String {
        let days = Int(seconds.flooringDivide(86_400))
        let date = CivilDate(daysSince1970: days)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7 + 7) % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(weekday), \(padded(date.day)) \(months[date.month - 1]) \(date.year) \(timeOfDay) GMT"
    }

    /// As in answers of the token endpoint: `2026-01-09 02:02:12Z`.
    var tokenErrorDate: String {
        let date = CivilDate(daysSince1970: Int(seconds.flooringDivide(86_400)))
        return "\(date.year)-\(padded(date.month))-\(padded(date.day)) \(timeOfDay)Z"
    }

    private var timeOfDay: String {
        let second = Int(seconds - seconds.flooringDivide(86_400) * 86_400)
        return "\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))"
    }

    private func padded(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

extension Int64 {
    fileprivate func flooringDivide(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
