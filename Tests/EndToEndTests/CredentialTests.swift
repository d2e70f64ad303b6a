import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct CredentialTests {
    @Test(.timeLimit(.minutes(15)))
    func `I-7: a wrong token parks the gate; once its file is mended everything arrives by itself`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            stage.microsoft.withModel { $0.setToken("another-made-up-token", ofTag: Microsoft.tag) }
            let daemon = try stage.start()
            let ids = Shop.ids("parked", 0..<100)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the gate to park") { stage.destination("capi")?["gate"]?.string == "parked" }
            try requireEqual(stage.destination("capi")?["gate_reason"]?.string, "http_401", "reason")
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 100 }
            usleep(1_500_000)
            try stage.expect("capi", "dead_lettered", 0)
            try stage.directory.write("another-made-up-token\n", to: "capi-token")
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try stage.said("gate.opened")
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a secret that cannot be read is said, and taken as soon as it is there`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            try stage.settings.write(to: stage.directory)
            unlink("\(stage.directory.path)/capi-token")
            let daemon = try DaemonProcess(daemonBinary, stage.directory)
            try daemon.waitUntilReading()
            try stage.publish([Shop.purchase("secret-1")])
            try eventually("it to say what is missing") {
                stage.destination("capi")?["credential"]?.string == "missing"
            }
            try requireEqual(stage.destination("capi")?["credential_problem"]?.string, "unreadable")
            let line = stage.directory.logLines("secret.refused").last
            try requireEqual(line?["secret"]?.string, "token")
            try require(line?["reason"]?.string?.contains("capi-token") ?? false, "the file is not named")
            try stage.directory.write(Microsoft.token, to: "capi-token")
            try eventually("it to arrive", within: .seconds(20)) { stage.missing(["secret-1"]).isEmpty }
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a secret of Kafka that is not there yet ends the start so that it is tried again`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let path = "\(stage.directory.path)/kafka-password"
            stage.settings.kafka = ["properties: {sasl.password: {file: \(path)}}"]
            // With 2 a service manager would leave it at that.
            try requireEqual(try stage.launch().exitCode(timeout: .seconds(20)), 1, "exit code")
            let reason = stage.directory.logLines("daemon.refused").last?["reason"]?.string ?? ""
            try require(reason.contains("sasl.password") && reason.contains(path), "not said: \(reason)")
            try stage.directory.write("made-up-password", to: "kafka-password")
            try stage.start().stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a rotated refresh token is on disk, for its owner only, before anything is sent with what came with it`()
        async throws
    {
        try await onThread {
            // A refresh token is good for one use only: whoever forgets the next one is out.
            let stage = try Stage(plan: FaultPlan([.init(.slow(.seconds(3)), targets: .offline)])) {
                $0.grant.rotationGrace = .zero
                $0.grant.accessTokenLifetime = .seconds(15)
            }
            stage.settings.offline = ["batch: {linger: 50ms, max_events: 1}", "concurrency: 1"]
            var daemon = try stage.start()
            try stage.publish(Shop.ids("rotated", 0..<3).map { Shop.purchase($0) })
            try eventually("a request in flight") { stage.number("offline", "attempts") == 1 }
            let folder = "\(stage.directory.state)/grants"
            let files = stage.directory.files().filter { $0.hasPrefix(folder) }
            try requireEqual(files.count, 1, "files in grants")
            var status = stat()
            try require(stat(files[0], &status) == 0 && status.st_mode & 0o777 == 0o600, "rights: \(status.st_mode)")
            try require(stat(folder, &status) == 0 && status.st_mode & 0o777 == 0o700, "rights: \(status.st_mode)")
            let saved = String(decoding: try SmallFile.read(files[0], limit: 1 << 16), as: UTF8.self)
            try require(saved.contains("\"refresh_token\":\"refresh-1-"), "the rotated token is not saved")
            daemon.kill()
            stage.follow(.none)
            daemon = try stage.start()
            try eventually("everything to arrive") { stage.acceptedOffline == 3 }
            // The life of an access token is short: it is renewed while it works.
            try eventually("renewals", within: .seconds(45)) {
                stage.microsoft.withModel { $0.tokenRefreshes } >= 4
            }
            try stage.publish(Shop.ids("renewed", 0..<3).map { Shop.purchase($0) })
            try eventually("everything to arrive") { stage.acceptedOffline == 6 }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a refused grant leaves its destination waiting, and a new refresh token in the file ends that`() async throws
    {
        try await onThread {
            let stage = try Stage { $0.grant.refreshToken = "another-made-up-refresh-token" }
            let daemon = try stage.start()
            let ids = Shop.ids("grant", 0..<50)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("CAPI to go on") { stage.missing(ids).isEmpty }
            try eventually("the refusal to be said") { !stage.directory.logLines("credential.refused").isEmpty }
            try requireEqual(stage.said("credential.refused")["reason"]?.string, "invalid_grant")
            try requireEqual(stage.destination("offline")?["credential_problem"]?.string, "invalid_grant")
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 50 }
            try stage.directory.write("another-made-up-refresh-token", to: "refresh-token")
            try eventually("everything to arrive") { stage.acceptedOffline == 50 }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a rotated token that cannot be saved is used from memory, loudly, and saved when it can be`() async throws {
        try await onThread {
            let stage = try Stage()
            try stage.settings.write(to: stage.directory)
            // A file where the directory should be.
            mkdir(stage.directory.state, 0o700)
            try SmallFile.replace("\(stage.directory.state)/grants", with: [])
            let daemon = try DaemonProcess(daemonBinary, stage.directory)
            try daemon.waitUntilReading()
            try stage.publish([Shop.purchase("unsaved-1")])
            try eventually("it to arrive") { stage.acceptedOffline == 1 }
            try stage.said("credential.left_unsaved")
            try eventually("the status to say it") {
                stage.destination("offline")?["credential_problem"]?.string == "not_saved"
            }
            unlink("\(stage.directory.state)/grants")
            try eventually("it to be saved", within: .seconds(15)) {
                stage.directory.files().contains { $0.contains("/grants/") && $0.hasSuffix(".json") }
            }
            try eventually("the problem to be gone") { stage.destination("offline")?["credential_problem"] == nil }
            try daemon.stop()
            try stage.finish()
        }
    }
}
