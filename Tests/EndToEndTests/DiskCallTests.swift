import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import MockKafka
import ScenarioKit
import Testing

/// The system fails what the daemon asks of its disk, and of itself at the start.
struct DiskCallTests {
    /// What becomes of rows whose sync failed nobody can know.
    private static func hasSaidThatStateIsUnknown(_ directory: DaemonDirectory) -> Bool {
        directory.logLines("store.faulted").contains {
            $0["reason"]?.string?.contains("the disk did not confirm what was written") ?? false
        }
    }

    // MARK: A sync

    @Test(.timeLimit(.minutes(15)), arguments: [1, 3])
    func `a sync of the log that fails ends the process, and nothing it was to keep is committed`(
        number: Int
    ) async throws {
        try await onThread {
            let scene = try FailingScene()
            let settings = scene.stage.settings
            // Nothing is written but what comes in.
            scene.stage.settings.capi = ["retry: {base: 1m, cap: 1m}"]
            scene.stage.follow(.status(503))
            let daemon = try scene.start()
            try scene.calls.set("fdatasync@-wal \(number)")
            while daemon.exitCode(timeout: .zero) == nil {
                try scene.publish(4)
                try eventually("a commit or the end") {
                    try scene.stage.committedTotal() == Int64(scene.published.count)
                        || daemon.exitCode(timeout: .zero) != nil
                }
            }
            try requireEqual(daemon.exitCode(timeout: .zero), 1, "exit code")
            try require(DiskCallTests.hasSaidThatStateIsUnknown(scene.stage.directory), "not said")
            try require(try scene.stage.committedTotal() < scene.published.count, "committed what is nowhere")
            scene.stage.follow(.none)
            scene.stage.settings = settings
            try scene.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a sync of the database that fails ends the process, while it runs and when it stops`() async throws {
        try await onThread {
            let scene = try FailingScene()
            let long = String(repeating: "x", count: 1800)
            var daemon = try scene.start()
            try scene.calls.set("fdatasync@store.sqlite 1")
            scene.stage.follow(.status(503))
            let ids = Shop.ids("long", 0..<2500)
            try scene.stage.publish(ids.map { Shop.pageView($0, more: ",\"url\":\"https://shop.example/\(long)\"") })
            try requireEqual(daemon.exitCode(timeout: .seconds(60)), 1, "exit code while it runs")
            try require(DiskCallTests.hasSaidThatStateIsUnknown(scene.stage.directory), "not said")

            try scene.calls.set()
            daemon = try scene.start()
            try eventually("a queue") { scene.stage.number("capi", "pending") == 2500 }
            try scene.calls.set("fdatasync@store.sqlite 1")
            daemon.send(SIGTERM)
            try requireEqual(daemon.exitCode(timeout: .seconds(60)), 1, "exit code when it stops")

            scene.stage.follow(.none)
            try scene.calls.set()
            daemon = try scene.start()
            try eventually("everything to arrive") { scene.stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled()
            try daemon.stop()
            try scene.stage.finish()
        }
    }

    // MARK: Any other call

    @Test(.timeLimit(.minutes(15)))
    func `whichever write of the store fails while the daemon runs, it is said and tried again`() async throws {
        try await onThread {
            let scene = try FailingScene()
            let stage = scene.stage
            let daemon = try scene.start()
            for (round, code) in [EIO, ENOSPC, EIO, EFBIG].enumerated() {
                let event = code == ENOSPC ? "store.filled" : "store.faulted"
                let earlier = stage.directory.logLines("store.recovered").count
                stage.follow(.status(503))
                try scene.calls.set("pwrite64@-wal \(1 << round) \((1 << round) + 2) \(code)")
                while !scene.calls.haveAllFailed {
                    try scene.publish()
                    usleep(100_000)
                }
                try stage.said(event)
                try eventually("recovery") { stage.directory.logLines("store.recovered").count > earlier }
                try scene.commit()
                stage.follow(.none)
                try scene.arrive()
            }
            try scene.finish(daemon)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `whichever call fails in keeping a rotated token, it is used from memory and kept later`() async throws {
        try await onThread {
            let scene = try FailingScene(hasOffline: true)
            let stage = scene.stage
            for rule in ["fsync@.json.new 1", "rename@.json 1", "write@.json.new 1", "open@.json.new 1"] {
                try scene.calls.set(rule)
                let earlier = stage.directory.logLines("credential.left_unsaved").count
                let daemon = try scene.start()
                try scene.publish(4)
                try scene.arrive()
                try eventually("it to be said") {
                    stage.directory.logLines("credential.left_unsaved").count > earlier
                }
                try eventually("the problem to be gone") {
                    stage.destination("offline") != nil && stage.destination("offline")?["credential_problem"] == nil
                }
                try scene.commit()
                try daemon.stop()
            }
            try scene.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a log that cannot be written loses lines and nothing else`() async throws {
        try await onThread {
            let scene = try FailingScene()
            let daemon = try scene.start()
            try scene.calls.set("write@log.ndjson 1 5 \(ENOSPC)")
            while !scene.calls.haveAllFailed {
                try scene.publish()
                try scene.arrive()
            }
            try eventually("the lost lines to be counted") {
                scene.stage.directory.lastMetrics()?["log_lines_dropped"]?.integer ?? 0 >= 5
            }
            try scene.finish(daemon)
        }
    }

    // MARK: The start

    @Test(
        .timeLimit(.minutes(15)),
        arguments: [
            // SQLite takes no notice of a directory that it cannot sync; the daemon syncs it itself, with fsync.
            ["fsync", "fdatasync@-journal", "fdatasync@-wal", "fdatasync@store.sqlite"],
            ["pwrite64@-journal", "pwrite64@-wal", "pwrite64@store.sqlite"],
            ["open@lock", "open@store.sqlite", "open@state", "open64@store.sqlite", "open64@-journal", "open64@-wal"],
        ])
    func `whichever call fails in making a store, the start is refused and the next one makes it`(
        functions: [String]
    ) async throws {
        try await onThread {
            let scene = try FailingScene()
            let directory = scene.stage.directory
            var kills = 0
            /// Nil if it has started; else how it has ended.
            func start(_ rules: [String]) throws -> Int32? {
                try scene.calls.set(rules)
                let earlier = directory.logLines("daemon.became_ready").count
                let daemon = try scene.launch()
                try eventually("a start or its refusal") {
                    daemon.exitCode(timeout: .zero) != nil
                        || directory.logLines("daemon.became_ready").count > earlier
                }
                if daemon.exitCode(timeout: .zero) == nil { kills += 1 }
                defer { daemon.kill() }
                return daemon.exitCode(timeout: .zero)
            }
            for function in functions {
                var number = 1
                while true {
                    for path in DaemonDirectory.everything(below: directory.state).reversed() { remove(path) }
                    let code = try start(["\(function) \(number)"])
                    guard scene.calls.haveAllFailed else { break }
                    try requireEqual(code, 1, "\(function) \(number): exit code")
                    try requireEqual(try start([]), nil, "\(function) \(number): exit code of the next")
                    number += max(1, number / 2)
                }
                try require(number > 1, "\(function) is not called")
            }
            try scene.finish(kills: kills)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a library that cannot start is said, with the exit code of a fault that may be over tomorrow`() async throws {
        try await onThread {
            let scene = try FailingScene()
            let refused: [(rule: String, text: String)] = [
                ("rd_kafka_new 1", "kafka: starting the Kafka client: made to fail [_CRIT_SYS_RESOURCE]"),
                ("rd_kafka_subscribe 1", "kafka: subscribing to "),
                ("rd_kafka_queue_get_consumer 1", "kafka: starting the Kafka client: "),
                ("curl_global_init 1", "http: libcurl does not start: "),
                ("curl_multi_init 1", "http: libcurl does not start: "),
                ("curl_multi_setopt 1", "http: libcurl does not start: "),
                ("curl_multi_setopt 2", "http: libcurl does not start: "),
            ]
            for (rule, text) in refused {
                try scene.calls.set(rule)
                let daemon = try scene.launch()
                try requireEqual(daemon.exitCode(timeout: .seconds(60)), 1, "\(rule): exit code")
                try requireEqual(scene.calls.haveAllFailed, true, rule)
                let reason = try scene.stage.said("daemon.refused")["reason"]?.string ?? ""
                try require(reason.hasPrefix(text), "\(rule): \(reason)")
            }
            try scene.finish()
        }
    }
}
