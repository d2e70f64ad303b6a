import ForwarderCore

/// What came of a test request.
struct TestResult: Sendable {
    /// What the answer means to whoever asks whether things are set up well.
    enum Meaning: String {
        case accepted
        /// Answered with 200, without a word of what was done.
        case unconfirmed
        case refused
        case credentialRefused = "credential_refused"
        case configurationRefused = "configuration_refused"
        case throttled
        case unavailable
    }

    struct Answer: Sendable {
        var status: Int?
        var verdict: Verdict
        var meaning: Meaning
        var elapsed: Duration
    }

    var destination: String
    var isProbe: Bool
    var eventID: String?
    var dropped: [(field: String, reason: String)] = []
    /// What was sent, if it was more than a question.
    var sent: SentRequest?
    /// Where in Microsoft's pages to look next.
    var place: String?
    /// Why nothing was sent.
    var obstacles: [String] = []
    var answer: Answer?

    init(destination: String, isProbe: Bool) {
        self.destination = destination
        self.isProbe = isProbe
    }

    var isWell: Bool { answer?.meaning == .accepted }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("destination", destination)
            if let eventID { writer.member("event_id", eventID) }
            writer.member("well", isWell)
            writer.member("outcome", answer?.meaning.rawValue ?? "not_sent")
            let reasons = obstacles + (answer?.reasons ?? [])
            writer.member("reasons", array: reasons)
            writer.member("explained", array: reasons.map(AnswerWords.explained))
            writer.member("dropped_fields", array: dropped.map(\.field))
            if let sent {
                writer.name("sent")
                writer.object { writer in
                    writer.member("method", sent.method)
                    writer.member("url", sent.url)
                    writer.name("body")
                    if sent.body.isEmpty { writer.null() } else { writer.raw(sent.body) }
                }
            }
            if let place { writer.member("look_at", place) }
            guard let answer else { return }
            if let status = answer.status { writer.member("status", status) }
            writer.member("warnings", answer.verdict.warnings)
            if let id = answer.verdict.traceID { writer.member("trace_id", id) }
            writer.member("milliseconds", answer.elapsed.milliseconds)
        }
        return writer.bytes
    }

    /// Lines for a person, of the JSON: the daemon may have made it.
    static func text(_ root: JSONElement) -> String {
        let outcome = root["outcome"]?.string ?? ""
        let words = Meaning(rawValue: outcome)?.words ?? "nothing was sent"
        var lines = ["\(root["destination"]?.string ?? ""): \(words)"]
        if let id = root["event_id"]?.string { lines.append("  event \(id)") }
        for reason in root["explained"]?.elements ?? [] { lines.append("  \(reason.string ?? "")") }
        for field in root["dropped_fields"]?.elements ?? [] { lines.append("  without \(field.string ?? "")") }
        if let status = root["status"]?.rawText {
            lines.append("  HTTP \(status) after \(root["milliseconds"]?.rawText ?? "?") ms")
        }
        if let warnings = root["warnings"]?.integer, warnings > 0 { lines.append("  \(warnings) warnings") }
        if let id = root["trace_id"]?.string { lines.append("  trace id for Microsoft's support: \(id)") }
        if let sent = root["sent"] {
            lines.append(
                "  sent, with hashes and ids cut short: \(sent["method"]?.string ?? "") \(sent["url"]?.string ?? "")")
            if let body = sent["body"], !body.isNull {
                lines.append("    \(String(decoding: body.json, as: UTF8.self))")
            }
        }
        if let place = root["look_at"]?.string { lines.append("  look at: \(place)") }
        return lines.joined(separator: "\n")
    }
}

extension TestResult.Answer {
    /// Codes only; what Microsoft writes may quote the event.
    fileprivate var reasons: [String] {
        if meaning == .accepted { return [] }
        var reasons = verdict.reason == "ok" ? [] : [verdict.reason]
        for text in verdict.entries.map(\.code) + verdict.problems where !reasons.contains(text) {
            reasons.append(text)
        }
        // `5604` says no more than `5604 OfflineConversionMicrosoftClickIdInvalid`.
        return reasons.filter { reason in !reasons.contains { $0.hasPrefix(reason + " ") } }
    }
}

extension TestResult.Meaning {
    /// Of an answer to an empty list: being refused for that is what was hoped for.
    static func ofProbe(_ verdict: Verdict) -> TestResult.Meaning {
        ofTrouble(verdict) ?? .accepted
    }

    static func ofEvent(_ verdict: Verdict) -> TestResult.Meaning {
        if let trouble = ofTrouble(verdict) { return trouble }
        guard verdict.entries.isEmpty else { return .refused }
        switch verdict.others {
        case .delivered: return .accepted
        case .unconfirmed: return .unconfirmed
        default: return .refused
        }
    }

    private static func ofTrouble(_ verdict: Verdict) -> TestResult.Meaning? {
        switch verdict.others {
        case .credentialRefused: .credentialRefused
        case .parked: .configurationRefused
        case .busy, .throttled: .throttled
        case .retry, .unclear: .unavailable
        case .delivered, .unconfirmed, .unexplained, .notProcessed, .refusedWhole, .tooLarge: nil
        }
    }

    fileprivate var words: String {
        switch self {
        case .accepted: "accepted"
        case .unconfirmed: "answered well, but in words that prove nothing"
        case .refused: "refused; the codes say why"
        case .credentialRefused: "the credential is not accepted; replace the token, or grant consent anew"
        case .configurationRefused:
            "refused for what is configured: look at tag, account, customer, endpoint and rights"
        case .throttled: "throttled; try again in a few minutes"
        case .unavailable: "no useful answer; look at the network, or at Microsoft's service health"
        }
    }
}
