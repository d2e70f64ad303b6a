import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// Grants at rest: encrypted if there is a key, and never lost for want of it.
@Suite(.serialized)
struct GrantFileTests {
    private static let key = String(repeating: "0123456789abcdef", count: 4)

    /// The whole of the one file there is.
    private static func file(_ stage: Stage) throws -> String {
        try requireEqual(stage.grantFiles.count, 1, "files in grants: \(stage.grantFiles)")
        return String(decoding: try SmallFile.read(stage.grantFiles[0], limit: 1 << 16), as: UTF8.self)
    }

    private static func use(_ key: String?, _ stage: Stage) throws {
        stage.settings.state = key == nil ? [] : ["key: {file: \(stage.directory.path)/state-key}"]
        if let key { try stage.directory.write(key, to: "state-key") }
        try stage.settings.write(to: stage.directory)
    }

    @Test(.timeLimit(.minutes(15)))
    func `a key that appears encrypts what is there, and a wrong one never overwrites it`() async throws {
        try await onThread {
            let stage = try LoginTests.stage()
            try stage.logIn()
            let plain = try GrantFileTests.file(stage)
            try require(plain.contains("\"refresh_token\":\"refresh-1-"), "not in plain, or refreshed in vain")

            try GrantFileTests.use(GrantFileTests.key, stage)
            var daemon = try stage.start()
            try LoginTests.deliver(stage, "encrypted", 1)
            let sealed = try GrantFileTests.file(stage)
            try require(sealed.contains("\"cipher\":\"aes-256-gcm\"") && !sealed.contains("refresh-"), sealed)
            var status = stat()
            try require(
                stat(stage.grantFiles[0], &status) == 0 && status.st_mode & 0o777 == 0o600, "rights: \(status.st_mode)")
            try requireEqual(
                try stage.answer("auth", "status")["grants"]?.elements?.first?["encrypted"]?.bool, true, "status")
            try daemon.stop()
            try requireEqual(try stage.command("check").code, 0, "exit code of check")
            let before = try GrantFileTests.file(stage)

            // Another key, no key, and what is none.
            for key in [String(repeating: "f", count: 64), nil, "hunter2"] {
                try GrantFileTests.use(key, stage)
                let check = try stage.command("check")
                try requireEqual(check.code, 1, "exit code of check")
                try require(check.output.contains("state.key"), check.output)
                let status = try stage.command("auth", "status")
                try require(status.code == 1 && status.output.contains("state.key"), status.output)
                for words in [
                    ["accounts", "--destination", "offline"], ["auth", "login", "--destination", "offline"],
                ] {
                    let run = try CommandRun(daemonBinary, words + ["--config", stage.directory.configuration])
                    try requireEqual(run.code, 1, "exit code of \(words)")
                    try require(!run.output.contains("authorize?"), "somebody is asked to sign in for nothing")
                }
                daemon = try stage.start()
                try eventually("it to say so") {
                    stage.directory.logLines("secret.refused").contains {
                        $0["reason"]?.string?.contains("state.key") == true || $0["secret"]?.string == "state.key"
                    }
                }
                try requireEqual(stage.destination("offline")?["credential"]?.string, "missing")
                try daemon.stop()
                try requireEqual(try GrantFileTests.file(stage), before, "the file")
                try require(!"\(check.output)\(status.output)".contains("hunter2"), "a key is shown")
            }

            // Mended while it runs.
            try GrantFileTests.use(String(repeating: "f", count: 64), stage)
            daemon = try stage.start()
            try stage.publish([Shop.purchase("mended")])
            try eventually("it to be missing") { stage.destination("offline")?["credential"]?.string == "missing" }
            try stage.directory.write(GrantFileTests.key, to: "state-key")
            try eventually("it to arrive") { stage.acceptedOffline == 2 }
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-6: no token, code, verifier or key is in any output, log or open file`() async throws {
        try await onThread {
            let stage = try LoginTests.stage(secret: "made-up-client-secret")
            stage.settings.other = ["log: {metrics_interval: 1s, level: debug}"]
            try GrantFileTests.use(GrantFileTests.key, stage)
            var said: [String] = []
            func run(_ words: String...) throws {
                for more in [[], ["--json"]] {
                    let run = try CommandRun(daemonBinary, words + more + ["--config", stage.directory.configuration])
                    said.append(run.output + run.errors)
                }
            }
            func logIn(_ words: [String], pasted: Bool = false) throws {
                let login = try LoginRun(stage, words: words)
                if pasted {
                    let place = try login.consent()
                    try login.type(place.replacing("state=", with: "state=x"))
                    try login.type(place)
                } else {
                    said.append(try login.browse().body)
                }
                let end = try login.end()
                said.append(end.output + end.errors)
            }
            func everything() throws {
                try run("check")
                try run("auth", "status")
                try run("accounts", "--destination", "offline")
                try run("send-test", "--destination", "offline")
            }
            try logIn([])
            try everything()
            let daemon = try stage.start()
            try logIn(["--json"])
            try logIn(["--paste"], pasted: true)
            // Refusals quote what they refuse.
            stage.microsoft.withModel { model in model.change { $0.grant.codeLifetime = .zero } }
            try logIn([])
            stage.microsoft.withModel { $0.declineConsent("access_denied", "AADSTS65004: made-up-client-secret") }
            try logIn([])
            try everything()
            try run("status")
            try LoginTests.deliver(stage, "secret", 3)
            daemon.send(SIGHUP)
            try stage.said("configuration.reloaded")
            try daemon.stop()

            let given = stage.microsoft.withModel { $0.consentSecrets }
            try require(given.count >= 7, "codes and verifiers: \(given.count)")
            let secrets =
                given + [
                    GrantFileTests.key, "made-up-client-secret", Microsoft.developerToken, "refresh-", "access-",
                ]
            // What is a word of the log besides.
            let words = ["access_token_seconds", "refresh_token", "refresh-token"]
            var texts = said
            for path in [stage.directory.log, stage.directory.errors] + stage.grantFiles {
                texts.append(String(decoding: try SmallFile.read(path, limit: 1 << 28), as: UTF8.self))
            }
            for text in texts {
                let rest = words.reduce(text) { $0.replacing($1, with: "") }
                for secret in secrets where rest.contains(secret) {
                    throw Disappointment("\(secret.prefix(12))… is in: \(text.prefix(2000))")
                }
            }
            try require(texts.joined().contains("AADSTS65004"), "the refusal is in none: the search is in vain")
            try stage.finish()
        }
    }
}
