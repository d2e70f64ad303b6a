import FakeMicrosoft
import ForwarderCore
import StorefrontEvents

/// What Microsoft must have in the end of what was published.
public struct Expectation {
    public private(set) var records = 0
    /// Records that name an event id, be they good or bad, those of them that are JSON, and those that the default mapping
    /// sends to CAPI; as a sink counts them.
    public private(set) var named = SinkCounts()
    public private(set) var objects = SinkCounts()
    public private(set) var mapped = SinkCounts()
    /// Ids of the events that the default mapping sends to CAPI.
    public private(set) var capi: [String] = []
    /// How many offline conversions.
    public private(set) var offline = 0
    /// How many calls of pixels, where there is such a destination.
    public private(set) var pixels = 0
    /// Ids of records that must not arrive.
    public private(set) var unwanted: [String] = []
    /// Further events of a Purchase, by the first one's id: one of them all counts.
    public private(set) var repeats: [String: [String]] = [:]
    public private(set) var refunds: [Storefront.Refund] = []

    public init() {}

    public mutating func add(_ record: Storefront.Record) {
        records += 1
        let hash = SinkCounts.hash(record.eventID.utf8)
        if record.hasID { named.add(hash) }
        if record.isObject { objects.add(hash) }
        switch record.kind {
        case .event(let name):
            capi.append(record.eventID)
            mapped.add(hash)
            guard name == "Purchase" || name == "Lead" else { break }
            if record.isMatchable { offline += 1 }
            if record.hasToken { pixels += 1 }
        case .custom, .bad: unwanted.append(record.eventID)
        case .again(let first): repeats[first, default: []].append(record.eventID)
        case .refund(let refund): refunds.append(refund)
        case .tombstone: break
        }
    }

    /// Everything in which Microsoft's books differ from this; empty when all is well. Repeats are well as long as they
    /// are the same.
    public func differences(
        _ microsoft: FakeMicrosoftServer, hasOffline: Bool = true, hasInvest: Bool = false
    ) -> [String] {
        let pixels = pixels
        let (capi, unwanted, expectedOffline, repeats, refunds) = (capi, unwanted, offline, repeats, refunds)
        return microsoft.withModel { model in
            var differences: [String] = []
            func timesAccepted(_ id: String) -> Int { model.timesAccepted(tag: Microsoft.tag, eventID: id) }
            func timesCounted(_ id: String) -> Int { ([id] + repeats[id, default: []]).count { timesAccepted($0) > 0 } }
            let missing = capi.filter { timesCounted($0) == 0 }
            if !missing.isEmpty {
                differences.append("\(missing.count) of \(capi.count) events are missing, such as \(missing.prefix(5))")
            }
            let twice = repeats.keys.filter { timesCounted($0) > 1 }
            if !twice.isEmpty { differences.append("orders that count twice: \(twice.prefix(5))") }
            let unpaid = refunds.filter { refund in
                let value = model.countedValue(
                    tag: Microsoft.tag, transactionID: refund.transactionID, goal: Microsoft.refundedGoal)
                return value != refund.rest.map { .amount($0, currency: "EUR") } ?? .retracted
            }
            if !unpaid.isEmpty {
                differences.append("\(unpaid.count) of \(refunds.count) refunds are not: \(unpaid.prefix(3))")
            }
            let arrived = unwanted.filter { timesAccepted($0) > 0 }
            if !arrived.isEmpty { differences.append("arrived although unwanted: \(arrived.prefix(5))") }
            for destination in model.destinations {
                guard let books = model.books(of: destination) else { continue }
                if books.judgedInvalid > 0 || books.changed > 0 {
                    differences.append(
                        "\(destination.name): \(books.judgedInvalid) against the contract: \(books.findings.prefix(3))")
                }
            }
            let accepted = model.books(of: Microsoft.offline)?.accepted ?? 0
            if hasOffline, accepted != expectedOffline {
                differences.append("\(accepted) offline conversions instead of \(expectedOffline)")
            }
            let fired = [Microsoft.purchasePixel, Microsoft.leadPixel].reduce(0) {
                $0 + (model.books(of: .pixel(id: $1))?.accepted ?? 0)
            }
            if hasInvest, fired != pixels { differences.append("\(fired) calls of pixels instead of \(pixels)") }
            let adjusted = model.books(of: Microsoft.offlineRefunds)?.accepted ?? 0
            if hasOffline, adjusted != refunds.count {
                differences.append("\(adjusted) offline refunds instead of \(refunds.count)")
            }
            return differences
        }
    }
}

extension SinkCounts {
    fileprivate mutating func add(_ hash: UInt64) {
        events += 1
        idSum &+= hash
    }
}
