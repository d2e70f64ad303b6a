import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// Consent as a person gives it: a command at a terminal, a browser, Microsoft's pages.
@Suite(.serialized)
struct LoginTests {
    /// A configuration that names no refresh token. A `secret` makes the registration a web application.
    static func stage(secret: String? = nil, more: [String] = []) throws -> Stage {
        let stage = try Stage { settings in
            settings.grant.clientSecret = secret
            settings.grant.refreshToken = "nobody-knows-this-one"
        }
        stage.settings.hasSeed = false
        stage.settings.oauth = more
        if let secret {
            try stage.directory.write(secret, to: "client-secret")
            stage.settings.oauth.append("client_secret: {file: \(stage.directory.path)/client-secret}")
        }
        try stage.settings.write(to: stage.directory)
        return stage
    }

    static func deliver(_ stage: Stage, _ name: String, _ total: Int) throws {
        try stage.publish([Shop.purchase(name)])
        try eventually("\(name) to arrive") { stage.acceptedOffline == total }
    }

    struct Way: Sendable {
        var isRunning: Bool
        var secret: String?
    }

    private static let ways = [
        Way(isRunning: false, secret: nil), Way(isRunning: true, secret: nil),
        Way(isRunning: false, secret: "made-up-client-secret"), Way(isRunning: true, secret: "made-up-client-secret"),
    ]

    @Test(.timeLimit(.minutes(15)), arguments: ways)
    func `consent in a browser of this machine lets the destination send, daemon or not`(way: Way) async throws {
        try await onThread {
            let stage = try LoginTests.stage(secret: way.secret)
            var daemon = way.isRunning ? try stage.start() : nil
            if daemon != nil {
                try stage.publish([Shop.purchase("waits")])
                try eventually("it to say what is missing") {
                    stage.destination("offline")?["credential_problem"]?.string == "no_consent"
                }
            }
            let login = try LoginRun(stage)
            let page = try login.browse()
            try requireEqual(page.status, 200, page.body)
            try require(page.body.contains("Consent has arrived."), page.body)
            let end = try login.end()
            try requireEqual(end.code, 0, "\(end.output)\(end.errors)")
            try require(end.output.contains("offline: consent is given and kept\n"), end.output)
            try require(end.output.contains("  by user 1234567890123456789 ada.made-up\n"), end.output)
            try require(end.output.contains("  1 accounts; "), end.output)
            let files = stage.grantFiles
            try requireEqual(files.count, 1, "files in grants: \(files)")
            var status = stat()
            try require(stat(files[0], &status) == 0 && status.st_mode & 0o777 == 0o600, "rights: \(status.st_mode)")
            daemon = try daemon ?? stage.start()
            try LoginTests.deliver(stage, "arrives", way.isRunning ? 2 : 1)
            // It outlives the process.
            try daemon?.stop()
            daemon = try stage.start()
            try LoginTests.deliver(stage, "arrives later", way.isRunning ? 3 : 2)
            let grant = try stage.answer("auth", "status")["grants"]?.elements?.first
            try requireEqual(grant?["user_id"]?.string, "1234567890123456789")
            try require(grant?["access_token_seconds"]?.integer ?? 0 > 3000, grant?.rawText ?? "no grant")
            try require(grant?["consented_at"] != nil && grant?["stale_at"] != nil, grant?.rawText ?? "")
            try requireEqual(try stage.command("auth", "status").code, 0, "exit code of status")
            try daemon?.stop()
            try stage.finish()
        }
    }

    struct Paste: Sendable {
        var secret: String?
        var words: [String]
        /// Where the browser ends.
        var place: String
        var isRunning = false
    }

    private static let pastes = [
        Paste(secret: nil, words: ["--paste"], place: ConsentRequest.nativePage),
        Paste(secret: nil, words: ["--paste"], place: ConsentRequest.nativePage, isRunning: true),
        Paste(secret: "made-up-client-secret", words: ["--paste"], place: "http://localhost/"),
        Paste(
            secret: "made-up-client-secret", words: ["--redirect-uri", "https://shop.example/oauth"],
            place: "https://shop.example/oauth", isRunning: true),
        // A browser elsewhere, sent to the port of this machine.
        Paste(secret: nil, words: [], place: "http://localhost:"),
    ]

    @Test(.timeLimit(.minutes(15)), arguments: pastes)
    func `without a browser on this machine the address is pasted`(paste: Paste) async throws {
        try await onThread {
            let stage = try LoginTests.stage(secret: paste.secret)
            stage.microsoft.withModel { model in
                model.change { $0.grant.redirectURIs.append("https://shop.example/oauth") }
            }
            let daemon = paste.isRunning ? try stage.start() : nil
            let login = try LoginRun(stage, words: paste.words)
            let place = try login.consent()
            try require(place.hasPrefix(paste.place), "the browser ends at \(place)")
            // What a tired operator pastes first.
            try login.type("")
            try login.type("https://login.microsoftonline.com/common/oauth2/nativeclient")
            try login.type(place.replacing("state=", with: "state=x"))
            try login.type("  \(place)  ")
            let end = try login.end()
            try requireEqual(end.code, 0, "\(end.output)\(end.errors)")
            try requireEqual(
                end.errors.split(separator: "\n").filter { $0.hasPrefix("that is not the address: ") }.count, 2,
                "refusals")
            let running = try daemon ?? stage.start()
            try LoginTests.deliver(stage, "pasted", 1)
            try running.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what comes to the port without being the answer changes nothing`() async throws {
        try await onThread {
            let stage = try LoginTests.stage()
            defer { stage.directory.remove() }
            let login = try LoginRun(stage)
            let good = try login.consent()
            let port = good.dropFirst("http://localhost:".count).prefix { $0 != "/" }
            let address = "127.0.0.1:\(port)"
            // Browsers open connections that say nothing.
            var silent: [Int32] = []
            for _ in 0..<20 { silent.append(try WebPage.connection(address, from: "127.0.0.1")) }
            defer { for descriptor in silent { close(descriptor) } }
            let hostile = [
                "/", "/favicon.ico", "/?code=a", "/?code=a&state=b", "/?error=access_denied", "/?error=a&state=b", "//",
                "/?" + String(repeating: "a", count: 20_000),
            ]
            for path in hostile {
                let page = try WebPage(address, path)
                try require(page.status == 400 || page.status == 0, "\(path.prefix(40)): \(page.status)")
                try require(!page.body.contains("code="), "echoed: \(page.body)")
            }
            try requireEqual(try WebPage(address, "/?code=a&state=b", method: "POST").status, 400, "POST")
            try requireEqual(try LoginRun.open(good).status, 200, "the answer")
            let end = try login.end()
            try requireEqual(end.code, 0, "\(end.output)\(end.errors)")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a consent that does not come about is explained, and leaves what was there`() async throws {
        try await onThread {
            let stage = try LoginTests.stage()
            defer { stage.directory.remove() }
            let first = try LoginRun(stage)
            try first.browse()
            try requireEqual(try first.end().code, 0, "exit code")
            let before = try stage.answer("auth", "status")["grants"]?.elements?.first?["consented_at"]?.string

            stage.microsoft.withModel { $0.declineConsent("access_denied", "AADSTS65004: ada@mail.example declined") }
            let declined = try LoginRun(stage)
            try require(try declined.browse().body.contains("Consent was not given."), "the page")
            var end = try declined.end()
            try requireEqual(end.code, 1, "exit code")
            try requireEqual(end.errors, "offline: the person declined (access_denied, AADSTS65004)\n", "words")
            stage.microsoft.withModel { $0.declineConsent(nil) }

            // The code has become too old on its way.
            stage.microsoft.withModel { model in model.change { $0.grant.codeLifetime = .zero } }
            let late = try LoginRun(stage)
            try late.browse()
            end = try late.end()
            try requireEqual(end.code, 1, "exit code")
            try require(end.errors.contains("the code was used already or is too old"), end.errors)

            // Nobody comes.
            end = try LoginRun(stage, "--timeout", "1").end()
            try requireEqual(end.code, 1, "exit code")
            try require(end.errors.contains("nobody has consented within 1 s"), end.errors)
            let alone = try LoginRun(stage, "--paste")
            _ = try alone.page()
            alone.closeKeyboard()
            end = try alone.end()
            try requireEqual(end.code, 1, "exit code")
            try require(end.errors.contains("no address was pasted"), end.errors)

            // Not asked at all.
            end = try LoginRun(stage, destination: "capi").end()
            try require(end.code == 1 && end.errors.contains("needs no consent"), end.errors)
            end = try LoginRun(stage, destination: "nobody").end()
            try require(end.code == 1 && end.errors.contains("there are: capi, offline"), end.errors)
            end = try LoginRun(stage, "--paste", "--port", "1").end()
            try requireEqual(end.code, 2, "exit code")
            let after = try stage.answer("auth", "status")["grants"]?.elements?.first
            try requireEqual(after?["consented_at"]?.string, before, "when somebody consented")
            try requireEqual(after?["consent"]?.bool, true, "consent")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-7: a dead grant is replaced while the daemon runs, and what waited arrives`() async throws {
        try await onThread {
            let stage = try Stage()
            let daemon = try stage.start()
            try LoginTests.deliver(stage, "before", 1)
            // Somebody revokes everything.
            stage.microsoft.withModel { $0.consent(refreshToken: "another", revoking: true) }
            let ids = Shop.ids("dead", 0..<20)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the refusal to be known") {
                stage.destination("offline")?["credential_problem"]?.string == "invalid_grant"
            }
            let status = try stage.command("auth", "status", "--destination", "offline")
            try requireEqual(status.code, 1, "exit code")
            try require(status.output.contains("  problem: invalid_grant"), status.output)
            try require(status.output.contains("  last refused "), status.output)
            let login = try LoginRun(stage)
            try login.browse()
            try requireEqual(try login.end().code, 0, "exit code")
            try eventually("everything to arrive") { stage.acceptedOffline == 21 }
            try requireEqual(
                try stage.answer("auth", "status")["grants"]?.elements?.first?["problem"] == nil, true, "well")

            // The seed of the configuration is older than the consent, also after a restart; another one is newer.
            try daemon.stop()
            let again = try stage.start()
            try LoginTests.deliver(stage, "again", 22)
            try requireEqual(stage.directory.logLines("credential.refused").last?["reason"]?.string, "invalid_grant")
            let refusals = stage.directory.logLines("credential.refused").count
            stage.microsoft.withModel { $0.consent(refreshToken: "newest", revoking: true) }
            try stage.directory.write("newest", to: "refresh-token")
            again.send(SIGHUP)
            try stage.publish([Shop.purchase("seed")])
            try eventually("it to arrive") { stage.acceptedOffline == 23 }
            try require(stage.directory.logLines("credential.refused").count <= refusals + 1, "tried the older one")
            try again.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `destinations with one grant share a consent, and those of another name do not`() async throws {
        try await onThread {
            let stage = try LoginTests.stage()
            defer { stage.directory.remove() }
            func destination(_ name: String, _ grant: String) -> String {
                """
                  - name: \(name)
                    type: offline_conversions
                    endpoint: \(stage.microsoft.endpoint)
                    customer_endpoint: \(stage.microsoft.endpoint)
                    goals: {Lead: Lead Form Submit}
                    customer_id: "1"
                    account_id: "2"
                    developer_token: {file: \(stage.directory.path)/developer-token}
                    oauth: {authority: '\(stage.microsoft.authority)', client_id: \(Microsoft.clientID), grant: \(grant)}
                """
            }
            stage.settings.more = [destination("sister", "default"), destination("stranger", "other")]
            let daemon = try stage.start()
            let login = try LoginRun(stage)
            try login.browse()
            try requireEqual(try login.end().code, 0, "exit code")
            // One consent, one token for both.
            try eventually("both to have a credential") {
                ["offline", "sister"].allSatisfy { stage.destination($0)?["credential"]?.string == "ready" }
            }
            try requireEqual(stage.microsoft.withModel { $0.tokenRefreshes }, 1, "tokens that were asked for")
            try requireEqual(stage.destination("stranger")?["credential_problem"]?.string, "no_consent")
            let grants = try stage.answer("auth", "status")["grants"]?.elements ?? []
            func grant(_ name: String) -> JSONElement? { grants.first { $0["destination"]?.string == name } }
            for (name, isGiven) in [("offline", true), ("sister", true), ("stranger", false)] {
                try requireEqual(grant(name)?["consent"]?.bool, isGiven, "consent to \(name)")
                let isShared = grant(name)?["grant"]?.string == grant("offline")?["grant"]?.string
                try requireEqual(isShared, isGiven, "\(name) has the file of offline")
            }
            let text = try stage.command("auth", "status")
            try requireEqual(text.code, 1, "exit code")
            try require(text.output.contains("auth login --destination stranger"), text.output)

            // The file says what the daemon does not know yet.
            stage.settings.oauth = ["grant: third"]
            try stage.settings.write(to: stage.directory)
            let early = try LoginRun(stage).end()
            try require(early.code == 1 && early.errors.contains("another `oauth` section"), early.errors)

            // Microsoft counts the calls of the one who consented: what throttles one holds back the other.
            stage.follow(.campaignFault(.callRateExceeded), .offline)
            try stage.publish([Shop.purchase("throttled")])
            try eventually("both gates to close") {
                ["offline", "sister"].allSatisfy { stage.destination($0)?["gate"]?.string == "closed" }
            }
            try requireEqual(stage.number("sister", "attempts"), 0, "what sister has sent")
            try requireEqual(stage.destination("stranger")?["gate"]?.string, "open", "the gate of the other grant")
            try daemon.stop()
        }
    }
}
