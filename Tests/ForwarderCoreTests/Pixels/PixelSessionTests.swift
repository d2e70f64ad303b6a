import Testing

@testable import ForwarderCore

/// The session as a value, without a network: what it sends and how long it waits.
struct PixelSessionTests {
    private static let start = Timestamp(seconds: 1_786_000_000)
    private static let password = "Hunter2-made-up"

    /// A session with a clock, and a service that answers as it is told.
    private struct Scene {
        var session: PixelSession
        var now = PixelSessionTests.start
        var step: PixelSession.Step?
        var sent: [String] = []
        var waits: [Duration] = []

        init(record: PixelTokenRecord = PixelTokenRecord()) {
            var settings = PixelServiceSettings(username: "ada", password: .environment("P"))
            settings.endpoint = "https://pixels.example"
            session = PixelSession(settings, password: PixelSessionTests.password, record: record)
        }

        /// Carries out `call`; waits pass by themselves. Ends when there are no more answers.
        mutating func run(_ call: PixelCall, _ answers: [HTTPOutcome]) {
            sent = []
            waits = []
            var rest = answers[...]
            step = session.begin(call, now: now)
            while let current = step {
                switch current {
                case .send(let request):
                    let token = request.headers.first { $0.name == "Authorization" }?.value
                    let path = request.url.dropFirst("https://pixels.example".count).prefix { $0 != "?" }
                    sent.append("\(request.method.rawValue) \(path)\(token.map { " \($0)" } ?? "")")
                    guard let answer = rest.popFirst() else { return }
                    step = session.answered(answer, now: now)
                case .wait(let wait, _):
                    waits.append(wait)
                    now = now + wait
                    step = session.resume(now: now)
                case .done, .failed: return
                }
            }
        }

        var response: JSONElement? { if case .done(let response) = step { response } else { nil } }
        var failure: String? { if case .failed(let reason) = step { reason } else { nil } }
    }

    private static func answer(_ body: String, _ status: Int = 200, _ headers: [String: String] = [:]) -> HTTPOutcome {
        .answer(HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)))
    }

    private static func token(_ token: String) -> HTTPOutcome {
        answer(#"{"response":{"status":"OK","token":"\#(token)"}}"#)
    }

    private static func error(_ id: String, _ more: String = "", status: Int = 200) -> HTTPOutcome {
        answer(#"{"response":{"error_id":"\#(id)","error":"said so"\#(more)}}"#, status)
    }

    private static let fine = answer(#"{"response":{"status":"OK","count":1,"pixels":[{"id":17}]}}"#)
    private static let deletion = PixelCall.delete("17", advertiserID: "2")

    private static func signedIn(_ token: String = "t0") -> PixelTokenRecord {
        var record = PixelTokenRecord()
        _ = record.take(token)
        return record
    }

    @Test func `the first call signs in, the next ones use the token as it is`() throws {
        var scene = Scene()
        scene.run(.meta, [Self.token("t1"), Self.fine])
        #expect(scene.sent == ["POST /auth", "GET /pixel/meta t1"] && scene.response != nil)
        scene.run(.one(.id("17", advertiserID: nil)), [Self.fine])
        #expect(scene.sent == ["GET /pixel t1"])
        let kept = try #require(PixelTokenRecord(json: scene.session.record.json))
        #expect(kept == scene.session.record)
        var next = Scene(record: kept)
        next.run(.meta, [Self.fine])
        #expect(next.sent == ["GET /pixel/meta t1"])
    }

    @Test func `user and password go to the sign-in and nowhere else`() throws {
        var scene = Scene()
        guard case .send(let request) = scene.session.begin(.meta, now: Self.start) else { return }
        #expect(request.method == .post && request.url == "https://pixels.example/auth")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"auth":{"username":"ada","password":"Hunter2-made-up"}}"#)
        #expect(request.headers == [.init("Content-Type", "application/json")] && !request.mayReuseConnection)
        #expect(!String(decoding: scene.session.record.json, as: UTF8.self).contains("Hunter2"))
        guard case .send(let call) = scene.session.answered(Self.token("t1"), now: Self.start) else { return }
        #expect(call.headers == [.init("Authorization", "t1")] && call.body.isEmpty)
    }

    @Test func `NOAUTH renews the token and the call is repeated, once`() {
        var scene = Scene(record: Self.signedIn())
        scene.run(Self.deletion, [Self.error("NOAUTH"), Self.token("t1"), Self.fine])
        #expect(scene.sent == ["DELETE /pixel t0", "POST /auth", "DELETE /pixel t1"] && scene.response != nil)
        scene.run(Self.deletion, [Self.error("NOAUTH", status: 401), Self.token("t2"), Self.error("NOAUTH")])
        #expect(scene.sent.count == 3 && scene.failure?.contains("(NOAUTH, said so)") == true)
        #expect(scene.session.record.token == nil)
    }

    @Test(arguments: [
        ("NOAUTH_EXPIRED", "the password of ada has expired"), ("NOAUTH_DISABLED", "ada is disabled"),
        ("UNAUTH", "ada may not do this"), ("SYNTAX", "does not take this"),
        ("INTEGRITY", "pixel 17 is in use; take it off every line item first"), ("LIMIT", "as many of these as are"),
        ("SYSTEM", "has a fault"), ("WHATEVER", "refused"),
    ])
    func `each error is said in words, with the service's own behind it`(id: String, words: String) throws {
        var scene = Scene(record: Self.signedIn())
        scene.run(Self.deletion, [Self.error(id)])
        let failure = try #require(scene.failure)
        #expect(failure.contains(words) && failure.contains("(\(id), said so)"))
        #expect(scene.sent.count == 1 && scene.session.record.token == "t0")
    }

    @Test func `a refused sign-in names what to look at and says no password`() throws {
        var scene = Scene()
        scene.run(.meta, [Self.error("UNAUTH", #","error_description":"No match\u001b""#)])
        let failure = try #require(scene.failure)
        #expect(failure.contains("ada is not let in; look at pixel_service.username and password"))
        #expect(failure.contains("said so: No match\u{FFFD}") && !failure.contains("Hunter2"))
        for token in ["", "a b", "a\\r\\nX: y", String(repeating: "x", count: 5000)] {
            scene.run(.meta, [Self.token(token)])
            #expect(scene.failure == "the service gives no token", "\(token)")
        }
    }

    @Test func `a throttled call waits as long as it is told, whatever the method`() {
        let throttled = Self.answer(
            #"{"response":{"error_id":"SYSTEM","error_code":"RATE_EXCEEDED"}}"#, 429, ["retry-after": "7"])
        for call in [PixelCall.meta, Self.deletion] {
            var scene = Scene(record: Self.signedIn())
            scene.run(call, [throttled, throttled, Self.fine])
            #expect(scene.waits == [.seconds(7), .seconds(7)] && scene.response != nil)
        }
        for outcome in [
            Self.answer("", 429), Self.answer("<html>", 503, ["x-ratelimit-code": "0"]),
            Self.error("SYSTEM", #","error_code":"RATE_EXCEEDED""#),
        ] {
            var scene = Scene(record: Self.signedIn())
            scene.run(Self.deletion, [outcome, Self.fine])
            #expect(scene.waits == [.seconds(60)] && scene.response != nil)
        }
    }

    @Test func `waits have an end, over all calls of a command`() throws {
        let throttled = Self.answer("", 429, ["retry-after": "100"])
        var scene = Scene(record: Self.signedIn())
        scene.run(.meta, [throttled, Self.fine])
        scene.run(.meta, [throttled, Self.fine])
        #expect(scene.waits.isEmpty)
        #expect(
            scene.failure == "the service is asked too much; try again in 100 s, which is longer than a command waits")
    }

    @Test func `only what changes nothing is repeated when no answer comes`() throws {
        let lost = HTTPOutcome.noAnswer(.reset)
        for outcome in [lost, Self.answer("", 502), Self.answer("{}"), Self.error("SYSTEM"), Self.answer("<html>")] {
            var scene = Scene(record: Self.signedIn())
            scene.run(.meta, [outcome, outcome, Self.fine])
            #expect(scene.waits == [.seconds(1), .seconds(4)] && scene.response != nil)
            scene.run(.meta, [outcome, outcome, outcome])
            #expect(scene.sent.count == 3 && scene.failure?.hasSuffix(", 3 times") == true)
        }
        let draft = try PixelDraftTests.draft(("--name", "a"))
        for (call, words) in [
            (Self.deletion, "Pixel 17 may have been deleted; look with `conversion-forwarder pixels get 17`"),
            (
                .change(draft, of: "17", advertiserID: "2", appends: false),
                "Pixel 17 may have been changed; look with `conversion-forwarder pixels get 17`"
            ),
            (
                .create(draft, for: .id("2")),
                "may have been created; look with `conversion-forwarder pixels list --sort id.desc` before you try again"
            ),
        ] as [(PixelCall, String)] {
            for outcome in [lost, Self.answer("", 502), Self.error("SYSTEM")] {
                var scene = Scene(record: Self.signedIn())
                scene.run(call, [outcome])
                #expect(scene.sent.count == 1 && scene.failure?.hasSuffix(words) == true, "\(scene.failure ?? "")")
            }
        }
    }

    @Test func `a 200 with an error in it is an error, and so is an OK with another status`() {
        for outcome in [
            Self.answer(#"{"response":{"error_id":"SYNTAX","status":"ERROR"}}"#),
            Self.answer(#"{"response":{"error_id":"SYNTAX","status":"OK"}}"#, 400),
        ] {
            var scene = Scene(record: Self.signedIn())
            scene.run(Self.deletion, [outcome])
            #expect(scene.failure?.hasPrefix("the service does not take this") == true)
        }
        for outcome in [
            Self.answer(#"{"response":{"status":"OK"}}"#, 500), Self.answer(#"{"response":{}}"#),
            Self.answer(#"{"response":{"error":"well"}}"#), Self.answer("", 302),
        ] {
            var scene = Scene(record: Self.signedIn())
            scene.run(Self.deletion, [outcome])
            #expect(scene.failure?.contains("may have been deleted") == true)
        }
    }

    @Test func `whatever is answered, a call comes to an end, and what is said moves no cursor`() {
        let pieces = [
            #"{"response":"#, #""status":"OK","#, #""status":7,"#, #""error_id":"SYSTEM","#, #""error_id":"NOAUTH","#,
            #""error_id":"A\u001b[2J","#, #""error":["a\nb"],"#, #""error":"\u202e\u0007x","#, #""token":"t","#,
            #""token":{},"#, #""error_code":"RATE_EXCEEDED","#, #""pixels":[{"id":{}}],"#, #""x":1}"#, "}", "[",
            "\u{0}",
        ]
        for seed in 0..<2000 {
            var random = SeededRandom(seed: UInt64(seed))
            var scene = Scene(record: seed % 2 == 0 ? Self.signedIn() : PixelTokenRecord())
            let answers = (0..<40).map { _ -> HTTPOutcome in
                let count = Int.random(in: 0...8, using: &random)
                let body = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
                let status = [200, 200, 200, 401, 429, 500, 503].randomElement(using: &random) ?? 200
                return Self.answer(body, status, ["retry-after": "1"])
            }
            scene.run(seed % 3 == 0 ? Self.deletion : .meta, answers)
            #expect(scene.response != nil || scene.failure != nil, "seed \(seed): \(scene.sent)")
            #expect(scene.failure?.utf8.allSatisfy { $0 >= 0x20 } ?? true, "seed \(seed)")
            #expect((scene.failure?.utf8.count ?? 0) < 2000)
        }
    }

    // MARK: The budget of sign-ins

    @Test func `no more than ten sign-ins in five minutes, across commands`() throws {
        var record = PixelTokenRecord()
        var scene = Scene()
        for number in 0..<10 {
            scene = Scene(record: record)
            scene.now = Self.start + .seconds(Int64(number))
            scene.run(.meta, [Self.error("UNAUTH")])
            #expect(scene.sent == ["POST /auth"] && scene.waits.isEmpty)
            record = try #require(PixelTokenRecord(json: scene.session.record.json))
        }
        // 290 s are left, longer than a command waits.
        scene = Scene(record: record)
        scene.now = Self.start + .seconds(10)
        scene.run(.meta, [])
        #expect(scene.sent.isEmpty && scene.failure?.contains("try again in 290 s") == true)
        // 100 s are not.
        scene = Scene(record: record)
        scene.now = Self.start + .seconds(200)
        scene.run(.meta, [Self.token("t"), Self.fine])
        #expect(scene.waits == [.seconds(100)] && scene.response != nil)
        // A clock that was set back by an hour does not keep it waiting for an hour.
        scene = Scene(record: record)
        scene.now = Self.start - .seconds(3600)
        scene.run(.meta, [Self.token("t"), Self.fine])
        #expect(scene.waits.isEmpty && scene.response != nil)
    }

    @Test func `whoever renews again and again is held back as well`() {
        var scene = Scene(record: Self.signedIn())
        var signIns = 0
        for _ in 0..<20 {
            scene.run(.meta, [Self.error("NOAUTH"), Self.token("t"), Self.fine])
            signIns += scene.sent.filter { $0 == "POST /auth" }.count
            if scene.failure != nil { break }
        }
        #expect(signIns == 10)
    }

    @Test(arguments: ["", "{}", "[]", #"{"version":2,"token":"t"}"#, "\u{0}"])
    func `a file that is none of ours begins anew`(text: String) {
        #expect(PixelTokenRecord(json: Array(text.utf8)) == nil)
    }

    @Test func `a token that no header can bear is not read from a file`() throws {
        let record = try #require(PixelTokenRecord(json: Array(#"{"version":1,"token":"a\r\nb"}"#.utf8)))
        #expect(record.token == nil)
    }
}
