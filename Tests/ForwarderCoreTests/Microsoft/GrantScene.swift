import ForwarderCore
import Testing

/// An OAuth grant and a clock, moved by the lines of a script.
struct GrantScene {
    private var grant: OAuthGrant
    private var now = SampleDeliveries.start
    private var lines: [String] = []

    /// `line`: `grant`, the seed, and what was saved before.
    init(_ line: Substring) {
        let words = ScriptWords(line)
        let record = words.named["record"].map { text in
            let parts = text.split(separator: ":").map(String.init)
            let seed = parts[1] == "none" ? "" : parts[1]
            return GrantRecord(refreshToken: parts[0], seedHash: GrantScene.hash(ofSeed: seed))
        }
        grant = OAuthGrant(
            name: "offline", settings: OAuthSettings(clientID: "client", refreshToken: .environment("SEED")),
            retry: RetrySettings(), secrets: GrantScene.secrets(words), record: record, seed: 1)
    }

    private static func secrets(_ words: ScriptWords) -> OAuthGrant.Secrets {
        .init(
            clientSecret: words.named["secret"].map(String.init),
            seed: words.named["seed"] == "none" ? nil : words.named["seed"].map(String.init) ?? "seed")
    }

    private static func hash(ofSeed seed: String) -> String {
        var text = seed
        return text.withUTF8 { bytes in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: SHA256.byteCount) { digest in
                SHA256().hash(bytes, into: digest)
                return digest.map { String(256 | Int($0), radix: 16).dropFirst() }.joined()
            }
        }
    }

    /// Does what the line says; returns what came of it.
    mutating func run(_ line: Substring) -> [String] {
        var words = ScriptWords(line)
        lines = []
        switch words.next() {
        case "start": tell(.tick)
        case "refused": tell(.refused)
        case "saved": tell(.saved(words.next() != "not"))
        case "secrets": tell(.secrets(GrantScene.secrets(words)))
        case "redeem":
            let code = words.next().map(String.init) ?? ""
            tell(.redeem(AuthorizationCode(code: code, verifier: "verifier", redirectURI: "http://localhost:1")))
        case "user": tell(.user(MicrosoftUser(id: words.next().map(String.init) ?? "", name: "ada")))
        case "answer": tell(.answered(outcome(&words)))
        case "advance": advance(ScriptWords.duration(words.next() ?? "0s"))
        case "show":
            var parts = [grant.isReady ? "ready" : "not ready"]
            if grant.isDead { parts.append("dead") }
            if let problem = grant.problem { parts.append("problem \(problem)") }
            note(parts.joined(separator: ", "))
        case let word: Issue.record("no such word: \(word ?? "")")
        }
        return lines
    }

    private func outcome(_ words: inout ScriptWords) -> HTTPOutcome {
        let word = words.next() ?? ""
        let after = words.named["after"].map(String.init)
        switch word {
        case "granted":
            var body = #"{"token_type":"Bearer","access_token":"\#(words.named["token"] ?? "access")""#
            body += #","expires_in":\#(words.named["expires"] ?? "3600")"#
            if let refresh = words.named["refresh"] { body += #","refresh_token":"\#(refresh)""# }
            return SampleAnswers.answer(200, body + "}")
        case "error":
            let error = words.next() ?? ""
            let body =
                #"{"error":"\#(error)","error_description":"AADSTS70000: ada@example.com","error_codes":[70000]}"#
            return SampleAnswers.answer(words.integer("status") ?? 400, body, after: after)
        case "garbage": return SampleAnswers.answer(200, "<html>")
        default:
            if let fault = TransportFault(rawValue: String(word)) { return .noAnswer(fault) }
            return SampleAnswers.answer(Int(word) ?? 0, after: after)
        }
    }

    private mutating func advance(_ duration: Duration) {
        let end = now + duration
        while case let wake = grant.nextWake(), wake <= end.uptime {
            if wake < now.uptime {
                Issue.record("the grant wants to be woken in the past")
                return
            }
            now = now + (wake - now.uptime)
            tell(.tick)
            if grant.nextWake() <= now.uptime {
                Issue.record("the grant wants to be woken at once, again and again")
                return
            }
        }
        now = end
    }

    private mutating func tell(_ input: OAuthGrant.Input) {
        for action in grant.handle(input, now: now) {
            switch action {
            case .request(let request): note("ask: \(describe(request))")
            case .save(let record):
                let restored = GrantRecord(json: record.json)
                #expect(restored == record)
                let times = [record.consentedAt, record.refreshedAt].map { time in
                    time.map { ($0 - SampleDeliveries.start.wall).shown } ?? "-"
                }
                note(
                    "save \(record.refreshToken)"
                        + (record.consentedAt == nil ? "" : ", consent of \(times[0]), token of \(times[1])"))
            case .keep(let record): note("keep \(record.refreshToken) of user \(record.user?.id ?? "-")")
            case .redeemed(.granted(let isSaved)): note("redeemed\(isSaved ? "" : ", not saved")")
            case .redeemed(.refused(let refusal)): note("not redeemed: \(refusal.words)")
            case .ready(let token): note("ready: \(token)")
            case .unready: note("unready")
            case .signal(.credentialRenewed(_, let lifetime)): note("renewed for \(lifetime?.shown ?? "good")")
            case .signal(.credentialRefused(_, let reason, let isDead, let wait)):
                note("refused, \(reason)\(isDead ? ", dead" : ""), again in \(wait.shown)")
            case .signal(.credentialNotSaved): note("not saved")
            case .signal(let signal): note("\(signal)")
            }
        }
    }

    private func describe(_ request: HTTPRequest) -> String {
        #expect(request.method == .post)
        #expect(request.url == "https://login.microsoftonline.com/common/oauth2/v2.0/token")
        let form = String(decoding: request.body, as: UTF8.self)
        return form.split(separator: "&").filter { !$0.hasPrefix("scope=") && !$0.hasPrefix("grant_type=") }
            .joined(separator: " ")
    }

    private mutating func note(_ text: String) {
        let time = (now.uptime - SampleDeliveries.start.uptime).shown
        lines.append(String(repeating: " ", count: max(0, 9 - time.count)) + time + "  " + text)
    }
}
