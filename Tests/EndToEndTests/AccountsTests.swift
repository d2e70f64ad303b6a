import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// `accounts`, asked of the daemon and without one.
@Suite(.serialized)
struct AccountsTests {
    @Test(.timeLimit(.minutes(15)), arguments: [true, false])
    func `the ids for the configuration are listed, however many`(isRunning: Bool) async throws {
        try await onThread {
            let stage = try Stage()
            stage.microsoft.withModel { model in
                model.change { settings in
                    settings.user.moreAccounts = (0..<2300).map {
                        ListedAccount(id: "\(9_007_199_254_740_993 + $0)", customerID: "77", name: "Shop \($0)")
                    }
                }
            }
            try stage.settings.write(to: stage.directory)
            let daemon = isRunning ? try stage.start() : nil
            if daemon != nil {
                try eventually("a token") { stage.destination("offline")?["credential"]?.string == "ready" }
            }
            let before = stage.microsoft.withModel { $0.tokenRefreshes }
            let answer = try stage.answer("accounts", "--destination", "offline")
            let accounts = answer["accounts"]?.elements ?? []
            try requireEqual(accounts.count, 2301, "accounts: \(answer.rawText.prefix(300))")
            try requireEqual(accounts.last?["account_id"]?.string, "9007199254743292", "the last")
            try requireEqual(answer["complete"]?.bool, true, "complete")

            let text = try stage.command("accounts", "--destination", "offline")
            try requireEqual(text.code, 0, text.errors)
            try require(text.output.hasPrefix("user 1234567890123456789 ada.made-up, 2301 accounts\n"), text.output)
            try require(
                text.output.contains(
                    "    # Shop 2299\n    customer_id: \"77\"\n    account_id: \"9007199254743292\"\n"), "no snippet")
            // The daemon refreshes; who asks it does not. Without one each command does, and keeps what was rotated.
            let refreshes = stage.microsoft.withModel { $0.tokenRefreshes } - before
            try requireEqual(refreshes, isRunning ? 0 : 2, "refreshes")
            try requireEqual(stage.grantFiles.count, isRunning ? 1 : 0, "files: a command makes no state directory")

            let capi = try stage.command("accounts", "--destination", "capi")
            try requireEqual(capi.code, 1, "exit code")
            try require(capi.errors.contains("needs no consent"), capi.errors)
            try stage.directory.write("wrong", to: "developer-token")
            daemon?.send(SIGHUP)
            var refused = try stage.command("accounts", "--destination", "offline")
            try eventually("the other developer token to be used") {
                if refused.code == 0 { refused = try stage.command("accounts", "--destination", "offline") }
                return refused.code == 1
            }
            try require(refused.errors.contains("look at developer_token"), refused.errors)
            try require(!refused.errors.contains("wrong"), "a secret is shown")
            try daemon?.stop()
            stage.directory.remove()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `whoever consented is remembered`() async throws {
        try await onThread {
            let stage = try Stage()
            let daemon = try stage.start()
            try eventually("a token") { stage.destination("offline")?["credential"]?.string == "ready" }
            func user() throws -> String? {
                try stage.answer("auth", "status")["grants"]?.elements?.first?["user_name"]?.string
            }
            try requireEqual(try user(), nil, "before anybody asked")
            try requireEqual(try stage.command("accounts", "--destination", "offline").code, 0, "exit code")
            try requireEqual(try user(), "ada.made-up", "the daemon's")
            try daemon.stop()
            try requireEqual(try user(), "ada.made-up", "on disk")
            let status = try stage.command("auth", "status")
            try require(status.output.contains("consent is kept; no daemon runs to use it"), status.output)
            try stage.finish()
        }
    }
}
