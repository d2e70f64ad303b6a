/// What several runs of the same lie between.
struct Spread {
    private let sorted: [Double]

    init(_ values: [Double]) {
        sorted = values.sorted()
    }

    /// Of an even number the mean of the two in the middle.
    var median: Double {
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// The smallest value that so many are not above.
    func quantile(_ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// Smallest, median and largest.
    func text(width: Int, decimals: Int) -> String {
        [sorted.first ?? 0, median, sorted.last ?? 0].map { fixed($0, decimals).leftPadded(to: width) }.joined(
            separator: " ")
    }
}
