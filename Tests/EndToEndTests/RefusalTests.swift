import FakeMicrosoft
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct RefusalTests {
    @Test(.timeLimit(.minutes(15)))
    func `what Microsoft refuses becomes a dead letter that can be listed, shown, replayed and discarded`() async throws
    {
        try await onThread {
            let stage = try Stage()
            var daemon = try stage.start()
            // Conversions of a goal that was made for others: refused one by one, by index.
            stage.follow(.partialErrors(.clickIDInvalid, share: 0.3), .offline)
            let ids = Shop.ids("refused", 0..<100)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("all to be settled") {
                stage.number("offline", "delivered") + stage.number("offline", "dead_lettered") == 100
                    && stage.missing(ids).isEmpty
            }
            let refused = stage.number("offline", "dead_lettered")
            try require((10...60).contains(refused), "\(refused) were refused")
            try daemon.waitUntilSettled(.seconds(10))
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 100 }

            let list = try stage.answer("dead-letters", "list", "--destination", "offline", "--reason", "refused")
            let letters = list["dead_letters"]?.elements ?? []
            try requireEqual(letters.count, refused, "listed")
            try requireEqual(
                try stage.answer("dead-letters", "list", "--destination", "capi")["dead_letters"]?.elements?.count, 0)
            guard let first = letters.first, let id = first["id"]?.integer else { throw Disappointment("no id") }
            try requireEqual(first["class"]?.string, "refused")
            let shown = try stage.answer("dead-letters", "show", "\(id)")
            try requireEqual(shown["id"]?.integer, id)
            try requireEqual(shown["neutral_event"]?["event"]?.string, "Purchase")
            try requireEqual(shown["content"]?.elements?.first?["ConversionName"]?.string, "Purchase")
            try requireEqual(shown["neutral_event"]?["user"]?["email"]?.string?.count, 64, "e-mail as a hash")

            // Beside the running daemon.
            stage.follow(.none)
            let one = try stage.answer("dead-letters", "replay", "--id", "\(id)")
            try requireEqual(one["moved"]?.integer, 1)
            try eventually("it to be accepted") { stage.number("offline", "delivered") == 100 - refused + 1 }
            try stage.expect("offline", "replayed", 1)
            let thrown = try stage.answer("dead-letters", "discard", "--destination", "offline", "--limit", "2")
            try requireEqual(thrown["discarded"]?.integer, 2)
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()

            // Without one.
            let left =
                try stage.answer("dead-letters", "list", "--limit", "1000")["dead_letters"]?.elements?.count ?? -1
            try requireEqual(left, refused - 3, "left")
            let others = try stage.answer("dead-letters", "replay", "--destination", "offline", "--reason", "refused")
            try requireEqual(Int(others["moved"]?.integer ?? -1), left, "moved")
            daemon = try stage.start()
            // Orders that waited before a start are left alone for a minute.
            try eventually("the rest to arrive", within: .seconds(150)) { stage.acceptedOffline == 98 }
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `replayed a thousand at a time while events flow, the books balance`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            stage.settings.capi = ["batch: {linger: 20ms, max_events: 50}", "retry: {base: 10ms, cap: 50ms}"]
            let daemon = try stage.start()
            // The rule that halts a destination sees the bad among more that are fine.
            let good = Shop.ids("good", 0..<3000)
            try stage.publish(good.map { Shop.purchase($0) })
            try eventually("the good ones") { stage.number("capi", "delivered") == 3000 }
            stage.follow(.refuse(share: 1), .capi)
            let bad = Shop.ids("bad", 0..<2200)
            try stage.publish(bad.map { Shop.purchase($0) })
            try eventually("the bad ones", within: .seconds(60)) { stage.number("capi", "dead_lettered") == 2200 }
            stage.follow(.none)
            let more = Shop.ids("more", 0..<1000)
            try stage.publish(more.map { Shop.purchase($0) })
            let answer = try stage.answer("dead-letters", "replay", "--destination", "capi")
            try requireEqual(answer["moved"]?.integer, 2200)
            try eventually("everything to arrive") { stage.missing(good + bad + more).isEmpty }
            try daemon.waitUntilSettled(.seconds(20))
            try stage.expect("capi", "replayed", 2200)
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `when most is refused the destination halts until an operator resumes it`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.refuse(share: 1), targets: .capi)]), hasOffline: false)
            stage.settings.capi += ["concurrency: 1"]
            stage.settings.capi[1] = "batch: {linger: 20ms, max_events: 50}"
            var daemon = try stage.start()
            let ids = Shop.ids("halt", 0..<2000)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the halt") { stage.destination("capi")?["gate"]?.string == "halted" }
            try eventually("the rest to be put into the queue") { try stage.committedTotal() == 2000 }
            let lost = stage.number("capi", "dead_lettered")
            try require((200..<500).contains(lost), "\(lost) dead letters before it halted")
            // It outlives the process.
            try daemon.stop()
            stage.follow(.none)
            daemon = try stage.start()
            usleep(1_500_000)
            try requireEqual(stage.destination("capi")?["gate"]?.string, "halted", "gate after a restart")
            try requireEqual(try stage.books(Microsoft.capi).accepted, 0, "accepted")
            let resumed = try stage.answer("destinations", "resume", "capi")
            try requireEqual(resumed["state"]?.string, "running")
            try eventually("the rest to arrive") { stage.missing(ids).count == lost }
            try requireEqual(
                try stage.answer("dead-letters", "replay", "--destination", "capi")["moved"]?.integer, Int64(lost))
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a pause outlives the process, and what waits can be thrown away`() async throws {
        try await onThread {
            let stage = try Stage()
            var daemon = try stage.start()
            let wrong = try stage.command("destinations", "pause", "nobody")
            try requireEqual(wrong.code, 1, "exit code")
            try require(wrong.errors.contains("there are: capi, offline"), wrong.errors)
            try requireEqual(try stage.answer("destinations", "pause", "capi")["state"]?.string, "paused")
            try requireEqual(stage.destination("capi")?["gate"]?.string, "paused", "gate")
            // The answer was given when it was on disk.
            daemon.kill()
            daemon = try stage.start()
            let ids = Shop.ids("paused", 0..<100)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the other to go on") { stage.acceptedOffline == 100 }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 100 }
            try stage.expect("capi", "pending", 100)
            try requireEqual(try stage.books(Microsoft.capi).accepted, 0, "accepted")
            let discarded = try stage.answer("queue", "discard", "--destination", "capi", "--limit", "30")
            try requireEqual(discarded["discarded"]?.integer, 30)
            try requireEqual(try stage.answer("destinations", "resume", "capi")["state"]?.string, "running")
            try eventually("the rest to arrive") { stage.missing(ids).count == 30 }
            try daemon.waitUntilSettled(.seconds(10))
            try stage.expect("capi", "discarded", 30)
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a replay never makes a store where there is none`() async throws {
        try await onThread {
            let stage = try Stage()
            try stage.settings.write(to: stage.directory)
            let run = try stage.command("dead-letters", "replay", "--destination", "capi")
            try requireEqual(run.code, 1, "exit code")
            try require(run.errors.contains("not there"), run.errors)
            try require(!stage.directory.files().contains { $0.hasPrefix(stage.directory.state) }, "a store was made")
            try stage.finish()
        }
    }
}
