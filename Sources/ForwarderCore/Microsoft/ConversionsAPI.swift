/// The Conversions API's requests and what its answers mean. (Universal Event Tracking Conversions API integration guide,
/// as corrected in August 2026.)
public struct ConversionsAPI: Sendable {
    private let url: String
    private let dataProvider: [UInt8]
    private let timeout: Duration

    private static let start = Array(#"{"data":["#.utf8)

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
        var end = ByteBuffer(capacity: 128)
        end.append(isStrict ? #"],"continueOnValidationError":false"# : #"],"continueOnValidationError":true"#)
        end.append(#","dataProvider":"#)
        end.append(dataProvider)
        end.append("}")
        return HTTPRequest(
            method: .post, url: url,
            headers: [.init("Authorization", "Bearer \(token)"), .init("Content-Type", "application/json")],
            bodyPieces: [ConversionsAPI.start, contents, end.array()], timeout: timeout)
    }

    /// What the answer to a request of `entryCount` entries means. To a strict request it is 400 if one of them is bad; else
    /// if all of them are.
    public static func verdict(_ outcome: HTTPOutcome, entryCount: Int, now: Timestamp) -> Verdict {
        var verdict = Verdict.ofTransport(outcome, now: now)
        guard case .answer(let answer) = outcome, [200, 400].contains(answer.status) else { return verdict }
        guard let root = answer.readableRoot else {
            if answer.status == 200 { verdict = .ofUnreadable200(answer, entryCount: entryCount) }
            verdict.traceID = answer.traceID
            return verdict
        }
        let details = Details(root, entryCount: entryCount)
        if answer.status == 200 {
            verdict = accepted(details, received: root["eventsReceived"]?.integer, entryCount: entryCount)
        } else if !details.errors.isEmpty || !details.unmarked.isEmpty {
            verdict = Verdict(.notProcessed, entries: details.refused(including: true), reason: "http_400")
        }
        verdict.problems = details.problems
        verdict.warnings = details.warned.count
        verdict.traceID =
            answer.traceID
            ?? (root["traceId"] ?? root["error"]?["traceId"])?.string.flatMap(MicrosoftText.identifier)
        return verdict
    }

    /// What is listed as an error was skipped, the rest processed, if the counts agree.
    private static func accepted(_ details: Details, received: Int64?, entryCount: Int) -> Verdict {
        guard let received else {
            guard details.count > 0 else { return Verdict(.unconfirmed, reason: "unreadable_200") }
            // Without a count a full list may be a cut one.
            let mayBeCut = details.count >= listedProblems
            return Verdict(
                mayBeCut ? .unexplained : .delivered, entries: details.refused(including: true), reason: "ok")
        }
        let skipped = Int(clamping: max(0, Int64(entryCount).subtractingClamped(received)))
        // Details that are not marked as either are errors only if the count has room for them.
        let entries = details.refused(including: skipped > details.errors.count)
        return Verdict(skipped > entries.count ? .unexplained : .delivered, entries: entries, reason: "ok")
    }

    /// The details of an answer, by the entries they are about.
    private struct Details {
        /// Codes of errors, and of what is marked neither as error nor as warning: older answers do not say.
        private(set) var errors: [Int: String] = [:]
        private(set) var unmarked: [Int: String] = [:]
        private(set) var warned: Set<Int> = []
        private(set) var problems: [String] = []
        private(set) var count = 0

        init(_ root: JSONElement, entryCount: Int) {
            for detail in root["error"]?["details"]?.elements ?? [] {
                count += 1
                let code = detail["errorCode"]?.string.flatMap(MicrosoftText.code) ?? "ValidationError"
                let property = detail["propertyName"]?.string.flatMap(MicrosoftText.property) ?? "-"
                if problems.count < Verdict.problemLimit { problems.append("\(code) \(property)") }
                guard let index = detail["index"]?.integer, 0..<Int64(entryCount) ~= index else { continue }
                switch detail["isWarning"]?.bool {
                case true?: warned.insert(Int(index))
                case false?: if errors[Int(index)] == nil { errors[Int(index)] = code }
                case nil: if unmarked[Int(index)] == nil { unmarked[Int(index)] = code }
                }
            }
            warned.subtract(errors.keys)
        }

        func refused(including unmarkedToo: Bool) -> [Verdict.Entry] {
            let codes = unmarkedToo ? errors.merging(unmarked) { error, _ in error } : errors
            return codes.sorted { $0.key < $1.key }
                .map { Verdict.Entry(index: $0.key, fate: .refused, code: $0.value) }
        }
    }
}
