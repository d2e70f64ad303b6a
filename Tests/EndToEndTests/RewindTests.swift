import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct RewindTests {
    @Test(.timeLimit(.minutes(15)))
    func `the group is moved back and ahead, but only in words, and not while the daemon runs`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            try stage.settings.write(to: stage.directory)
            let ids = Shop.ids("before", 0..<20)
            try stage.publish(ids.map { Shop.purchase($0) })
            let ahead = try stage.command("rewind", "--to", "latest")
            try requireEqual(ahead.code, 1, "ahead without a word")
            try require(ahead.errors.contains("up to 20 records would never be sent"), ahead.errors)
            try require(ahead.output.contains("nothing was moved"), ahead.output)
            try requireEqual(try stage.committedTotal(), 0, "committed")
            let dry = try stage.answer("rewind", "--to", "latest", "--dry-run")
            try requireEqual(dry["moved"]?.bool, false, dry.rawText)
            try requireEqual(try stage.committedTotal(), 0, "committed")
            let left = try stage.answer("rewind", "--to", "latest", "--leave-out")
            try requireEqual(RewindTests.sum(left, "left_out"), 20, left.rawText)
            try requireEqual(try stage.committedTotal(), 20, "committed")

            let silent = try stage.command("rewind", "--to", "earliest")
            try requireEqual(silent.code, 1, "back without a word")
            try require(silent.errors.contains("up to 20 settled records would be sent again"), silent.errors)
            let back = try stage.answer("rewind", "--to", "earliest", "--repeat")
            try requireEqual(RewindTests.sum(back, "repeated"), 20, back.rawText)
            try requireEqual(try stage.committedTotal(), 0, "committed")
            let one = try stage.answer(
                "rewind", "--to", "0", "--topic", Stage.topic, "--partition", "0", "--dry-run")
            try requireEqual(one["partitions"]?.elements?.count, 1, one.rawText)
            let wrong = [
                ["--to", "3"], ["--to", "yesterday"], ["--to", "1h", "--topic", "other"], ["--partition", "0"],
            ]
            for words in wrong {
                let run = try CommandRun(
                    daemonBinary, ["rewind"] + words + ["--config", stage.directory.configuration])
                try requireEqual(run.code, 2, "\(words): \(run.errors)")
            }
            let beyond = try stage.command("rewind", "--to", "0", "--topic", Stage.topic, "--partition", "99")
            try requireEqual(beyond.code, 1, "a partition that is not there")

            // The daemon goes on where it was told.
            try requireEqual(try stage.command("rewind", "--to", "latest", "--leave-out").code, 0, "ahead")
            let daemon = try stage.start()
            let running = try stage.command("rewind", "--to", "earliest", "--repeat")
            try requireEqual(running.code, 1, "while the daemon runs")
            try require(running.errors.contains("the daemon runs; stop it"), running.errors)
            let later = Shop.ids("later", 0..<5)
            try stage.publish(later.map { Shop.purchase($0) })
            try eventually("what came later") { stage.missing(later).isEmpty }
            try requireEqual(stage.missing(ids).count, 20, "left out")
            try daemon.stop()
            // The mock takes a group that was ever used for one that is; with a real broker it is moved.
            let used = try stage.command("rewind", "--to", "earliest", "--repeat")
            try requireEqual(used.code, 1, "a group with members")
            try require(used.errors.contains("the group has members"), used.errors)
            try stage.finish()
        }
    }

    private static func sum(_ root: JSONElement, _ member: String) -> Int64 {
        (root["partitions"]?.elements ?? []).reduce(0) { $0 + ($1[member]?.integer ?? 0) }
    }
}
