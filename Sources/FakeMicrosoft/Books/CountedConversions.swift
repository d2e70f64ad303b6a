import ForwarderCore

/// What an accepted item does to the value that is counted.
enum ValueEffect: Sendable {
    case conversion(Conversion)
    case adjustment(Adjustment)
}

/// A conversion that adjustments can find.
struct Conversion: Sendable {
    /// What they find it by: CAPI's `transactionId`; of an offline conversion goal, time and person.
    var key: UInt64
    var time: Timestamp?
    /// Nil where the goal's own value counts.
    var amount: Amount?
}

struct Adjustment: Sendable {
    /// The key of the conversion.
    var original: UInt64
    /// Hash of the goal's name.
    var goal: UInt64
    var time: Timestamp
    /// Nil for a retraction.
    var restatement: Amount?
}

struct Amount: Sendable, Equatable {
    var thousandths: Int64
    /// Empty for the goal's own.
    var currency: String

    /// With as few decimals as will do: `49.99`.
    var text: String {
        let size = thousandths.magnitude
        var fraction = String(String(1000 + size % 1000).dropFirst())
        while fraction.last == "0" { fraction.removeLast() }
        return (thousandths < 0 ? "-" : "") + "\(size / 1000)" + (fraction.isEmpty ? "" : "." + fraction)
    }
}

/// What Microsoft counts for one conversion by now.
public enum CountedValue: Sendable, Equatable {
    /// No value was given: the goal's own.
    case goalValue
    /// The number as text, as short as can be: `49.99`.
    case amount(String, currency: String)
    case retracted
}

/// What Microsoft counts for each conversion of a destination. An adjustment without its conversion, and one that comes
/// too late, are accepted like any other; that they have no effect is only found out in Microsoft's reports.
struct CountedConversions: Sendable {
    /// Why an adjustment has no effect, or one that nobody can foretell.
    enum Objection: String {
        case noOriginal = "adjustment_without_original"
        case retractedTwice = "retracted_twice"
        case restatedAfterRetract = "restated_after_retract"
        /// It is older than one that was applied before it.
        case outOfOrder = "adjustment_out_of_order"
        /// It is as old as one that was applied before it, and says something else.
        case sameTime = "adjustments_at_same_time"
        case beforeConversion = "adjustment_before_conversion"
    }

    /// How a conversion stands with one goal.
    private struct Standing {
        var amount: Amount?
        var adjustedAt: Timestamp
        var isRetracted: Bool
    }

    private var originals: [UInt64: Conversion] = [:]
    private var adjusted: [UInt64: Standing] = [:]
    /// The sum of what counts, in thousandths, by currency.
    private(set) var sums: [String: Int64] = [:]

    /// Of several with the same key the first one counts.
    mutating func enter(_ conversion: Conversion) {
        guard originals[conversion.key] == nil else { return }
        originals[conversion.key] = conversion
        add(conversion.amount, 1)
    }

    func contains(_ key: UInt64) -> Bool { originals[key] != nil }

    /// Adjusts what counts for the goal. A conversion that is adjusted for several goals is in the sums for each of them.
    mutating func adjust(_ adjustment: Adjustment) -> Objection? {
        guard let original = originals[adjustment.original] else { return .noOriginal }
        if let time = original.time, adjustment.time < time { return .beforeConversion }
        let key = CountedConversions.key(adjustment.original, goal: adjustment.goal)
        let standing = adjusted[key]
        if let standing {
            if standing.isRetracted { return adjustment.restatement == nil ? .retractedTwice : .restatedAfterRetract }
            if adjustment.time < standing.adjustedAt { return .outOfOrder }
        }
        add(standing == nil ? original.amount : standing?.amount, -1)
        add(adjustment.restatement, 1)
        adjusted[key] = Standing(
            amount: adjustment.restatement, adjustedAt: adjustment.time, isRetracted: adjustment.restatement == nil)
        return standing?.adjustedAt == adjustment.time ? .sameTime : nil
    }

    /// Nil if no such conversion was accepted.
    func value(of original: UInt64, goal: UInt64) -> CountedValue? {
        guard let conversion = originals[original] else { return nil }
        let standing = adjusted[CountedConversions.key(original, goal: goal)]
        if let standing, standing.isRetracted { return .retracted }
        guard let amount = standing == nil ? conversion.amount : standing?.amount else { return .goalValue }
        return .amount(amount.text, currency: amount.currency)
    }

    private mutating func add(_ amount: Amount?, _ sign: Int64) {
        guard let amount else { return }
        sums[amount.currency, default: 0] += sign * amount.thousandths
    }

    private static func key(_ original: UInt64, goal: UInt64) -> UInt64 {
        var hash = ContentHash()
        hash.add(original)
        hash.add(goal)
        return hash.value
    }
}
