import FakeMicrosoft
import Testing

@testable import ForwarderCore

@Suite struct ConsentRequestTests {
    private static let entropy = (0..<64).map { UInt8($0) }
    private static let redirect = "http://localhost:4711"

    private static func request(_ redirectURI: String = redirect) -> ConsentRequest {
        var settings = OAuthSettings(clientID: "a b&c", refreshToken: nil)
        settings.authority = "https://login.example/tenant"
        return ConsentRequest(settings, redirectURI: redirectURI, entropy: entropy)
    }

    private static let state = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
    private static let verifier = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

    @Test func `the page to open names everything that consent needs, escaped`() {
        #expect(
            Self.request().url == "https://login.example/tenant/oauth2/v2.0/authorize?client_id=a%20b%26c"
                + "&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A4711&response_mode=query"
                + "&scope=https%3A%2F%2Fads.microsoft.com%2Fmsads.manage%20offline_access&state=\(Self.state)"
                + "&code_challenge=6oZqdX5MOLq_qBJ8vppAnT4fk6AP8UiP9zX8-Rev_9A&code_challenge_method=S256"
                + "&prompt=select_account")
    }

    /// RFC 7636, appendix B.
    @Test func `verifier and challenge are those of the standard`() {
        let octets: [UInt8] = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ]
        let request = ConsentRequest(
            OAuthSettings(clientID: "a", refreshToken: nil), redirectURI: Self.redirect, entropy: octets + octets)
        #expect(request.url.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"))
        #expect(request.url.contains("state=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&"))
        #expect(!request.url.contains("code_verifier"))
    }

    @Test(arguments: [
        "http://localhost:4711/?code=1.A-b_c&state=\(state)&session_state=x",
        "http://localhost:4711?state=\(state)&code=1.A%2Db_c", "http://localhost:4711/?code=1.A-b_c&state=\(state)#_=_",
    ])
    func `the answer gives the code, and what is needed to redeem it`(address: String) {
        #expect(
            Self.request().read(address)
                == .code(AuthorizationCode(code: "1.A-b_c", verifier: Self.verifier, redirectURI: Self.redirect)))
    }

    @Test(arguments: [
        "", "http://localhost:4711", "http://localhost:4711/", "http://localhost:4711/favicon.ico",
        "http://localhost:4711/?code=a", "http://localhost:4711/?code=a&state=",
        "http://localhost:4711/?state=\(state)",
        "http://localhost:4711/?code=a&state=\(state)x", "http://localhost:4711/?code=a&state=\(state)&state=\(state)",
        "http://localhost:4711/?code=a&code=b&state=\(state)", "http://localhost:4711/?code=&state=\(state)",
        "http://localhost:4711/?code=a%00b&state=\(state)", "http://localhost:4711/?code=a%0Ab&state=\(state)",
        "http://localhost:4711/?code=\(String(repeating: "a", count: 4097))&state=\(state)",
        "http://localhost:4711/?error=access_denied", "http://localhost:4711/?error=a&code=b&state=\(state)",
        "http://localhost:4711/?error=a&error=b&state=\(state)", "http://localhost:4711/#code=a&state=\(state)",
        "http://localhost:4711/?x=1#code=a&state=\(state)", "http://localhost:47110/?code=a&state=\(state)",
        "http://localhost:4711.evil.example/?code=a&state=\(state)", "https://evil.example/?code=a&state=\(state)",
        "http://localhost:4711/other?code=a&state=\(state)", "/?code=a&state=\(state)",
    ])
    func `what is not the answer to this request is none`(address: String) {
        guard case .foreign(let reason) = Self.request().read(address) else {
            Issue.record("taken: \(address)")
            return
        }
        #expect(!reason.contains(Self.state) && !reason.contains(Self.verifier))
    }

    struct Refusal: Sendable {
        var error: String
        var description: String
        var words: String
    }

    @Test(arguments: [
        Refusal(
            error: "access_denied", description: "AADSTS65004%3A+User+declined+ada%40example.com",
            words: "the person declined (access_denied, AADSTS65004)"),
        Refusal(
            error: "access_denied", description: "the+user+cancelled",
            words: "the person declined, or may not consent (access_denied)"),
        Refusal(
            error: "invalid_client", description: "AADSTS650052: The app needs access",
            words: "the tenant does not have Microsoft Advertising as a service; an administrator must add it "
                + "(invalid_client, AADSTS650052)"),
        Refusal(
            error: "<script>", description: "AADSTS",
            words: "Microsoft's sign-in answered with an error (unreadable_error)"
        ),
    ])
    func `a refusal is explained in words, and not in Microsoft's`(refusal: Refusal) {
        let address =
            "\(Self.redirect)/?error=\(refusal.error)&error_description=\(refusal.description)&state=\(Self.state)"
        guard case .refused(let found) = Self.request().read(address) else {
            Issue.record("not refused")
            return
        }
        #expect(found.words == refusal.words)
    }

    /// Anything may be pasted, or asked of the port: only the one answer is taken.
    @Test func `no address but the right one is taken`() {
        var random = SeededRandom(seed: 7)
        let good = Array("\(Self.redirect)/?code=abc&state=\(Self.state)".utf8)
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: index)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard case .code = Self.request().read(text) else { continue }
            #expect(text.contains("state=\(Self.state)"), "\(text)")
        }
    }

    @Test func `a code is redeemed once, with everything that the token endpoint wants`() throws {
        var settings = OAuthSettings(clientID: "a b&c", refreshToken: nil)
        settings.authority = "https://login.example/tenant"
        for secret in [nil, "s+1"] {
            var grant = OAuthGrant(
                name: "x", settings: settings, retry: RetrySettings(), secrets: .init(clientSecret: secret, seed: nil),
                record: nil, seed: 1)
            let code = AuthorizationCode(code: "1.A-b", verifier: Self.verifier, redirectURI: Self.redirect)
            guard case .request(let request)? = grant.handle(.redeem(code), now: SampleDeliveries.start).first else {
                Issue.record("no request")
                return
            }
            #expect(request.url == "https://login.example/tenant/oauth2/v2.0/token")
            #expect(!request.mayReuseConnection)
            #expect(
                String(decoding: request.body, as: UTF8.self)
                    == "client_id=a%20b%26c&scope=https%3A%2F%2Fads.microsoft.com%2Fmsads.manage%20offline_access"
                    + "&code=1.A-b&redirect_uri=http%3A%2F%2Flocalhost%3A4711&grant_type=authorization_code"
                    + "&code_verifier=\(Self.verifier)" + (secret == nil ? "" : "&client_secret=s%2B1"))
        }
    }

    /// The whole way, by a Microsoft that judges by the contract: page, redirect, code, tokens.
    @Test(arguments: [nil, "made-up-secret"])
    func `the imitated Microsoft gives a grant for the code, and only once`(secret: String?) throws {
        var settings = MicrosoftSettings()
        settings.grant.clientSecret = secret
        var model = MicrosoftModel(settings)
        var random = SeededRandom(seed: 3)
        var oauth = OAuthSettings(clientID: settings.grant.clientID, refreshToken: nil)
        oauth.authority = "https://login.example/common"
        let consent = ConsentRequest(oauth, redirectURI: Self.redirect, entropy: Self.entropy)
        let now = SampleDeliveries.start
        func ask(_ request: HTTPRequest) -> HTTPAnswer? {
            guard case .answer(let answer) = model.handle(FakeRequest(request), now: now.wall, using: &random).outcome
            else { return nil }
            return answer
        }
        let page = ask(HTTPRequest(method: .get, url: consent.url, timeout: .seconds(1)))
        #expect(page?.status == 302)
        guard case .code(let code) = consent.read(page?.headers["location"] ?? "") else {
            Issue.record("no code: \(page?.headers["location"] ?? "-")")
            return
        }
        func redeem(_ code: AuthorizationCode) -> OAuthGrant.Redemption? {
            var grant = OAuthGrant(
                name: "x", settings: oauth, retry: RetrySettings(), secrets: .init(clientSecret: secret, seed: nil),
                record: nil, seed: 1)
            guard case .request(let request)? = grant.handle(.redeem(code), now: now).first, let answer = ask(request)
            else {
                return nil
            }
            var actions = grant.handle(.answered(.answer(answer)), now: now)
            if case .save? = actions.first { actions = grant.handle(.saved(true), now: now) }
            for case .redeemed(let redemption) in actions { return redemption }
            return nil
        }
        #expect(redeem(code) == .granted(isSaved: true))
        #expect(redeem(code) == .refused(OAuthRefusal(reason: "invalid_grant", number: 54005)))
        // A code of another request, with this one's verifier; another redirect; another verifier.
        for (number, change) in [
            (501_481, { $0.verifier = Self.state }), (70_000, { $0.redirectURI = "http://localhost:4712" }),
            (70_000, { $0.code += "x" }),
        ] as [(Int, (inout AuthorizationCode) -> Void)] {
            let next = ask(HTTPRequest(method: .get, url: consent.url, timeout: .seconds(1)))
            guard case .code(var code) = consent.read(next?.headers["location"] ?? "") else { continue }
            change(&code)
            #expect(redeem(code) == .refused(OAuthRefusal(reason: "invalid_grant", number: number)))
        }
    }
}
