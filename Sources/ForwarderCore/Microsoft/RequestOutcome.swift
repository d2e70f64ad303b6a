/// What a request came to, in few enough words to count by. The names are an interface.
public enum RequestOutcome: UInt8, CaseIterable, Sendable {
    case ok, unconfirmed, unexplained, notProcessed, refused, tooLarge, retry, busy, throttled, credentialRefused,
        parked
    case noAnswer, unclear

    init(_ others: Verdict.Others) {
        self =
            switch others {
            case .delivered: .ok
            case .unconfirmed: .unconfirmed
            case .unexplained: .unexplained
            case .notProcessed: .notProcessed
            case .refusedWhole: .refused
            case .tooLarge: .tooLarge
            case .retry: .retry
            case .unclear: .unclear
            case .busy: .busy
            case .throttled: .throttled
            case .credentialRefused: .credentialRefused
            case .parked: .parked
            }
    }

    public var name: String {
        switch self {
        case .ok: "ok"
        case .unconfirmed: "unconfirmed"
        case .unexplained: "unexplained"
        case .notProcessed: "not_processed"
        case .refused: "refused"
        case .tooLarge: "too_large"
        case .retry: "retry"
        case .busy: "busy"
        case .throttled: "throttled"
        case .credentialRefused: "credential_refused"
        case .parked: "parked"
        case .noAnswer: "no_answer"
        case .unclear: "unclear"
        }
    }
}
