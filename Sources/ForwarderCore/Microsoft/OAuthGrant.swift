/// Keeps an access token for Campaign Management alive with the refresh-token grant: one refresh at a time, before the
/// token runs out, and the rotated refresh token on disk before anything is sent with what came with it. It does so whether
/// or not anything is sent, so a grant is never idle while the daemon runs. It begins with a refresh token that the
/// configuration names, or with a code that somebody's consent gave.
///
/// A value like the lane: inputs in, actions out. Microsoft's `invalid_grant` is not believed at once: it is also how the
/// platform throttles, and was seen to pass. (Microsoft identity platform; BingAds-Python-SDK issue 279.)
public struct OAuthGrant: Sendable {
    public enum Input: Sendable {
        case tick
        /// The access token in use was refused.
        case refused
        case answered(HTTPOutcome)
        /// The rotated refresh token is on disk, or could not be written.
        case saved(Bool)
        /// What the secrets say now.
        case secrets(Secrets)
        /// Somebody consented: begins anew with what the code gives, if it gives anything. One at a time.
        case redeem(AuthorizationCode)
        /// Who consented.
        case user(MicrosoftUser)
    }

    public enum Action: Sendable {
        case request(HTTPRequest)
        /// Write this before anything else is done with the grant.
        case save(GrantRecord)
        /// Requests may be sent with this token.
        case ready(accessToken: String)
        /// There is no token to send with.
        case unready
        /// What came of a code.
        case redeemed(Redemption)
        /// Write this when it can be written; nothing waits for it.
        case keep(GrantRecord)
        case signal(Signal)
    }

    public enum Redemption: Sendable, Equatable {
        case granted(isSaved: Bool)
        /// The grant goes on as it was.
        case refused(OAuthRefusal)
    }

    public struct Secrets: Sendable, Equatable {
        public var clientSecret: String?
        /// The refresh token that the configuration names, if it names one.
        public var seed: String?

        public init(clientSecret: String?, seed: String?) {
            self.clientSecret = clientSecret
            self.seed = seed
        }
    }

    /// Refreshed this long before the end, or at four fifths of a short life.
    static let earlier = Duration.seconds(300)
    /// Between two tries after `invalid_grant`, and how many make a grant dead.
    static let invalidGrantWait = Duration.seconds(120)
    static let invalidGrantLimit = 5
    /// A dead grant, and a configuration that is refused, are tried again this often: somebody may have mended them.
    static let deadWait = Duration.seconds(600)
    /// When the service throttles and does not say for how long.
    static let throttledWait = Duration.seconds(60)
    static let requestTimeout = Duration.seconds(30)

    private enum Step {
        case idle
        case asking
        case redeeming
        /// The token waits for the refresh token that came with it to be on disk.
        case saving(token: String, lifetime: Duration, isConsent: Bool)
        /// The secrets have changed since it asked: what comes of it is of the past.
        case outdated
    }

    public let name: String
    private let settings: OAuthSettings
    private let retry: RetrySettings
    private var random: SeededRandom

    private var secrets: Secrets
    /// Nil until somebody consents.
    private var refreshToken: String?
    private var consentedAt: Timestamp?
    private var refreshedAt: Timestamp?
    private var user: MicrosoftUser?
    /// To be redeemed as soon as nothing else is under way.
    private var code: AuthorizationCode?
    private var access: (token: String, expires: Uptime, refreshAt: Uptime)?
    private var step = Step.idle
    private var failures = 0
    private var invalidGrants = 0
    private var nextTry = Uptime.distantPast
    public private(set) var isDead = false
    /// What is wrong, in one word; nil when all is well.
    public private(set) var problem: String?
    /// The last thing that went wrong, also of the past.
    public private(set) var lastRefusal: (reason: String, at: Timestamp)?

    /// `record` is what was saved last, if anything. A seed that it does not know is newer than it.
    public init(
        name: String, settings: OAuthSettings, retry: RetrySettings, secrets: Secrets, record: GrantRecord?,
        seed: UInt64
    ) {
        self.name = name
        self.settings = settings
        self.retry = retry
        self.secrets = secrets
        random = SeededRandom(seed: seed)
        if let record, record.continues(secrets.seed) {
            refreshToken = record.refreshToken
            consentedAt = record.consentedAt
            refreshedAt = record.refreshedAt
            user = record.user
        } else {
            refreshToken = secrets.seed
        }
        if refreshToken == nil { problem = "no_consent" }
    }

    public var isReady: Bool { access != nil }

    /// What there is to be kept; nil until somebody consents.
    public var record: GrantRecord? {
        refreshToken.map { token in
            var record = GrantRecord(refreshToken: token, seedHash: GrantRecord.hash(ofSeed: secrets.seed))
            record.consentedAt = consentedAt
            record.refreshedAt = refreshedAt
            record.user = user
            return record
        }
    }

    /// When the access token ends; nil without one.
    public var expires: Uptime? { access?.expires }

    public mutating func handle(_ input: Input, now: Moment) -> [Action] {
        var actions: [Action] = []
        switch input {
        case .tick: break
        case .refused:
            access = nil
            actions.append(.unready)
        case .answered(let outcome):
            let finished = step
            step = .idle
            switch finished {
            case .asking: answered(outcome, now, &actions)
            case .redeeming: redeemed(outcome, now, &actions)
            case .idle, .saving, .outdated: break
            }
        case .saved(let isSaved):
            let finished = step
            step = .idle
            if case .saving(let token, let lifetime, let isConsent) = finished {
                use(token, lifetime, isSaved, now, &actions)
                if isConsent { actions.append(.redeemed(.granted(isSaved: isSaved))) }
            }
        case .secrets(let secrets): take(secrets, now)
        case .redeem(let code): self.code = code
        case .user(let user):
            guard user != self.user else { break }
            self.user = user
            if let record { actions.append(.keep(record)) }
        }
        if let access, access.expires <= now.uptime {
            self.access = nil
            actions.append(.unready)
        }
        if case .idle = step, let code {
            self.code = nil
            step = .redeeming
            actions.append(.request(OAuthGrant.request(code.form(settings, secrets.clientSecret), settings)))
        } else if let refreshToken, isRefreshDue(now.uptime) {
            step = .asking
            actions.append(.request(refreshRequest(refreshToken)))
        }
        return actions
    }

    /// When something has to be done though nothing happens.
    public func nextWake() -> Uptime {
        guard case .idle = step else { return access?.expires ?? .distantFuture }
        guard refreshToken != nil else { return .distantFuture }
        guard let access else { return nextTry }
        return min(access.expires, max(access.refreshAt, nextTry))
    }

    private func isRefreshDue(_ now: Uptime) -> Bool {
        guard case .idle = step, nextTry <= now else { return false }
        return access.map { $0.refreshAt <= now } ?? true
    }

    private mutating func take(_ secrets: Secrets, _ now: Moment) {
        guard secrets != self.secrets else { return }
        if secrets.seed != self.secrets.seed {
            refreshToken = secrets.seed
            (consentedAt, refreshedAt, user) = (nil, nil, nil)
        }
        self.secrets = secrets
        switch step {
        // A consent is newer than any secret.
        case .idle, .redeeming, .saving(_, _, isConsent: true): break
        case .asking, .saving, .outdated: step = .outdated
        }
        access?.refreshAt = now.uptime
        isDead = false
        invalidGrants = 0
        failures = 0
        nextTry = now.uptime
    }

    private func refreshRequest(_ token: String) -> HTTPRequest {
        var form = [
            ("client_id", settings.clientID), ("scope", settings.scope), ("refresh_token", token),
            ("grant_type", "refresh_token"),
        ]
        if let secret = secrets.clientSecret { form.append(("client_secret", secret)) }
        return OAuthGrant.request(form, settings)
    }

    private static func request(_ form: [(name: String, value: String)], _ settings: OAuthSettings) -> HTTPRequest {
        HTTPRequest(
            method: .post, url: "\(settings.authority)/oauth2/v2.0/token",
            headers: [.init("Content-Type", "application/x-www-form-urlencoded")], body: FormEncoding.encode(form),
            // A code is good for one request only, and libcurl may repeat what it sends on a used connection.
            timeout: requestTimeout, mayReuseConnection: !form.contains { $0.name == "code" })
    }

    // MARK: Answers

    private mutating func answered(_ outcome: HTTPOutcome, _ now: Moment, _ actions: inout [Action]) {
        switch outcome {
        case .noAnswer(let fault): backOff(fault.rawValue, after: nil, now, &actions)
        case .answer(let answer):
            let root = (try? JSONDocument(answer.body))?.root
            let retryAfter = answer.retryAfter(now.wall)
            let error = root?["error"]?.string
            let word = OAuthRefusal(answer, root).reason
            switch (answer.status, error) {
            case (200, nil): granted(root, now, &actions)
            case (429, _): backOff(word, after: retryAfter ?? OAuthGrant.throttledWait, now, &actions)
            case (408, _), (500..., _), (_, "temporarily_unavailable"), (_, "server_error"):
                backOff(word, after: retryAfter, now, &actions)
            case (_, "invalid_grant"): invalidGrant(retryAfter, now, &actions)
            // A wrong client, scope or tenant, or a person who must consent again: nothing that passes by itself.
            case _:
                isDead = true
                refused(word, wait: OAuthGrant.deadWait, now, &actions)
            }
        }
    }

    private mutating func granted(_ root: JSONElement?, _ now: Moment, _ actions: inout [Action]) {
        guard let tokens = GrantedTokens(root) else { return backOff("unreadable_answer", after: nil, now, &actions) }
        guard let rotated = tokens.refresh, rotated != refreshToken else {
            return use(tokens.access, tokens.lifetime, true, now, &actions)
        }
        save(rotated, tokens, isConsent: false, now, &actions)
    }

    private mutating func redeemed(_ outcome: HTTPOutcome, _ now: Moment, _ actions: inout [Action]) {
        switch outcome {
        case .noAnswer(let fault): actions.append(.redeemed(.refused(OAuthRefusal(reason: fault.rawValue))))
        case .answer(let answer):
            let root = (try? JSONDocument(answer.body))?.root
            guard answer.status == 200, root?["error"] == nil else {
                return actions.append(.redeemed(.refused(OAuthRefusal(answer, root))))
            }
            guard let tokens = GrantedTokens(root) else {
                return actions.append(.redeemed(.refused(OAuthRefusal(reason: "unreadable_answer"))))
            }
            // It would end within the hour.
            guard let refresh = tokens.refresh else {
                return actions.append(.redeemed(.refused(OAuthRefusal(reason: "no_refresh_token"))))
            }
            consentedAt = now.wall
            user = nil
            save(refresh, tokens, isConsent: true, now, &actions)
        }
    }

    private mutating func save(
        _ token: String, _ tokens: GrantedTokens, isConsent: Bool, _ now: Moment, _ actions: inout [Action]
    ) {
        refreshToken = token
        refreshedAt = now.wall
        step = .saving(token: tokens.access, lifetime: tokens.lifetime, isConsent: isConsent)
        if let record { actions.append(.save(record)) }
    }

    private mutating func use(
        _ token: String, _ lifetime: Duration, _ isSaved: Bool, _ now: Moment, _ actions: inout [Action]
    ) {
        let early = min(OAuthGrant.earlier, lifetime / 5)
        access = (token, now.uptime + lifetime, now.uptime + (lifetime - early))
        failures = 0
        invalidGrants = 0
        isDead = false
        problem = isSaved ? nil : "not_saved"
        nextTry = .distantPast
        if !isSaved { actions.append(.signal(.credentialNotSaved(grant: name))) }
        actions.append(.signal(.credentialRenewed(grant: name, lifetime: lifetime)))
        actions.append(.ready(accessToken: token))
    }

    private mutating func invalidGrant(_ retryAfter: Duration?, _ now: Moment, _ actions: inout [Action]) {
        invalidGrants += 1
        isDead = invalidGrants >= OAuthGrant.invalidGrantLimit
        let wait = isDead ? OAuthGrant.deadWait : OAuthGrant.invalidGrantWait
        let asked = min(retryAfter ?? .zero, Backoff.retryAfterLimit)
        refused("invalid_grant", wait: max(wait, asked), now, &actions)
    }

    private mutating func backOff(
        _ reason: String, after: Duration?, _ now: Moment, _ actions: inout [Action]
    ) {
        failures += 1
        refused(
            reason, wait: Backoff.delay(retry, failures: failures, atLeast: after, using: &random), now, &actions)
    }

    private mutating func refused(_ reason: String, wait: Duration, _ now: Moment, _ actions: inout [Action]) {
        problem = reason
        lastRefusal = (reason, now.wall)
        nextTry = now.uptime + wait
        actions.append(.signal(.credentialRefused(grant: name, reason: reason, isDead: isDead, wait: wait)))
    }
}

/// What an answer of the token endpoint gives.
private struct GrantedTokens {
    var access: String
    var lifetime: Duration
    var refresh: String?

    init?(_ root: JSONElement?) {
        guard let token = root?["access_token"]?.string, !token.isEmpty, token.utf8.allSatisfy({ 0x21...0x7E ~= $0 }),
            let seconds = root?["expires_in"]?.integer ?? root?["expires_in"]?.string.flatMap(Int64.init), seconds > 0
        else { return nil }
        access = token
        lifetime = .seconds(min(seconds, 86_400))
        refresh = root?["refresh_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }
}
