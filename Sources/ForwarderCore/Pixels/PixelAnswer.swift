/// What an answer of the Conversion Pixel Service comes to. The status alone says little: an error may come as a 200, so
/// the body is looked at first, and only `response.status: OK` is success.
enum PixelAnswer: Sendable {
    /// The element `response`.
    case done(JSONElement)
    /// Nothing was carried out; nil: the service does not say for how long.
    case throttled(for: Duration?)
    case refused(PixelRefusal)
    /// Nobody knows whether the request was carried out. Why, in words.
    case unknown(String)

    /// - Parameter detail: of a fault, for a person.
    init(_ outcome: HTTPOutcome, detail: String?, now: Timestamp) {
        switch outcome {
        case .noAnswer(let fault):
            self = .unknown("no answer (\(fault.rawValue)\(detail.map { ": \($0.printable(limit: 200))" } ?? ""))")
        case .answer(let answer): self.init(answer, now: now)
        }
    }

    private init(_ answer: HTTPAnswer, now: Timestamp) {
        let response = answer.readableRoot?["response"]
        let refusal = response.flatMap { PixelRefusal($0, status: answer.status) }
        let isThrottled =
            answer.status == 429 || answer.status == 503 && answer.headers["x-ratelimit-code"] != nil
            || refusal?.code == "RATE_EXCEEDED"
        if isThrottled {
            self = .throttled(for: answer.retryAfter(now))
        } else if let refusal, !refusal.id.isEmpty {
            self = .refused(refusal)
        } else if refusal == nil, let response {
            self = .done(response)
        } else if answer.isTruncated {
            self = .unknown("the answer is longer than \(PixelSession.answerLimit >> 20) MiB")
        } else {
            self = .unknown(
                "the answer is none of the service's (HTTP \(answer.status)); if it stays so, look at pixel_service.endpoint"
            )
        }
    }
}

/// An error of the service.
struct PixelRefusal: Sendable, Equatable {
    /// `error_id`; empty if there is none, and then nobody knows what it is about.
    var id: String
    /// `error_code`.
    var code: String?
    /// The service's own words.
    var text: String

    /// nil of success.
    fileprivate init?(_ response: JSONElement, status: Int) {
        if response["status"]?.string == "OK", 200...299 ~= status { return nil }
        let id = response["error_id"]?.string.flatMap(MicrosoftText.identifier) ?? ""
        // Some texts are lists; what the words are in is JSON then.
        let words = [response["error"], response["error_description"]].compactMap { element in
            element.flatMap { $0.isNull ? nil : ($0.string ?? $0.rawText).printable(limit: 300) }
        }.filter { !$0.isEmpty && $0 != id }
        self.id = id
        code = response["error_code"]?.string.flatMap(MicrosoftText.identifier)
        text = words.first == words.last ? words.first ?? "" : words.joined(separator: ": ")
    }

    /// Whether the service, and not what was asked of it, is at fault.
    var isPassing: Bool { id == "SYSTEM" }

    /// - Parameter user: who asked.
    func words(to call: PixelCall?, user: String) -> String {
        let said = [id, code ?? "", text].filter { !$0.isEmpty }.joined(separator: ", ")
        return "\(meaning(call, user)) (\(said))"
    }

    private func meaning(_ call: PixelCall?, _ user: String) -> String {
        switch id {
        case "NOAUTH_EXPIRED":
            "the password of \(user) has expired; somebody has to set a new one, and pixel_service.password after it"
        case "NOAUTH_DISABLED": "\(user) is disabled; somebody has to enable that user again"
        case _ where call == nil:
            "\(user) is not let in; look at pixel_service.username and password, and whether that user may use the API"
        case "NOAUTH": "the service does not take the token that it has just given; try again in a minute"
        case "UNAUTH": "\(user) may not do this, or the pixel is another member's; look at the rights of that user"
        case "SYNTAX": "the service does not take this; correct what it names"
        case "INTEGRITY":
            if case .delete(let id, _) = call {
                "pixel \(id) is in use; take it off every line item first"
            } else {
                "this does not go with what is there already; change that first"
            }
        case "LIMIT": "there are as many of these as are allowed; delete some first, or have the limit raised"
        case "SYSTEM": "the service has a fault; try again later"
        default: "refused"
        }
    }
}
