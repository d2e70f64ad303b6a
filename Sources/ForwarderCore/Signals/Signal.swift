/// Everything the daemon can say, once. Each signal is one line of the log; names and fields are an interface.
public enum Signal: Sendable {
    // Deliveries
    case attempted(AttemptReport)
    case deadLettered(DeadLetterReport)
    case shadowed(destination: String, deliveries: Int, bytes: Int)
    case expiredInQueue(destination: String, count: Int)
    case rejected(RejectReport)
    case countDistrusted(destination: String)
    case quarantined(destination: String, count: Int)

    // Gates
    case gateClosed(destination: String, reason: String, wait: Duration, failures: Int)
    case gateOpened(destination: String)
    case gateParked(destination: String, reason: String, probeIn: Duration)
    case gateHalted(destination: String)
    case gatePaused(destination: String)
    case gateResumed(destination: String)
    case goalHeld(destination: String, goal: String)
    case goalReleased(destination: String, goal: String)

    // Credentials
    case credentialRenewed(grant: String, lifetime: Duration)
    case credentialRefused(grant: String, reason: String, isDead: Bool, wait: Duration)
    case credentialNotSaved(grant: String)
}

/// One request: what it carried, what came back, what was decided.
public struct AttemptReport: Sendable, Equatable {
    public var destination: String
    public var request: RequestID
    /// `fresh` or `queue`.
    public var source: String
    public var isProbe: Bool
    public var deliveries: Int
    public var bytes: Int
    public var elapsed: Duration
    /// `ok`, or what was wrong in one word.
    public var outcome: String
    public var delivered = 0
    public var unconfirmed = 0
    public var refused = 0
    public var retried = 0
    public var resent = 0
    public var warnings = 0
    public var problems: [String] = []
    public var traceID: String?
    /// The gate after the answer.
    public var gate = ""
    public var wait: Duration?
}

public struct DeadLetterReport: Sendable, Equatable {
    public var destination: String
    public var reasonClass: DeadLetterCause.Class
    public var reason: String
    public var topic: String
    public var partition: Int32
    public var offset: Int64
    public var attempts: Int
}

public struct RejectReport: Sendable, Equatable {
    /// nil: for all.
    public var destination: String?
    public var reasons: [String]
    public var topic: String
    public var partition: Int32
    public var offset: Int64

    public init(destination: String?, reasons: [String], topic: String, partition: Int32, offset: Int64) {
        self.destination = destination
        self.reasons = reasons
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }
}
