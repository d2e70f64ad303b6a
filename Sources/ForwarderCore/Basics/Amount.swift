/// A sum of money in thousandths, which is as exact as Microsoft takes one. Added and compared; never in binary floating
/// point.
struct Amount: Hashable, Comparable, Sendable {
    var thousandths: Int64

    /// As many as Microsoft takes: 999,999,999,999.999.
    static let limit = Amount(thousandths: 999_999_999_999_999)
    static let zero = Amount(thousandths: 0)

    init(thousandths: Int64) {
        self.thousandths = thousandths
    }

    /// A number as events have it after they were read: digits, and a point with digits behind it. Half a thousandth is
    /// rounded up. nil if it is something else, negative, or beyond the limit.
    init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, 1...12 ~= whole.count, parts.count == 1 || !parts[1].isEmpty else { return nil }
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        guard whole.allSatisfy(isDigit), fraction.allSatisfy(isDigit) else { return nil }
        var value: Int64 = 0
        for digit in whole { value = value * 10 + Int64(digit - UInt8(ascii: "0")) }
        for place in 0..<3 {
            value = value * 10 + (place < fraction.count ? Int64(fraction[place] - UInt8(ascii: "0")) : 0)
        }
        if fraction.count > 3, fraction[3] >= UInt8(ascii: "5") { value += 1 }
        thousandths = value
        if self > .limit { return nil }
    }

    /// `69.99`: without zeros at the end.
    var text: String {
        let whole = thousandths / 1000
        var fraction = String(thousandths % 1000 + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
    }

    static func < (left: Amount, right: Amount) -> Bool { left.thousandths < right.thousandths }
    static func + (left: Amount, right: Amount) -> Amount { Amount(thousandths: left.thousandths + right.thousandths) }
    static func - (left: Amount, right: Amount) -> Amount { Amount(thousandths: left.thousandths - right.thousandths) }
}
