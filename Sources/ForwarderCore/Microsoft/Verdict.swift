/// What an answer, or the lack of one, means for the entries of a request. The decision is a value; carrying it out is the
/// lane's.
public struct Verdict: Sendable, Equatable {
    /// What becomes of all entries that have no verdict of their own.
    public enum Others: Sendable, Equatable {
        case delivered
        /// Said to be fine, but in words that prove nothing: an empty body, or one that is not JSON.
        case unconfirmed
        /// Some of them were not taken, and the answer does not say which.
        case unexplained
        /// Nothing of the request was carried out; what is not named here may be sent again.
        case notProcessed
        /// The request was refused as a whole, without saying what is wrong with it.
        case refusedWhole
        /// The request was too large.
        case tooLarge
        /// Something went wrong, there or on the way; it may even be because of what was sent.
        case retry(after: Duration?)
        /// As `retry`, and it may have been carried out. Only where a repeat would not be recognised.
        case unclear
        /// The destination cannot take more now, whatever it is.
        case busy(after: Duration?)
        /// Every destination that shares this one's credential must wait.
        case throttled(for: Duration)
        /// The credential is not accepted; a new one may be.
        case credentialRefused
        /// Configuration is at fault; sending on changes nothing.
        case parked
    }

    /// What becomes of one entry.
    public enum Fate: Sendable, Equatable {
        case refused
        /// To be sent again, not before this wait; nil: when the retry rules say so.
        case retry(after: Duration?)
        /// Its goal is not known to Microsoft (yet).
        case goalMissing
        /// Its goal is there, and takes nothing yet.
        case goalTooYoung
    }

    public struct Entry: Sendable, Equatable {
        /// Position in the request's list.
        public var index: Int
        public var fate: Fate
        /// Microsoft's code.
        public var code: String

        public init(index: Int, fate: Fate, code: String) {
            self.index = index
            self.fate = fate
            self.code = code
        }
    }

    public var others: Others
    /// At most one per index, in rising order.
    public var entries: [Entry]
    /// The reason in one word: `ok`, `http_503`, `timeout`, `campaign_117`.
    public var reason: String
    /// What Microsoft found fault with, as `Code property`; nothing of the event itself.
    public var problems: [String]
    /// Entries that were taken although something in them was not.
    public var warnings: Int
    /// What Microsoft's support asks for.
    public var traceID: String?

    public init(
        _ others: Others, entries: [Entry] = [], reason: String, problems: [String] = [], warnings: Int = 0,
        traceID: String? = nil
    ) {
        self.others = others
        self.entries = entries
        self.reason = reason
        self.problems = problems
        self.warnings = warnings
        self.traceID = traceID
    }
}

extension Verdict {
    /// Problems named in a verdict, at most: Microsoft's services list ten, or one for each of a thousand entries.
    static let problemLimit = 10

    /// What transport and status decide alone. 200 and 400 have more to say in their bodies.
    static func ofTransport(_ outcome: HTTPOutcome, now: Timestamp) -> Verdict {
        switch outcome {
        case .noAnswer(let fault):
            return Verdict(.retry(after: nil), reason: fault.rawValue)
        case .answer(let answer):
            let others: Others
            switch answer.status {
            case 200...299: others = .unconfirmed
            case 400: others = .refusedWhole
            case 401: others = .credentialRefused
            case 408, 425, 429: others = .busy(after: answer.retryAfter(now))
            case 413: others = .tooLarge
            case 500...599: others = .retry(after: answer.retryAfter(now))
            // 403, 404, 405, 415, 422, redirects and whatever else is nobody's passing trouble: a wrong address, a wrong
            // right, a wrong proxy. That must never finish an event.
            default: others = .parked
            }
            return Verdict(others, reason: "http_\(answer.status)", traceID: answer.traceID)
        }
    }

    /// A 200 whose body cannot be read. What is too long to be read has much to say: about less it will say less.
    static func ofUnreadable200(_ answer: HTTPAnswer, entryCount: Int) -> Verdict {
        answer.isTruncated && entryCount > 1
            ? Verdict(.tooLarge, reason: "answer_too_long") : Verdict(.unconfirmed, reason: "unreadable_200")
    }
}

extension HTTPAnswer {
    /// The body, if it is a whole JSON object.
    var readableRoot: JSONElement? {
        guard !isTruncated, let root = (try? JSONDocument(body))?.root, root.kind == .object else { return nil }
        return root
    }

    func retryAfter(_ now: Timestamp) -> Duration? {
        headers["retry-after"].flatMap { RetryAfter.parse($0, now: now) }
    }

    /// The id under which Microsoft's support finds the request, if there is one that is fit to be logged.
    var traceID: String? {
        for name in ["trackingid", "x-ms-request-id", "request-id", "x-request-id"] {
            if let id = headers[name], let clean = MicrosoftText.identifier(id) { return clean }
        }
        return nil
    }
}

/// Lets out of Microsoft's answers only what cannot carry personal data: codes, member names, ids.
enum MicrosoftText {
    /// A code or id as it is, if it is short and made of letters, digits, `-` and `_`.
    static func identifier(_ text: String) -> String? {
        let isClean = text.utf8.allSatisfy {
            isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        return isClean && 1...64 ~= text.utf8.count ? text : nil
    }

    /// An error code: begins with a letter and is too short for a hash.
    static func code(_ text: String) -> String? {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count < 64 else { return nil }
        return identifier(text)
    }

    /// `data[3].userData.em` becomes `userData.em`.
    static func property(_ path: String) -> String? {
        let names = path.split(separator: ".").map { $0.prefix { $0 != "[" } }.filter { $0 != "data" }
        guard !names.isEmpty, names.count <= 4, names.allSatisfy({ code(String($0)) != nil }) else { return nil }
        return names.joined(separator: ".")
    }
}
