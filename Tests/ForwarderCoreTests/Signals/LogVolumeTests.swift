import Testing

@testable import ForwarderCore

struct LogVolumeTests {
    /// A minute of a log: what would be said, through the guard, in bytes by kind.
    private struct Minute {
        var guards = FloodGuard()
        var bytes: [String: Int] = [:]
        var heldBack = 0

        mutating func say(_ signal: Signal, at milliseconds: Int64, _ format: LogSettings.Format = .json) {
            let now = Uptime(milliseconds: milliseconds)
            let verdict = guards.admit(signal.floodKey, signal.floodLimit, now: now)
            guard verdict.isAdmitted else { return heldBack += 1 }
            let line = signal.line(at: Timestamp(milliseconds: milliseconds), heldBack: verdict.heldBack)
            bytes[signal.name.rawValue, default: 0] += line.bytes(format).count + 1
        }

        var total: Int { bytes.values.reduce(0, +) }
    }

    @Test(arguments: LogSettings.Format.allCases)
    func `I-4: at 100,000 events a second the log stays under 5 MB a minute`(_ format: LogSettings.Format) {
        let destinations = ["capi", "offline"]
        let metrics = Metrics.sample(destinations: destinations)
        var minute = Minute()
        for tick: Int64 in 0..<60_000 {
            // 100 requests a second for each destination, every tenth is answered badly; 1,000 events a second rejected, as
            // many refused.
            if tick % 10 == 0 {
                for destination in destinations {
                    var report = tick % 100 == 0 ? AttemptReport.badSample : .goodSample
                    report.destination = destination
                    minute.say(.attempted(report), at: tick, format)
                }
            }
            for name in [SignalName.rejected, .deadLettered] { minute.say(name.samples[0], at: tick, format) }
            if tick % 10_000 == 0 {
                var embedded = EmbeddedMetrics()
                let time = Timestamp(milliseconds: tick)
                let lines =
                    switch format {
                    case .json: [metrics.json(at: time)]
                    case .logfmt: [metrics.logfmt(at: time)]
                    case .emf: embedded.lines(metrics, at: time)
                    }
                minute.bytes["metrics", default: 0] += lines.reduce(0) { $0 + $1.count + 1 }
            }
        }
        #expect(minute.total < 5_000_000, "\(minute.bytes)")
        // And it does say something of each.
        #expect(minute.bytes.count == 4 && minute.bytes.values.allSatisfy { $0 > 2000 }, "\(minute.bytes)")
        #expect(minute.heldBack > 100_000)
    }

    @Test func `I-4: whatever is said without end, a minute of it is small`() {
        for name in SignalName.allCases where name != .attempted {
            for sample in name.samples {
                var minute = Minute()
                // Two of them each millisecond.
                for tick: Int64 in 0..<120_000 { minute.say(sample, at: tick / 2) }
                // Each call of a pixel is wanted, at the level that nobody keeps for long.
                let limit = name == .pixelFired ? 60 * 1000 * 400 : 25 * 1000
                #expect(minute.total < limit, "\(name.rawValue): \(minute.total)")
            }
        }
    }

    @Test func `after a burst one line per interval tells how many were held back, and quiet gives a burst again`() {
        var guards = FloodGuard()
        func admitted(_ times: Range<Int64>, _ key: String = "a", _ limit: FloodGuard.Limit = .usual) -> [Int] {
            times.compactMap { time in
                let verdict = guards.admit(key, limit, now: Uptime(milliseconds: time * 100))
                return verdict.isAdmitted ? verdict.heldBack : nil
            }
        }
        // Ten a second for 30 seconds.
        #expect(admitted(0..<300) == Array(repeating: 0, count: 20) + [80, 99])
        // Another key knows nothing of it.
        #expect(admitted(0..<10, "b") == Array(repeating: 0, count: 10))
        // The last of the flood is told by whoever comes next.
        #expect(admitted(500..<501) == [99])
        #expect(admitted(700..<730) == Array(repeating: 0, count: 20))
    }

    @Test func `of attempts ten a second are written, as long as it lasts`() {
        var guards = FloodGuard()
        let written = (0..<3000).count {
            guards.admit("a", .attempts, now: Uptime(milliseconds: Int64($0))).isAdmitted
        }
        #expect(written == 30)
    }
}
