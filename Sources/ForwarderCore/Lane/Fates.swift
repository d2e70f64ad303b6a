/// A verdict by deliveries, as indices into their batch. The first entry of a delivery that has a fate decides for all of
/// its entries.
struct Fates {
    struct Retry {
        struct Way: Hashable, Comparable {
            var code: String
            var after: Duration?

            static func < (left: Way, right: Way) -> Bool {
                (left.code, left.after ?? .zero) < (right.code, right.after ?? .zero)
            }
        }

        var index: Int
        var way: Way
    }

    private(set) var refused: [(index: Int, code: String)] = []
    private(set) var retried: [Retry] = []
    private(set) var goalMissing: [(index: Int, code: String)] = []
    private(set) var goalTooYoung: [(index: Int, code: String)] = []
    /// The deliveries none of whose entries was named.
    private(set) var others: [Int] = []
    /// Those given up meanwhile that were not named either.
    private(set) var orphans: [Int] = []

    init(_ verdict: Verdict, _ batch: DeliveryBatch) {
        var firstEntry = 0
        var named = verdict.entries[...]
        for index in batch.deliveries.indices {
            let end = firstEntry + Int(batch.deliveries[index].itemCount)
            let entry = named.first.flatMap { $0.index < end ? $0 : nil }
            named = named.drop { $0.index < end }
            firstEntry = end
            if batch.deliveries[index].isOrphan {
                if entry == nil { orphans.append(index) }
                continue
            }
            switch entry?.fate {
            case nil: others.append(index)
            case .refused: refused.append((index, entry?.code ?? ""))
            case .retry(let after):
                retried.append(Retry(index: index, way: .init(code: entry?.code ?? "", after: after)))
            case .goalMissing: goalMissing.append((index, entry?.code ?? ""))
            case .goalTooYoung: goalTooYoung.append((index, entry?.code ?? ""))
            }
        }
    }

    /// What is wrong with the service, if it took nothing at all and that is not the deliveries' fault.
    var troubleOfAll: String? {
        guard others.isEmpty, refused.isEmpty, goalMissing.isEmpty, goalTooYoung.isEmpty,
            retried.allSatisfy({ $0.way.after == nil })
        else { return nil }
        return retried.first?.way.code
    }
}
