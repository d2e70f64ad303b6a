import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// What an operator does to what is kept.
struct OperatorTests {
    /// The account of `offline` under another name.
    private static func renamed(_ stage: Stage) -> [String] {
        [
            "  - name: renamed", "    type: offline_conversions", "    endpoint: \(stage.microsoft.endpoint)",
            "    goals: {Purchase: Purchase}", "    customer_id: \"\(Microsoft.customer)\"",
            "    account_id: \"\(Microsoft.account)\"",
            "    developer_token: {file: \(stage.directory.path)/developer-token}", "    enhanced_conversions: true",
            "    retry: {base: 50ms, cap: 500ms, parked_probe: 1s}", "    oauth:",
            "      authority: \(stage.microsoft.authority)", "      client_id: \(Microsoft.clientID)",
            "      refresh_token: {file: \(stage.directory.path)/refresh-token}",
        ]
    }

    /// Begins a command and ends it the hard way after so long. Returns whether it was still at work.
    private static func kill(_ stage: Stage, after milliseconds: UInt32, _ words: String...) throws -> Bool {
        let process = try ChildProcess(
            daemonBinary, words + ["--config", stage.directory.configuration],
            environment: DaemonProcess.environment, input: .file("/dev/null"),
            output: .file("\(stage.directory.path)/killed-out"), error: .file("\(stage.directory.path)/killed-err"))
        usleep(milliseconds * 1000)
        process.send(SIGKILL)
        return process.exitCode(timeout: .seconds(10)) != 0
    }

    @Test(.timeLimit(.minutes(15)))
    func `the delivery log tells what became of a conversion, beside a daemon and without one`() async throws {
        try await onThread {
            let stage = try Stage()
            let daemon = try stage.start()
            try stage.publish(["a", "b"].map { Shop.purchase("log-\($0)") } + [Shop.pageView("log-c")])
            try eventually("all to arrive") { stage.missing(["log-a", "log-b", "log-c"]).isEmpty }
            try eventually("offline too") { stage.acceptedOffline == 2 }
            func found(_ words: String...) throws -> [JSONElement] {
                let run = try CommandRun(
                    daemonBinary, ["deliveries"] + words + ["--json", "--config", stage.directory.configuration])
                try requireEqual(run.code, 0, run.errors)
                return try JSONDocument(run.output).root["deliveries"]?.elements ?? []
            }
            try eventually("the log") { try found().count == 4 }
            let one = try found("--transaction-id", "t-log-b", "--destination", "offline")
            try requireEqual(one.count, 1)
            try requireEqual(one[0]["status"]?.string, "delivered")
            try requireEqual(one[0]["goal"]?.string, "Purchase")
            try requireEqual(one[0]["value"]?.rawText, "19.99")
            try requireEqual(try found("--since", "1h", "--status", "delivered").count, 4)
            try requireEqual(try found("--until", "1h").count, 0)
            let text = try stage.command("deliveries", "--transaction-id", "t-log-b")
            try require(text.output.contains("TRANSACTION") && text.output.contains("t-log-b"), text.output)
            // What waited on disk is told too, and so is a refusal of whatever event.
            stage.follow(.status(503), .capi)
            try stage.publish([Shop.purchase("log-d")])
            try eventually("it to wait") { stage.number("capi", "pending") == 1 }
            stage.follow(.refuse(share: 1), .capi)
            try eventually("its refusal") { try found("--status", "dead_lettered").count == 1 }
            try stage.publish([Shop.pageView("log-e")])
            try eventually("the other's") { try found("--status", "dead_lettered").count == 2 }
            let refused = try found("--status", "dead_lettered", "--event", "PageView")
            try requireEqual(refused.first?["event_id"]?.string, "log-e")
            try require(refused.first?["code"]?.string?.isEmpty == false, "no code")
            let before = try found().map(\.json)
            try daemon.waitUntilSettled()
            try daemon.stop()
            try requireEqual(try found().map(\.json), before)
            for file in stage.directory.files() where file.contains("/deliveries/") {
                let bytes = try SmallFile.read(file, limit: 1 << 20)
                try require(!String(decoding: bytes, as: UTF8.self).contains("@"), "an address in \(file)")
            }
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `one person is erased and the books balance, also when the daemon is killed in the middle`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .capi)]))
            var daemon = try stage.start()
            let ids = Shop.ids("kept", 0..<3000)
            let ada = Shop.ids("ada", 0..<300)
            try stage.publish(ids.map { Shop.purchase($0) })
            try stage.publish(ada.map { Shop.purchase($0, more: "").replacing(email: "Ada@mail.example") })
            try stage.expect("capi", "pending", 3300)
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 3300 }
            let address = Array("ada@mail.example\n".utf8)
            func erase(_ words: String...) throws -> CommandRun {
                try CommandRun(
                    daemonBinary,
                    ["erase", "--email", "-", "--json", "--config", stage.directory.configuration] + words,
                    input: address)
            }
            let counted = try JSONDocument(erase("--dry-run").output).root
            try requireEqual(counted["queue"]?.integer, 300)
            try requireEqual(counted["in_flight"]?.integer, 0)
            try stage.expect("capi", "pending", 3300)

            // In the middle of it, and after it.
            let client = try ChildProcess(
                daemonBinary, ["erase", "--email", "ada@mail.example", "--config", stage.directory.configuration],
                environment: DaemonProcess.environment, input: .file("/dev/null"),
                output: .file("\(stage.directory.path)/killed-out"), error: .file("\(stage.directory.path)/killed-err"))
            usleep(40_000)
            daemon.kill()
            _ = client.exitCode(timeout: .seconds(30))
            daemon = try stage.start()
            // A probe that is under way may have some of them.
            try eventually("all of them to be found") { try erase().code == 0 }
            try stage.expect("capi", "pending", 3000)
            let line = try stage.said("person.erased")
            try require(!line.rawText.contains("mail") && line["queue"] != nil, line.rawText)
            try requireEqual(try JSONDocument(erase().output).root["queue"]?.integer, 0)

            stage.follow(.none)
            try eventually("the others to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled()
            try requireEqual(stage.missing(ada).count, 300, "erased, and not sent")
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a queue goes over to a renamed destination, whoever is killed in the middle`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .offline)]))
            // Orders that are remembered wait a minute after each start; here there are many starts.
            stage.settings.offline += ["dedupe: {window: off}", "refund_wait: off"]
            var daemon = try stage.start()
            let ids = Shop.ids("moved", 0..<4000)
            try stage.publish(ids.map { Shop.purchase($0) })
            try stage.expect("offline", "pending", 4000)
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 4000 }
            let running = try stage.command("queue", "move", "--from", "offline", "--to", "capi")
            try requireEqual(running.code, 1)
            try require(running.errors.contains("what was made for one type"), running.errors)
            try daemon.stop()
            stage.settings.hasOffline = false
            stage.settings.more = OperatorTests.renamed(stage)
            stage.follow(.status(503), .offline)
            daemon = try stage.start()
            try requireEqual(
                try stage.command("queue", "move", "--from", "offline", "--to", "nobody").code, 1, "unknown")
            let first = try ChildProcess(
                daemonBinary,
                ["queue", "move", "--from", "offline", "--to", "renamed", "--config", stage.directory.configuration],
                environment: DaemonProcess.environment, input: .file("/dev/null"),
                output: .file("\(stage.directory.path)/killed-out"), error: .file("\(stage.directory.path)/killed-err"))
            usleep(60_000)
            daemon.kill()
            _ = first.exitCode(timeout: .seconds(30))
            for milliseconds: UInt32 in [30, 60, 90] {
                _ = try OperatorTests.kill(
                    stage, after: milliseconds, "queue", "move", "--from", "offline", "--to", "renamed")
            }
            let rest = try stage.answer("queue", "move", "--from", "offline", "--to", "renamed")
            try requireEqual(rest["already_there"]?.integer, 0)
            let stats = try stage.answer("queue", "stats")["destinations"]?.elements ?? []
            try requireEqual(stats.first { $0["name"]?.string == "offline" }?["pending"]?.integer, 0)
            try requireEqual(stats.first { $0["name"]?.string == "renamed" }?["pending"]?.integer, 4000)
            stage.follow(.none)
            daemon = try stage.start()
            try eventually("all to arrive") { stage.acceptedOffline == 4000 }
            try daemon.waitUntilSettled()
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.offline).duplicates, 0, "sent twice")
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `after a repair dead letters are mapped anew, killed in the middle or not`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            // They are to go at once after a kill: nobody is to ask about orders.
            let quick = stage.settings.capi + ["dedupe: {window: off}"]
            // In place of the first, which says something else of retries.
            stage.settings.capi = quick.dropFirst() + ["retry: {base: 50ms, cap: 500ms, max_attempts: 1}"]
            stage.follow(.status(503), .capi)
            var daemon = try stage.start()
            let ids = Shop.ids("wrong", 0..<2500)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("all to be given up") {
                if stage.number("capi", "dead_lettered") == 2500 { return true }
                // What was not sent before the gate closed would go in smaller and smaller probes.
                _ = try stage.command("destinations", "resume", "capi")
                return false
            }
            try requireEqual(try stage.command("dead-letters", "replay", "999999").code, 1, "a missing id")
            try requireEqual(try stage.command("dead-letters", "discard", "999999").code, 1, "a missing id")
            try daemon.stop()
            stage.settings.capi = quick + ["events: {Purchase: order_placed}"]
            stage.follow(.none)
            daemon = try stage.start()
            _ = try OperatorTests.kill(
                stage, after: 80, "dead-letters", "replay", "--destination", "capi", "--remap")
            let client = try ChildProcess(
                daemonBinary,
                [
                    "dead-letters", "replay", "--destination", "capi", "--remap", "--config",
                    stage.directory.configuration,
                ],
                environment: DaemonProcess.environment, input: .file("/dev/null"),
                output: .file("\(stage.directory.path)/killed-out"), error: .file("\(stage.directory.path)/killed-err"))
            usleep(60_000)
            daemon.kill()
            _ = client.exitCode(timeout: .seconds(30))
            daemon = try stage.start()
            let rest = try stage.answer("dead-letters", "replay", "--destination", "capi", "--remap")
            try requireEqual(rest["kept"]?.integer, 0)
            try eventually("all to arrive") { stage.missing(ids).isEmpty }
            let listed = try stage.answer("dead-letters", "list", "--destination", "capi")["dead_letters"]?.elements
            try requireEqual(listed?.count, 0)
            try daemon.waitUntilSettled()
            let goals = try stage.answer("deliveries", "--limit", "5000")["deliveries"]?.elements ?? []
            try require(
                goals.filter { $0["status"]?.string == "delivered" }.allSatisfy {
                    $0["goal"]?.string == "order_placed"
                },
                "the old name")
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a resume brings forward what waits for a later try`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .capi)]), hasOffline: false)
            stage.settings.capi = ["retry: {base: 1h, cap: 1h, parked_probe: 1h}", "batch: {linger: 50ms}"]
            let daemon = try stage.start()
            let ids = Shop.ids("later", 0..<50)
            try stage.publish(ids.map { Shop.purchase($0) })
            try stage.expect("capi", "pending", 50)
            stage.follow(.none)
            usleep(300_000)
            try requireEqual(stage.missing(ids).count, 50, "sent before an hour is over")
            try requireEqual(try stage.command("destinations", "resume", "capi").code, 0)
            try eventually("all to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled()
            try daemon.stop()
            try stage.finish()
        }
    }
}

extension String {
    fileprivate func replacing(email: String) -> String {
        guard let start = range(of: "\"email\":\""), let end = self[start...].firstIndex(of: ",") else { return self }
        return self[..<start] + "\"email\":\"\(email)\"}" + self[end...]
    }

    private func range(of text: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
