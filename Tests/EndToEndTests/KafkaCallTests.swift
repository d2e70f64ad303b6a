import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc
import KafkaClient
import MockKafka
import ScenarioKit
import Testing

/// Every answer of librdkafka that the daemon goes by is a failure once.
struct KafkaCallTests {
    // MARK: The daemon goes on

    @Test(.timeLimit(.minutes(15)))
    func `I-1: whichever question to librdkafka fails, at the start or later, the daemon goes on`() async throws {
        try await onThread {
            let scene = try FailingScene()
            var daemon = try scene.start()
            for n in 1...3 {
                try scene.calls.set("rd_kafka_commit_queue \(n)", "rd_kafka_get_watermark_offsets \(n)")
                while !scene.calls.haveAllFailed {
                    try scene.publish()
                    try scene.arrive()
                    try scene.commit()
                }
            }
            try requireEqual(try scene.stage.said("commit.refused")["reason"]?.string, "_FAIL", "reason")
            try daemon.stop()
            let before = scene.published
            try scene.publish()
            try scene.calls.set("rd_kafka_committed 1", "rd_kafka_committed.one 1 2")
            daemon = try scene.start()
            try scene.calls.waitUntilFailed()
            try requireEqual(try scene.stage.said("kafka.faulted")["fatal"]?.bool, false, "fatal")
            try scene.arrive()
            // It has begun where it should.
            for id in before { try requireEqual(scene.stage.timesAccepted(id), 1, id) }
            try scene.finish(daemon)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what librdkafka does not pause or resume is asked of it again`() async throws {
        try await onThread {
            let scene = try FailingScene()
            let stage = scene.stage
            stage.settings.capi += ["queue: {max_bytes: 1MiB}"]
            let daemon = try scene.start()
            for rule in [
                "rd_kafka_pause_partitions 1", "rd_kafka_pause_partitions.one 1 2", "rd_kafka_resume_partitions 1",
                "rd_kafka_resume_partitions.one 1 2",
            ] {
                try scene.calls.set(rule)
                let earlier = stage.directory.logLines("intake.paused").count
                stage.follow(.status(503))
                try scene.publish(1600)
                try eventually("reading to pause") { stage.directory.logLines("intake.paused").count > earlier }
                if rule.contains("pause") { try scene.calls.waitUntilFailed() }
                stage.follow(.none)
                try scene.calls.waitUntilFailed()
                try scene.publish()
                try scene.arrive()
                try scene.commit()
            }
            try scene.finish(daemon)
        }
    }

    // MARK: The daemon ends

    /// A call that leaves the membership in a state that nobody knows.
    struct Ending: CustomTestStringConvertible {
        /// What happens to the group.
        enum Event {
            case start
            /// A member joins and leaves again.
            case guest
            /// Its position in a partition is lost.
            case lostPosition
        }

        var strategy = "cooperative-sticky"
        var event: Event
        var rule: String
        var reason = "_FAIL"

        var testDescription: String { "\(strategy), \(event): \(rule)" }

        static let all = [
            // The thread of a broker; without the first two librdkafka 2.0.2 aborts, or stands still (and the start with it).
            Ending(event: .start, rule: "thrd_create 4", reason: "_CRIT_SYS_RESOURCE"),
            Ending(event: .start, rule: "rd_kafka_incremental_assign 1"),
            Ending(event: .guest, rule: "rd_kafka_incremental_unassign 1"),
            Ending(event: .guest, rule: "rd_kafka_incremental_assign 2"),
            Ending(event: .lostPosition, rule: "rd_kafka_incremental_unassign 1"),
            Ending(event: .lostPosition, rule: "rd_kafka_incremental_assign 2"),
            Ending(strategy: "range", event: .start, rule: "rd_kafka_assign 1"),
            Ending(strategy: "range", event: .guest, rule: "rd_kafka_assign 2"),
            Ending(strategy: "range", event: .guest, rule: "rd_kafka_assign 3"),
            Ending(strategy: "range", event: .lostPosition, rule: "rd_kafka_assign 2"),
            Ending(strategy: "range", event: .lostPosition, rule: "rd_kafka_position 1"),
        ]
    }

    @Test(.timeLimit(.minutes(15)), arguments: Ending.all)
    func `an assignment that librdkafka does not take or give back ends the process, and nothing is lost`(
        ending: Ending
    ) async throws {
        try await onThread {
            let scene = try FailingScene(strategy: ending.strategy)
            try scene.publish()
            if ending.event == .lostPosition { try KafkaCallTests.lose(scene.stage) }
            try scene.calls.set(ending.rule, "rd_kafka_offsets_for_times 1 2", "rd_kafka_position.one 1")
            let daemon = try scene.launch()
            if ending.event == .guest {
                try daemon.waitUntilReading()
                try KafkaCallTests.entertain(scene.stage, ending.strategy) { daemon.exitCode(timeout: .zero) != nil }
            }
            try requireEqual(daemon.exitCode(timeout: .seconds(60)), 1, "exit code")
            let faults = scene.stage.directory.logLines("kafka.faulted")
            try require(
                faults.contains { $0["fatal"]?.bool == true && $0["reason"]?.string == ending.reason },
                "not said: \(faults.map(\.rawText))")
            if ending.event != .lostPosition { try scene.checkCommits() }
            try scene.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `whichever call fails while the daemon leaves its group, the next start makes up for it`() async throws {
        try await onThread {
            let scene = try FailingScene()
            let properties = scene.stage.settings.kafka
            // Only the last commit is of interest.
            scene.stage.settings.kafka[0] = "commit_interval: 1m"
            let cases: [(rule: String, isComplete: Bool)] = [
                ("rd_kafka_commit_queue 1", false), ("rd_kafka_queue_poll 1", false),
                ("rd_kafka_unsubscribe 1", true), ("rd_kafka_incremental_unassign 1", false),
                ("rd_kafka_consumer_close_queue 1", true), ("rd_kafka_consumer_closed 1 9999", false),
            ]
            for (rule, isComplete) in cases {
                let daemon = try scene.start()
                try scene.publish()
                try scene.arrive()
                try scene.calls.set(rule)
                let earlier = scene.stage.directory.logLines("group.left").count
                try daemon.stop()
                let left = scene.stage.directory.logLines("group.left")
                try requireEqual(left.count, earlier + 1, "\(rule): group.left")
                try requireEqual(left.last?["complete"]?.bool, isComplete, "\(rule): complete")
                let function = String(rule.prefix { $0 != " " })
                try require(scene.calls.failed(function) >= 1, "\(function) is not called")
                try scene.checkCommits()
                try scene.calls.set()
            }
            scene.stage.settings.kafka = properties
            try scene.finish()
        }
    }

    // MARK: The group

    /// Makes the group stand where there is nothing.
    private static func lose(_ stage: Stage) throws {
        let consumer = try KafkaConsumer(
            properties: [("bootstrap.servers", stage.kafka.bootstrapServers), ("group.id", Stage.group)])
        defer { _ = consumer.close(timeoutMilliseconds: 1000) { _ in } }
        let offset = OffsetToCommit(TopicPartition(Stage.topic, 0), 1000)
        let results = try consumer.commit([offset], timeoutMilliseconds: 10_000)
        try require(results.allSatisfy { $0.error == nil }, "\(results)")
    }

    /// A member that joins, has its share for a moment, and leaves again.
    private static func entertain(_ stage: Stage, _ strategy: String, unless isInVain: () -> Bool) throws {
        let guest = try KafkaConsumer(properties: [
            ("bootstrap.servers", stage.kafka.bootstrapServers), ("group.id", Stage.group),
            ("session.timeout.ms", "3000"), ("heartbeat.interval.ms", "500"),
            ("partition.assignment.strategy", strategy),
        ])
        try guest.subscribe([Stage.topic])
        try eventually("the guest's share") {
            switch guest.poll(timeoutMilliseconds: 50, { _ in }) {
            case .assigned: try guest.assign { _ in .committed }
            case .revoked: try guest.unassign()
            default: break
            }
            return !guest.partitions.isEmpty || isInVain()
        }
        _ = guest.close(timeoutMilliseconds: 5000) { _ in }
    }
}
