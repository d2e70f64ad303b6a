import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct StoreTests {
    @Test(.timeLimit(.minutes(15)), .enabled(if: getuid() == 0, "mounting a small file system takes root"))
    func `a full disk is said, loses nothing, holds up no healthy destination, and is recovered from`() async throws {
        try await onThread {
            let stage = try Stage()
            let disk = try SmallDisk(stage.directory.state, megabytes: 48)
            stage.settings.ballast = "1MiB"
            var daemon = try stage.start()
            try stage.said("state_directory.doubted")
            var ids = Shop.ids("room", 0..<50)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the first ones") { stage.missing(ids).isEmpty && stage.acceptedOffline == 50 }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 50 }

            try disk.fill()
            stage.follow(.status(503), .capi)
            let full = Shop.ids("full", 0..<2000)
            ids += full
            try stage.publish(full.map { Shop.purchase($0) })
            try eventually("it to be said") { !stage.directory.logLines("store.filled").isEmpty }
            try eventually("the healthy one to go on") { stage.acceptedOffline == 2050 }
            try eventually("not ready") {
                stage.directory.status()?["not_ready_because"]?.elements?.contains { $0.string == "store_not_writable" }
                    ?? false
            }
            try require(try stage.committedTotal() < 2050, "committed what is neither delivered nor on disk")

            disk.free()
            try eventually("recovery", within: .seconds(5)) { !stage.directory.logLines("store.recovered").isEmpty }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 2050 }
            try stage.expect("capi", "pending", 2000)
            stage.follow(.none)
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled(.seconds(20))

            // Told to stop with a full disk.
            try disk.fill()
            stage.follow(.status(503), .capi)
            let last = Shop.ids("last", 0..<2000)
            ids += last
            try stage.publish(last.map { Shop.purchase($0) })
            try eventually("it to be said again") { stage.directory.logLines("store.filled").count == 2 }
            let took = try ContinuousClock().measure { try daemon.stop() }
            try require(took < .seconds(15), "stopping took \(took)")
            // Without room there may be no start, but then it says why.
            let starts = stage.directory.logLines("daemon.became_ready").count
            let cramped = try stage.launch()
            try eventually("a start or its refusal") {
                cramped.exitCode(timeout: .zero) != nil
                    || stage.directory.logLines("daemon.became_ready").count > starts
            }
            if let code = cramped.exitCode(timeout: .zero) {
                try requireEqual(code, 1, "exit code")
                try require(
                    stage.directory.logLines("daemon.refused").last?["reason"]?.string?.contains("the disk is full")
                        ?? false, "not said")
            } else {
                try cramped.stop()
            }
            disk.free()
            stage.follow(.none)
            daemon = try stage.start()
            try eventually("everything to arrive") { stage.missing(ids).isEmpty && stage.acceptedOffline == 4050 }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)), .enabled(if: getuid() == 0, "mounting a small file system takes root"))
    func `a full disk is recovered from although no reserve can be had`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let disk = try SmallDisk(stage.directory.state, megabytes: 24)
            // Something else is in its place.
            mkdir("\(stage.directory.state)/ballast", 0o700)
            let daemon = try stage.start()
            try eventually("it to be said") {
                stage.directory.logLines("store.faulted").contains {
                    $0["reason"]?.string?.contains("\(stage.directory.state)/ballast") ?? false
                }
            }
            try disk.fill()
            stage.follow(.status(503))
            let ids = Shop.ids("bare", 0..<500)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("a full disk") { !stage.directory.logLines("store.filled").isEmpty }
            disk.free()
            try eventually("recovery", within: .seconds(5)) { !stage.directory.logLines("store.recovered").isEmpty }
            stage.follow(.none)
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a state directory that is deleted is noticed; what was in it is still delivered`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .events)]))
            var daemon = try stage.start()
            let ids = Shop.ids("ghost", 0..<200)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 200 }
            try requireEqual(rename(stage.directory.state, stage.directory.state + ".gone"), 0, "renaming")
            try eventually("it to be said") {
                stage.directory.logLines("store.faulted").contains {
                    $0["reason"]?.string?.contains("deleted or replaced while it was in use") ?? false
                }
            }
            // Nothing is put into a file that nobody will ever open again.
            let more = Shop.ids("later", 0..<100)
            try stage.publish(more.map { Shop.purchase($0) })
            usleep(1_500_000)
            try requireEqual(try stage.committedTotal(), 200, "committed")
            stage.follow(.none)
            try eventually("what was in it to arrive") { stage.missing(ids).isEmpty && stage.acceptedOffline >= 200 }
            try requireEqual(daemon.exitCode(timeout: .seconds(30)), 1, "exit code")

            daemon = try stage.start()
            try eventually("everything to arrive") { stage.missing(ids + more).isEmpty && stage.acceptedOffline == 300 }
            try eventually("the missing store to be noticed") { !stage.directory.logLines("store.vanished").isEmpty }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what waits behind another delivery of its order does not outlast a state directory that is deleted`()
        async throws
    {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .events)]))
            let daemon = try stage.start()
            let ids = Shop.ids("twin", 0..<20)
            for _ in 0..<2 { try stage.publish(ids.map { Shop.purchase($0) }) }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 40 }
            try stage.expect("offline", "pending", 40)
            try requireEqual(rename(stage.directory.state, stage.directory.state + ".gone"), 0, "renaming")
            try stage.said("store.faulted")
            stage.follow(.none)
            // Each second one is a duplicate of what was delivered.
            try requireEqual(daemon.exitCode(timeout: .seconds(60)), 1, "exit code")
            try require(stage.missing(ids).isEmpty, "not delivered: \(stage.missing(ids))")
            try requireEqual(stage.acceptedOffline, 20, "conversions")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a store that was put away between two runs is missed`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            var daemon = try stage.start()
            try stage.publish([Shop.purchase("missed-1")])
            try eventually("it to arrive") { stage.missing(["missed-1"]).isEmpty }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 1 }
            try daemon.stop()
            daemon = try stage.start()
            try requireEqual(stage.directory.logLines("store.vanished").count, 0, "missed although it is there")
            try daemon.stop()
            try requireEqual(rename(stage.directory.state, stage.directory.state + ".old"), 0, "renaming")
            daemon = try stage.start()
            try eventually("it to be missed") { stage.directory.logLines("store.vanished").count == 1 }
            let line = try stage.said("store.vanished")
            try require(line["remembered"]?.string != line["present"]?.string, "\(line.rawText)")
            try daemon.stop()
            try stage.finish()
        }
    }
}
