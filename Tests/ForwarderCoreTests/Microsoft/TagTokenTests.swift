import Testing

@testable import ForwarderCore

@Suite struct TagTokenTests {
    private static let start = Moment(wall: Timestamp(seconds: 1_786_000_000), uptime: Uptime(milliseconds: 1_000_000))
    private static let credential = MicrosoftInterface.Credential(token: "access", developerToken: "developer")
    private static let good = #"{"UetTagAuthKey":"tag-token","PartialErrors":[]}"#

    private static func machine(saved: String? = nil) -> TagToken {
        let account = OfflineSettings(
            goals: [], customerID: "11", accountID: "22", developerToken: .environment("D"),
            oauth: OAuthSettings(clientID: "c", refreshToken: .environment("R")))
        return TagToken(
            name: "capi", tag: "12345678", account: account, endpoint: "https://api.example", timeout: .seconds(30),
            retry: RetrySettings(), saved: saved, seed: 1)
    }

    /// What its actions come to, in few words.
    private static func words(_ actions: [TagToken.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .request: "request"
            case .save(let token): "save \(token)"
            case .ready(let token): "ready \(token)"
            case .unready: "unready"
            case .throttled(let wait): "throttled \(wait.milliseconds / 1000)"
            case .renewGrant: "renew"
            case .signal(.credentialRenewed(let grant, let lifetime)):
                "renewed \(grant) \(lifetime == nil ? "for good" : "for some time")"
            case .signal(.credentialRefused(_, let reason, let isDead, let wait)):
                "refused \(reason)\(isDead ? ", dead" : ""), \(wait.milliseconds / 1000)"
            case .signal: "another signal"
            }
        }
    }

    private static func look(_ machine: inout TagToken, after wait: Duration = .zero) -> [String] {
        words(machine.handle(.look(credential), now: start + wait))
    }

    private static func answer(
        _ machine: inout TagToken, _ status: Int, _ body: String, after wait: Duration = .zero
    ) -> [String] {
        words(machine.handle(.answered(SampleAnswers.answer(status, body)), now: start + wait))
    }

    @Test func `the request is as Microsoft's reference and its clients have it`() throws {
        var machine = Self.machine()
        guard case .request(let request)? = machine.handle(.look(Self.credential), now: Self.start).first else {
            Issue.record("nothing is asked")
            return
        }
        #expect(request.method == .post)
        #expect(request.url == "https://api.example/CampaignManagement/v13/UetTagAuthKey/Query")
        #expect(
            request.headers == [
                .init("Authorization", "Bearer access"), .init("DeveloperToken", "developer"),
                .init("CustomerId", "11"), .init("CustomerAccountId", "22"), .init("Content-Type", "application/json"),
            ])
        #expect(String(decoding: request.body, as: UTF8.self) == #"{"UetTagId":"12345678"}"#)
        #expect(request.timeout == .seconds(30))
    }

    @Test func `it is asked for once there is a credential, one question at a time, and saved`() {
        var machine = Self.machine()
        #expect(machine.nextWake == .distantPast)
        #expect(Self.words(machine.handle(.look(nil), now: Self.start)) == [])
        #expect(Self.look(&machine) == ["request"])
        #expect(Self.look(&machine, after: .seconds(1000)) == [] && machine.nextWake == .distantFuture)
        #expect(
            Self.answer(&machine, 200, Self.good) == ["save tag-token", "renewed capi for good", "ready tag-token"])
        #expect(machine.token == "tag-token" && machine.problem == nil && machine.nextWake == .distantFuture)
        #expect(Self.look(&machine) == [])
    }

    @Test func `what was saved is used without asking, until it is refused`() {
        var machine = Self.machine(saved: "saved-token")
        #expect(machine.token == "saved-token" && Self.look(&machine) == [])
        #expect(Self.words(machine.handle(.refused, now: Self.start)) == ["unready"])
        #expect(machine.problem == "refused")
        #expect(Self.look(&machine) == ["request"])
        for saved in ["", "two words", "line\nbreak", "\u{E9}", String(repeating: "x", count: 4097)] {
            #expect(Self.machine(saved: saved).token == nil)
        }
    }

    @Test func `a token that is refused again soon is asked for ever more seldom, never in a loop`() {
        var machine = Self.machine(saved: "old")
        var now = Duration.zero
        var waits: [Int64] = []
        for _ in 0..<8 {
            let refusedAt = now
            _ = machine.handle(.refused, now: Self.start + now)
            // As often as it is looked, it is asked once.
            var asked = 0
            while asked == 0 {
                asked = Self.look(&machine, after: now).count
                if asked == 0 { now += .seconds(1) }
            }
            waits.append((now - refusedAt).milliseconds / 1000)
            _ = Self.answer(&machine, 200, Self.good, after: now)
        }
        #expect(waits == [0, 60, 120, 240, 480, 600, 600, 600])
        // Good for a day, then replaced by somebody: asked at once.
        now += .seconds(86_400)
        _ = machine.handle(.refused, now: Self.start + now)
        #expect(Self.look(&machine, after: now) == ["request"])
    }

    @Test func `an operator who resumes does not wait`() {
        var machine = Self.machine()
        _ = Self.look(&machine)
        #expect(Self.answer(&machine, 404, "") == ["refused http_404, dead, 600"])
        #expect(Self.look(&machine, after: .seconds(599)) == [])
        #expect(Self.words(machine.handle(.hurry, now: Self.start + .seconds(1))) == [])
        #expect(Self.look(&machine, after: .seconds(1)) == ["request"])
    }

    private struct Case {
        var status: Int
        var body: String
        var words: [String]

        init(_ status: Int, _ body: String, _ words: [String]) {
            self.status = status
            self.body = body
            self.words = words
        }
    }

    @Test func `errors are those of Campaign Management's table`() {
        func fault(_ code: Int) -> String { #"{"TrackingId":"t","Errors":[{"Code":\#(code),"ErrorCode":""}]}"# }
        let partial =
            #"{"UetTagAuthKey":null,"PartialErrors":[{"Index":0,"Code":1555,"ErrorCode":"TagNotOwned","Message":"m"}]}"#
        let cases: [Case] = [
            Case(429, fault(117), ["throttled 60", "refused campaign_117, 60"]),
            Case(401, fault(109), ["renew", "refused campaign_109, 60"]),
            Case(403, fault(106), ["refused campaign_106, dead, 600"]),
            Case(400, fault(1030), ["refused campaign_1030, dead, 600"]),
            Case(200, partial, ["refused campaign_1555, dead, 600"]),
            Case(200, "{}", ["refused no_token, dead, 600"]),
            Case(200, "", ["refused unreadable_200, dead, 600"]),
            Case(200, #"{"UetTagAuthKey":"two\nlines"}"#, ["refused no_token, dead, 600"]),
            Case(200, #"{"UetTagAuthKey":""}"#, ["refused no_token, dead, 600"]),
            Case(200, #"{"UetTagAuthKey":7}"#, ["refused no_token, dead, 600"]),
            Case(200, #"{"TagAuthKey":{"AuthKey":"x"}}"#, ["refused no_token, dead, 600"]),
        ]
        for one in cases {
            var machine = Self.machine()
            _ = Self.look(&machine)
            #expect(Self.answer(&machine, one.status, one.body) == one.words, "\(one.body)")
            #expect(machine.token == nil && machine.problem != nil)
            // Nothing more before its time.
            #expect(Self.look(&machine, after: .seconds(59)) == [])
        }
    }

    @Test func `the grant is renewed once, then somebody must act`() {
        let fault = #"{"TrackingId":"t","Errors":[{"Code":105,"ErrorCode":"InvalidCredentials"}]}"#
        var machine = Self.machine()
        _ = Self.look(&machine)
        #expect(Self.answer(&machine, 403, fault) == ["renew", "refused campaign_105, 60"])
        #expect(Self.look(&machine, after: .seconds(60)) == ["request"])
        #expect(Self.answer(&machine, 403, fault, after: .seconds(60)) == ["refused campaign_105, dead, 600"])
        #expect(Self.look(&machine, after: .seconds(659)) == [])
        #expect(Self.look(&machine, after: .seconds(660)) == ["request"])
    }

    @Test func `without an answer it backs off`() {
        var machine = Self.machine()
        var now = Duration.zero
        for round in 1...12 {
            #expect(Self.look(&machine, after: now) == ["request"], "round \(round)")
            _ = machine.handle(.answered(.noAnswer(.timeout)), now: Self.start + now)
            #expect(Self.look(&machine, after: now + .milliseconds(999)) == [], "round \(round)")
            now += .seconds(301)
        }
        #expect(machine.problem == "timeout")
    }

    @Test func `I-6: neither the token nor Microsoft's free text is in a signal`() {
        let secret = "ada@example.com"
        let bodies: [String] = [
            #"{"UetTagAuthKey":"top-secret-token"}"#,
            #"{"UetTagAuthKey":null,"PartialErrors":[{"Index":0,"Code":"\#(secret)","ErrorCode":"\#(secret)"}]}"#,
            #"{"Errors":[{"Code":1,"ErrorCode":"\#(secret)","Message":"\#(secret)","Detail":"\#(secret)"}]}"#,
        ]
        for (status, body) in zip([200, 200, 400], bodies) {
            var machine = Self.machine()
            _ = Self.look(&machine)
            for action in machine.handle(.answered(SampleAnswers.answer(status, body)), now: Self.start) {
                guard case .signal(let signal) = action else { continue }
                let line = String(decoding: signal.line(at: Self.start.wall).bytes(.json), as: UTF8.self)
                #expect(!line.contains(secret) && !line.contains("top-secret"))
            }
            #expect(machine.problem?.contains(secret) != true)
        }
    }
}
