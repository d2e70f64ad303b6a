import FakeMicrosoft
import ForwarderCore

/// What a shop publishes, and what must become of it.
struct SimulatedShop {
    /// One record of the log and the truth about it.
    struct Record {
        var value: [UInt8]?
        var fate: Fate
        var partition = 0
    }

    /// What must become of a record for each destination.
    struct Fate {
        var capi = End.rejected
        var offline = End.rejected
        var refunds = End.rejected
        var pixels = End.rejected
        /// The event's id in the Conversions API, and its key as an offline conversion.
        var eventID = ""
        var conversion: ConversionKey?
        /// What its pixel is called with.
        var pixelQuery: String?
        /// Which order it tells of.
        var order: Int?
        /// When the event happened.
        var time: Int64 = 0

        static let skipped = Fate(capi: .skipped, offline: .skipped, refunds: .skipped, pixels: .skipped)

        func end(_ destination: Int) -> End { [capi, offline, refunds, pixels][destination] }
    }

    enum End: Equatable {
        case delivered, rejected, skipped
    }

    static let goals = ["Purchase", "Lead"]
    /// How far the clock of a storefront is ahead at most, in milliseconds.
    static let furthestAhead: Int64 = 30_000
    private(set) var orders: [SimulatedOrder] = []
    /// Orders of which nothing is said yet but that they were refunded.
    private var unsaid: [Int] = []
    private let partitions: Int
    private var random: SeededRandom
    private var count = 0

    init(seed: UInt64, partitions: Int) {
        self.partitions = partitions
        random = SeededRandom(seed: seed)
    }

    mutating func next(now: Timestamp) -> Record {
        count += 1
        let id = "event-\(count)"
        if let order = unsaid.first, Bool.random(using: &random) {
            unsaid.removeFirst()
            return sale(of: order, id, now)
        }
        var record =
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<38: sale(of: newOrder("Purchase"), id, now)
            case 38..<48: sale(of: newOrder("Lead"), id, now)
            case 48..<58: again(id, now)
            case 58..<74: refund(id, now)
            case 74..<86: pageView(id, now)
            case 86..<89: Record(value: nil, fate: .skipped)
            case 89..<92: Record(value: Array("{\"event\":".utf8), fate: Fate())
            case 92..<94: bad(id, "\(now.seconds)000")
            case 94..<96: bad(id, "\(now.seconds - 8 * 86_400)")
            // Further ahead than any run is long.
            case 96..<98: bad(id, "\(now.seconds + 300 * 86_400)")
            default: Record(value: Array(#"{"event":"Nobody"}"#.utf8), fate: .skipped)
            }
        if record.fate.order == nil { record.partition = .random(in: 0..<partitions, using: &random) }
        return record
    }

    // MARK: Orders

    private mutating func newOrder(_ goal: String) -> Int {
        let click = String(format(random.next()) + format(random.next()))
        let value = Int64.random(in: 1000...99_999, using: &random) * 10
        orders.append(
            SimulatedOrder(
                transactionID: "t\(count)", goal: goal, clickID: click, value: value,
                partition: .random(in: 0..<partitions, using: &random)))
        return orders.count - 1
    }

    /// Wanted by both; a storefront's clock may be ahead, or the event some time old. All that tells of one order is on one
    /// partition.
    private mutating func sale(of number: Int, _ id: String, _ now: Timestamp) -> Record {
        let order = orders[number]
        let shifts: [Int64] = [0, 0, 0, -2, -600, 5, SimulatedShop.furthestAhead / 1000]
        var time = now.seconds + (shifts.randomElement(using: &random) ?? 0)
        // Another conversion for Microsoft, which knows nothing of orders.
        while order.copies.contains(where: { $0.conversion.time == CivilText.utc(time) }) { time -= 1 }
        let text =
            #"{"event":"\#(order.goal)","event_id":"\#(id)","event_time":\#(time),"#
            + #""url":"https://shop.example/thanks","#
            + #""user":{"msclkid":"\#(order.clickID)","sspdata":"\#(order.token)","anonymous_id":"a\#(number)"},"#
            + #""properties":{"value":\#(SimulatedOrder.text(order.value)),"currency":"USD","#
            + #""transaction_id":"\#(order.transactionID)"}}"#
        let conversion = ConversionKey(name: order.goal, time: CivilText.utc(time), clickID: order.clickID)
        orders[number].copies.append(.init(eventID: id, conversion: conversion))
        let fate = Fate(
            capi: .delivered, offline: .delivered, refunds: .skipped, pixels: .delivered, eventID: id,
            conversion: conversion, pixelQuery: order.pixelQuery, order: number, time: time)
        return Record(value: Array(text.utf8), fate: fate, partition: order.partition)
    }

    /// An order under another event id; one of the last, mostly.
    private mutating func again(_ id: String, _ now: Timestamp) -> Record {
        let recent = orders.indices.suffix(chance(80) ? 3 : 30).filter { !orders[$0].copies.isEmpty }
        guard let number = recent.randomElement(using: &random) else { return sale(of: newOrder("Purchase"), id, now) }
        return sale(of: number, id, now)
    }

    /// Of a part of an order or of all of it, now and then said twice, or before the order, or of one that nobody knows.
    private mutating func refund(_ id: String, _ now: Timestamp) -> Record {
        if chance(10) {
            orders.append(
                SimulatedOrder(transactionID: "nobody-\(count)", goal: "Purchase", clickID: "", value: 10_000))
            return refund(of: orders.count - 1, .init(id: id, amount: 5000), now)
        }
        if chance(15) {
            let number = newOrder("Purchase")
            unsaid.append(number)
            return refund(of: number, .init(id: id, amount: part(of: orders[number].value)), now)
        }
        let recent = orders.indices.suffix(chance(60) ? 2 : 40)
            .filter { orders[$0].goal == "Purchase" && !orders[$0].copies.isEmpty }
        guard let number = recent.randomElement(using: &random) else { return sale(of: newOrder("Purchase"), id, now) }
        let order = orders[number]
        if let said = order.refunds.randomElement(using: &random), chance(25) { return refund(of: number, said, now) }
        let rest = order.value - order.refunded
        // More than was paid, sometimes: somebody's mistake.
        return refund(of: number, .init(id: id, amount: rest > 0 ? part(of: rest) : 1000), now)
    }

    private mutating func part(of value: Int64) -> Int64 {
        chance(40) ? value : max(10, .random(in: 1...value / 10, using: &random) * 10 / 2 / 10 * 10)
    }

    private mutating func refund(of number: Int, _ refund: SimulatedOrder.Refund, _ now: Timestamp) -> Record {
        let order = orders[number]
        var time =
            now.seconds + ([0, 0, 0, -2, 5, SimulatedShop.furthestAhead / 1000].randomElement(using: &random) ?? 0)
        if let said = order.refunds.first(where: { $0.id == refund.id }) {
            time = said.time
        } else {
            orders[number].refunds.append(.init(id: refund.id, amount: refund.amount, time: time))
        }
        let text =
            #"{"event":"Refund","event_id":"\#(refund.id)","event_time":\#(time),"#
            + #""properties":{"value":\#(SimulatedOrder.text(refund.amount)),"currency":"USD","#
            + #""transaction_id":"\#(order.transactionID)"}}"#
        let fate = Fate(
            capi: .skipped, offline: .skipped, refunds: .delivered, pixels: .skipped, eventID: refund.id,
            order: number, time: time)
        // The back office need not know where the shop put the order.
        let partition = Bool.random(using: &random) ? order.partition : Int.random(in: 0..<partitions, using: &random)
        return Record(value: Array(text.utf8), fate: fate, partition: partition)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    // MARK: Other records

    /// No goal is mapped to it.
    private mutating func pageView(_ id: String, _ now: Timestamp) -> Record {
        let text =
            #"{"event":"PageView","event_id":"\#(id)","event_time":\#(now.seconds),"url":"https://shop.example/","#
            + #""user":{"anonymous_id":"a\#(count)"}}"#
        return Record(
            value: Array(text.utf8),
            fate: Fate(
                capi: .delivered, offline: .skipped, refunds: .skipped, pixels: .skipped, eventID: id,
                time: now.seconds))
    }

    private func bad(_ id: String, _ time: String) -> Record {
        let text =
            #"{"event":"Purchase","event_id":"\#(id)","event_time":\#(time),"url":"https://shop.example/","#
            + #""user":{"anonymous_id":"a","msclkid":"0123456789abcdef0123456789abcdef"}}"#
        return Record(value: Array(text.utf8), fate: Fate(refunds: .skipped, pixels: .skipped))
    }

    private func format(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
