/// ApplyOfflineConversions of Campaign Management v13 over REST and its like, and what their answers mean.
public struct CampaignManagement: Sendable {
    public enum Operation: String, Sendable {
        case apply = "OfflineConversions"
        case adjustOffline = "OfflineConversionAdjustments"
        case adjustOnline = "OnlineConversionAdjustments"
    }

    private let operation: Operation
    private let base: String
    private let customerID: String
    private let accountID: String
    private let timeout: Duration

    public init(_ settings: OfflineSettings, _ operation: Operation = .apply, endpoint: String, timeout: Duration) {
        self.operation = operation
        base = "\(endpoint)/CampaignManagement/v13/"
        customerID = settings.customerID
        accountID = settings.accountID
        self.timeout = timeout
    }

    public func request(_ contents: [UInt8], accessToken: String, developerToken: String) -> HTTPRequest {
        var body = ByteBuffer(capacity: contents.count + 64)
        body.append(text: #"{"\#(operation.rawValue)":["#)
        body.append(contents)
        body.append("]}")
        return request(
            "\(operation.rawValue)/Apply", body.array(), accessToken: accessToken, developerToken: developerToken)
    }

    /// A call of one of the service's operations.
    func request(
        _ operation: String, _ body: [UInt8], accessToken: String, developerToken: String
    ) -> HTTPRequest {
        HTTPRequest(
            method: .post, url: base + operation,
            headers: [
                .init("Authorization", "Bearer \(accessToken)"), .init("DeveloperToken", developerToken),
                .init("CustomerId", customerID), .init("CustomerAccountId", accountID),
                .init("Content-Type", "application/json"),
            ],
            body: body, timeout: timeout)
    }

    /// What the answer to a request of `entryCount` entries means.
    public static func verdict(_ outcome: HTTPOutcome, entryCount: Int, now: Timestamp) -> Verdict {
        guard case .answer(let answer) = outcome else { return .ofTransport(outcome, now: now) }
        let root = answer.readableRoot
        let errors = root.map { CampaignError.all($0, of: answer, entryCount: entryCount) } ?? []
        var verdict: Verdict
        if answer.status == 200, root == nil {
            verdict = .ofUnreadable200(answer, entryCount: entryCount)
        } else if answer.status == 200 || !errors.isEmpty {
            verdict = judge(errors, answer, now)
        } else {
            verdict = .ofTransport(outcome, now: now)
        }
        verdict.problems = errors.prefix(Verdict.problemLimit).map(\.problem)
        verdict.traceID = answer.traceID ?? root?["TrackingId"]?.string.flatMap(MicrosoftText.identifier)
        return verdict
    }

    /// The gravest word counts: a token that is not accepted explains every other error of the answer. Only when nothing
    /// is said about the request as a whole, errors with an index decide about their entries. The list is sparse: in an
    /// answer of 200 what is not in it was taken.
    private static func judge(_ errors: [CampaignError], _ answer: HTTPAnswer, _ now: Timestamp) -> Verdict {
        let isProcessed = answer.status == 200
        let meanings = errors.map(\.code.meaning)
        let unclear = errors.filter { $0.index == nil }.map(\.code.meaning)
        let others: Verdict.Others
        if meanings.contains(.credential) {
            others = .credentialRefused
        } else if meanings.contains(.configuration) {
            others = .parked
        } else if meanings.contains(.throttled) {
            let wait = max(answer.retryAfter(now) ?? .zero, CampaignCode.throttleWait)
            others = .throttled(for: min(wait, Backoff.retryAfterLimit))
        } else if unclear.contains(.retry) {
            others = .retry(after: answer.retryAfter(now))
        } else if unclear.contains(.tooMany) {
            others = .tooLarge
        } else if !unclear.isEmpty {
            // An error without a usable index condemns somebody, but nobody knows whom.
            others = isProcessed ? .refusedWhole : Verdict.ofTransport(.answer(answer), now: now).others
        } else {
            others = isProcessed ? .delivered : .notProcessed
        }
        let reason = others == .delivered ? "ok" : "campaign_\(errors.first?.code.reason ?? "")"
        switch others {
        case .delivered, .notProcessed, .refusedWhole:
            return Verdict(others, entries: Verdict.Entry.list(errors), reason: reason)
        default: return Verdict(others, reason: reason)
        }
    }
}

/// One error of an answer: of `PartialErrors`, or of a fault (`AdApiFaultDetail` has `Errors`, `ApiFaultDetail` has
/// `BatchErrors` and `OperationErrors`).
private struct CampaignError {
    var code: CampaignCode
    /// The entry that it is about; nil if it is about the request as a whole, or nobody can say.
    var index: Int?

    static func all(_ root: JSONElement, of answer: HTTPAnswer, entryCount: Int) -> [CampaignError] {
        ["PartialErrors", "Errors", "OperationErrors", "BatchErrors"].flatMap { root[$0]?.elements ?? [] }
            .compactMap { CampaignError($0, of: answer, entryCount: entryCount) }
    }

    private init?(_ element: JSONElement, of answer: HTTPAnswer, entryCount: Int) {
        guard element.kind == .object else { return nil }
        let number = element["Code"]?.integer ?? element["Code"]?.string.flatMap { Int64($0) } ?? -1
        code = CampaignCode(
            number: 0...999_999 ~= number ? Int(number) : -1,
            name: element["ErrorCode"]?.string.flatMap(MicrosoftText.code) ?? "")
        index = element["Index"]?.integer.flatMap { Int(exactly: $0) }.flatMap { 0..<entryCount ~= $0 ? $0 : nil }
        if index == nil, entryCount == 1, [200, 400].contains(answer.status), code.isAboutEntry { index = 0 }
    }

    var problem: String { "\(code.number) \(code.name)" }
}

extension CampaignCode {
    /// Whether it can be the fault of one entry.
    fileprivate var isAboutEntry: Bool {
        switch meaning {
        case .refused, .goalMissing, .goalTooYoung, .future: true
        case .retry, .throttled, .credential, .configuration, .tooMany: false
        }
    }
}

extension Verdict.Entry {
    /// One entry per index. Of several errors of one entry, one that leaves it a chance counts: refused it can still be
    /// later.
    fileprivate static func list(_ errors: [CampaignError]) -> [Verdict.Entry] {
        var byIndex: [Int: Verdict.Entry] = [:]
        for error in errors {
            guard let index = error.index, byIndex[index].map({ $0.fate == .refused }) ?? true else { continue }
            if byIndex[index] != nil, error.code.fate == .refused { continue }
            byIndex[index] = Verdict.Entry(index: index, fate: error.code.fate, code: error.code.reason)
        }
        return byIndex.values.sorted { $0.index < $1.index }
    }
}
