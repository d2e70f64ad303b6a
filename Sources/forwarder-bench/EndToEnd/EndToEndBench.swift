import Forwarder
import ForwarderHarness

/// The daemon from end to end: published events, a broker, the daemon as it is installed, a sink that reads every byte.
struct EndToEndBench {
    var ground: Ground
    /// What the libraries cost by themselves; nil: left out.
    var floor: String?
    var records: Int
    var rounds: Int
    /// How long the runs by the clock take.
    var seconds: Int
    /// Only what has this in its name.
    var only: String
    var say: (String) -> Void

    func run() throws(HarnessFailure) {
        say("publishing \(records) records")
        let expectation = try ground.publish(records, to: "bench")
        let contestants = contestants
        var rows = contestants.map { FiguresRow(name: $0.name, runs: []) }
        var into = FiguresRow(name: "down: into the queue", runs: [])
        var out = FiguresRow(name: "recovery: out of it", runs: [])
        let hasOutage = isAsked(into.name) || isAsked(out.name)
        var starts: (empty: [Double], full: [Double]) = ([], [])
        var sizes: [Double] = []
        for round in 1...rounds {
            say("round \(round) of \(rounds)")
            for (index, contestant) in contestants.enumerated() {
                attempt { () throws(HarnessFailure) in
                    rows[index].runs.append(try contestant.run(ground, topic: "bench", expectation))
                }
            }
            guard hasOutage else { continue }
            attempt { () throws(HarnessFailure) in
                let outage = try OutageRun(ground: ground, topic: "bench", expectation: expectation).run()
                into.runs.append(outage.into)
                out.runs.append(outage.out)
                starts.empty.append(outage.emptyStart)
                starts.full.append(outage.fullStart)
                sizes.append(outage.bytesEach)
            }
        }
        say(FiguresRow.header)
        for row in rows + (hasOutage ? [into, out] : []) { say(row.line) }
        if hasOutage {
            say("a delivery in the queue takes \(fixed(Spread(sizes).median, 0)) bytes of disk")
            let (empty, full) = (Spread(starts.empty), Spread(starts.full))
            say(
                "start, in ms: with nothing in the queue \(empty.text(width: 1, decimals: 0)), "
                    + "with \(expectation.capi.count) deliveries \(full.text(width: 1, decimals: 0))")
        }
        if isAsked("events a second") { try runPaced() }
    }

    private func isAsked(_ name: String) -> Bool { only.isEmpty || name.contains(only) }

    private var contestants: [Contestant] {
        var all = [
            Contestant(name: "CAPI, http", program: .forwarder()),
            Contestant(name: "CAPI", program: .forwarder(), isSecure: true),
            Contestant(name: "CAPI + offline", program: .forwarder(hasOffline: true), isSecure: true),
            Contestant(
                name: "CAPI, 100 ms away", program: .forwarder(), isSecure: true, delay: .milliseconds(100)),
        ]
        if let floor {
            all.append(Contestant(name: "floor, http", program: .command(floor), work: .raw))
            all.append(Contestant(name: "floor", program: .command(floor), work: .raw, isSecure: true))
            all.append(
                Contestant(
                    name: "floor with hashes", program: .command(floor, environment: ["BENCH_HASHES=1"]), work: .raw,
                    isSecure: true))
        }
        return all.filter { isAsked($0.name) }
    }

    private func runPaced() throws(HarnessFailure) {
        say("events a second   ms to the sink: median    99 %   of one core   MiB peak")
        for rate in [0, 1000, 10_000] {
            let report = try PacedRun(ground: ground, topic: "paced", rate: rate, seconds: seconds).run()
            say(
                "\(rate)".leftPadded(to: 15) + fixed(report.median, 0).leftPadded(to: 26)
                    + fixed(report.slowest, 0).leftPadded(to: 8)
                    + (fixed(report.cpu * 100, 2) + " %").leftPadded(to: 14)
                    + fixed(report.peakMebibytes, 0).leftPadded(to: 11))
        }
    }

    /// A run whose books do not balance has no result; the others go on.
    private func attempt(_ run: () throws(HarnessFailure) -> Void) {
        do throws(HarnessFailure) {
            try run()
        } catch {
            say("NO RESULT: \(error)")
        }
    }
}
