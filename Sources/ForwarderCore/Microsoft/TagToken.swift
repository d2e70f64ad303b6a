/// Gets the token of a UET tag from Campaign Management (GetUetTagAuthKey), with the credential of an offline destination,
/// and gets it anew when the Conversions API refuses it. A value like the grant: inputs in, actions out.
///
/// Microsoft gives out the same token until somebody replaces it. So a token that is refused again soon is not asked for at
/// once: each time it waits longer.
public struct TagToken: Sendable {
    public enum Input: Sendable {
        /// Time has passed, or the credential has changed: what Campaign Management lets in with; nil while there is none.
        case look(MicrosoftInterface.Credential?)
        /// The token in use was refused.
        case refused
        case answered(HTTPOutcome)
        /// An operator does not want to wait.
        case hurry
    }

    public enum Action: Sendable {
        case request(HTTPRequest)
        /// So that the next start has it.
        case save(String)
        case ready(token: String)
        case unready
        /// Everybody who is let in by the same grant must wait.
        case throttled(Duration)
        /// The access token was refused.
        case renewGrant
        case signal(Signal)
    }

    /// Between two questions, where the answer did not help: doubled each time.
    static let firstWait = Duration.seconds(60)
    static let longestWait = Duration.seconds(600)
    /// A token that was good for so long was no wrong one.
    static let longUse = Duration.seconds(3600)
    private static let longestToken = 4096

    public let name: String
    private let service: CampaignManagement
    private let tag: String
    private let retry: RetrySettings
    private var random: SeededRandom

    public private(set) var token: String?
    private var isAsking = false
    private var hasRenewed = false
    private var failures = 0
    /// Of tokens, each soon after it was given out.
    private var refusals = 0
    private var answeredAt: Uptime?
    private var nextTry = Uptime.distantPast
    /// The last thing that went wrong, in one word; nil when all is well.
    public private(set) var problem: String?

    /// `saved` is what an earlier process was given. `account` is whose tag it is.
    public init(
        name: String, tag: String, account: OfflineSettings, endpoint: String, timeout: Duration, retry: RetrySettings,
        saved: String?, seed: UInt64
    ) {
        self.name = name
        self.tag = tag
        self.retry = retry
        service = CampaignManagement(account, endpoint: endpoint, timeout: timeout)
        token = saved.flatMap { TagToken.isToken($0) ? $0 : nil }
        random = SeededRandom(seed: seed)
    }

    /// When something has to be done though nothing happens.
    public var nextWake: Uptime { token == nil && !isAsking ? nextTry : .distantFuture }

    public mutating func handle(_ input: Input, now: Moment) -> [Action] {
        var actions: [Action] = []
        switch input {
        case .look(let credential):
            guard let credential, token == nil, !isAsking, nextTry <= now.uptime else { break }
            isAsking = true
            actions.append(.request(request(credential)))
        case .refused: refused(now.uptime, &actions)
        case .answered(let outcome):
            isAsking = false
            answered(outcome, now, &actions)
        case .hurry: nextTry = min(nextTry, now.uptime)
        }
        return actions
    }

    private func request(_ credential: MicrosoftInterface.Credential) -> HTTPRequest {
        var body = JSONWriter()
        body.object { $0.member("UetTagId", tag) }
        return service.request(
            "UetTagAuthKey/Query", body.bytes, accessToken: credential.token,
            developerToken: credential.developerToken)
    }

    private mutating func refused(_ now: Uptime, _ actions: inout [Action]) {
        guard token != nil else { return }
        token = nil
        problem = "refused"
        actions.append(.unready)
        if answeredAt.map({ now - $0 >= TagToken.longUse }) ?? true { refusals = 0 }
        // The first may be of a token that somebody has replaced.
        let wait = refusals == 0 ? .zero : TagToken.firstWait * (1 << min(refusals - 1, 10))
        nextTry = now + min(wait, TagToken.longestWait)
        refusals += 1
    }

    // MARK: Answers

    private mutating func answered(_ outcome: HTTPOutcome, _ now: Moment, _ actions: inout [Action]) {
        if case .answer(let answer) = outcome, answer.status == 200,
            let token = answer.readableRoot?["UetTagAuthKey"]?.string, TagToken.isToken(token)
        {
            return use(token, now.uptime, &actions)
        }
        let verdict = CampaignManagement.verdict(outcome, entryCount: 1, now: now.wall)
        switch verdict.others {
        case .retry(let after), .busy(let after):
            failures += 1
            let wait = Backoff.delay(retry, failures: failures, atLeast: after, using: &random)
            fail(verdict.reason, isDead: false, wait: max(wait, retry.base), now, &actions)
        case .throttled(let wait):
            actions.append(.throttled(wait))
            fail(verdict.reason, isDead: false, wait: wait, now, &actions)
        case .credentialRefused where !hasRenewed:
            hasRenewed = true
            actions.append(.renewGrant)
            fail(verdict.reason, isDead: false, wait: TagToken.firstWait, now, &actions)
        // Neither a token nor trouble that passes: a tag of somebody else's, missing rights, a wrong address.
        case .delivered, .unconfirmed, .unexplained, .notProcessed, .refusedWhole, .tooLarge, .unclear,
            .credentialRefused,
            .parked:
            let reason = verdict.entries.first.map { "campaign_\($0.code)" } ?? verdict.reason
            fail(reason == "ok" ? "no_token" : reason, isDead: true, wait: TagToken.longestWait, now, &actions)
        }
    }

    private mutating func use(_ token: String, _ now: Uptime, _ actions: inout [Action]) {
        self.token = token
        answeredAt = now
        hasRenewed = false
        failures = 0
        problem = nil
        actions += [
            .save(token), .signal(.credentialRenewed(grant: name, lifetime: nil)), .ready(token: token),
        ]
    }

    private mutating func fail(
        _ reason: String, isDead: Bool, wait: Duration, _ now: Moment, _ actions: inout [Action]
    ) {
        problem = reason
        nextTry = now.uptime + wait
        actions.append(.signal(.credentialRefused(grant: name, reason: reason, isDead: isDead, wait: wait)))
    }

    /// It becomes part of a header: nothing that could end one.
    private static func isToken(_ text: String) -> Bool {
        1...longestToken ~= text.utf8.count && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }
}
