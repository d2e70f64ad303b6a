import ForwarderCore
import HTTPServer
import Testing

@testable import Forwarder

/// Who gets in.
struct AdminGateTests {
    private static let pages = ["/", "/dead-letters", "/rejects", "/debugger", "/send-test"]
    private static let guarded = pages + ["/metrics", "/status"]

    @Test func `without a token everybody may look and nobody act`() {
        let site = AdminScene().site
        for path in Self.guarded { #expect(site.get(path).status == 200, "\(path)") }
        let key = site.get("/debugger").formKey
        #expect(key.count == 64)
        for path in ["/destinations/pause", "/destinations/resume", "/dead-letters/act", "/send-test"] {
            #expect(site.post(path, "form_key=\(key)&name=capi").status == 403, "\(path)")
        }
        #expect(site.get("/destinations/pause?name=capi").status == 403)
        #expect(!site.get("/").text.contains("Pause"))
    }

    @Test func `with a token only probes are open`() {
        let scene = AdminScene(token: AdminScene.token)
        let site = scene.site
        for path in Self.guarded { #expect(site.get(path).status == 401, "\(path)") }
        #expect(site.get("/livez").text == "ok\n")
        #expect(site.get("/readyz").text == "ready\n")
        #expect(site.get("/metrics")["www-authenticate"] == "Bearer")
        #expect(site.get("/dead-letters").text.contains("value=\"/dead-letters\""))
        #expect(scene.asked.withLock { $0 }.isEmpty)
        for path in Self.guarded {
            #expect(site.get(path, ["authorization": "Bearer \(AdminScene.token)"]).status == 200, "\(path)")
        }
    }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Bearer made-up-admin-toke", "Bearer made-up-admin-token1",
        "Basic made-up-admin-token",
        "made-up-admin-token", "Bearer made-up-admin-tokenmade-up-admin-token", "Bearer \u{0}",
    ])
    func `what is not the token opens nothing`(shown: String) {
        let site = AdminScene(token: AdminScene.token).site
        #expect(site.get("/metrics", ["authorization": shown]).status == 401)
        #expect(site.get("/metrics", ["cookie": shown]).status == 401)
        let isToken = shown == AdminScene.token
        #expect(site.post("/login", "token=\(Form.escaped(shown))").status == (isToken ? 303 : 401))
    }

    @Test func `a login gives a session that scripts and other sites do not see, and a logout ends it`() {
        let site = AdminScene(token: AdminScene.token).site
        let answer = site.post("/login", "token=\(AdminScene.token)&next=%2Frejects")
        #expect(answer.status == 303)
        #expect(answer["location"] == "/rejects")
        let cookie = answer["set-cookie"] ?? ""
        #expect(cookie.hasPrefix("conversion-forwarder-9464="))
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict"] { #expect(cookie.contains(part)) }
        #expect(!cookie.contains("Domain"))
        let headers = ["cookie": "other=1; \(cookie.prefix { $0 != ";" })"]
        let page = site.get("/", headers)
        #expect(page.status == 200)
        #expect(page.text.contains("Log out"))
        #expect(site.post("/logout", "form_key=\(page.formKey)", headers).status == 303)
        #expect(site.get("/", headers).status == 401)
    }

    @Test func `over https the session is bound to this host`() {
        let site = AdminScene(token: AdminScene.token, isEncrypted: true).site
        let cookie = site.post("/login", "token=\(AdminScene.token)")["set-cookie"] ?? ""
        #expect(cookie.hasPrefix("__Host-conversion-forwarder-9464="))
        #expect(cookie.contains("; Secure"))
    }

    @Test(arguments: ["https://evil.example", "//evil.example", "/\\evil.example", "/logout", "/style.css2", "/status"])
    func `a login leads only to a page of this site`(next: String) {
        let site = AdminScene(token: AdminScene.token).site
        #expect(site.post("/login", "token=\(AdminScene.token)&next=\(Form.escaped(next))")["location"] == "/")
    }

    @Test func `a session ends by its time, and when the token is replaced`() {
        let scene = AdminScene(token: AdminScene.token)
        let site = scene.site
        let first = site.logIn()
        #expect(site.get("/", first).status == 200)
        scene.time.withLock { $0 = $0 + .seconds(12 * 3600) }
        #expect(site.get("/", first).status == 401)
        let second = site.logIn()
        #expect(site.get("/", second).status == 200)
        scene.replaceToken("another-made-up-token")
        #expect(site.get("/", second).status == 401)
        #expect(site.get("/metrics", ["authorization": "Bearer \(AdminScene.token)"]).status == 401)
        #expect(site.get("/metrics", ["authorization": "Bearer another-made-up-token"]).status == 200)
    }

    @Test func `a session ends when too many begin after it`() {
        let scene = AdminScene(token: AdminScene.token)
        let site = scene.site
        let first = site.logIn()
        for _ in 0..<32 {
            scene.time.withLock { $0 = $0 + .seconds(1) }
            #expect(site.get("/", site.logIn()).status == 200)
        }
        #expect(site.get("/", first).status == 401)
    }

    @Test(arguments: ["", "short", "fifteen-letters"])
    func `a token that is no protection lets nobody in`(token: String) {
        let site = AdminScene(token: token).site
        #expect(site.get("/", ["authorization": "Bearer \(token)"]).status == 503)
        #expect(site.post("/login", "token=\(token)").status == 401)
        #expect(site.get("/livez").status == 200)
    }

    // MARK: Other sites

    @Test func `a name that is not this site's own is refused, against DNS rebinding`() {
        let site = AdminScene(hosts: ["admin.example"]).site
        for host in [
            "localhost", "LOCALHOST:1", "127.0.0.1:9464", "[::1]:9464", "[::1]", "10.1.2.3:9464", "admin.example",
            "Admin.Example.:443",
        ] {
            #expect(site.get("/", ["host": host]).status == 200, "\(host)")
        }
        for host in [
            "", ":9464", "evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example",
            "evil.example/localhost", "[::1].evil.example", "[localhost", "127.0.0.1, evil.example", "1",
        ] {
            for path in Self.guarded + ["/login", "/style.css"] {
                #expect(site.get(path, ["host": host]).status == 421, "\(host) \(path)")
            }
        }
        // Probes come by whatever name, and learn nothing.
        #expect(site.get("/livez", ["host": "pod.cluster.local"]).status == 200)
    }

    @Test func `a program that shows the token may call the port what it likes; showing anything else opens nothing`() {
        func status(_ site: AdminSite, _ shown: String) -> Int {
            site.get("/metrics", ["host": "forwarder.cluster.local:9464", "authorization": shown]).status
        }
        let site = AdminScene(token: AdminScene.token).site
        #expect(status(site, "Bearer \(AdminScene.token)") == 200)
        #expect(status(site, "Bearer made-up") == 401)
        #expect(status(AdminScene().site, "Bearer \(AdminScene.token)") == 421)
    }

    @Test func `a form of another site, or without its key, does nothing`() {
        let scene = AdminScene(token: AdminScene.token) { _ in "{\"state\":\"paused\"}" }
        let site = scene.site
        let session = site.logIn()
        let key = site.get("/destinations/pause?name=capi", session).formKey
        let other = site.get("/debugger", site.logIn()).formKey
        #expect(key.count == 64 && key != other)
        func pause(_ body: String, _ headers: [String: String] = [:]) -> Int {
            site.post("/destinations/pause", body, session.merging(headers) { $1 }).status
        }
        #expect(pause("name=capi") == 403)
        #expect(pause("name=capi&form_key=") == 403)
        #expect(pause("name=capi&form_key=\(other)") == 403)
        #expect(pause("name=capi&form_key=\(key.dropLast())") == 403)
        let good = "name=capi&form_key=\(key)"
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1:9464.evil.example"] {
            #expect(pause(good, ["origin": origin]) == 403, "\(origin)")
        }
        for from in ["cross-site", "same-site"] { #expect(pause(good, ["sec-fetch-site": from]) == 403, "\(from)") }
        #expect(pause(good, ["content-type": "text/plain"]) == 415)
        #expect(pause(good, ["content-type": "multipart/form-data"]) == 415)
        #expect(scene.asked.withLock { $0 }.isEmpty)
        #expect(pause(good, ["origin": "http://127.0.0.1:9464", "sec-fetch-site": "same-origin"]) == 200)
        #expect(scene.asked.withLock { $0 } == [.pause("capi")])
    }

    @Test func `nothing is changed by looking`() {
        let scene = AdminScene(token: AdminScene.token) { _ in "{\"dead_letters\":[],\"rejects\":[]}" }
        let headers = ["authorization": "Bearer \(AdminScene.token)"]
        for route in AdminSite.routes where route.method == "GET" {
            let query = "?name=capi&action=discard&id=1&destination=capi&sure=yes&event=%7B%7D"
            _ = scene.site.get("\(route.path)\(query)", headers)
        }
        let changing = scene.asked.withLock { $0 }.filter { request in
            switch request {
            case .status, .deliveries: false
            case .store(let command): !command.isReadOnly
            default: true
            }
        }
        #expect(changing.isEmpty, "\(changing)")
    }

    // MARK: Every answer

    @Test func `other methods are refused, and what is not there is said`() {
        let site = AdminScene().site
        for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
            for route in AdminSite.routes { #expect(site.ask(method, "\(route.path)", [:], "").status == 405) }
        }
        #expect(site.post("/metrics", "").status == 405)
        #expect(site.post("/metrics", "")["allow"] == "HEAD, GET")
        #expect(site.get("/else").status == 404)
        #expect(site.ask("HEAD", "/", [:], "").status == 200)
    }

    @Test func `every answer forbids whatever a page does not need`() {
        let scene = AdminScene(token: AdminScene.token)
        let site = scene.site
        var answers = [site.get("/else"), site.post("/x", ""), site.get("/", ["host": "evil.example"])]
        for route in AdminSite.routes {
            answers.append(site.ask(route.method, "\(route.path)", [:], ""))
            answers.append(site.ask(route.method, "\(route.path)", ["authorization": "Bearer \(AdminScene.token)"], ""))
        }
        #expect(answers.count > 30)
        for answer in answers {
            let policy = answer["content-security-policy"] ?? ""
            #expect(policy.hasPrefix("default-src 'none'; "))
            for part in ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
                #expect(policy.contains(part))
            }
            for word in ["unsafe", "*", "http", "data:"] { #expect(!policy.contains(word)) }
            #expect(answer["x-content-type-options"] == "nosniff")
            #expect(answer["cache-control"] == "no-store")
            #expect(answer["x-frame-options"] == "DENY")
            #expect(answer["referrer-policy"] == "same-origin")
            #expect(answer["access-control-allow-origin"] == nil)
            // Nothing that such a policy would have to let through.
            if answer["content-type"]?.hasPrefix("text/html") == true {
                for word in [" style=", "<style", " onclick=", "javascript:", "//cdn"] {
                    #expect(!answer.text.contains(word))
                }
                #expect(answer.text.split(separator: "<script").count == 2)
            }
        }
    }

    @Test func `a flood of pages that ask the store is refused for a while, probes are not`() {
        let scene = AdminScene { _ in "{\"rejects\":[]}" }
        let site = scene.site
        var statuses: [Int: Int] = [:]
        for _ in 0..<50 { statuses[site.get("/rejects").status, default: 0] += 1 }
        #expect(statuses == [200: 30, 429: 20])
        #expect(scene.asked.withLock { $0 }.count == 30)
        #expect(site.get("/livez").status == 200)
        #expect(site.get("/metrics").status == 200)
        scene.time.withLock { $0 = $0 + .seconds(2) }
        statuses = [:]
        for _ in 0..<50 { statuses[site.get("/rejects").status, default: 0] += 1 }
        #expect(statuses[200] == 10)
    }
}
