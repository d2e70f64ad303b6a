import Glibc

/// How long a round of a section takes, in nanoseconds of this thread's CPU time: on a shared machine the clock on the
/// wall says more about the neighbours.
struct Measurement {
    private static let runs = 5
    /// A run is as many rounds as fit in this, so that neither clock nor warm-up counts.
    private static let runNanoseconds = 200_000_000.0

    private let name: String
    private let unit: String
    private var times: [Double] = []

    init(_ section: Section) {
        name = section.name
        unit = section.unit
        let work = section.prepare()
        var rounds = 1
        var elapsed = Measurement.time { work(rounds) }
        while elapsed < Measurement.runNanoseconds / 4 {
            rounds *= 4
            elapsed = Measurement.time { work(rounds) }
        }
        rounds = max(1, Int(Double(rounds) * Measurement.runNanoseconds / elapsed))
        for _ in 0..<Measurement.runs { times.append(Measurement.time { work(rounds) } / Double(rounds)) }
        times.sort()
    }

    var line: String {
        let columns = [times[0], times[times.count / 2], times[times.count - 1]].map { time in
            let text = time < 100 ? "\(Double(Int(time * 10)) / 10)" : "\(Int(time))"
            return String(repeating: " ", count: max(0, 9 - text.count)) + text
        }
        return name.padded(to: 17) + unit.padded(to: 9) + columns.joined()
    }

    private static func time(_ work: () -> Void) -> Double {
        let start = clock()
        work()
        return clock() - start
    }

    private static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
