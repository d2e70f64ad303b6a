import FakeMicrosoft
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct OutageTests {
    @Test(.timeLimit(.minutes(15)))
    func `while Microsoft is down the queue grows, Kafka is committed on, and all arrives in the end`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .events)]))
            let daemon = try stage.start()
            let ids = Shop.ids("down", 0..<400)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("both queues to hold them") {
                stage.number("capi", "pending") == 400 && stage.number("offline", "pending") == 400
            }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 400 }
            try require(try stage.books(Microsoft.capi).accepted == 0, "something got through")
            let queue = try stage.answer("queue", "stats")["destinations"]?.elements ?? []
            // The third is for refunds, of which there are none.
            try requireEqual(queue.compactMap { $0["pending"]?.integer }, [400, 400, 0], "queue stats")
            let list = try stage.answer("queue", "list", "--destination", "offline", "--limit", "7")
            try requireEqual(list["deliveries"]?.elements?.count, 7, "queue list")
            stage.follow(.none)
            try eventually("everything to arrive") { stage.missing(ids).isEmpty && stage.acceptedOffline == 400 }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `killed with a queue on disk, the next start drains it`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.drop, targets: .events)]))
            var daemon = try stage.start()
            let ids = Shop.ids("killed", 0..<300)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 300 }
            daemon.kill()
            try requireEqual(
                try stage.answer("queue", "stats")["destinations"]?.elements?.first?["pending"]?.integer, 300)
            stage.follow(.none)
            // Kafka has nothing for it any more: the queue alone has them.
            daemon = try stage.launch()
            try eventually("everything to arrive") { stage.missing(ids).isEmpty && stage.acceptedOffline == 300 }
            try stage.expect("capi", "restored", 300)
            try daemon.waitUntilReading()
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).duplicates, 0, "repeats")
            try stage.finish(kills: 1)
        }
    }

    /// How long an event takes to one destination while the other is down.
    private static func independence(down: FaultTargets, healthy: FakeDestination, _ fault: Fault) throws {
        let stage = try Stage(plan: FaultPlan([.init(fault, targets: down)]))
        let daemon = try stage.start()
        func accepted() throws -> Int { try stage.books(healthy).accepted }
        var times: [Duration] = []
        for round in 0..<30 {
            let took = try ContinuousClock().measure {
                try stage.publish([Shop.purchase("alone\(round)")])
                try eventually("the healthy one to have it", within: .seconds(15)) { try accepted() == round + 1 }
            }
            times.append(took)
        }
        // A linger of 50 ms, two polls of up to 50 ms, and a machine that does other things.
        times.sort()
        try require(times[15] < .seconds(2) && times[29] < .seconds(5), "they took \(times)")
        // Not even the memory of slow requests holds offsets back: after five seconds they are on disk.
        try eventually("Kafka to be committed on") { try stage.committedTotal() == 30 }
        stage.follow(.none)
        try eventually("the other to catch up", within: .seconds(40)) {
            try stage.books(Microsoft.capi).accepted == 30 && stage.acceptedOffline == 30
        }
        try daemon.waitUntilSettled(.seconds(20))
        try daemon.stop()
        try stage.finish()
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-5: with CAPI down, offline conversions arrive as ever`() async throws {
        try await onThread {
            try OutageTests.independence(down: .capi, healthy: Microsoft.offline, .status(500))
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-5: with offline conversions hanging, CAPI gets its events as ever`() async throws {
        try await onThread {
            try OutageTests.independence(down: .offline, healthy: Microsoft.capi, .slow(.seconds(12)))
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `Retry-After is a lower bound, in both of its forms`() async throws {
        try await onThread {
            for (form, retryAfter) in [Fault.RetryAfter.seconds(3), .date(inSeconds: 5)].enumerated() {
                let stage = try Stage(hasOffline: false)
                let daemon = try stage.start()
                stage.follow(
                    FaultPlan([.init(.status(429, retryAfter: retryAfter), targets: .events, most: 1)]))
                let took = try ContinuousClock().measure {
                    try stage.publish([Shop.purchase("later-\(form)")])
                    try eventually("it to arrive") { stage.missing(["later-\(form)"]).isEmpty }
                }
                // A date has whole seconds, and of its wait goes what the answer was on its way.
                try require(took >= .seconds(3) && took < .seconds(20), "form \(form) took \(took)")
                var attempts: [JSONElement] = []
                try eventually("both attempts to be logged") {
                    attempts = stage.directory.logLines("delivery.attempted")
                    return attempts.count >= 2
                }
                try requireEqual(attempts.map { $0["outcome"]?.string }, ["http_429", "ok"], "outcomes")
                try require(attempts[0]["wait_ms"]?.integer ?? 0 >= 2900, "wait: \(attempts[0].rawText)")
                try requireEqual(attempts[1]["probe"]?.bool, true, "probe")
                try daemon.stop()
                try stage.finish()
            }
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a full queue pauses reading, and nothing is lost`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .events)]), hasOffline: false)
            stage.settings.capi += ["queue: {max_bytes: 1MiB}"]
            let daemon = try stage.start()
            let ids = Shop.ids("full", 0..<3000)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("reading to pause") { !stage.directory.logLines("intake.paused").isEmpty }
            try requireEqual(stage.said("queue.filled")["destination"]?.string, "capi")
            stage.follow(.none)
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try eventually("reading to be resumed") { !stage.directory.logLines("intake.resumed").isEmpty }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }
}
