import ForwarderHarness
import Glibc

/// What one run of one program came to.
struct Figures {
    /// From the first event that the sink has to the last.
    var recordsPerSecond = 0.0
    /// CPU time of the whole process, from its start to its end, in microseconds for each record.
    var user = 0.0
    var system = 0.0
    var peakMebibytes = 0.0
    var writtenMebibytes = 0.0

    var cpu: Double { user + system }
}

/// The runs of one program, as a line of a table.
struct FiguresRow {
    var name: String
    var runs: [Figures]

    static let header =
        "                    records/s: min  median     max   us CPU: min  median   max  (user  system)  MiB peak  MiB written"

    var line: String {
        guard !runs.isEmpty else { return name.padded(to: 24) + "no result" }
        let rate = Spread(runs.map(\.recordsPerSecond))
        let cpu = Spread(runs.map(\.cpu))
        return name.padded(to: 24) + rate.text(width: 7, decimals: 0) + "       " + cpu.text(width: 7, decimals: 2)
            + "  (" + fixed(Spread(runs.map(\.user)).median, 2) + "  " + fixed(Spread(runs.map(\.system)).median, 2)
            + ")"
            + fixed(Spread(runs.map(\.peakMebibytes)).median, 0).leftPadded(to: 8)
            + fixed(Spread(runs.map(\.writtenMebibytes)).median, 1).leftPadded(to: 12)
    }
}

/// What several runs of the same lie between.
struct Spread {
    private let sorted: [Double]

    init(_ values: [Double]) {
        sorted = values.sorted()
    }

    var median: Double { quantile(0.5) }

    func quantile(_ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// Smallest, median and largest.
    func text(width: Int, decimals: Int) -> String {
        [sorted.first ?? 0, median, sorted.last ?? 0].map { fixed($0, decimals).leftPadded(to: width) }.joined(
            separator: " ")
    }
}

/// The CPU time of all children that have ended, in seconds: what a run adds to it is its whole process.
struct ChildTimes {
    var user: Double
    var system: Double

    static var now: ChildTimes {
        var usage = rusage()
        getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return ChildTimes(user: seconds(usage.ru_utime), system: seconds(usage.ru_stime))
    }
}

func fixed(_ number: Double, _ decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let whole = Int((number * scale).rounded())
    guard decimals > 0 else { return "\(whole)" }
    let fraction = "\(abs(whole) % Int(scale))"
    return "\(whole / Int(scale))." + String(repeating: "0", count: decimals - fraction.count) + fraction
}

extension String {
    func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
