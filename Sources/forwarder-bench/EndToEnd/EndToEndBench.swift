import Forwarder
import ForwarderHarness

/// The daemon from end to end: published events, a broker, the daemon as it is installed, a sink that reads every byte.
struct EndToEndBench {
    var ground: Ground
    /// What the libraries cost by themselves; nil: left out.
    var floor: String?
    var records: Int
    var rounds: Int
    /// How long the runs by the clock take; 0: there are none.
    var seconds: Int
    /// Only what has this in its name.
    var only: String
    var say: (String) -> Void

    /// Returns whether every run has a result.
    func run() throws(HarnessFailure) -> Bool {
        var entries: [Rounds.Entry] = []
        say("publishing \(records) records")
        let expectation = try ground.publish(records, to: "bench")
        for contestant in contestants { entries.append(contestant.entry(ground, topic: "bench", expectation)) }
        var outages: [OutageRun.Report] = []
        entries.append(
            Rounds.Entry(names: ["down: into the queue", "recovery: out of it"]) { () throws(HarnessFailure) in
                let report = try OutageRun(ground: ground, topic: "bench", expectation: expectation).run()
                outages.append(report)
                return [report.into, report.out]
            })
        if !only.isEmpty { entries.removeAll { !$0.names.contains { $0.contains(only) } } }
        guard !entries.isEmpty else { throw HarnessFailure("nothing has '\(only)' in its name") }
        var isGood = Rounds(count: rounds, say: say).run(entries)
        if !outages.isEmpty {
            let (empty, full) = (Spread(outages.map(\.emptyStart)), Spread(outages.map(\.fullStart)))
            say(
                "start, in ms: with nothing in the queue \(empty.text(width: 1, decimals: 0)), "
                    + "with \(expectation.capi.count) deliveries \(full.text(width: 1, decimals: 0))")
            say(
                "a delivery in the queue takes \(Spread(outages.map(\.bytesEach)).text(width: 1, decimals: 0)) bytes of disk"
            )
        }
        if only.isEmpty, seconds > 0 { isGood = runPaced() && isGood }
        return isGood
    }

    private var contestants: [Contestant] {
        let tenth = Duration.milliseconds(100)
        var all = [
            Contestant(name: "CAPI, http", program: .forwarder()),
            Contestant(name: "CAPI", program: .forwarder(), isSecure: true),
            Contestant(name: "CAPI + offline", program: .forwarder(hasOffline: true), isSecure: true),
            Contestant(name: "100 ms away", program: .forwarder(), isSecure: true, delay: tenth),
            Contestant(
                name: "the same, 32 requests", program: .forwarder(concurrency: 32), isSecure: true, delay: tenth),
        ]
        if let floor {
            all.append(Contestant(name: "floor, http", program: .command(floor), work: .raw))
            all.append(Contestant(name: "floor", program: .command(floor), work: .raw, isSecure: true))
            all.append(
                Contestant(
                    name: "floor with hashes", program: .command(floor, environment: ["BENCH_HASHES=1"]), work: .raw,
                    isSecure: true))
        }
        return all
    }

    private func runPaced() -> Bool {
        let runs = [
            PacedRun(name: "idle", ground: ground, rate: 0, seconds: seconds),
            PacedRun(name: "1,000 a second", ground: ground, rate: 1000, seconds: seconds),
            PacedRun(name: "10,000 a second", ground: ground, rate: 10_000, seconds: seconds),
            PacedRun(
                name: "1,000, 100 ms away", ground: ground, rate: 1000, seconds: seconds, delay: .milliseconds(100)),
        ]
        var isGood = true
        say(
            "\(rounds) times \(seconds) s            ms to the sink: median    99 %   of one core: min  median     max   MiB peak"
        )
        for run in runs {
            do throws(HarnessFailure) {
                var reports: [PacedRun.Report] = []
                for _ in 0..<rounds { reports.append(try run.run()) }
                say(run.line(reports))
            } catch {
                isGood = false
                say("NO RESULT of \(run.name): \(error)")
            }
        }
        return isGood
    }
}
