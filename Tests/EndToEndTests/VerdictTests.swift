import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// What Microsoft made of conversions, read back: the command `verdicts`, and from time to time by the daemon.
@Suite(.serialized)
struct VerdictTests {
    private static let goals =
        "{Purchase: {name: Purchase, id: 900719925474099}, Lead: {name: Lead Form Submit, id: \"4711\"}}"

    private static func stage(_ goals: String = goals) throws -> Stage {
        let stage = try Stage { settings in
            let id = (purchase: "900719925474099", lead: "4711")
            settings.accounts[0].goals["Purchase"] = OfflineGoal(takesEnhancedConversions: true, id: id.purchase)
            settings.accounts[0].goals["Lead Form Submit"] = OfflineGoal(
                takesEnhancedConversions: true, id: id.lead, unattributedReason: "NoMatchingClickFound")
        }
        stage.settings.goals = goals
        stage.settings.other = ["log: {metrics_interval: 1s, level: info}"]
        return stage
    }

    private static func lead(_ id: String) -> String {
        """
        {"event":"Lead","event_id":"\(id)","event_time":\(SystemClock.now.wall.seconds - 1),\
        "url":"https://shop.example/contact","user":{"anonymous_id":"a","email":"\(id)@mail.example"}}
        """
    }

    /// Twelve purchases that are counted for a click, and three leads that are not.
    private static func deliver(_ stage: Stage) throws {
        try stage.publish(Shop.ids("sold", 0..<12).map { Shop.purchase($0) } + Shop.ids("asked", 0..<3).map(lead))
        try eventually("all to arrive") { stage.acceptedOffline == 15 }
    }

    @Test(.timeLimit(.minutes(15)))
    func `verdicts are read by the command, with and without a daemon, and by the daemon from time to time`()
        async throws
    {
        try await onThread {
            let stage = try Self.stage()
            var daemon = try stage.start()
            // The first reading finds nothing; the next is due in six hours, or after a start.
            try eventually("the first reading") { stage.microsoft.withModel { $0.goalReports } == 1 }
            try Self.deliver(stage)

            let answer = try stage.answer("verdicts", "--destination", "offline")
            try requireEqual(answer["goals"]?.elements?.count, 2, answer.rawText)
            let purchase = answer["goals"]?.elements?.first
            try requireEqual(purchase?["attributed"]?.integer, 12, answer.rawText)
            try requireEqual(purchase?["days"]?.elements?.count, 1, answer.rawText)
            let lead = answer["goals"]?.elements?.last
            try requireEqual(lead?["unattributed"]?.integer, 3, answer.rawText)
            try requireEqual(lead?["reasons"]?["no_matching_click_found"]?.integer, 3, answer.rawText)
            let text = try stage.command("verdicts", "--destination", "offline", "--since", "30d")
            try requireEqual(text.code, 0, text.errors)
            try require(text.output.contains("NoMatchingClickFound 3\n"), text.output)
            try require(text.output.contains("NoMatchingClickFound: Microsoft finds no click on an ad"), text.output)
            // Asked by hand: in no book of the daemon.
            try requireEqual(stage.directory.logLines("verdict.read").count, 0, "verdicts in the log")
            try daemon.stop()

            let alone = try stage.answer("verdicts", "--destination", "offline")
            try requireEqual(alone.rawText, answer.rawText, "without a daemon")

            // At a start it is time to read.
            daemon = try stage.start()
            try eventually("both goals to be told of") { stage.directory.logLines("verdict.read").count == 2 }
            for line in stage.directory.logLines("verdict.read") {
                let isLead = line["goal"]?.string == "Lead Form Submit"
                try requireEqual(line["level"]?.string, isLead ? "warning" : "info", line.rawText)
                try requireEqual(line["unattributed"]?.integer, isLead ? 3 : 0, line.rawText)
            }
            try eventually("metrics to have them") {
                let offline = stage.directory.logLines("metrics").last?["destinations"]?["offline"]
                return offline?["verdict_attributed"]?["Purchase"]?.integer == 12
                    && offline?["verdict_unattributed"]?["Lead Form Submit"]?.integer == 3
                    && offline?["verdict_reasons"]?["Lead Form Submit"]?["no_matching_click_found"]?.integer == 3
                    && offline?["verdict_age_seconds"] != nil
            }
            try eventually("the delivery log to have them") {
                let entries = try stage.answer("deliveries", "--goal", "Lead Form Submit", "--status", "verdict")
                return entries["deliveries"]?.elements?.first?["unattributed"]?.integer == 3
            }
            let log = try stage.command("deliveries", "--goal", "Lead Form Submit")
            try require(log.output.contains(": 0 attributed, 3 not (NoMatchingClickFound 3)"), log.output)
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a goal that Microsoft does not know is said, and the others are read`() async throws {
        try await onThread {
            let stage = try Self.stage(
                "{Purchase: {name: Purchase, id: 900719925474099}, Lead: {name: Lead Form Submit, id: 4712}}")
            let daemon = try stage.start()
            let missed = try stage.said("verdict.missed")
            try requireEqual(missed["goal"]?.string, "Lead Form Submit", missed.rawText)
            try Self.deliver(stage)
            let run = try stage.command("verdicts", "--destination", "offline")
            try requireEqual(run.code, 1, run.output)
            try require(run.output.contains("not read: Lead Form Submit: "), run.output)
            try require(run.output.contains(" 12 "), run.output)
            for (name, words) in [("capi", "is of type capi"), ("nobody", "there is no destination nobody")] {
                let run = try stage.command("verdicts", "--destination", name)
                try requireEqual(run.code, 1, run.output)
                try require(run.errors.contains(words), run.errors)
            }
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `throttling of a report holds up all that share the grant, and nothing is lost`() async throws {
        try await onThread {
            let stage = try Self.stage()
            stage.follow(FaultPlan([.init(.campaignFault(.callRateExceeded), targets: .reports, most: 1)]))
            let daemon = try stage.start()
            try requireEqual(try stage.said("verdict.missed")["reason"]?.string, "campaign_117", "reason")
            try eventually("the gate to be closed") { stage.destination("offline")?["gate"]?.string == "closed" }
            try stage.publish(Shop.ids("sold", 0..<5).map { Shop.purchase($0) })
            try eventually("the other destination to go on") { stage.missing(Shop.ids("sold", 0..<5)).isEmpty }
            try requireEqual(stage.acceptedOffline, 0, "conversions sent while throttled")
            let run = try stage.command("destinations", "resume", "offline")
            try requireEqual(run.code, 0, run.errors)
            try eventually("them to arrive") { stage.acceptedOffline == 5 }
            try daemon.stop()
            try stage.finish()
        }
    }
}
