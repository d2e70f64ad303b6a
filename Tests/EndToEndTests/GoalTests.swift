import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import ScenarioKit
import Testing

/// Goals that take no conversions yet.
struct GoalTests {
    private static let goal = "Lead Form Submit"

    private static func lead(_ id: String) -> String {
        Shop.purchase(id).replacing("\"event\":\"Purchase\"", with: "\"event\":\"Lead\"")
    }

    /// What the daemon's page for Prometheus says.
    private static func metric(_ name: String, _ stage: Stage) throws -> String? {
        let address = try stage.said("admin.opened")["address"]?.string ?? ""
        let mark = "conversion_forwarder_\(name){destination=\"offline\"} "
        return try WebPage(address, "/metrics").body.split(separator: "\n").first { $0.hasPrefix(mark) }
            .map { String($0.dropFirst(mark.count)) }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a goal that is too young holds up its own conversions alone, and is not asked again for each`() async throws {
        try await onThread {
            let stage = try Stage { settings in
                let time = SystemClock.now.wall + .seconds(3600)
                settings.accounts[0].goals[GoalTests.goal] = OfflineGoal(
                    takesEnhancedConversions: true, acceptsFrom: time)
            }
            let daemon = try stage.start()
            let leads = Shop.ids("lead", 0..<10).map(GoalTests.lead)
            // Side by side in the same batches.
            try stage.publish(zip(leads, Shop.ids("sale", 0..<10)).flatMap { [$0, Shop.purchase($1)] })
            try eventually("the sales to arrive, and the leads to wait") {
                stage.number("offline", "delivered") == 10 && stage.number("offline", "pending") == 10
            }
            try requireEqual(try stage.said("goal.too_young")["goal"]?.string, GoalTests.goal)
            try requireEqual(stage.directory.logLines("goal.too_young").count, 1, "lines about the goal")
            let attempts = stage.number("offline", "attempts")

            try stage.publish(Shop.ids("lead", 10..<30).map(GoalTests.lead) + [Shop.purchase("sale-10")])
            try eventually("the others to wait, and Kafka to be committed on") {
                try stage.number("offline", "pending") == 30 && stage.number("offline", "delivered") == 11
                    && stage.committedTotal() == 41
            }
            try requireEqual(stage.number("offline", "attempts"), attempts + 1, "conversions that were sent")
            let waiting = try stage.answer("queue", "list", "--destination", "offline")["deliveries"]?.elements ?? []
            try require(
                waiting.allSatisfy {
                    $0["last_failure"]?.string == "5615" && $0["goal"]?.string == GoalTests.goal
                }, "\(waiting.map(\.rawText).prefix(2))")
            try requireEqual(try GoalTests.metric("goals_held", stage), "0")

            // It is old enough sooner than was thought: an operator need not wait.
            stage.microsoft.withModel {
                $0.setGoal(
                    OfflineGoal(takesEnhancedConversions: true), named: GoalTests.goal, ofAccount: Microsoft.account)
            }
            try requireEqual(try stage.command("destinations", "resume", "offline").code, 0, "exit code")
            try eventually("all to arrive") { stage.acceptedOffline == 41 }
            try daemon.waitUntilSettled()
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what is for a goal that Microsoft does not know waits until it is there, and nothing else does`() async throws
    {
        try await onThread {
            let stage = try Stage { $0.accounts[0].goals[GoalTests.goal] = nil }
            defer { stage.directory.remove() }
            let daemon = try stage.start()
            let leads = Shop.ids("lead", 0..<10).map(GoalTests.lead)
            try stage.publish(zip(leads, Shop.ids("sale", 0..<10)).flatMap { [$0, Shop.purchase($1)] })
            try eventually("the sales to arrive, and the leads to wait") {
                stage.number("offline", "delivered") == 10 && stage.number("offline", "pending") == 10
            }
            try requireEqual(try stage.said("goal.held")["goal"]?.string, GoalTests.goal)
            try requireEqual(try stage.said("goal.held")["level"]?.string, "error")
            try eventually("the metric to say so") { try GoalTests.metric("goals_held", stage) == "1" }
            try requireEqual(stage.number("offline", "dead_lettered"), 0, "dead letters")

            stage.microsoft.withModel {
                $0.setGoal(
                    OfflineGoal(takesEnhancedConversions: true), named: GoalTests.goal, ofAccount: Microsoft.account)
            }
            try eventually("all to arrive") { stage.acceptedOffline == 20 }
            try requireEqual(try stage.said("goal.released")["goal"]?.string, GoalTests.goal)
            try eventually("the metric to say so") { try GoalTests.metric("goals_held", stage) == "0" }
            try daemon.waitUntilSettled()
            try daemon.stop()
            let problems = LogCheck.problems(stage.directory, kills: 0)
            try require(problems.isEmpty, "\(problems.prefix(5))")
        }
    }
}
