/// Speaks to the Conversion Pixel Service for one command: signs in where that is needed and no more often than is allowed,
/// obeys throttling, repeats what may be repeated. A value: outcomes in, what to do next out.
///
/// A token is renewed only when the service answers `NOAUTH`; how long it lives is not reckoned, for the service's pages
/// contradict each other in it.
public struct PixelSession: Sendable {
    public enum Step: Sendable {
        /// Send it, and tell what came of it. Write `record` first, if it has changed.
        case send(HTTPRequest)
        /// Wait so long, then `resume`. Why, for a person.
        case wait(Duration, reason: String)
        /// The element `response` of the answer.
        case done(JSONElement)
        /// Why, and what to do.
        case failed(String)
    }

    private enum Stage {
        case authenticating, calling
    }

    /// How much of an answer is read: a page of a hundred pixels with all their line items.
    static let answerLimit = 16 << 20
    static let requestTimeout = Duration.seconds(60)
    /// A command waits no longer than this altogether.
    static let patience = Duration.seconds(180)
    /// When the service throttles and does not say for how long; it counts by the minute.
    static let throttledWait = Duration.seconds(60)
    /// Between the tries of what may be repeated.
    static let pauses: [Duration] = [.seconds(1), .seconds(4)]

    /// To be kept from one command to the next.
    public private(set) var record: PixelTokenRecord
    private let settings: PixelServiceSettings
    private let password: String
    private var call = PixelCall.meta
    private var stage = Stage.calling
    /// The call has been refused a token already.
    private var isRenewed = false
    private var failures = 0
    private var waited = Duration.zero

    public init(_ settings: PixelServiceSettings, password: String, record: PixelTokenRecord) {
        self.settings = settings
        self.password = password
        self.record = record
    }

    /// Begins a call. One at a time.
    public mutating func begin(_ call: PixelCall, now: Timestamp) -> Step {
        self.call = call
        isRenewed = false
        failures = 0
        return resume(now: now)
    }

    /// Goes on after a wait.
    public mutating func resume(now: Timestamp) -> Step {
        if let token = record.token {
            stage = .calling
            return .send(request(call, token))
        }
        if let wait = record.wait(now) {
            return pause(wait, "\(PixelTokenRecord.authenticationLimit) sign-ins in five minutes are all there may be")
        }
        record.authenticate(now)
        stage = .authenticating
        return .send(authentication)
    }

    /// - Parameter detail: of a fault, in words for a person.
    public mutating func answered(_ outcome: HTTPOutcome, detail: String? = nil, now: Timestamp) -> Step {
        switch PixelAnswer(outcome, detail: detail, now: now) {
        case .done(let response):
            guard stage == .authenticating else { return .done(response) }
            guard record.take(response["token"]?.string) else { return .failed("the service gives no token") }
            return resume(now: now)
        case .throttled(let wait):
            return pause(max(wait ?? PixelSession.throttledWait, .seconds(1)), "the service is asked too much")
        case .unknown(let reason): return again(reason)
        case .refused(let refusal):
            guard stage == .calling else { return .failed(refusal.words(to: nil, user: user)) }
            if refusal.id == "NOAUTH" {
                // Whatever it was, it is no token any more.
                _ = record.take(nil)
                if !isRenewed {
                    isRenewed = true
                    return resume(now: now)
                }
            }
            let words = refusal.words(to: call, user: user)
            return refusal.isPassing ? again(words) : .failed(words)
        }
    }

    private var user: String { settings.username.printable() }

    /// After something that says nothing about the request itself.
    private mutating func again(_ reason: String) -> Step {
        // To sign in once more does no harm: each attempt counts.
        let isRepeatable = stage == .authenticating || call.isRepeatable
        guard isRepeatable else { return .failed("\(reason). \(call.doubt)") }
        guard failures < PixelSession.pauses.count else { return .failed("\(reason), \(failures + 1) times") }
        failures += 1
        return pause(PixelSession.pauses[failures - 1], reason)
    }

    private mutating func pause(_ wait: Duration, _ reason: String) -> Step {
        let seconds = (wait.milliseconds + 999) / 1000
        guard waited + wait <= PixelSession.patience else {
            return .failed("\(reason); try again in \(seconds) s, which is longer than a command waits")
        }
        waited += wait
        return .wait(wait, reason: "\(reason); going on in \(seconds) s")
    }

    private var authentication: HTTPRequest {
        var body = JSONWriter()
        body.object { body in
            body.name("auth")
            body.object {
                $0.member("username", settings.username)
                $0.member("password", password)
            }
        }
        return HTTPRequest(
            method: .post, url: "\(settings.endpoint)/auth", headers: [.init("Content-Type", "application/json")],
            body: body.bytes, timeout: PixelSession.requestTimeout, mayReuseConnection: false)
    }

    private func request(_ call: PixelCall, _ token: String) -> HTTPRequest {
        var headers = [HTTPRequest.Header("Authorization", token)]
        if !call.body.isEmpty { headers.append(.init("Content-Type", "application/json")) }
        var request = HTTPRequest(
            method: call.method, url: settings.endpoint + call.target, headers: headers, body: call.body,
            timeout: PixelSession.requestTimeout, mayReuseConnection: call.isRepeatable)
        request.answerLimit = PixelSession.answerLimit
        return request
    }
}

extension PixelCall {
    /// What to say when nobody knows what became of it.
    fileprivate var doubt: String {
        switch self {
        case .list, .one, .meta: ""
        case .create:
            "The pixel may have been created; look with `conversion-forwarder pixels list --sort id.desc` before you try again"
        case .change(_, let id, _, _):
            "Pixel \(id) may have been changed; look with `conversion-forwarder pixels get \(id)`"
        case .delete(let id, _):
            "Pixel \(id) may have been deleted; look with `conversion-forwarder pixels get \(id)`"
        }
    }
}
