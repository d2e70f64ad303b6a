import ForwarderCore

/// Microsoft's side of the Conversions API, Offline Conversions and the token endpoint, as its documents describe them,
/// as a value: no clock, no socket, no randomness of its own.
///
/// It judges more strictly than Microsoft where that is known not to hurt a correct client, keeps books of all that it
/// was sent, and goes wrong the way its fault plan says. A request passes through three steps, so that a server can run
/// the long one without a lock: `admit` (who is asking, and does a fault strike), `PendingRequest.judge` (the content
/// alone), `settle` (books and answer).
public struct MicrosoftModel: Sendable {
    public private(set) var settings: MicrosoftSettings
    var plan: FaultPlan
    /// When the plan was put into force; nil until the first request.
    private var planStart: Timestamp?
    var books: [FakeDestination: DestinationBooks] = [:]
    var tokens: TokenIssuer
    var consents = ConsentDesk()
    var tokenTraffic = Traffic()
    /// By pixel, what was made of its conversions.
    public internal(set) var pixelCounts: [Int: PixelCounts] = [:]
    /// Of the Conversion Pixel Service.
    public internal(set) var pixelTokens = PixelTokenDesk()
    /// Questions for what became of conversions.
    public internal(set) var goalReports = 0
    /// Questions for the token of a tag.
    public internal(set) var tagTokenQuestions = 0
    /// Requests that are for no known destination.
    var strays: DestinationBooks

    /// - Parameter plan: its phases count from the first request.
    public init(_ settings: MicrosoftSettings, plan: FaultPlan = .none) {
        self.settings = settings
        self.plan = plan
        tokens = TokenIssuer(settings.grant)
        strays = DestinationBooks(findingLimit: settings.findingLimit)
        for tag in settings.tags.keys { open(.capi(tag: tag)) }
        for id in settings.invest.pixels.keys { open(.pixel(id: id)) }
        for account in settings.accounts {
            for content in CampaignContent.allCases { open(.campaign(content, account: account.accountID)) }
        }
    }

    /// Answers one request.
    public mutating func handle(
        _ request: FakeRequest, now: Timestamp, using rng: inout some RandomNumberGenerator
    ) -> FakeReply {
        switch admit(request, now: now, using: &rng) {
        case .reply(let reply): reply
        case .pending(let pending): settle(pending, pending.judge())
        }
    }

    /// The first step: everything up to the content.
    mutating func admit(
        _ request: FakeRequest, now: Timestamp, using rng: inout some RandomNumberGenerator
    ) -> Admission {
        let route = Route(path: request.path)
        let start = planStart ?? now
        planStart = start
        let chosen = plan.choose(
            for: route.target, after: now - start, bodyBytes: request.body.count, using: &rng)
        let exchange = Exchange(
            now: now, trackingID: rng.guid(), chosen: chosen,
            poisons: plan.poisons(for: route.target, after: now - start))
        switch route {
        case .capi(let tag): return admitCAPI(request, tag: tag, exchange)
        case .offline(let content): return admitOffline(request, as: content, exchange)
        case .oauth: return .reply(answerTokenRequest(request, exchange, using: &rng))
        case .goalReport: return .reply(answerGoalReport(request, exchange))
        case .tagToken: return .reply(answerTagToken(request, exchange))
        case .consent: return .reply(answerConsentRequest(request, now: now, using: &rng))
        case .pixel(let isSentOn): return .reply(answerPixel(request, isSentOn: isSentOn, exchange))
        case .customers(let kind): return .reply(answerCustomerRequest(request, kind, exchange))
        case .pixelService(let kind): return .reply(answerPixelService(request, kind, exchange, using: &rng))
        case .unknown:
            strays.blame(Finding(reason: "unknown_path"))
            let reply = FakeReply.page(404, "Not Found")
            strays.traffic.count(reply, fault: nil)
            return .reply(reply)
        }
    }

    /// The last step: enters what the content was found to be into the books and words the answer.
    mutating func settle(_ pending: PendingRequest, _ judged: JudgedContent) -> FakeReply {
        switch judged {
        case .capi(let judgement): settleCAPI(pending, judgement)
        case .offline(let judgement): settleOffline(pending, judgement)
        }
    }

    // MARK: The operator's hand

    /// Puts a plan into force from `now` on.
    public mutating func follow(_ plan: FaultPlan, from now: Timestamp) {
        self.plan = plan
        planStart = now
    }

    /// Adds a fault to the plan in force, ahead of the others; its window counts from `now` on.
    public mutating func add(_ phase: FaultPlan.Phase, from now: Timestamp) {
        let elapsed = now - (planStart ?? now)
        var phase = phase
        phase.window = (phase.window.lowerBound + elapsed)..<(phase.window.upperBound + elapsed)
        planStart = planStart ?? now
        plan = FaultPlan([phase] + plan.phases)
    }

    /// Gives a tag another token, as when somebody renews it; a tag that was not known is from now on.
    public mutating func setToken(_ token: String, ofTag tag: String) {
        settings.tags[tag] = token
        open(.capi(tag: tag))
    }

    /// Creates or changes a goal of an account; an unknown account is left alone.
    public mutating func setGoal(_ goal: OfflineGoal, named name: String, ofAccount accountID: String) {
        guard let index = settings.accounts.firstIndex(where: { $0.accountID == accountID }) else { return }
        settings.accounts[index].goals[name] = goal
    }

    /// Somebody else signs in, or the same person otherwise.
    public mutating func change(_ body: (inout MicrosoftSettings) -> Void) {
        body(&settings)
    }

    /// Lets every access token expire.
    public mutating func expireAccessTokens(now: Timestamp) {
        tokens.expireAccessTokens(now: now)
    }

    /// Somebody consents anew: from now on this refresh token is taken as well; with `revoking`, no other one is, nor any
    /// access token.
    public mutating func consent(refreshToken: String, revoking: Bool = false) {
        if revoking { tokens.revoke() }
        tokens.accept(refreshToken)
    }

    mutating func open(_ destination: FakeDestination) {
        if books[destination] == nil { books[destination] = DestinationBooks(findingLimit: settings.findingLimit) }
    }

    /// Changes the books of the destination; those of the strays if there is none.
    mutating func withBooks<Result>(
        _ destination: FakeDestination?, _ body: (inout DestinationBooks) -> Result
    ) -> Result {
        guard let destination, let index = books.index(forKey: destination) else { return body(&strays) }
        return body(&books.values[index])
    }
}

/// How far a request got at first sight.
enum Admission: Sendable {
    case reply(FakeReply)
    case pending(PendingRequest)
}

/// What belongs to one request besides its content.
struct Exchange: Sendable {
    var now: Timestamp
    var trackingID: String
    /// The fault that befalls it.
    var chosen: FaultPlan.Chosen?
    var poisons: [UInt64]

    var fault: Fault? { chosen?.fault }
}

/// A request whose content is still to be judged.
struct PendingRequest: Sendable {
    enum Kind: Sendable {
        case capi(tag: String)
        case offline(CampaignContent, OfflineAccount)
    }

    var kind: Kind
    var exchange: Exchange
    var body: [UInt8]

    /// Judges the content, without the model.
    func judge() -> JudgedContent {
        switch kind {
        case .capi: .capi(CAPIJudge.judge(body, now: exchange.now))
        case .offline(let content, let account):
            .offline(CampaignJudge.judge(body, as: content, of: account, now: exchange.now))
        }
    }

    var destination: FakeDestination {
        switch kind {
        case .capi(let tag): .capi(tag: tag)
        case .offline(let content, let account): .campaign(content, account: account.accountID)
        }
    }
}

enum JudgedContent: Sendable {
    case capi(Judgement<CAPICode>)
    case offline(Judgement<CampaignCode>)
}
