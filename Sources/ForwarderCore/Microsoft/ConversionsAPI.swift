/// The Conversions API's requests and what its answers mean. (Universal Event Tracking Conversions API integration guide,
/// as corrected in August 2026.)
public struct ConversionsAPI: Sendable {
    private let url: String
    private let dataProvider: [UInt8]
    private let timeout: Duration

    /// Of all errors and warnings the service lists only so many.
    static let listedProblems = 10

    public init(_ settings: CAPISettings, endpoint: String, timeout: Duration) {
        url = "\(endpoint)/v1/\(settings.uetTagID)/events"
        var quoted = ByteBuffer()
        quoted.append(json: settings.dataProvider)
        dataProvider = quoted.array()
        self.timeout = timeout
    }

    /// With `isStrict` one bad entry makes the service process none; else it skips what is bad.
    public func request(_ contents: [UInt8], isStrict: Bool, token: String) -> HTTPRequest {
        var body = ByteBuffer(capacity: contents.count + 128)
        body.append(#"{"data":["#)
        body.append(contents)
        body.append(isStrict ? #"],"continueOnValidationError":false"# : #"],"continueOnValidationError":true"#)
        body.append(#","dataProvider":"#)
        body.append(dataProvider)
        body.append("}")
        return HTTPRequest(
            method: .post, url: url,
            headers: [.init("Authorization", "Bearer \(token)"), .init("Content-Type", "application/json")],
            body: body.array(), timeout: timeout)
    }

    /// What the answer to a request of `entryCount` entries means.
    public static func verdict(_ outcome: HTTPOutcome, entryCount: Int, isStrict: Bool, now: Timestamp) -> Verdict {
        if let verdict = Verdict.ofTransport(outcome, now: now) { return verdict }
        guard case .answer(let answer) = outcome else { preconditionFailure("an answer has a status") }
        let body = Body(answer, entryCount: entryCount)
        var verdict: Verdict
        switch answer.status {
        case 200: verdict = accepted(body, entryCount: entryCount, isStrict: isStrict)
        case 401: verdict = Verdict(.credentialRefused, reason: "http_401")
        default: verdict = refused(body)
        }
        verdict.problems = body?.problems ?? []
        verdict.warnings = body?.warned.count ?? 0
        verdict.traceID = answer.traceID ?? body?.traceID
        return verdict
    }

    /// 200: what is listed as an error was skipped, the rest processed, if the counts agree.
    private static func accepted(_ body: Body?, entryCount: Int, isStrict: Bool) -> Verdict {
        guard let body, body.received != nil || body.hasDetails else {
            return Verdict(.unconfirmed, reason: "unreadable_200")
        }
        let named = body.refused.count
        let unnamed: Int
        if let received = body.received {
            unnamed = max(0, entryCount - received - named)
        } else {
            // Without a count a full list may be a cut one.
            unnamed = body.problems.count >= listedProblems ? 1 : 0
        }
        return Verdict(
            unnamed > 0 && named < entryCount ? .unexplained : .delivered, entries: body.refused, reason: "ok")
    }

    /// 400: nothing was processed, whether one entry was bad (strict) or all.
    private static func refused(_ body: Body?) -> Verdict {
        guard let body, !body.refused.isEmpty else { return Verdict(.refusedWhole, reason: "http_400") }
        return Verdict(.notProcessed, entries: body.refused, reason: "http_400")
    }

    /// The members of an answer that are read.
    private struct Body {
        var received: Int?
        var hasDetails = false
        var refused: [Verdict.Entry] = []
        var warned: Set<Int> = []
        var problems: [String] = []
        var traceID: String?

        init?(_ answer: HTTPAnswer, entryCount: Int) {
            guard !answer.isTruncated, let document = try? JSONDocument(answer.body) else { return nil }
            let root = document.root
            guard root.kind == .object else { return nil }
            received = root["eventsReceived"]?.integer.flatMap { Int(exactly: $0) }
            traceID = (root["traceId"] ?? root["error"]?["traceId"])?.string.flatMap(MicrosoftText.identifier)
            guard let details = root["error"]?["details"]?.elements else { return }
            hasDetails = true
            var codes: [Int: String] = [:]
            for detail in details {
                // Older answers have neither `errorCode` nor `isWarning`.
                let code = detail["errorCode"]?.string.flatMap(MicrosoftText.identifier) ?? "ValidationError"
                let property = detail["propertyName"]?.string.flatMap(MicrosoftText.property) ?? "-"
                problems.append("\(code) \(property)")
                guard let index = detail["index"]?.integer, 0..<Int64(entryCount) ~= index else { continue }
                if detail["isWarning"]?.bool == true {
                    warned.insert(Int(index))
                } else if codes[Int(index)] == nil {
                    codes[Int(index)] = code
                }
            }
            refused = codes.sorted { $0.key < $1.key }
                .map { Verdict.Entry(index: $0.key, fate: .refused, code: $0.value) }
            warned.subtract(codes.keys)
        }
    }
}
