import FakeMicrosoft
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct PositionTests {
    /// Records that fill a partition of the mock, which keeps 5 MB, until the first ones are gone.
    private static func flood(_ stage: Stage, _ name: String) throws -> [String] {
        let junk = String(repeating: "x", count: 120_000)
        let ids = Shop.ids(name, 0..<80)
        try stage.publish(ids.map { Shop.pageView($0, more: ",\"junk\":\"\(junk)\"") }, partition: 0)
        return ids
    }

    /// A group that stands at an offset that Kafka has dropped while nobody read.
    private static func outOfRange(_ policy: String) throws -> (stage: Stage, flooded: [String], daemon: DaemonProcess)
    {
        let stage = try Stage(partitions: 1, hasOffline: false)
        stage.settings.kafka += ["offset_out_of_range: \(policy)"]
        let daemon = try stage.start()
        let ids = Shop.ids("before", 0..<10)
        try stage.publish(ids.map { Shop.pageView($0) }, partition: 0)
        try eventually("them to arrive") { stage.missing(ids).isEmpty }
        try daemon.stop()
        try requireEqual(try stage.committed(partitions: 1), [0: 10], "committed")
        let flooded = try flood(stage, "flood")
        return (stage, flooded, try stage.start())
    }

    @Test(.timeLimit(.minutes(15)))
    func `an offset that Kafka has dropped: on from the earliest, loudly`() async throws {
        try await onThread {
            let (stage, flooded, daemon) = try PositionTests.outOfRange("earliest")
            try eventually("it to be said") { !stage.directory.logLines("offset.reset").isEmpty }
            let line = try stage.said("offset.reset")
            try requireEqual(line["from"]?.integer, 10, "from")
            try requireEqual(line["policy"]?.string, "earliest")
            guard let to = line["to"]?.integer, to > 10 else { throw Disappointment("to: \(line.rawText)") }
            let kept = Array(flooded.dropFirst(Int(to) - 10))
            try eventually("what is left to arrive") { stage.missing(kept).isEmpty }
            try requireEqual(stage.missing(flooded).count, Int(to) - 10, "what Kafka had dropped")
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try requireEqual(try stage.committed(partitions: 1), [0: 90], "committed")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `an offset that Kafka has dropped: on with what comes`() async throws {
        try await onThread {
            var (stage, flooded, daemon) = try PositionTests.outOfRange("latest")
            try eventually("it to be said") { !stage.directory.logLines("offset.reset").isEmpty }
            let line = try stage.said("offset.reset")
            try requireEqual(line["from"]?.integer, 10, "from")
            try requireEqual(line["to"]?.integer, 90, "to")
            // Where it goes on is kept, though nothing has come: the next start does not jump again.
            try eventually("the new position to be committed") { try stage.committed(partitions: 1) == [0: 90] }
            try daemon.stop()
            try stage.publish([Shop.pageView("away")], partition: 0)
            daemon = try stage.start()
            try stage.publish([Shop.pageView("after")], partition: 0)
            try eventually("what comes") { stage.missing(["away", "after"]).isEmpty }
            try requireEqual(stage.directory.logLines("offset.reset").count, 1, "jumps")
            try requireEqual(stage.missing(flooded).count, flooded.count, "what was left out")
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `an offset that Kafka has dropped: no further until somebody has looked`() async throws {
        try await onThread {
            let (stage, flooded, daemon) = try PositionTests.outOfRange("stop")
            try eventually("it to be said") { !stage.directory.logLines("partition.stopped").isEmpty }
            try requireEqual(stage.said("partition.stopped")["offset"]?.integer, 10, "offset")
            try eventually("not ready") {
                stage.directory.status()?["not_ready_because"]?.elements?.contains { $0.string == "partition_stopped" }
                    ?? false
            }
            usleep(1_000_000)
            try requireEqual(stage.missing(flooded).count, flooded.count, "nothing is read")
            try daemon.stop()
            try requireEqual(try stage.committed(partitions: 1), [0: 10], "committed")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a group without offsets that starts with the latest keeps to where it started`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            stage.settings.kafka += ["start_from: latest"]
            let old = Shop.ids("old", 0..<20)
            try stage.publish(old.map { Shop.pageView($0) })
            var daemon = try stage.start()
            try eventually("its starting point to be committed") { try stage.committedTotal() == 20 }
            try daemon.stop()
            // Published while it was away: later than its start.
            let new = Shop.ids("new", 0..<20)
            try stage.publish(new.map { Shop.pageView($0) })
            daemon = try stage.start()
            try eventually("what came after its start") { stage.missing(new).isEmpty }
            try requireEqual(stage.missing(old).count, 20, "what came before its start")
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a destination that is new to an old group can begin with what comes`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            var daemon = try stage.start()
            try stage.publish([Shop.purchase("first")])
            try eventually("it to arrive") { stage.missing(["first"]).isEmpty }
            try daemon.stop()
            let old = Shop.ids("old", 0..<20)
            try stage.publish(old.map { Shop.purchase($0) })
            usleep(1_100_000)
            stage.settings.hasOffline = true
            stage.settings.offline += ["start_at: latest"]
            daemon = try stage.start()
            try eventually("the old one to have them") { stage.missing(old).isEmpty }
            try eventually("the new one to count them") { stage.number("offline", "skipped") == 20 }
            let new = Shop.ids("new", 0..<20)
            try stage.publish(new.map { Shop.purchase($0) })
            try eventually("both to have these") { stage.missing(new).isEmpty && stage.acceptedOffline == 20 }
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try requireEqual(
                stage.directory.lastMetrics()?["destinations"]?["offline"]?["skipped"]?["before_start"]?.integer, 20)
            try stage.finish()
        }
    }
}
