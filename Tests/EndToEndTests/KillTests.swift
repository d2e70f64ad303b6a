import FakeMicrosoft
import ForwarderHarness
import MockKafka
import ScenarioKit
import Testing

@Suite(.serialized)
struct KillTests {
    @Test(.timeLimit(.minutes(15)))
    func `killed in the middle, nothing is lost and repeats are the same`() async throws {
        let report = try await onThread {
            let kafka = try MockCluster()
            try kafka.createTopic("events", partitions: 8)
            var trial = KillTrial(
                binary: daemonBinary, brokers: kafka.bootstrapServers, topic: "events", records: 20_000, seed: 7)
            trial.rate = 4000
            // A mock's group gives a dead member's partitions away only after its session.
            trial.kafka = ["properties: {session.timeout.ms: 6000}"]
            return try trial.run()
        }
        #expect(report.differences == [])
        #expect(report.unaccounted == 0)
        #expect(report.records == 20_000)
    }

    @Test(.timeLimit(.minutes(15)))
    func `killed in the middle of Microsoft's faults, nothing is lost`() async throws {
        let report = try await onThread {
            let kafka = try MockCluster()
            try kafka.createTopic("events", partitions: 8)
            var trial = KillTrial(
                binary: daemonBinary, brokers: kafka.bootstrapServers, topic: "events", records: 20_000, seed: 8)
            trial.rate = 4000
            trial.plan = .mixed(seed: 8, length: .seconds(12))
            trial.kafka = ["properties: {session.timeout.ms: 6000}"]
            return try trial.run()
        }
        #expect(report.differences == [])
        #expect(report.unaccounted == 0)
    }
}
