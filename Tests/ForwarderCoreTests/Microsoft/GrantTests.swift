import ForwarderCore
import Testing

@Suite struct GrantTests {
    @Test(arguments: ScenarioFile.all("grant-"))
    func `a grant acts as its transcript says`(file: ScenarioFile) {
        let lines = file.read()
        var scene: GrantScene?
        let found = transcript(of: lines) { line in
            guard scene == nil else { return scene?.run(line) ?? [] }
            scene = GrantScene(line)
            return []
        }
        if ScenarioFile.isUpdating { return file.write(found) }
        #expect(found == lines.map(String.init), "\(file.name)")
    }

    @Test func `a request names everything that the token endpoint wants, escaped`() throws {
        var settings = OAuthSettings(clientID: "a b&c", refreshToken: .environment("SEED"))
        settings.authority = "https://login.example/tenant"
        var grant = OAuthGrant(
            name: "x", settings: settings, retry: RetrySettings(), secrets: .init(clientSecret: "ü/+=", seed: "s%1"),
            record: nil, seed: 1)
        guard case .request(let request)? = grant.handle(.tick, now: SampleDeliveries.start).first else {
            Issue.record("no request")
            return
        }
        #expect(request.url == "https://login.example/tenant/oauth2/v2.0/token")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "client_id=a%20b%26c&scope=https%3A%2F%2Fads.microsoft.com%2Fmsads.manage%20offline_access"
                + "&refresh_token=s%251&grant_type=refresh_token&client_secret=%C3%BC%2F%2B%3D")
        #expect(request.headers == [.init("Content-Type", "application/x-www-form-urlencoded")])
    }

    @Test(arguments: [
        "", "{}", #"{"refresh_token":""}"#, #"{"refresh_token":"a"}"#, "[", #"{"refresh_token":1,"seed_hash":"x"}"#,
    ])
    func `a record that cannot be read is none`(text: String) {
        #expect(GrantRecord(json: Array(text.utf8)) == nil)
    }

    @Test func `half a year in which nobody sends leaves no refresh token unused for 90 days`() {
        var now = SampleDeliveries.start
        var grant = OAuthGrant(
            name: "x", settings: OAuthSettings(clientID: "c", refreshToken: nil), retry: RetrySettings(),
            secrets: .init(clientSecret: nil, seed: nil),
            record: GrantRecord(refreshToken: "r-0", seedHash: GrantRecord.hash(ofSeed: nil)), seed: 1)
        var refreshes = 0
        var last = now
        var longest = Duration.zero
        while now.uptime < SampleDeliveries.start.uptime + .seconds(180 * 86_400) {
            now = now + max(.zero, grant.nextWake() - now.uptime)
            for case .request in grant.handle(.tick, now: now) {
                longest = max(longest, now.uptime - last.uptime)
                last = now
                refreshes += 1
                let body = #"{"access_token":"a","expires_in":4500,"refresh_token":"r-\#(refreshes)"}"#
                _ = grant.handle(.answered(SampleAnswers.answer(200, body)), now: now)
                _ = grant.handle(.saved(true), now: now)
            }
        }
        #expect(refreshes > 3000)
        #expect(longest < .seconds(4500))
        #expect(grant.record?.refreshedAt == last.wall)
    }

    /// Whatever happens in whatever order: at most one request at a time, a token is used only after the refresh token that
    /// came with it was handed over to be saved, and nobody is woken in vain.
    @Test func `a grant asks once at a time and saves before use`() {
        for seed in 0..<2000 { checkAnyOrder(seed: UInt64(seed)) }
    }

    private func checkAnyOrder(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var now = SampleDeliveries.start
        var seedText = "seed"
        var grant = OAuthGrant(
            name: "x", settings: OAuthSettings(clientID: "c", refreshToken: .environment("S")), retry: RetrySettings(),
            secrets: .init(clientSecret: nil, seed: seedText), record: nil, seed: seed)
        var isAsking = false
        var isSaving = false
        var isRedeeming = false
        var issued = 0
        var unsaved: Set<String> = []
        var lastSaved = ""
        func handle(_ input: OAuthGrant.Input) {
            for action in grant.handle(input, now: now) {
                switch action {
                case .request:
                    #expect(!isAsking && !isSaving, "seed \(seed): two requests at a time")
                    isAsking = true
                case .save(let record):
                    isSaving = true
                    lastSaved = record.refreshToken
                case .ready(let token): #expect(!unsaved.contains(token), "seed \(seed): used before it was saved")
                case .redeemed:
                    #expect(isRedeeming, "seed \(seed): redeemed what nobody gave")
                    isRedeeming = false
                case .unready, .keep, .signal: break
                }
            }
            let wake = grant.nextWake()
            #expect(wake > now.uptime, "seed \(seed): woken in vain")
            if !isAsking, !isSaving { #expect(wake < now.uptime + .seconds(2 * 86_400), "seed \(seed): never woken") }
        }
        handle(.tick)
        for _ in 0..<60 {
            switch Int.random(in: 0..<9, using: &random) {
            case 0, 1, 2:
                guard isAsking else { continue }
                isAsking = false
                switch Int.random(in: 0..<8, using: &random) {
                case 0: handle(.answered(.noAnswer(.timeout)))
                case 1: handle(.answered(SampleAnswers.answer(503, after: "30")))
                case 2: handle(.answered(SampleAnswers.answer(400, #"{"error":"invalid_grant"}"#)))
                case 3: handle(.answered(SampleAnswers.answer(200, "{}")))
                default:
                    issued += 1
                    unsaved.insert("access-\(issued)")
                    let expires = Int.random(in: 1...7200, using: &random)
                    let body =
                        #"{"access_token":"access-\#(issued)","expires_in":\#(expires),"refresh_token":"refresh-\#(issued)"}"#
                    handle(.answered(SampleAnswers.answer(200, body)))
                }
            case 3:
                guard isSaving else { continue }
                isSaving = false
                unsaved.remove(lastSaved.split(separator: "-").last.map { "access-\($0)" } ?? "")
                handle(.saved(Bool.random(using: &random)))
            case 4: handle(.refused)
            case 5:
                if Bool.random(using: &random) { seedText += "+" }
                handle(.secrets(.init(clientSecret: nil, seed: seedText)))
            case 6:
                guard !isRedeeming else { continue }
                isRedeeming = true
                handle(.redeem(AuthorizationCode(code: "code", verifier: "verifier", redirectURI: "http://localhost")))
            default:
                let wake = max(grant.nextWake(), now.uptime)
                now = now + (wake < now.uptime + .seconds(86_400) ? wake - now.uptime : .seconds(60))
                handle(.tick)
            }
        }
        // Whoever gave a code learns what came of it.
        for _ in 0..<3 {
            if isSaving {
                isSaving = false
                unsaved = []
                handle(.saved(true))
            } else if isAsking {
                isAsking = false
                handle(.answered(.noAnswer(.timeout)))
            }
        }
        #expect(!isRedeeming, "seed \(seed): a code was forgotten")
    }
}
