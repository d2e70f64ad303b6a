/// `2h` ago, or a time.
public enum PastTime {
    public static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        let units: [(suffix: String, seconds: Int64)] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]
        for (suffix, seconds) in units where text.hasSuffix(suffix) {
            if let number = Int64(text.dropLast()), 0...1_000_000 ~= number { return now - .seconds(number * seconds) }
        }
        return Timestamp(iso8601: text)
    }
}
