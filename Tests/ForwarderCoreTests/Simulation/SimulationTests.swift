import ForwarderTestKit
import Testing

@Suite struct SimulationTests {
    @Test func `what went wrong once does not go wrong again`() {
        for seed in Simulation.oldSeeds { expectGood(seed) }
    }

    // `make simulate` plays a thousand and more, in a release build.
    @Test(arguments: 0..<6)
    func `I-5: whatever goes wrong, in the end everything has come to its end`(round: Int) {
        for seed in 0..<10 { expectGood(UInt64(round * 10 + seed)) }
    }

    @Test func `I-10: the same seed plays the same life`() {
        for seed in [UInt64(3), 4, 5] {
            var first = Simulation(seed: seed, isTracing: true)
            var second = Simulation(seed: seed, isTracing: true)
            let (trace, again) = (first.run().trace, second.run().trace)
            #expect(trace.count == again.count && trace.count > 100)
            if let (line, other) = zip(trace, again).first(where: { $0 != $1 }) {
                Issue.record("seed \(seed): \(line) is \(other) the second time")
            }
        }
    }

    private func expectGood(_ seed: UInt64) {
        var simulation = Simulation(seed: seed)
        let report = simulation.run()
        guard let failure = report.failure else { return }
        // Played again, to be told how it came.
        var again = Simulation(seed: seed, isTracing: true)
        let trace = again.run().trace.suffix(120).joined(separator: "\n")
        Issue.record("seed \(seed): \(failure)\n\(trace)")
    }
}
