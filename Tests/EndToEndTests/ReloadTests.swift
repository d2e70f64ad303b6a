import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct ReloadTests {
    /// Tells the daemon to read its configuration and waits until it has said what came of it.
    private static func reload(_ stage: Stage, _ daemon: DaemonProcess, expecting event: String) throws {
        let events = ["configuration.reloaded", "configuration.rejected"]
        let before = events.map { stage.directory.logLines($0).count }.reduce(0, +)
        try stage.settings.write(to: stage.directory)
        daemon.send(SIGHUP)
        try eventually("the reload to end") {
            events.map { stage.directory.logLines($0).count }.reduce(0, +) == before + 1
        }
        let last = events.compactMap { stage.directory.logLines($0).last }.max {
            $0["ts"]?.string ?? "" < $1["ts"]?.string ?? ""
        }
        try requireEqual(last?["event"]?.string, event, "what came of it")
    }

    @Test(.timeLimit(.minutes(15)))
    func `a destination is added, taken out with what waits for it, and put back`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let daemon = try stage.start()
            var ids = Shop.ids("first", 0..<50)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the first events") { stage.missing(ids).isEmpty }

            stage.settings.hasOffline = true
            try ReloadTests.reload(stage, daemon, expecting: "configuration.reloaded")
            let second = Shop.ids("second", 0..<50)
            ids += second
            try stage.publish(second.map { Shop.purchase($0) })
            try eventually("both to be served") { stage.missing(ids).isEmpty && stage.acceptedOffline == 50 }
            // It counts from where it began.
            try eventually("the books of both") {
                stage.number("offline", "consumed") == 50 && stage.number("capi", "consumed") == 100
            }

            // Microsoft does not take conversions any more, and then nobody wants to send any.
            stage.follow(.status(503), .offline)
            let third = Shop.ids("third", 0..<50)
            ids += third
            try stage.publish(third.map { Shop.purchase($0) })
            try eventually("conversions to wait") { stage.number("offline", "pending") == 50 }
            stage.settings.hasOffline = false
            try ReloadTests.reload(stage, daemon, expecting: "configuration.reloaded")
            try eventually("the word that it is detached") {
                let lines = stage.directory.logLines("destination.detached")
                return lines.last { $0["destination"]?.string == "offline" }?["pending"]?.integer == 50
            }
            try eventually("the status to say it") { stage.destination("offline")?["gate"]?.string == "detached" }
            try stage.expect("offline", "pending", 50)
            stage.follow(.none)
            let fourth = Shop.ids("fourth", 0..<50)
            ids += fourth
            try stage.publish(fourth.map { Shop.purchase($0) })
            try eventually("the other to go on") { stage.missing(ids).isEmpty }
            try daemon.wait(.seconds(10), for: "no lag") { status in
                (status["assignments"]?.elements ?? []).allSatisfy { $0["lag"]?.integer == 0 }
            }
            try requireEqual(stage.acceptedOffline, 50, "conversions meanwhile")

            stage.settings.hasOffline = true
            try ReloadTests.reload(stage, daemon, expecting: "configuration.reloaded")
            try eventually("what waited") { stage.acceptedOffline == 100 }
            let fifth = Shop.ids("fifth", 0..<50)
            ids += fifth
            try stage.publish(fifth.map { Shop.purchase($0) })
            try eventually("new ones") { stage.acceptedOffline == 150 && stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `in the middle of traffic nothing is lost or counted twice`() async throws {
        try await onThread {
            let stage = try Stage()
            stage.settings.capi = ["batch: {linger: 20ms, max_events: 7}", "concurrency: 2"]
            let daemon = try stage.start()
            var ids: [String] = []
            for round in 0..<12 {
                let more = Shop.ids("round\(round)", 0..<100)
                ids += more
                try stage.publish(more.map { Shop.purchase($0) })
                stage.settings.capi = [
                    "batch: {linger: 20ms, max_events: \(7 + round * 30)}", "concurrency: \(1 + round)",
                ]
                stage.settings.other = ["input: {fields: \(round % 2 == 0 ? "{}" : "{title: name}")}"]
                try ReloadTests.reload(stage, daemon, expecting: "configuration.reloaded")
            }
            try eventually("everything") { stage.missing(ids).isEmpty && stage.acceptedOffline == ids.count }
            try daemon.waitUntilSettled(.seconds(20))
            try stage.expect("capi", "consumed", 1200)
            try stage.expect("capi", "delivered", 1200)
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).duplicates, 0, "repeats")
            try requireEqual(try stage.committedTotal(), 1200, "committed")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what cannot change keeps everything as it is, and every reason is said`() async throws {
        try await onThread {
            let stage = try Stage()
            let daemon = try stage.start()
            func refused(_ words: [String], _ change: () throws -> Void) throws {
                let good = stage.settings
                try change()
                try ReloadTests.reload(stage, daemon, expecting: "configuration.rejected")
                stage.settings = good
                let problems = stage.directory.logLines("configuration.rejected").last?["problems"]?.elements ?? []
                let text = problems.compactMap(\.string).joined(separator: "\n")
                for word in words { try require(text.contains(word), "\(word) is not said: \(text)") }
            }
            try refused(["kafka", "admin", "restart"]) {
                stage.settings.kafka += ["commit_interval: 2s"]
                stage.settings.other = ["admin: {listen: off}"]
            }
            try refused(["uet_tag_idd", "uet_tag_id"]) { stage.settings.capi += ["uet_tag_idd: \"1\""] }
            try refused(["offline", "customer 1 account 2", "new name"]) { stage.settings.account = "3" }

            // The old one goes on.
            try stage.publish([Shop.purchase("after-1")])
            try eventually("it to arrive") { stage.missing(["after-1"]).isEmpty && stage.acceptedOffline == 1 }
            stage.settings.other = ["log: {level: error}"]
            try stage.settings.write(to: stage.directory)
            daemon.send(SIGHUP)
            try eventually("metrics lines, one a second, to cease at level error") {
                let lines = stage.directory.logLines("metrics").count
                usleep(2_500_000)
                return stage.directory.logLines("metrics").count == lines
            }
            try daemon.stop()
            try stage.finish()
        }
    }
}
