import ForwarderCore

/// One event, or nothing at all, to be sent to one destination outside its lane: no book counts it, nothing repeats it.
struct TestRequest: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        /// An empty list. Microsoft documents no way to ask whether a credential is good; but whoever refuses this for
        /// its emptiness has let the credential pass.
        case nothing
        /// One event as the storefront publishes it.
        case event([UInt8])
    }

    var destination: String
    var content: Content
}

/// A test request by a configuration: what is to be sent, or why nothing is.
struct PreparedTest: Sendable {
    /// The control socket waits for a minute.
    private static let longestTimeout = Duration.seconds(30)

    private(set) var result: TestResult
    private let interface: MicrosoftInterface?
    private let kind: DestinationSettings.Kind?
    /// What the event counts as, where it counts.
    private var goal: String?
    private var contents: [UInt8] = []
    private var itemCount = 0

    init(_ request: TestRequest, _ configuration: Configuration, now: Timestamp) {
        result = TestResult(destination: request.destination, isProbe: request.content == .nothing)
        guard let settings = configuration.destinations.first(where: { $0.name == request.destination }) else {
            interface = nil
            kind = nil
            let names = configuration.destinations.map(\.name).joined(separator: ", ")
            result.obstacles = ["no such destination; there are: \(names)"]
            return
        }
        interface = MicrosoftInterface(settings)
        kind = settings.kind
        guard case .event(let event) = request.content else { return }
        let explanation = Explainer(configuration, now: now).explain(event)
        result.eventID = explanation.eventID
        guard let destination = explanation.destinations.first(where: { $0.name == request.destination }) else {
            result.obstacles = explanation.unreadable ?? []
            return
        }
        result.dropped = destination.dropped
        if let batch = destination.batch {
            contents = batch.contents
            itemCount = batch.itemCount
            goal = batch.deliveries.first.map { batch.goals[Int($0.goal)] }
        } else {
            result.obstacles = ["\(destination.outcome.rawValue): \(destination.reasons.joined(separator: ", "))"]
        }
    }

    /// The request; nil if there is nothing to send.
    func request(_ credential: MicrosoftInterface.Credential) -> HTTPRequest? {
        guard result.obstacles.isEmpty, var request = interface?.request(contents, isStrict: false, credential) else {
            return nil
        }
        request.timeout = min(request.timeout, PreparedTest.longestTimeout)
        return request
    }

    func refused(_ obstacle: String) -> TestResult {
        var result = result
        result.obstacles.append(obstacle)
        return result
    }

    func answered(_ outcome: HTTPOutcome, elapsed: Duration, now: Timestamp) -> TestResult {
        var result = result
        // Without a credential: what is shown is not what lets in.
        if !result.isProbe { result.sent = request(.init(token: "")).map(SentRequest.init) }
        guard let verdict = interface?.verdict(outcome, entryCount: itemCount, now: now) else { return result }
        var status: Int?
        if case .answer(let answer) = outcome { status = answer.status }
        var meaning = result.isProbe ? TestResult.Meaning.ofProbe(verdict) : .ofEvent(verdict)
        // Nothing is said of what a pixel's host answers to a call of no pixel; whoever answers at all is there.
        if result.isProbe, case .investPixel = kind, let status, status < 500 { meaning = .accepted }
        result.answer = TestResult.Answer(status: status, verdict: verdict, meaning: meaning, elapsed: elapsed)
        if let kind, let answer = result.answer {
            result.place = MicrosoftPlaces.toLook(answer.meaning, kind, goal: goal)
        }
        return result
    }
}
