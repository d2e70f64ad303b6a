import ForwarderCore
import Testing

@Suite struct GateTests {
    private static let now = Uptime(milliseconds: 0)

    @Test func `the wait is anywhere between nothing and a bound that doubles, up to the cap`() {
        var settings = RetrySettings()
        settings.base = .seconds(1)
        settings.cap = .seconds(300)
        var random = SeededRandom(seed: 1)
        for failures in 1...70 {
            let bound = failures < 10 ? min(300_000, 1000 << (failures - 1)) : 300_000
            var seen: [Int64] = []
            for _ in 0..<400 {
                seen.append(Backoff.delay(settings, failures: failures, using: &random).milliseconds)
            }
            #expect(seen.allSatisfy { 0...Int64(bound) ~= $0 }, "\(failures)")
            // Full jitter: all of the room is used, evenly.
            let mean = Double(seen.reduce(0, +)) / Double(seen.count) / Double(bound)
            #expect(0.4...0.6 ~= mean, "\(failures): \(mean)")
            #expect(
                seen.contains { $0 < Int64(bound) / 8 } && seen.contains { $0 > Int64(bound) / 8 * 7 }, "\(failures)")
        }
    }

    @Test(arguments: [(0, 0), (1, 1), (1000, 1), (1, 1000)])
    func `odd bounds are survived`(base: Int, cap: Int) {
        var settings = RetrySettings()
        settings.base = .milliseconds(base)
        settings.cap = .milliseconds(cap)
        var random = SeededRandom(seed: 1)
        for failures in [1, 2, 40, 41, 1000] {
            #expect(Backoff.delay(settings, failures: failures, using: &random) <= .milliseconds(max(cap, 1)))
        }
    }

    @Test func `what the other side asks for is a lower bound, an hour at most`() {
        var random = SeededRandom(seed: 1)
        let settings = RetrySettings()
        for _ in 0..<100 {
            #expect(Backoff.delay(settings, failures: 1, atLeast: .seconds(30), using: &random) == .seconds(30))
            #expect(Backoff.delay(settings, failures: 1, atLeast: .seconds(9999), using: &random) == .seconds(3600))
            #expect(Backoff.delay(settings, failures: 20, atLeast: .seconds(1), using: &random) <= .seconds(300))
        }
    }

    /// Whatever happens to a gate: when it is not open there is at most one probe, and it never lets more out than it may.
    @Test func `a gate that is not open lets one probe out at a time`() {
        for seed in 0..<2000 {
            var random = SeededRandom(seed: UInt64(seed))
            let concurrency = Int.random(in: 1...8, using: &random)
            var gate = Gate(RetrySettings(), concurrency: concurrency)
            var now = GateTests.now
            var requests: [(epoch: UInt32, isProbe: Bool)] = []
            for _ in 0..<60 {
                now = now + .milliseconds(Int64.random(in: 0...4000, using: &random))
                switch Int.random(in: 0..<10, using: &random) {
                case 0: gate.throttle(until: now + .seconds(5))
                case 1: gate.pause()
                case 2, 3: gate.resume(now: now)
                case 4, 5, 6:
                    guard !requests.isEmpty else { continue }
                    let request = requests.remove(at: .random(in: 0..<requests.count, using: &random))
                    let isNow = request.epoch == gate.epoch
                    let before = gate.state
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: _ = gate.succeeded(epoch: request.epoch)
                    case 1: _ = gate.failed(epoch: request.epoch, atLeast: nil, now: now, using: &random)
                    default: _ = gate.park(epoch: request.epoch, reason: "x", now: now)
                    }
                    if !isNow { #expect(gate.state == before, "seed \(seed): an old answer moved the gate") }
                default:
                    switch gate.permission(inFlight: requests.count, now: now) {
                    case .requests(let count):
                        #expect(gate.isOpen && requests.count + count <= concurrency, "seed \(seed)")
                        requests.append((gate.epoch, false))
                    case .probe:
                        let isProbing = requests.contains { $0.isProbe && $0.epoch == gate.epoch }
                        #expect(!gate.isOpen && !isProbing, "seed \(seed): two probes")
                        gate.probeSent()
                        requests.append((gate.epoch, true))
                    case .wait(let until): #expect(until > now, "seed \(seed)")
                    case .nothing: break
                    }
                }
            }
        }
    }

    /// (The macro cannot call what changes its subject.)
    private func isHalted(_ rule: inout HaltRule, delivered: Int, refused: Int, undecided: Int = 0, _ now: Uptime)
        -> Bool
    {
        rule.count(delivered: delivered, refused: refused, undecided: undecided, now: now)
    }

    @Test func `the halt rule knows only the last five minutes`() {
        var rule = HaltRule()
        var now = GateTests.now
        #expect(!isHalted(&rule, delivered: 0, refused: 199, now))
        now = now + .seconds(310)
        #expect(!isHalted(&rule, delivered: 0, refused: 199, now))
        #expect(isHalted(&rule, delivered: 0, refused: 1, now))
        rule.reset()
        #expect(!isHalted(&rule, delivered: 0, refused: 1, now))
    }

    @Test func `what is not decided yet speaks for the destination`() {
        var rule = HaltRule()
        #expect(!isHalted(&rule, delivered: 0, refused: 300, undecided: 301, GateTests.now))
        #expect(isHalted(&rule, delivered: 0, refused: 10, undecided: 291, GateTests.now))
    }

    @Test func `refusals halt, deliveries do not`() {
        var rule = HaltRule()
        #expect(!isHalted(&rule, delivered: 1, refused: 150, GateTests.now))
        #expect(!isHalted(&rule, delivered: 100, refused: 0, GateTests.now))
        #expect(isHalted(&rule, delivered: 0, refused: 1, GateTests.now))
    }

    @Test func `a rate is kept over any time that is longer than a second`() {
        for rate in [1, 7, 100, 3333] {
            var limit = RateLimit(eventsPerSecond: rate)
            var now = GateTests.now
            var sent = 0
            for _ in 0..<2000 {
                let opens = limit.opensAt(now: now)
                #expect(opens >= now)
                now = opens
                limit.sent(5, now: now)
                sent += 5
            }
            // One second's worth at once, the batch that goes over it, and what passes in a millisecond.
            let allowed = Int64(rate) * (now.milliseconds + 1001) / 1000 + 6
            #expect(Int64(sent) <= allowed, "\(rate): \(sent) in \(now.milliseconds)")
            #expect(Int64(sent) >= Int64(rate) * now.milliseconds / 1000, "\(rate)")
        }
        #expect(RateLimit(eventsPerSecond: nil).opensAt(now: GateTests.now) == GateTests.now)
    }
}
