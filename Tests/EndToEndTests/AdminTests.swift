import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import HTTPServer
import ScenarioKit
import Testing

/// The admin port of a real daemon.
struct AdminTests {
    static let token = "made-up-admin-token"

    /// The setting, and where the token is.
    static func configure(_ stage: Stage, more: String = "") throws {
        try stage.directory.write(token, to: "admin-token")
        stage.settings.other = [
            "admin: {listen: 127.0.0.1:0, token: {file: \(stage.directory.path)/admin-token}\(more)}"
        ]
    }

    static func address(_ stage: Stage) throws -> String {
        try stage.said("admin.opened")["address"]?.string ?? ""
    }

    /// A browser that has logged in.
    private struct Browser {
        var address: String
        var cookie: String

        init(_ address: String) throws {
            self.address = address
            let answer = try WebPage(address, "/login", method: "POST", form: "token=\(AdminTests.token)")
            try requireEqual(answer.status, 303, "login")
            cookie = "Cookie: \((answer["Set-Cookie"] ?? "").prefix { $0 != ";" })"
        }

        func get(_ path: String) throws -> WebPage { try WebPage(address, path, headers: [cookie]) }

        /// Sends a form of the page at `from`.
        func submit(_ path: String, _ fields: String, from: String) throws -> WebPage {
            let key = try get(from).formKey
            try require(key.count == 64, "no form at \(from)")
            let headers = [cookie, "Origin: http://\(address)", "Sec-Fetch-Site: same-origin"]
            return try WebPage(
                address, path, method: "POST", headers: headers, form: "form_key=\(key)&\(fields)")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `an operator pauses, resumes, sends a test, replays and discards from a browser`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            try AdminTests.configure(stage)
            stage.follow(.refuse(share: 1))
            let daemon = try stage.start()
            let browser = try Browser(try AdminTests.address(stage))

            try stage.publish(Shop.ids("dead", 0..<3).map { Shop.purchase($0) } + ["nonsense"])
            try stage.expect("capi", "dead_lettered", 3)
            var page = try browser.get("/dead-letters?destination=capi")
            try requireEqual(page.status, 200, "\(page.body)")
            try require(page.body.contains("3 shown."), "\(page.body)")
            try eventually("the reject") { try stage.answer("rejects")["rejects"]?.elements?.count == 1 }
            try require(try browser.get("/rejects").body.contains("malformed_json"), "the reject's reason")

            // One is thrown away, then the others are sent again.
            let letters = try stage.answer("dead-letters", "list")["dead_letters"]?.elements ?? []
            let id = letters.first?["id"]?.rawText ?? ""
            let discard = "/dead-letters/act?action=discard&id=\(id)"
            page = try browser.submit("/dead-letters/act", "action=discard&id=\(id)", from: discard)
            try require(page.body.contains("1 discarded."), "\(page.body)")
            stage.follow(.none)
            if stage.destination("capi")?["gate"]?.string != "open" {
                _ = try browser.submit("/destinations/resume", "name=capi", from: "/debugger")
            }
            let replay = "/dead-letters/act?action=replay&destination=capi"
            try require(try browser.get(replay).body.contains("<dd>2</dd>"), "how many are meant")
            page = try browser.submit("/dead-letters/act", "action=replay&destination=capi", from: replay)
            try require(page.body.contains("2 put back into the queue."), "\(page.body)")
            try stage.expect("capi", "delivered", 2)

            try eventually("the delivery log") {
                try stage.answer("deliveries", "--status", "delivered")["deliveries"]?.elements?.count == 2
            }
            try require(try browser.get("/deliveries?status=delivered").body.contains("2 shown."), "the delivery log")
            page = try browser.submit("/destinations/pause", "name=capi", from: "/destinations/pause?name=capi")
            try require(page.body.contains("capi is paused now"), "\(page.body)")
            try eventually("it to be shown") { try browser.get("/").body.contains("paused by an operator") }
            // Also what is paused can be tested.
            page = try browser.submit("/send-test", "destination=capi&name=Lead&sure=yes", from: "/send-test")
            try require(page.body.contains("capi: accepted"), "\(page.body)")
            page = try browser.submit("/destinations/resume", "name=capi", from: "/destinations/resume?name=capi")
            try require(page.body.contains("capi is running now"), "\(page.body)")
            try stage.publish([Shop.purchase("after")])
            try stage.expect("capi", "delivered", 3)

            // `/status` is what the command line says.
            let status = (try? JSONDocument(try browser.get("/status").body))?.root
            try requireEqual(status?["destinations"]?.elements?.first?["name"]?.string, "capi")
            try requireEqual(try WebPage(browser.address, "/readyz").status, 200, "a probe without a token")
            try requireEqual(try WebPage(browser.address, "/metrics").status, 401, "a scrape without a token")
            let bearer = ["Authorization: Bearer \(AdminTests.token)"]
            try requireEqual(try WebPage(browser.address, "/metrics", headers: bearer).status, 200, "a scrape")
            try requireEqual(
                try WebPage(browser.address, "/", headers: ["Host: evil.example"]).status, 421, "rebinding")
            try daemon.stop()
            try require(
                !String(decoding: stage.directory.logBytes(), as: UTF8.self).contains(AdminTests.token), "the token")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `the debugger goes by the configuration the daemon runs with, also after a reload`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            try AdminTests.configure(stage)
            let daemon = try stage.start()
            let browser = try Browser(try AdminTests.address(stage))
            let event = Shop.purchase("debugged").replacing("\"", with: "%22").replacing("&", with: "%26")
            func debug() throws -> String {
                try browser.submit("/debugger", "event=\(event)", from: "/debugger").body
            }
            try require(try debug().contains("would be sent"), "before")
            stage.settings.capi.append("match: {source: elsewhere}")
            try stage.settings.write(to: stage.directory)
            daemon.send(SIGHUP)
            try stage.said("configuration.reloaded")
            try require(try debug().contains("not_matched"), "after")
            try daemon.stop()
            try requireEqual(stage.timesAccepted("debugged"), 0, "nothing is sent")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `no page shows a person, a secret or what Microsoft wrote`() async throws {
        try await onThread {
            let stage = try Stage()
            try AdminTests.configure(stage)
            stage.follow(FaultPlan([.init(.refuse(share: 1), targets: .capi)]))
            let daemon = try stage.start()
            let browser = try Browser(try AdminTests.address(stage))
            try stage.publish(Shop.ids("person", 0..<5).map { Shop.purchase($0) })
            try stage.expect("capi", "dead_lettered", 5)
            try stage.expect("offline", "delivered", 5)
            for path in [
                "/", "/dead-letters", "/rejects", "/debugger", "/send-test", "/status",
                "/dead-letters/act?action=replay",
            ] {
                let page = try browser.get(path)
                try requireEqual(page.status, 200, path)
                for text in [
                    "person-", "mail.example", "shop.example/thanks?", Microsoft.token, Microsoft.developerToken,
                    Microsoft.refreshToken, AdminTests.token, "attemptedValue",
                ] {
                    try require(!page.body.contains(text), "\(path) shows \(text)")
                }
            }
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `over https it shows its certificate; without a usable one there is no port, and the daemon runs`()
        async throws
    {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let certificates = try Certificates()
            let identity = try certificates.identity()
            try stage.directory.write(identity.certificateChain, to: "cert.pem")
            try stage.directory.write(identity.privateKey, to: "key.pem")
            let files = stage.directory.path
            try AdminTests.configure(stage, more: ", tls: {certificate: \(files)/cert.pem, key: \(files)/key.pem}")
            var daemon = try stage.start()
            let address = try AdminTests.address(stage)
            let command = ["-s", "-S", "--cacert", certificates.authority, "https://\(address)/livez"]
            let run = try CommandRun("/usr/bin/curl", command)
            try requireEqual(run.output, "ok\n", run.errors)
            try require(
                try CommandRun("/usr/bin/curl", ["-s", "http://\(address)/livez"]).output != "ok\n", "plain http")
            try daemon.stop()

            try requireEqual(try stage.command("check").code, 0)
            try stage.directory.write("no key", to: "key.pem")
            try stage.directory.write("short", to: "admin-token")
            daemon = try stage.start()
            try require(
                try stage.said("admin.refused")["reason"]?.string?.contains("cannot serve") ?? false, "a bad key")
            try daemon.stop()
            unlink("\(files)/cert.pem")
            let check = try stage.command("check")
            try requireEqual(check.code, 1, check.output)
            try require(check.output.contains("admin.token: <set> file \(files)/admin-token is shorter"), check.output)
            try require(check.output.contains("admin.tls: \(files)/cert.pem cannot be opened"), check.output)
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `whoever takes all connections it may have leaves some for the probes of others`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            try AdminTests.configure(stage)
            let daemon = try stage.start()
            let address = try AdminTests.address(stage)
            var held: [Int32] = []
            defer { for descriptor in held { close(descriptor) } }
            for _ in 0..<40 { held.append(try WebPage.connection(address, from: "127.0.0.1")) }
            // Sooner than those that are silent are closed.
            try eventually("a probe from elsewhere to be answered", within: .seconds(15)) {
                (try? WebPage(address, "/livez", from: "127.0.0.2").status) == 200
            }
            try daemon.stop()
            try stage.finish()
        }
    }
}
