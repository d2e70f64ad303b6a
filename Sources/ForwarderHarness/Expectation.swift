import FakeMicrosoft
import ForwarderCore
import StorefrontEvents

/// What Microsoft must have in the end of what was published.
public struct Expectation {
    public private(set) var records = 0
    /// Ids of the events that the default mapping sends to CAPI.
    public private(set) var capi: [String] = []
    /// How many offline conversions.
    public private(set) var offline = 0
    /// Ids of records that must not arrive.
    public private(set) var unwanted: [String] = []

    public init() {}

    mutating func add(_ record: Storefront.Record) {
        records += 1
        switch record.kind {
        case .event(let name):
            capi.append(record.eventID)
            if name == "Purchase" || name == "Lead", record.isMatchable { offline += 1 }
        case .custom, .bad: unwanted.append(record.eventID)
        case .tombstone: break
        }
    }

    /// Everything in which Microsoft's books differ from this; empty when all is well. Repeats are well as long as they
    /// are the same.
    public func differences(_ microsoft: FakeMicrosoftServer, hasOffline: Bool = true) -> [String] {
        let (capi, unwanted, expectedOffline) = (capi, unwanted, offline)
        return microsoft.withModel { model in
            var differences: [String] = []
            func timesAccepted(_ id: String) -> Int { model.timesAccepted(tag: Microsoft.tag, eventID: id) }
            let missing = capi.filter { timesAccepted($0) == 0 }
            if !missing.isEmpty {
                differences.append("\(missing.count) of \(capi.count) events are missing, such as \(missing.prefix(5))")
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
            return differences
        }
    }
}
