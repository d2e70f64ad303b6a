import FakeMicrosoft
import ForwarderHarness
import Glibc
import KafkaClient
import MockKafka
import ScenarioKit
import Testing

struct ShutdownTests {
    @Test(.timeLimit(.minutes(15)))
    func `SIGTERM waits for answers on their way, and nothing is sent twice`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.slow(.seconds(2)), targets: .events)]))
            stage.settings.capi = ["batch: {linger: 50ms, max_events: 20}"]
            var daemon = try stage.start()
            let ids = Shop.ids("drain", 0..<300)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("requests in flight") { stage.number("capi", "attempts") >= 80 }
            let began = ContinuousClock.now
            try daemon.stop(timeout: .seconds(20))
            let elapsed = ContinuousClock.now - began
            try require(elapsed < .seconds(20), "stopping took \(elapsed)")
            try requireEqual(stage.said("daemon.stopped")["complete"]?.bool, true)
            try requireEqual(stage.said("group.left")["complete"]?.bool, true)

            // The tail was left in Kafka, or is in the queue.
            stage.follow(.none)
            daemon = try stage.start()
            try eventually("everything to arrive") { stage.missing(ids).isEmpty && stage.acceptedOffline == 300 }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).duplicates, 0, "CAPI repeats")
            try requireEqual(try stage.books(Microsoft.offline).duplicates, 0, "offline repeats")
            try stage.finish()
        }
    }

    /// A reject is settled when it is on disk, which what was read behind it does not wait for.
    @Test(.timeLimit(.minutes(15)))
    func `a stop right behind a reject repeats nothing`() async throws {
        try await onThread {
            let stage = try Stage(partitions: 1, hasOffline: false)
            for round in 1...3 {
                let daemon = try stage.start()
                let ids = Shop.ids("behind-\(round)", 0..<3)
                try stage.publish(["no event"] + ids.map { Shop.pageView($0) })
                try eventually("them to arrive") { stage.missing(ids).isEmpty }
                try daemon.stop()
                try requireEqual(try stage.committedTotal(), Int64(4 * round), "committed")
            }
            try requireEqual(try stage.books(Microsoft.capi).duplicates, 0, "repeats")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a stop leaves on disk what was gathered, and a start with an empty topic sends it`() async throws {
        try await onThread {
            let stage = try Stage()
            stage.settings.capi = ["batch: {linger: 1m}", "buffer: {max_age: 2m}"]
            var daemon = try stage.start()
            let ids = Shop.ids("scaled-in", 0..<20)
            try stage.publish(ids.map { Shop.purchase($0) })
            // Offline has them; to leave them to Kafka would be to send them there twice.
            try eventually("offline to have them") { stage.acceptedOffline == 20 }
            try stage.expect("offline", "in_flight", 0)
            try daemon.stop()
            try requireEqual(stage.missing(ids).count, 20, "not at CAPI")
            try requireEqual(try queued(stage), 20, "in the queue of the stopped daemon")

            try stage.kafka.createTopic("nothing-comes-here", partitions: 1)
            stage.settings.topic = "nothing-comes-here"
            stage.settings.capi = []
            daemon = try stage.start()
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try stage.expect("capi", "pending", 0)
            try daemon.stop()
            try requireEqual(try queued(stage), 0, "in the queue after that")
            try requireEqual(try stage.books(Microsoft.capi).duplicates, 0, "CAPI repeats")
            try requireEqual(try stage.books(Microsoft.offline).duplicates, 0, "offline repeats")
            try stage.finish()
        }
    }

    /// How many deliveries wait for CAPI, as a command sees it that needs no daemon.
    private func queued(_ stage: Stage) throws -> Int64? {
        try stage.answer("queue", "stats")["destinations"]?.elements?.first { $0["name"]?.string == "capi" }?[
            "pending"]?
            .integer
    }

    @Test(.timeLimit(.minutes(15)))
    func `requests that outlast the grace are repeated, and only they`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.slow(.seconds(20)), targets: .events)]), hasOffline: false)
            stage.settings.capi = ["batch: {linger: 50ms, max_events: 10}", "concurrency: 2"]
            stage.settings.other = ["shutdown: {grace: 1s}"]
            var daemon = try stage.start()
            let ids = Shop.ids("grace", 0..<200)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("requests in flight") { stage.number("capi", "attempts") == 20 }
            let began = ContinuousClock.now
            try daemon.stop(timeout: .seconds(20))
            let elapsed = ContinuousClock.now - began
            try require(elapsed < .seconds(15), "stopping took \(elapsed)")
            stage.follow(.none)
            daemon = try stage.start()
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            // Microsoft had taken what was in flight.
            try requireEqual(try stage.books(Microsoft.capi).duplicates, 20, "repeats")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a second signal ends it at once with exit code 1`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.slow(.seconds(20)), targets: .events)]), hasOffline: false)
            let daemon = try stage.start()
            try stage.publish([Shop.purchase("forced-1")])
            try eventually("a request in flight") { stage.number("capi", "attempts") == 1 }
            daemon.send(SIGTERM)
            try eventually("the first signal to be seen") { stage.directory.logLines("stop.requested").count == 1 }
            let began = ContinuousClock.now
            daemon.send(SIGINT)
            try requireEqual(daemon.exitCode(timeout: .seconds(15)), 1, "exit code")
            let elapsed = ContinuousClock.now - began
            try require(elapsed < .seconds(10), "it took \(elapsed)")
            try requireEqual(stage.said("daemon.stopped")["complete"]?.bool, false)
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a Kafka client that cannot go on ends the process with exit code 1, and nothing is lost`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.slow(.seconds(2)), targets: .events)]), hasOffline: false)
            stage.settings.kafka = [
                "properties: {session.timeout.ms: 3000, heartbeat.interval.ms: 500, group.instance.id: only-one}"
            ]
            var daemon = try stage.start()
            let ids = Shop.ids("fenced", 0..<100)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("requests in flight") { stage.number("capi", "attempts") > 0 }
            // Another member with the same name has taken its place.
            stage.kafka.failNext(.heartbeat, [KafkaError.Code(rawValue: 82)])
            try requireEqual(daemon.exitCode(timeout: .seconds(40)), 1, "exit code")
            try require(
                stage.directory.logLines("kafka.faulted").contains {
                    $0["reason"]?.string == "FENCED_INSTANCE_ID" && $0["fatal"]?.bool == true
                }, "it is not said")
            try requireEqual(stage.directory.logLines("daemon.stopped").last?["complete"]?.bool, false)
            // What was in flight was waited for.
            try require(stage.missing(ids).count < ids.count, "nothing arrived")
            stage.follow(.none)
            daemon = try stage.start()
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `it stops in time although Kafka is gone`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let daemon = try stage.start()
            try stage.publish([Shop.purchase("gone-1")])
            try eventually("it to arrive") { stage.missing(["gone-1"]).isEmpty }
            try stage.kafka.takeDown()
            let began = ContinuousClock.now
            try daemon.stop(timeout: .seconds(30))
            let elapsed = ContinuousClock.now - began
            try require(elapsed < .seconds(15), "stopping took \(elapsed)")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a signal at any moment of the start ends it in order`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            for delay in stride(from: 0, through: 240, by: 30) {
                let daemon = try stage.launch()
                // Before its first instructions a signal simply ends a process.
                try eventually("its first line") {
                    stage.directory.logLines("daemon.started").count == delay / 30 + 1
                }
                usleep(UInt32(delay) * 1000)
                let began = ContinuousClock.now
                try daemon.stop(timeout: .seconds(20))
                let elapsed = ContinuousClock.now - began
                try require(elapsed < .seconds(12), "after \(delay) ms stopping took \(elapsed)")
            }
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `it stops in time while the group's coordinator keeps an assignment waiting`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            for _ in 0..<10 { try stage.kafka.delayNext(.offsetFetch, broker: 1, milliseconds: 60_000) }
            let daemon = try stage.launch()
            try eventually("the assignment to wait") { !stage.directory.logLines("kafka.faulted").isEmpty }
            let began = ContinuousClock.now
            try daemon.stop(timeout: .seconds(40))
            let elapsed = ContinuousClock.now - began
            try require(elapsed < .seconds(25), "stopping took \(elapsed)")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `it starts without Kafka, says so, and begins when Kafka is there`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            try stage.publish([Shop.purchase("late-1")])
            try stage.kafka.takeDown()
            let daemon = try stage.launch()
            try eventually("a complaint") { !stage.directory.logLines("kafka.faulted").isEmpty }
            try eventually("not ready") {
                stage.directory.status()?["not_ready_because"]?.elements?.contains { $0.string == "not_in_the_group" }
                    ?? false
            }
            try requireEqual(try stage.command("status").code, 1, "exit code of status")
            try stage.kafka.bringUp()
            try eventually("it to arrive", within: .seconds(40)) { stage.missing(["late-1"]).isEmpty }
            try eventually("ready") { stage.directory.status()?["ready"]?.bool == true }
            try requireEqual(try stage.command("status").code, 0, "exit code of status")
            try daemon.stop()
            try stage.finish()
        }
    }
}
