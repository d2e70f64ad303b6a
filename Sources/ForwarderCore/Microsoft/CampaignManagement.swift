/// ApplyOfflineConversions of Campaign Management v13 over REST, and what its answers mean.
public struct CampaignManagement: Sendable {
    private let url: String
    private let customerID: String
    private let accountID: String
    private let timeout: Duration

    public init(_ settings: OfflineSettings, endpoint: String, timeout: Duration) {
        url = "\(endpoint)/CampaignManagement/v13/OfflineConversions/Apply"
        customerID = settings.customerID
        accountID = settings.accountID
        self.timeout = timeout
    }

    public func request(_ contents: [UInt8], accessToken: String, developerToken: String) -> HTTPRequest {
        var body = ByteBuffer(capacity: contents.count + 64)
        body.append(#"{"OfflineConversions":["#)
        body.append(contents)
        body.append("]}")
        return HTTPRequest(
            method: .post, url: url,
            headers: [
                .init("Authorization", "Bearer \(accessToken)"), .init("DeveloperToken", developerToken),
                .init("CustomerId", customerID), .init("CustomerAccountId", accountID),
                .init("Content-Type", "application/json"),
            ],
            body: body.array(), timeout: timeout)
    }

    /// What the answer to a request of `entryCount` entries means.
    public static func verdict(_ outcome: HTTPOutcome, entryCount: Int, now: Timestamp) -> Verdict {
        guard case .answer(let answer) = outcome else {
            return Verdict.ofTransport(outcome, now: now) ?? Verdict(.retry(after: nil), reason: "no_answer")
        }
        let body = try? JSONDocument(answer.body)
        var verdict: Verdict
        if answer.status == 200 {
            verdict = accepted(answer.isTruncated ? nil : body, entryCount: entryCount)
        } else if let fault = body.flatMap({ Fault($0.root, entryCount: entryCount) }) {
            verdict = refused(fault, answer, now: now)
        } else if let byStatus = Verdict.ofTransport(outcome, now: now) {
            verdict = byStatus
        } else if answer.status == 401 {
            verdict = Verdict(.credentialRefused, reason: "http_401")
        } else {
            verdict = Verdict(.refusedWhole, reason: "http_\(answer.status)")
        }
        verdict.traceID = answer.traceID ?? body?.root["TrackingId"]?.string.flatMap(MicrosoftText.identifier)
        return verdict
    }

    /// 200: what has no entry in the (sparse) list of partial errors was taken.
    private static func accepted(_ body: JSONDocument?, entryCount: Int) -> Verdict {
        guard let root = body?.root, root.kind == .object else {
            return Verdict(.unconfirmed, reason: "unreadable_200")
        }
        let errors = root["PartialErrors"].flatMap { Fault.Error.list($0) } ?? []
        let entries = Verdict.Entry.list(errors, entryCount: entryCount)
        // An error without a usable index condemns somebody, but nobody knows whom.
        let isUnclear = errors.contains { $0.index.map { !(0..<entryCount ~= $0) } ?? true }
        return Verdict(
            isUnclear ? .refusedWhole : .delivered, entries: isUnclear ? [] : entries, reason: "ok",
            problems: errors.prefix(10).map(\.problem))
    }

    private static func refused(_ fault: Fault, _ answer: HTTPAnswer, now: Timestamp) -> Verdict {
        let errors = fault.errors
        let code = fault.errors.first.map { "campaign_\($0.code.number)" } ?? "http_\(answer.status)"
        var verdict = Verdict(.refusedWhole, reason: code, problems: errors.prefix(10).map(\.problem))
        // The gravest word counts: a token that is not accepted explains every other error of the answer.
        let meanings = errors.filter { $0.index == nil }.map(\.code.meaning)
        let retryAfter = answer.headers["retry-after"].flatMap { RetryAfter.parse($0, now: now) }
        if meanings.contains(.credential) {
            verdict.others = .credentialRefused
        } else if meanings.contains(.configuration) {
            verdict.others = .parked
        } else if meanings.contains(.throttled) {
            verdict.others = .throttled(for: max(retryAfter ?? .zero, CampaignCode.throttleWait))
        } else if meanings.contains(.retry) {
            verdict.others = .retry(after: retryAfter)
        } else if meanings.contains(.tooMany) {
            verdict.others = .tooLarge
        } else {
            let entries = Verdict.Entry.list(errors, entryCount: fault.entryCount)
            if !entries.isEmpty {
                verdict.others = .notProcessed
                verdict.entries = entries
            } else if answer.status != 400, let byStatus = Verdict.ofTransport(.answer(answer), now: now) {
                verdict.others = byStatus.others
            } else if answer.status == 401 {
                verdict.others = .credentialRefused
            }
        }
        return verdict
    }
}

/// A fault body: `AdApiFaultDetail` has `Errors`; `ApiFaultDetail` has `BatchErrors` and `OperationErrors`.
private struct Fault {
    var errors: [Error]
    var entryCount: Int

    init?(_ root: JSONElement, entryCount: Int) {
        guard root.kind == .object else { return nil }
        // Some gateways wrap the fault once more.
        let detail = root["Detail"].flatMap { $0.kind == .object ? $0 : nil } ?? root
        errors = ["Errors", "OperationErrors", "BatchErrors"].compactMap { detail[$0].flatMap(Error.list) }.flatMap {
            $0
        }
        self.entryCount = entryCount
        if errors.isEmpty { return nil }
    }

    struct Error {
        var code: CampaignCode
        var index: Int?

        init?(_ element: JSONElement) {
            guard element.kind == .object else { return nil }
            let name = element["ErrorCode"]?.string.flatMap(MicrosoftText.identifier) ?? ""
            let number = element["Code"]?.integer ?? Int64(element["Code"]?.string ?? "") ?? -1
            guard number >= 0 || !name.isEmpty else { return nil }
            code = CampaignCode(number: Int(truncatingIfNeeded: number), name: name)
            index = element["Index"]?.integer.flatMap { Int(exactly: $0) }
        }

        static func list(_ element: JSONElement) -> [Error]? {
            element.elements?.compactMap(Error.init)
        }

        var problem: String { "\(code.number) \(code.name)" }
    }
}

extension Verdict.Entry {
    /// One entry per index, the first error of each index deciding; several errors of one item are common.
    fileprivate static func list(_ errors: [Fault.Error], entryCount: Int) -> [Verdict.Entry] {
        var byIndex: [Int: Verdict.Entry] = [:]
        for error in errors {
            guard let index = error.index, 0..<entryCount ~= index, byIndex[index] == nil else { continue }
            byIndex[index] = Verdict.Entry(index: index, fate: error.code.fate, code: error.code.reason)
        }
        return byIndex.values.sorted { $0.index < $1.index }
    }
}
