import Glibc
import Testing

@Suite struct LanePropertyTests {
    /// Seeds that have found a fault once.
    static let oldSeeds: [UInt64] = []

    @Test(arguments: oldSeeds)
    func `what went wrong once does not go wrong again`(seed: UInt64) {
        expectGood(seed: seed, steps: 60)
    }

    /// Twenty rounds of 150 seeds; `PROPERTY_ROUNDS` asks for more.
    static let rounds = getenv("PROPERTY_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 20

    @Test(arguments: 0..<rounds)
    func `I-2: whatever a lane is told, each delivery is in one place and comes to one end`(round: Int) {
        for seed in 0..<150 { expectGood(seed: UInt64(round * 150 + seed), steps: 20 + round % 5 * 40) }
    }

    private func expectGood(seed: UInt64, steps: Int) {
        var fuzz = LaneFuzz(seed: seed)
        fuzz.run(steps: steps)
        if let failure = fuzz.failure {
            Issue.record("seed \(seed): \(failure)\n\(fuzz.log.suffix(60).joined(separator: "\n"))")
        }
    }
}
