/// The `Retry-After` header in both of its forms (RFC 9110, section 10.2.3).
public enum RetryAfter {
    /// The wait that the header asks for; nil if it is neither form, zero if it lies in the past.
    public static func parse(_ text: String, now: Timestamp) -> Duration? {
        let words = text.split { $0 == " " || $0 == "\t" }
        if words.count == 1, words[0].utf8.allSatisfy(isDigit) {
            // Anything longer is as good as for ever; the caller has a cap.
            return .seconds(words[0].utf8.count > 9 ? 999_999_999 : Int64(words[0]) ?? 0)
        }
        return date(text).map { max(.zero, $0 - now) }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that may be sent today.
    static func date(_ text: String) -> Timestamp? {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == ":" })
        guard parts.count == 8, parts[7] == "GMT" || parts[7] == "UTC" else { return nil }
        guard let month = months.firstIndex(of: String(parts[2])), let day = Int64(parts[1]),
            let year = Int64(parts[3]), let hour = Int64(parts[4]), let minute = Int64(parts[5]),
            let second = Int64(parts[6])
        else { return nil }
        guard 1...31 ~= day, 1970...9999 ~= year, 0...23 ~= hour, 0...59 ~= minute, 0...60 ~= second else { return nil }
        let days = ISO8601.daysSince1970(year, Int64(month) + 1, day)
        return Timestamp(seconds: days * 86_400 + hour * 3600 + minute * 60 + second)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
