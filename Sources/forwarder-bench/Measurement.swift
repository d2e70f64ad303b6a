import Glibc

/// How long a round of a section takes, in nanoseconds of this thread's CPU time: on a shared machine the clock on the
/// wall says more about the neighbours.
struct Measurement {
    private static let runs = 5
    /// A run is as many rounds as fit in this, so that neither clock nor warm-up counts.
    private static let runNanoseconds = 200_000_000.0

    private var times: [Double] = []

    init(_ section: Section) {
        if section.isFresh {
            // What grows with each round begins anew in each run, with the same rounds.
            for _ in 0..<Measurement.runs {
                let work = section.prepare()
                times.append(Measurement.time { work(section.rounds) } / Double(section.rounds))
            }
            return
        }
        let work = section.prepare()
        var rounds = 1
        var elapsed = Measurement.time { work(rounds) }
        while elapsed < Measurement.runNanoseconds / 4 {
            rounds *= 4
            elapsed = Measurement.time { work(rounds) }
        }
        rounds = max(1, Int(Double(rounds) * Measurement.runNanoseconds / elapsed))
        for _ in 0..<Measurement.runs { times.append(Measurement.time { work(rounds) } / Double(rounds)) }
    }

    /// The shortest, the median and the longest.
    var columns: String {
        Spread(times).text(width: 9, decimals: (times.last ?? 0) < 100 ? 1 : 0)
    }

    /// Nanoseconds of this thread's CPU time.
    static func time(_ work: () -> Void) -> Double {
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
