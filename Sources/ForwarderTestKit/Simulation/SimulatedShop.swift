import FakeMicrosoft
import ForwarderCore

/// What a shop publishes, and what must become of it.
struct SimulatedShop {
    /// One record of the log and the truth about it.
    struct Record {
        var value: [UInt8]?
        var fate: Fate
    }

    /// What must become of a record for each destination.
    struct Fate {
        var capi = End.rejected
        var offline = End.rejected
        /// The event's id in the Conversions API, and its key as an offline conversion.
        var eventID = ""
        var conversion: ConversionKey?
        /// When the event happened.
        var time: Int64 = 0

        func end(_ destination: Int) -> End { destination == 0 ? capi : offline }
    }

    enum End: Equatable {
        case delivered, rejected, skipped
    }

    static let goals = ["Purchase", "Lead"]
    /// How far the clock of a storefront is ahead at most, in milliseconds.
    static let furthestAhead: Int64 = 30_000
    private var random: SeededRandom
    private var count = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    mutating func next(now: Timestamp) -> Record {
        count += 1
        let id = "event-\(count)"
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<55: return sale(id, now, goal: "Purchase")
        case 55..<70: return sale(id, now, goal: "Lead")
        case 70..<86: return pageView(id, now)
        case 86..<89: return Record(value: nil, fate: Fate(capi: .skipped, offline: .skipped))
        case 89..<92: return Record(value: Array("{\"event\":".utf8), fate: Fate())
        case 92..<94: return bad(id, "\(now.seconds)000")
        case 94..<96: return bad(id, "\(now.seconds - 8 * 86_400)")
        // Further ahead than any run is long.
        case 96..<98: return bad(id, "\(now.seconds + 300 * 86_400)")
        default: return Record(value: Array(#"{"event":"Nobody"}"#.utf8), fate: Fate(capi: .skipped, offline: .skipped))
        }
    }

    /// Wanted by both; a storefront's clock may be ahead, or the event some time old.
    private mutating func sale(_ id: String, _ now: Timestamp, goal: String) -> Record {
        let shifts: [Int64] = [0, 0, 0, -2, -600, 5, SimulatedShop.furthestAhead / 1000]
        let time = now.seconds + (shifts.randomElement(using: &random) ?? 0)
        let click = String(format(random.next()) + format(random.next()))
        let value = "\(Int.random(in: 1...999, using: &random)).\(Int.random(in: 10...99, using: &random))"
        let text =
            #"{"event":"\#(goal)","event_id":"\#(id)","event_time":\#(time),"url":"https://shop.example/thanks","#
            + #""user":{"msclkid":"\#(click)","anonymous_id":"a\#(count)"},"#
            + #""properties":{"value":\#(value),"currency":"USD","transaction_id":"t\#(count)"}}"#
        var fate = Fate(capi: .delivered, offline: .delivered, eventID: id, time: time)
        fate.conversion = ConversionKey(name: goal, time: SimulatedShop.date(time), clickID: click)
        return Record(value: Array(text.utf8), fate: fate)
    }

    /// No goal is mapped to it.
    private mutating func pageView(_ id: String, _ now: Timestamp) -> Record {
        let text =
            #"{"event":"PageView","event_id":"\#(id)","event_time":\#(now.seconds),"url":"https://shop.example/","#
            + #""user":{"anonymous_id":"a\#(count)"}}"#
        return Record(
            value: Array(text.utf8),
            fate: Fate(capi: .delivered, offline: .skipped, eventID: id, time: now.seconds))
    }

    private func bad(_ id: String, _ time: String) -> Record {
        let text =
            #"{"event":"Purchase","event_id":"\#(id)","event_time":\#(time),"url":"https://shop.example/","#
            + #""user":{"anonymous_id":"a","msclkid":"0123456789abcdef0123456789abcdef"}}"#
        return Record(value: Array(text.utf8), fate: Fate())
    }

    private func format(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// As an offline conversion says it.
    private static func date(_ seconds: Int64) -> String {
        var days = seconds / 86_400
        let rest = seconds % 86_400
        // Days to a civil date, by the calendar's cycles of 400 years, which begin in March.
        days += 719_468
        let era = days / 146_097
        let day = days % 146_097
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        let civilYear = year + era * 400 + (civilMonth <= 2 ? 1 : 0)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(civilYear)-\(two(civilMonth))-\(two(dayOfMonth))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }
}
