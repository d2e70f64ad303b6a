import ForwarderCore

/// Offline conversions of one goal that were taken on one day.
struct Upload: Sendable, Equatable {
    var new = 0
    /// Those that were taken before.
    var repeated = 0

    mutating func count(_ entry: Ledger.Entry) {
        if case .new = entry { new += 1 } else { repeated += 1 }
    }
}
