import FakeMicrosoft
import ForwarderCore
import Testing

/// The page of consent, the code grant, and Customer Management, as the documents have them.
@Suite struct ConsentContractTests {
    /// RFC 7636, appendix B.
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let query: [String: String] = [
        "client_id": "client-id", "response_type": "code", "redirect_uri": "http%3A%2F%2Flocalhost%3A4711",
        "scope": "https%3A%2F%2Fads.microsoft.com%2Fmsads.manage%20offline_access", "state": "s%201",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
    ]

    private static func page(_ change: (inout [String: String]) -> Void = { _ in }) -> FakeRequest {
        var fields = query
        change(&fields)
        var request = FakeRequest(method: "GET", path: "/common/oauth2/v2.0/authorize")
        request.query = fields.map { "\($0)=\($1)" }.joined(separator: "&")
        return request
    }

    /// What stands behind `name=` in where the browser is sent.
    private static func field(_ name: String, _ answer: Answer) -> String? {
        let location = answer.reply.headers["Location"] ?? ""
        let query = location.split(separator: "?").last ?? ""
        return query.split(separator: "&").first { $0.hasPrefix("\(name)=") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }

    private static func redemption(_ code: String, _ more: String = "", verifier: String = verifier) -> FakeRequest {
        Bench.tokenRequest(
            form: "client_id=client-id&grant_type=authorization_code&code=\(code)"
                + "&redirect_uri=http%3A%2F%2Flocalhost%3A4711&code_verifier=\(verifier)"
                + "&scope=https%3A%2F%2Fads.microsoft.com%2Fmsads.manage+offline_access\(more)")
    }

    @Test func `consent sends the browser back with a code and the state`() throws {
        var bench = Bench()
        let answer = try bench.send(Self.page())
        #expect(answer.status == 302)
        #expect(answer.reply.headers["Location"]?.hasPrefix("http://localhost:4711/?code=") == true)
        #expect(Self.field("state", answer) == "s%201")
        let granted = try bench.send(Self.redemption(Self.field("code", answer) ?? ""))
        #expect(granted.status == 200)
        #expect(granted.json["refresh_token"]?.string != nil)
        let token = granted.json["refresh_token"]?.string ?? ""
        #expect(try bench.send(Bench.tokenRequest(token)).status == 200)
    }

    struct Mistake: Sendable {
        var field: String
        var value: String?
        /// Of the redirect; nil: the person is told, and the browser sent nowhere.
        var error: String?
    }

    @Test(arguments: [
        Mistake(field: "client_id", value: "another", error: nil),
        Mistake(field: "redirect_uri", value: nil, error: nil),
        Mistake(field: "redirect_uri", value: "https%3A%2F%2Fevil.example", error: nil),
        Mistake(field: "redirect_uri", value: "http%3A%2F%2Flocalhost.evil.example", error: nil),
        Mistake(field: "response_type", value: "token", error: "unsupported_response_type"),
        Mistake(field: "scope", value: "offline_access", error: "invalid_scope"),
        Mistake(field: "state", value: nil, error: "invalid_request"),
        Mistake(field: "code_challenge", value: nil, error: "invalid_request"),
        Mistake(field: "code_challenge_method", value: "plain", error: "invalid_request"),
    ])
    func `what the page asks for is asked for`(mistake: Mistake) throws {
        var bench = Bench()
        let answer = try bench.send(Self.page { $0[mistake.field] = mistake.value })
        #expect(answer.status == (mistake.error == nil ? 400 : 302))
        #expect(Self.field("error", answer) == mistake.error)
        #expect(Self.field("code", answer) == nil)
    }

    @Test func `a native client has a page of Microsoft's, a web application has not`() throws {
        for secret in [nil, "secret"] {
            var bench = Bench { $0.grant.clientSecret = secret }
            let place = "https%3A%2F%2Flogin.microsoftonline.com%2Fcommon%2Foauth2%2Fnativeclient"
            let answer = try bench.send(Self.page { $0["redirect_uri"] = place })
            #expect(answer.status == (secret == nil ? 302 : 400))
        }
    }

    struct Redemption: Sendable {
        var secret: String?
        var more = ""
        var verifier = ConsentContractTests.verifier
        var wait = Duration.zero
        var error: String?
    }

    @Test(arguments: [
        Redemption(error: nil), Redemption(wait: .seconds(299), error: nil),
        Redemption(wait: .seconds(300), error: "invalid_grant"),
        Redemption(verifier: String(repeating: "a", count: 43), error: "invalid_grant"),
        Redemption(verifier: "", error: "invalid_grant"),
        Redemption(more: "&redirect_uri=http%3A%2F%2Flocalhost%3A4712", error: "invalid_grant"),
        Redemption(more: "&client_secret=x", error: "invalid_request"),
        Redemption(secret: "x", more: "&client_secret=x", error: nil),
        Redemption(secret: "x", more: "&client_secret=y", error: "invalid_client"),
        Redemption(secret: "x", error: "invalid_client"),
    ])
    func `a code is taken with its verifier, in time, from whom it was given to`(redemption: Redemption) throws {
        var bench = Bench { $0.grant.clientSecret = redemption.secret }
        let code = Self.field("code", try bench.send(Self.page())) ?? ""
        bench.now = bench.now + redemption.wait
        let answer = try bench.send(Self.redemption(code, redemption.more, verifier: redemption.verifier))
        #expect(answer.json["error"]?.string == redemption.error)
        #expect((answer.status == 200) == (redemption.error == nil))
    }

    @Test func `a code is good once, whoever comes first`() throws {
        var bench = Bench()
        let code = Self.field("code", try bench.send(Self.page())) ?? ""
        #expect(try bench.send(Self.redemption(code, verifier: "wrong")).json["error"]?.string == "invalid_grant")
        let second = try bench.send(Self.redemption(code))
        #expect(second.json["error_codes"]?.elements?.first?.integer == 54005)
    }

    private static func customers(_ path: String, _ body: String, token: String) -> FakeRequest {
        FakeRequest(
            method: "POST", path: "/CustomerManagement/v13/\(path)",
            headers: [
                "authorization": "Bearer \(token)", "developertoken": "developer-token",
                "content-type": "application/json",
            ], body: Array(body.utf8))
    }

    private static func search(_ page: String, value: String = "1234567890123456789") -> String {
        #"{"Predicates":[{"Field":"UserId","Operator":"Equals","Value":"\#(value)"}],"PageInfo":{\#(page)}}"#
    }

    struct Search: Sendable {
        var body: String
        /// Of the accounts; nil: refused.
        var count: Int?
    }

    @Test(arguments: [
        Search(body: search(#""Index":0,"Size":2"#), count: 2), Search(body: search(#""Index":1,"Size":2"#), count: 1),
        Search(body: search(#""Index":2,"Size":2"#), count: 0),
        Search(body: search(#""Index":0,"Size":1000"#), count: 3),
        // Without a size nothing comes.
        Search(body: search(#""Index":0"#), count: 0), Search(body: search(#""Index":0,"Size":0"#), count: 0),
        Search(body: search(#""Index":0,"Size":1001"#), count: nil),
        Search(body: search(#""Index":0,"Size":10"#, value: "123"), count: nil),
        Search(body: search(#""Index":0,"Size":10"#, value: "9999"), count: 0),
        Search(body: #"{"PageInfo":{"Index":0,"Size":10}}"#, count: nil), Search(body: "[", count: nil),
    ])
    func `accounts are listed by one predicate and in pages`(search: Search) throws {
        var bench = Bench {
            $0.user.moreAccounts = ["30", "40"].map { ListedAccount(id: $0, customerID: "10", name: "x") }
        }
        let token = try bench.accessToken()
        let answer = try bench.send(Self.customers("Accounts/Search", search.body, token: token))
        #expect(answer.json["Accounts"]?.elements?.count == search.count)
        #expect((answer.status == 200) == (search.count != nil))
    }

    @Test func `who asks is named, if the credential is good`() throws {
        var bench = Bench()
        let token = try bench.accessToken()
        var request = Self.customers("User/Query", #"{"UserId":null}"#, token: token)
        #expect(try bench.send(request).json["User"]?["Id"]?.string == "1234567890123456789")
        request.headers["developertoken"] = "wrong"
        #expect(try bench.send(request).faultCode == 105)
        request = Self.customers("User/Query", "{}", token: "wrong")
        #expect(try bench.send(request).faultCode == 105)
        bench.model.expireAccessTokens(now: bench.now)
        #expect(try bench.send(Self.customers("User/Query", "{}", token: token)).faultCode == 109)
        #expect(try bench.send(Self.customers("User/Query", #"{"UserId":"7"}"#, token: token)).faultCode == 109)
        #expect(try bench.send(Self.customers("Users/Query", "{}", token: token)).status == 404)
    }
}
