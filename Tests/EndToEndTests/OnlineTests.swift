import FakeMicrosoft
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// Commands that ask Kafka and Microsoft: `send-test`, `check --online`.
@Suite(.serialized)
struct OnlineTests {
    @Test(.timeLimit(.minutes(15)), arguments: [true, false])
    func `a test event is sent to one destination, by the daemon or without it`(isRunning: Bool) async throws {
        try await onThread {
            let stage = try Stage()
            try stage.settings.write(to: stage.directory)
            let daemon = isRunning ? try stage.start() : nil
            for (name, destination) in [("capi", Microsoft.capi), ("offline", Microsoft.offline)] {
                let answer = try stage.answer("send-test", "--destination", name)
                try requireEqual(answer["outcome"]?.string, "accepted", "\(name): \(answer.rawText)")
                try requireEqual(try stage.books(destination).accepted, 1, "accepted by \(name)")
            }
            let text = try stage.command("send-test", "--destination", "capi", "--event", "Lead")
            try requireEqual(text.code, 0, text.errors)
            try require(text.output.contains("capi: accepted\n  event test-"), text.output)
            try require(text.output.contains("  HTTP 200 after "), text.output)
            try require(text.output.contains("  sent, with hashes and ids cut short: POST "), text.output)
            try require(text.output.contains("  look at: Microsoft Advertising → Conversions → UET tag"), text.output)

            // One of the shop's own, and one that nothing would be made of.
            let own = try stage.command("send-test", "--destination", "capi", "-", input: Shop.purchase("own-1"))
            try requireEqual(own.code, 0, "\(own.output)\(own.errors)")
            try requireEqual(stage.timesAccepted("own-1"), 1, "the shop's own")
            let view = try stage.command("send-test", "--destination", "offline", "-", input: Shop.pageView("own-2"))
            try requireEqual(view.code, 1, "exit code")
            try require(view.output.contains("offline: nothing was sent\n"), view.output)
            try require(view.output.contains("  skip: "), view.output)
            let nobody = try stage.command("send-test", "--destination", "nobody")
            try requireEqual(nobody.code, 1, "exit code")
            try require(nobody.output.contains("no such destination; there are: capi, offline"), nobody.output)

            stage.follow(.status(503))
            let down = try stage.command("send-test", "--destination", "capi")
            try requireEqual(down.code, 1, "exit code")
            try require(down.output.contains("capi: no useful answer"), down.output)
            stage.follow(.none)
            // It stands in no count.
            if let daemon {
                try requireEqual(stage.number("capi", "attempts"), 0, "attempts")
                try daemon.stop()
                try requireEqual(stage.directory.logLines("delivery.attempted").count, 0, "attempts in the log")
                try stage.finish()
            } else {
                stage.directory.remove()
            }
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `check asks Kafka and Microsoft if it is told to, and says what is not well`() async throws {
        try await onThread {
            let stage = try Stage()
            defer { stage.directory.remove() }
            try stage.settings.write(to: stage.directory)
            let well = try stage.command("check", "--online")
            try requireEqual(well.code, 0, "\(well.output)\(well.errors)")
            try require(well.output.contains("kafka: topic events has 4 partitions\n"), well.output)
            for name in ["capi", "offline"] {
                try require(well.output.contains("destination \(name): reached, "), well.output)
            }
            try requireEqual(try stage.books(Microsoft.capi).accepted, 0, "events sent")

            try stage.directory.write("wrong", to: "capi-token")
            try stage.directory.write("wrong", to: "refresh-token")
            let refused = try stage.command("check", "--online")
            try requireEqual(refused.code, 1, "\(refused.output)\(refused.errors)")
            try require(
                refused.output.contains("trouble: destination capi: the credential is not accepted"), refused.output)
            try require(refused.output.contains("trouble: destination offline: "), refused.output)
            try require(!refused.output.contains("wrong"), "a secret is shown")

            // The daemon that runs is asked, and has its own answer.
            try stage.settings.write(to: stage.directory)
            let daemon = try stage.start()
            let asked = try stage.answer("check", "--online")
            try requireEqual(asked["ok"]?.bool, true, asked.rawText)
            try daemon.stop()
            try stage.kafka.takeDown()
            let away = try stage.command("check", "--online")
            try requireEqual(away.code, 1, "\(away.output)\(away.errors)")
            try require(away.output.contains("trouble: kafka: 127.0.0.1:"), away.output)
        }
    }
}
