import FakeMicrosoft
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

extension RealBrokerTests {
    struct PositionTests {
        enum Trim: String, CaseIterable {
            case deleteRecords, retention

            var ability: Broker.Ability { self == .retention ? .retention : .deleteRecords }
        }

        /// Ten records of each partition are read, then the daemon is away while twenty more come and go again, but for
        /// the last five of each if they are deleted by hand.
        private static func trimmed(_ trim: Trim) throws -> BrokerStage {
            let properties =
                trim == .retention ? [("retention.ms", "1000"), ("segment.ms", "500"), ("segment.bytes", "1024")] : []
            let stage = try BrokerStage("trimmed", hasOffline: false, topicProperties: properties)
            let daemon = try stage.start()
            for partition in 0..<stage.partitions {
                let ids = BrokerStage.ids("read-\(partition)", 10)
                try stage.publish(ids, partition: partition)
                try stage.arrive(ids)
            }
            try daemon.waitUntilSettled(.seconds(30))
            try daemon.stop()
            for partition in 0..<stage.partitions {
                try stage.publish(BrokerStage.ids("gone-\(partition)", 20), partition: partition)
            }
            switch trim {
            case .deleteRecords:
                let before = (0..<stage.partitions).map { ($0, Int64(25)) }
                try stage.admin.deleteRecords(stage.topic, before: Dictionary(uniqueKeysWithValues: before))
            case .retention:
                try eventually("retention") { try stage.content().count == 0 }
            }
            return stage
        }

        @Test(.timeLimit(.minutes(3)), .needs(.endOffsets))
        func `a group whose daemon was stopped is moved back, and everything is sent again`() async throws {
            try await onThread {
                let stage = try BrokerStage("rewound", hasOffline: false)
                var daemon = try stage.start()
                for partition in 0..<stage.partitions {
                    try stage.publish(BrokerStage.ids("sent-\(partition)", 10), partition: partition)
                }
                let ids = (0..<stage.partitions).flatMap { BrokerStage.ids("sent-\($0)", 10) }
                try stage.arrive(ids)
                try daemon.waitUntilSettled()
                try daemon.stop()
                let words = ["rewind", "--to", "earliest", "--config", stage.directory.configuration]
                let silent = try CommandRun(daemonBinary, words)
                try requireEqual(silent.code, 1, "without a word")
                try require(
                    silent.errors.contains("up to 40 settled records would be sent again"),
                    "\(silent.output)\(silent.errors)")
                let since = ["rewind", "--to", "1h", "--dry-run", "--config", stage.directory.configuration]
                let dry = try CommandRun(daemonBinary, since)
                try requireEqual(dry.code, 0, "\(dry.output)\(dry.errors)")
                try requireEqual(dry.output.split(separator: "\n").count { $0.contains("  10  ") }, 4, dry.output)
                let moved = try CommandRun(daemonBinary, words + ["--repeat"])
                try requireEqual(moved.code, 0, "\(moved.output)\(moved.errors)")
                try requireEqual(stage.committed(), [0: 0, 1: 0, 2: 0, 3: 0], "committed")
                daemon = try stage.start()
                try eventually("everything to be sent again") {
                    stage.microsoft.withModel { $0.books(of: Microsoft.capi)?.duplicates } == 40
                }
                // It is still known which store the offsets belong to.
                try requireEqual(stage.directory.logLines("store.vanished").count, 0, "store.vanished")
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.deleteRecords))
        func `records that were deleted while nobody read: on from the earliest, loudly`() async throws {
            try await onThread {
                let stage = try PositionTests.trimmed(.deleteRecords)
                let daemon = try stage.start()
                for partition in 0..<stage.partitions {
                    try stage.arrive(BrokerStage.ids("gone-\(partition)", 20).suffix(5))
                }
                try daemon.waitUntilSettled(.seconds(30))
                let jumps = stage.directory.logLines("offset.reset")
                try requireEqual(jumps.map { $0["from"]?.integer }, [10, 10, 10, 10], "from")
                try requireEqual(jumps.map { $0["to"]?.integer }, [25, 25, 25, 25], "to")
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.retention))
        func `records that retention has taken while nobody read: on from what comes, loudly`() async throws {
            try await onThread {
                let stage = try PositionTests.trimmed(.retention)
                let daemon = try stage.start()
                try eventually("the jumps to be said") { stage.directory.logLines("offset.reset").count == 4 }
                try requireEqual(stage.directory.logLines("offset.reset").map { $0["to"]?.integer }, [30, 30, 30, 30])
                let ids = BrokerStage.ids("new", 10)
                try stage.publish(ids, partition: 0)
                try stage.arrive(ids)
                try daemon.waitUntilSettled(.seconds(30))
                try daemon.stop()
                // What was read moves the group; where nothing has come, the next start jumps and says so again.
                try requireEqual(stage.committed(), [0: 40, 1: 10, 2: 10, 3: 10], "committed")
                try requireEqual(LogCheck.problems(stage.directory), [])
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.deleteRecords))
        func `a new group begins with what is left`() async throws {
            try await onThread {
                let stage = try BrokerStage("left", hasOffline: false)
                let ids = BrokerStage.ids("left", 40)
                try stage.publish(ids, partition: 2)
                try stage.admin.deleteRecords(stage.topic, before: [2: 15])
                let daemon = try stage.start()
                try stage.arrive(ids.dropFirst(15))
                try requireEqual(stage.missing(ids).count, 15, "deleted")
                try requireEqual(stage.directory.logLines("offset.reset").count, 0, "jumps")
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.outOfRange))
        func `an offset that was committed beyond the end: all over again, loudly, with the same ids`() async throws {
            try await onThread {
                let stage = try BrokerStage("beyond", hasOffline: false)
                var daemon = try stage.start()
                try stage.publisher.publish(1000)
                try stage.arrive(stage.publisher.expectation.capi)
                try daemon.waitUntilSettled(.seconds(30))
                try daemon.stop()
                try stage.commit(1_000_000, partition: 0)
                daemon = try stage.start()
                try eventually("it to be said") { !stage.directory.logLines("offset.reset").isEmpty }
                let jump = stage.directory.logLines("offset.reset")[0]
                try requireEqual(jump["from"]?.integer, 1_000_000, "from")
                try requireEqual(jump["to"]?.integer, 0, "to")
                try stage.publisher.publish(1000)
                try stage.finish(daemon)
            }
        }
    }
}
