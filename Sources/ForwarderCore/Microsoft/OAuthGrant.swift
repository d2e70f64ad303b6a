/// Keeps an access token for Campaign Management alive with the refresh-token grant: one refresh at a time, before the
/// token runs out, and the rotated refresh token on disk before anything is sent with what came with it.
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
    }

    public enum Action: Sendable {
        case request(HTTPRequest)
        /// Write this before anything else is done with the grant.
        case save(GrantRecord)
        /// Requests may be sent with this token.
        case ready(accessToken: String)
        /// There is no token to send with.
        case unready
        case signal(Signal)
    }

    public struct Secrets: Sendable, Equatable {
        public var clientSecret: String?
        /// The refresh token that the configuration names.
        public var seed: String

        public init(clientSecret: String?, seed: String) {
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
        /// The token waits for the refresh token that came with it to be on disk.
        case saving(token: String, lifetime: Duration)
        /// The secrets have changed since it asked: what comes of it is of the past.
        case outdated
    }

    public let name: String
    private let settings: OAuthSettings
    private let retry: RetrySettings
    private var random: SeededRandom

    private var secrets: Secrets
    private var refreshToken: String
    private var access: (token: String, expires: Uptime, refreshAt: Uptime)?
    private var step = Step.idle
    private var failures = 0
    private var invalidGrants = 0
    private var nextTry = Uptime.distantPast
    public private(set) var isDead = false
    /// The last thing that went wrong, in one word; nil when all is well.
    public private(set) var problem: String?

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
        if let record, record.seedHash == GrantRecord.hash(ofSeed: secrets.seed) {
            refreshToken = record.refreshToken
        } else {
            refreshToken = secrets.seed
        }
    }

    public var isReady: Bool { access != nil }

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
            if case .asking = finished { answered(outcome, now, &actions) }
        case .saved(let isSaved):
            let finished = step
            step = .idle
            if case .saving(let token, let lifetime) = finished { use(token, lifetime, isSaved, now, &actions) }
        case .secrets(let secrets): take(secrets, now)
        }
        if let access, access.expires <= now.uptime {
            self.access = nil
            actions.append(.unready)
        }
        if isRefreshDue(now.uptime) {
            step = .asking
            actions.append(.request(request))
        }
        return actions
    }

    /// When something has to be done though nothing happens.
    public func nextWake() -> Uptime {
        guard case .idle = step else { return access?.expires ?? .distantFuture }
        guard let access else { return nextTry }
        return min(access.expires, max(access.refreshAt, nextTry))
    }

    private func isRefreshDue(_ now: Uptime) -> Bool {
        guard case .idle = step, nextTry <= now else { return false }
        return access.map { $0.refreshAt <= now } ?? true
    }

    private mutating func take(_ secrets: Secrets, _ now: Moment) {
        guard secrets != self.secrets else { return }
        if secrets.seed != self.secrets.seed { refreshToken = secrets.seed }
        self.secrets = secrets
        if case .idle = step {} else { step = .outdated }
        access?.refreshAt = now.uptime
        isDead = false
        invalidGrants = 0
        failures = 0
        nextTry = now.uptime
    }

    private var request: HTTPRequest {
        var form = [
            ("client_id", settings.clientID), ("scope", settings.scope), ("refresh_token", refreshToken),
            ("grant_type", "refresh_token"),
        ]
        if let secret = secrets.clientSecret { form.append(("client_secret", secret)) }
        return HTTPRequest(
            method: .post, url: "\(settings.authority)/oauth2/v2.0/token",
            headers: [.init("Content-Type", "application/x-www-form-urlencoded")], body: FormEncoding.encode(form),
            timeout: OAuthGrant.requestTimeout)
    }

    // MARK: Answers

    private mutating func answered(_ outcome: HTTPOutcome, _ now: Moment, _ actions: inout [Action]) {
        switch outcome {
        case .noAnswer(let fault): backOff(fault.rawValue, after: nil, now, &actions)
        case .answer(let answer):
            let root = (try? JSONDocument(answer.body))?.root
            let retryAfter = answer.retryAfter(now.wall)
            let error = root?["error"]?.string
            let word = error.flatMap(MicrosoftText.code) ?? "http_\(answer.status)"
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
        guard let token = root?["access_token"]?.string, !token.isEmpty, token.utf8.allSatisfy({ 0x21...0x7E ~= $0 }),
            let seconds = root?["expires_in"]?.integer ?? root?["expires_in"]?.string.flatMap(Int64.init), seconds > 0
        else { return backOff("unreadable_answer", after: nil, now, &actions) }
        let lifetime = Duration.seconds(min(seconds, 86_400))
        let rotated = root?["refresh_token"]?.string ?? ""
        guard !rotated.isEmpty, rotated != refreshToken else { return use(token, lifetime, true, now, &actions) }
        refreshToken = rotated
        step = .saving(token: token, lifetime: lifetime)
        actions.append(.save(GrantRecord(refreshToken: rotated, seedHash: GrantRecord.hash(ofSeed: secrets.seed))))
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
        nextTry = now.uptime + wait
        actions.append(.signal(.credentialRefused(grant: name, reason: reason, isDead: isDead, wait: wait)))
    }
}

/// What is kept of a grant between two starts.
public struct GrantRecord: Sendable, Equatable {
    public var refreshToken: String
    /// Of the refresh token that the configuration named when the grant began: another one there is a new grant.
    public var seedHash: String

    public init(refreshToken: String, seedHash: String) {
        self.refreshToken = refreshToken
        self.seedHash = seedHash
    }

    public init?(json: [UInt8]) {
        guard let root = (try? JSONDocument(json))?.root, let token = root["refresh_token"]?.string, !token.isEmpty,
            let hash = root["seed_hash"]?.string
        else { return nil }
        self.init(refreshToken: token, seedHash: hash)
    }

    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("version", 1)
            $0.member("refresh_token", refreshToken)
            $0.member("seed_hash", seedHash)
        }
        return writer.bytes
    }

    static func hash(ofSeed seed: String) -> String {
        var arena = Arena(capacity: 64)
        var copy = seed
        return copy.withUTF8 { String(decoding: SHA256().hexDigest($0, in: &arena), as: UTF8.self) }
    }
}

/// `application/x-www-form-urlencoded`.
enum FormEncoding {
    static func encode(_ fields: [(name: String, value: String)]) -> [UInt8] {
        var output = ByteBuffer()
        for (index, field) in fields.enumerated() {
            if index > 0 { output.append(UInt8(ascii: "&")) }
            append(field.name, to: &output)
            output.append(UInt8(ascii: "="))
            append(field.value, to: &output)
        }
        return output.array()
    }

    private static func append(_ text: String, to output: inout ByteBuffer) {
        for byte in text.utf8 {
            switch byte {
            case _ where isLetter(byte) || isDigit(byte), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default:
                output.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] {
                    output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
                }
            }
        }
    }
}
