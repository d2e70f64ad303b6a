/// The requests of server-side conversion pixels and what their answers mean. (Microsoft Invest, server-side conversion
/// pixels; what it says nothing of, answers other than a redirect above all, is decided here.)
public struct InvestPixels: Sendable {
    private let url: String
    private let timeout: Duration
    /// Whether what may have been counted is sent again.
    public let repeatsUnclear: Bool

    /// Invest often sends a call on once. More than that goes in a circle.
    private static let redirectLimit = 5

    public init(_ settings: InvestPixelSettings, endpoint: String, timeout: Duration) {
        url = "\(endpoint)/sspx"
        self.timeout = timeout
        repeatsUnclear = settings.repeatsUnclear
    }

    /// - Parameter contents: one query as a JSON string, or nothing.
    public func request(_ contents: [UInt8]) -> HTTPRequest {
        let query = InvestPixels.query(of: contents)
        var request = HTTPRequest(
            method: .get, url: query.isEmpty ? url : "\(url)?\(query)", timeout: timeout,
            mayReuseConnection: repeatsUnclear)
        request.redirectLimit = InvestPixels.redirectLimit
        return request
    }

    /// The query that a content holds.
    static func query(of contents: [UInt8]) -> String {
        String(decoding: contents.dropFirst().dropLast(), as: UTF8.self)
    }

    /// A conversion is counted once the last of the redirects is followed to an answer of 2xx.
    public static func verdict(_ outcome: HTTPOutcome, now: Timestamp) -> Verdict {
        var verdict = Verdict.ofTransport(outcome, now: now)
        switch outcome {
        case .noAnswer(let fault):
            if fault.isUnclear { verdict.others = .unclear }
        case .answer(let answer):
            switch answer.status {
            case 200...299:
                verdict.others = .delivered
                verdict.reason = "ok"
            // It is this one event's query that is not taken.
            case 413, 414, 431: verdict.others = .refusedWhole
            // Too busy to do anything.
            case 503: break
            case 500...599: verdict.others = .unclear
            default:
                // Each token may be sent on to another place, of which nothing is configured here.
                if answer.redirect != nil, verdict.others == .parked || verdict.others == .credentialRefused {
                    verdict.others = .retry(after: nil)
                }
            }
        }
        return verdict
    }
}

extension TransportFault {
    /// The request may have arrived: only the answer is missing.
    fileprivate var isUnclear: Bool {
        switch self {
        case .reset, .timeout, .protocolViolation: true
        case .nameResolution, .connect, .tls, .proxy, .local: false
        }
    }
}
