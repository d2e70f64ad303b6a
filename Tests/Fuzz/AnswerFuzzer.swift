// Compiled into one module with the core, so that nothing has to be public for it.

/// Takes any bytes as what Microsoft answers, and checks what must hold of the verdict whatever they are. The first line
/// is `Retry-After`, its first character the status, its second the service and the number of entries; the rest is the body.
final class AnswerFuzzer {
    private static let statuses = [200, 200, 400, 200, 400, 401, 403, 408, 413, 429, 500, 503, 302, 204, 600, 0]
    private let now = Moment(wall: Timestamp(seconds: 1_786_000_100), uptime: Uptime(milliseconds: 1_000_000))

    func check(_ input: [UInt8]) {
        let line = input.prefix { $0 != UInt8(ascii: "\n") }
        let body = Array(input.dropFirst(line.count + 1))
        let first = Int(line.first ?? 0)
        let second = Int(line.dropFirst().first ?? 0)
        let header = String(decoding: line.dropFirst(2), as: UTF8.self)
        let answer = HTTPAnswer(
            status: AnswerFuzzer.statuses[first % AnswerFuzzer.statuses.count],
            headers: ["retry-after": header, "trackingid": header, "x-request-id": header], body: body,
            isTruncated: first > 200)
        if let wait = RetryAfter.parse(header, now: now.wall) {
            precondition(wait >= .zero, "a wait does not go back")
        }
        let entryCount = 1 + (second >> 1) * 9 % 1000
        let isOffline = second & 1 == 1
        let outcome = HTTPOutcome.answer(answer)
        let verdict =
            isOffline
            ? CampaignManagement.verdict(outcome, entryCount: entryCount, now: now.wall)
            : ConversionsAPI.verdict(outcome, entryCount: entryCount, now: now.wall)
        check(verdict, answer, entryCount)
        tellLane(outcome, entryCount, isOffline)
        tellGrant(outcome)
        read(input)
        tellReport(outcome)
        tellTagToken(outcome)
    }

    private func check(_ verdict: Verdict, _ answer: HTTPAnswer, _ entryCount: Int) {
        var last = -1
        for entry in verdict.entries {
            precondition(entry.index > last && entry.index < entryCount, "entries are those of the request, in order")
            last = entry.index
            precondition(isClean(entry.code), "a code is a word")
        }
        precondition(verdict.problems.count <= Verdict.problemLimit, "problems are few")
        for problem in verdict.problems { precondition(isClean(problem), "a problem quotes nothing") }
        precondition(verdict.traceID.map(isClean) ?? true, "a trace id is an id")
        precondition(isClean(verdict.reason), "a reason is a word")
        switch verdict.others {
        case .delivered, .unconfirmed: precondition((200...299).contains(answer.status), "only a 2xx delivers")
        default: break
        }
        if answer.status == 401 || answer.status == 403 {
            precondition(verdict.entries.isEmpty, "a credential's fault is no entry's")
        }
    }

    /// Nothing that could be a person's: what is quoted of an answer has no `@`, no blank but between two words.
    private func isClean(_ text: String) -> Bool {
        text.utf8.count <= 200 && text.utf8.allSatisfy { $0 > 31 && $0 < 127 && $0 != UInt8(ascii: "@") }
    }

    /// A lane that gets this answer still knows where everything is.
    private func tellLane(_ outcome: HTTPOutcome, _ entryCount: Int, _ isOffline: Bool) {
        let count = min(entryCount, 6)
        let oauth = OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN"))
        let settings =
            isOffline
            ? DestinationSettings(
                name: "offline",
                kind: .offlineConversions(
                    OfflineSettings(
                        goals: [.init(event: "Purchase", name: "Sale")], customerID: "1", accountID: "2",
                        developerToken: .environment("TOKEN"), oauth: oauth)))
            : DestinationSettings(name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("TOKEN"))))
        var lane = DestinationLane(
            id: DestinationID(1), settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(), heldGoals: [],
            state: .running, now: now, seed: 1)
        let intake = Intake(
            InputSettings(), [IntakeDestination(DestinationID(1), settings, firstSeen: .distantPast)])
        var origin = Intake.Origin(
            topic: intake.index(ofTopic: "events"), partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0)
        for _ in 0..<count {
            AnswerFuzzer.event.withUnsafeBufferPointer { intake.accept($0, origin, now: now) }
            origin.offset += 1
            origin.sequence += 1
        }
        var actions = lane.handle(.credential(isReady: true, generation: 1), now: now)
        for batch in intake.destinations[0].takeBatches(now: now.uptime, all: true) {
            actions += lane.handle(.fresh(batch), now: now)
        }
        var answered = 0
        while let action = actions.popLast() {
            guard case .send(let id, contents: _, isStrict: _) = action else { continue }
            answered += 1
            precondition(answered <= 100, "a search ends")
            actions += lane.handle(.answered(id, outcome, elapsed: .zero), now: now)
        }
        precondition(lane.snapshot(now: now).unaccounted == 0, "the books add up")
    }

    private func tellGrant(_ outcome: HTTPOutcome) {
        var grant = OAuthGrant(
            name: "offline", settings: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")),
            retry: RetrySettings(), secrets: .init(clientSecret: nil, seed: "seed"), record: nil, seed: 1)
        var actions = grant.handle(.tick, now: now)
        actions += grant.handle(.answered(outcome), now: now)
        for case .save in actions { actions += grant.handle(.saved(true), now: now) }
        for case .ready(let token) in actions { precondition(!token.isEmpty, "a token is something") }
        precondition(grant.isReady || grant.problem != nil, "without a token there is a reason")
        precondition(grant.problem.map(isClean) ?? true, "a problem is a word")
        redeem(outcome)
        list(outcome)
    }

    private func redeem(_ outcome: HTTPOutcome) {
        var grant = OAuthGrant(
            name: "offline", settings: OAuthSettings(clientID: "id", refreshToken: nil), retry: RetrySettings(),
            secrets: .init(clientSecret: nil, seed: nil), record: nil, seed: 1)
        let code = AuthorizationCode(code: "code", verifier: "verifier", redirectURI: "http://localhost:1")
        var actions = grant.handle(.redeem(code), now: now)
        actions += grant.handle(.answered(outcome), now: now)
        for case .save in actions { actions += grant.handle(.saved(true), now: now) }
        var ends = 0
        for case .redeemed(let redemption) in actions {
            ends += 1
            if case .refused(let refusal) = redemption { precondition(isClean(refusal.reason), "a refusal is a word") }
        }
        precondition(ends == 1, "whoever gave a code learns what came of it, once")
    }

    private func list(_ outcome: HTTPOutcome) {
        let settings = OfflineSettings(
            goals: [], customerID: "1", accountID: "2", developerToken: .environment("D"),
            oauth: OAuthSettings(clientID: "id", refreshToken: nil))
        for knowsUser in [false, true] {
            var listing = AccountListing(settings, .init(token: "t", developerToken: "d"))
            if knowsUser {
                let user = Array(#"{"User":{"Id":"1234","UserName":"ada"}}"#.utf8)
                _ = listing.answered(.answer(HTTPAnswer(status: 200, body: user)), now: now.wall)
            }
            var asked = 0
            while case .ask = listing.answered(outcome, now: now.wall) {
                asked += 1
                precondition(asked <= 100, "a list ends")
            }
            precondition(
                listing.accounts.allSatisfy { UInt64($0.id) != nil || $0.id.utf8.count == 19 }, "an id is digits")
        }
    }

    /// What a browser is sent to, and what lies in a grant's file, may be anything as well.
    private func read(_ input: [UInt8]) {
        let consent = ConsentRequest(
            OAuthSettings(clientID: "id", refreshToken: nil), redirectURI: "http://localhost:1",
            entropy: [UInt8](repeating: 0, count: ConsentRequest.entropyByteCount))
        if case .code(let code) = consent.read(String(decoding: input, as: UTF8.self)) {
            precondition(code.code.utf8.allSatisfy { 0x21...0x7E ~= $0 }, "a code can stand in a form")
        }
        if let key = AES256GCM(key: [UInt8](repeating: 1, count: AES256GCM.keyByteCount)) {
            precondition(SealedRecord.open(input, key, grant: "a") == nil, "nobody knows the key")
        }
    }

    private static func account() -> OfflineSettings {
        var goal = OfflineSettings.Goal(event: "Purchase", name: "Sale")
        goal.id = "4711"
        var lead = OfflineSettings.Goal(event: "Lead", name: "Lead")
        lead.id = "4712"
        return OfflineSettings(
            goals: [goal, lead], customerID: "1", accountID: "2", developerToken: .environment("TOKEN"),
            oauth: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")))
    }

    /// A report that gets nothing but this answer comes to an end, and says only what was asked.
    private func tellReport(_ outcome: HTTPOutcome) {
        let settings = DestinationSettings(name: "offline", kind: .offlineConversions(AnswerFuzzer.account()))
        guard var report = GoalReport(settings, since: now.wall - .seconds(20 * 86_400), now: now.wall) else { return }
        let credential = MicrosoftInterface.Credential(token: "access", developerToken: "developer")
        var requests = 0
        while report.request(credential) != nil {
            report.answered(outcome, now: now.wall)
            requests += 1
            precondition(requests <= 20, "a reading ends")
        }
        precondition(report.found.count <= 42, "a goal has one entry for a day")
        for day in report.found {
            precondition(report.days.contains(day.day) && ["Sale", "Lead"].contains(day.goal), "only what was asked")
            precondition(day.counts.attributed >= 0 && day.counts.unattributed >= 0, "counts are counts")
        }
        for gap in report.gaps { precondition(isClean(gap.reason), "a reason is a word") }
    }

    private func tellTagToken(_ outcome: HTTPOutcome) {
        var machine = TagToken(
            name: "capi", tag: "1", account: AnswerFuzzer.account(), endpoint: "https://x.example",
            timeout: .seconds(30), retry: RetrySettings(), saved: nil, seed: 1)
        _ = machine.handle(.look(.init(token: "access", developerToken: "developer")), now: now)
        for case .ready(let token) in machine.handle(.answered(outcome), now: now) {
            precondition(!token.isEmpty && token.utf8.allSatisfy { 0x21...0x7E ~= $0 }, "a token fits a header")
        }
        precondition((machine.token == nil) == (machine.problem != nil), "without a token there is a reason")
        precondition(machine.problem.map(isClean) ?? true, "a problem is a word")
    }

    private static let event =
        Array(
            #"{"event":"Purchase","event_id":"e","event_time":1786000000,"url":"https://shop.example/","#.utf8)
        + Array(#""user":{"anonymous_id":"a","msclkid":"0123456789abcdef0123456789abcdef"}}"#.utf8)
}

// libFuzzer calls from one thread only.
nonisolated(unsafe) private let fuzzer = AnswerFuzzer()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzer.check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
