import ForwarderTestKit
import Glibc

/// Plays lives of the daemon from seeds, as many at once as there are processors, and says which came to a bad end.
@main
struct Main {
    static let usage = """
        Usage: forwarder-simulation [FIRST COUNT]     plays COUNT seeds from FIRST on (0 and 1000), and those that failed once
               forwarder-simulation --trace SEED      plays one and prints all that happened

        """

    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.count == 2, words[0] == "--trace", let seed = UInt64(words[1]) { return trace(seed) }
        let numbers = words.compactMap { UInt64($0) }
        guard numbers.count == words.count, [0, 2].contains(numbers.count) else {
            fail()
        }
        let first = numbers.first ?? 0
        let (end, overflow) = first.addingReportingOverflow(numbers.last ?? 1000)
        guard !overflow else {
            fail()
        }
        let summary = await play(Simulation.oldSeeds + Array(first..<end))
        print(summary.line)
        exit(summary.failed.isEmpty ? 0 : 1)
    }

    private static func fail() -> Never {
        let bytes = Array(usage.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
        exit(2)
    }

    private static func play(_ seeds: [UInt64]) async -> Summary {
        let clock = ContinuousClock()
        let start = clock.now
        var summary = Summary()
        await withTaskGroup { group in
            for seed in seeds {
                group.addTask {
                    var simulation = Simulation(seed: seed)
                    return simulation.run()
                }
            }
            for await report in group { summary.add(report) }
        }
        summary.took = clock.now - start
        return summary
    }

    private static func trace(_ seed: UInt64) {
        var simulation = Simulation(seed: seed, isTracing: true)
        let report = simulation.run()
        for line in report.trace { print(line) }
        print(report.failure.map { "seed \(seed): \($0)" } ?? "seed \(seed) came to a good end")
        exit(report.failure == nil ? 0 : 1)
    }
}

/// What came of all of them.
private struct Summary {
    var lives = 0
    var records = 0
    var requests = 0
    var deadLetters = 0
    var orders = 0
    var repeated = 0
    var refunds = 0
    var exactlyRefunded = 0
    var countedTwice: [Simulation.Excuse: Int] = [:]
    var length = Duration.zero
    var played = 0
    var failed: [UInt64] = []
    var took = Duration.zero

    mutating func add(_ report: Simulation.Report) {
        played += 1
        lives += report.lives
        records += report.records
        requests += report.requests
        deadLetters += report.deadLetters
        orders += report.orders
        repeated += report.repeated
        refunds += report.refunds
        exactlyRefunded += report.exactlyRefunded
        countedTwice.merge(report.countedTwice, uniquingKeysWith: +)
        length += report.length
        guard let failure = report.failure else { return }
        failed.append(report.seed)
        print("seed \(report.seed): \(failure); forwarder-simulation --trace \(report.seed) tells how it came")
    }

    private var excuses: String {
        Simulation.Excuse.allCases.map { "\(countedTwice[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", ")
    }

    var line: String {
        let days = length.components.seconds / 86_400
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        return """
            \(played) seeds, \(failed.count) failed: \(days) days, \(lives) lives, \(records) records, \(requests) requests, \
            \(deadLetters) dead letters, \(orders) orders of which \(repeated) were said again, \(refunds) refunds, \
            \(exactlyRefunded) refunded orders foretold to the cent, \
            counted twice with an excuse: \(excuses), played in \((seconds * 10).rounded() / 10) s
            """
    }
}
