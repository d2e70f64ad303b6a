/// Everything the daemon can say, once. Each signal is one line of the log; names and fields are an interface that
/// dashboards and alerts are built on.
public enum Signal: Sendable {
    // The process
    case daemonStarted(version: String, libraries: String, configuration: [UInt8])
    case daemonReady
    /// It cannot start.
    case daemonRefused(reason: String)
    case stopRequested(signal: String)
    case daemonStopped(isComplete: Bool, elapsed: Duration)
    case configurationReloaded
    case configurationRejected(problems: [String])
    case adminListening(address: String)
    case adminUnavailable(reason: String)
    case threadStalled(thread: String, silence: Duration)
    case clockStepped(by: Duration)

    // The store
    case storeOpened(identity: String, isNew: Bool, pending: Int)
    /// The group's committed offsets remember a queue of this replica that is not here.
    case storeMissing(remembered: String, present: String)
    case stateDirectoryDoubtful(directory: String, fileSystem: String)
    case storeFull
    case storeFailing(reason: String)
    case storeRecovered
    case queueFull(destination: String)
    case detached(destination: String, pending: Int)
    case rejectsNotKept(count: Int)
    case purged(deadLetters: Int, rejects: Int)
    /// What was of one person is gone; in numbers only.
    case personErased(EraseReport)

    // Kafka
    case partitionsAssigned([PartitionReport])
    case partitionsRevoked([PartitionReport], isLost: Bool)
    case partitionStopped(PartitionReport, reason: String)
    case commitRefused(PartitionReport, reason: String)
    case offsetReset(PartitionReport, to: Int64?, policy: String)
    case partitionFaulted(PartitionReport, reason: String)
    case kafkaFaulted(reason: String, text: String, isFatal: Bool)
    case leftGroup(isComplete: Bool)
    case intakePaused(reason: String)
    case intakeResumed
    case kafkaReported(severity: LogSettings.Level, facility: String, text: String)

    // Deliveries
    case attempted(AttemptReport)
    case pixelFired(PixelFire)
    case deadLettered(DeadLetterReport)
    case shadowed(destination: String, deliveries: Int, bytes: Int)
    case expiredInQueue(destination: String, count: Int)
    case rejected(RejectReport)
    case countDistrusted(destination: String)
    case quarantined(destination: String, count: Int)
    /// An operator has put so many back into the queue.
    case replayed(destination: String, count: Int)
    /// An operator has thrown so many away, or moved them elsewhere.
    case discarded(destination: String, count: Int)
    /// So many were not sent, as another record of their transaction was delivered.
    case duplicatesSkipped(destination: String, count: Int)

    // Gates
    case gateClosed(destination: String, reason: String, wait: Duration, failures: Int)
    case gateOpened(destination: String)
    case gateParked(destination: String, reason: String, probeIn: Duration)
    case gateHalted(destination: String)
    case gatePaused(destination: String)
    case gateResumed(destination: String)
    case goalHeld(destination: String, goal: String)
    case goalReleased(destination: String, goal: String)
    case goalTooYoung(destination: String, goal: String, wait: Duration)

    // What Microsoft made of it
    case verdictRead(VerdictReport)
    /// `goal` is nil where it concerns all of them.
    case verdictMissed(destination: String, goal: String?, reason: String)

    // Credentials
    case secretUnreadable(destination: String, secret: String, reason: String)
    /// `lifetime` is nil where Microsoft does not say.
    case credentialRenewed(grant: String, lifetime: Duration?)
    case credentialRefused(grant: String, reason: String, isDead: Bool, wait: Duration)
    case credentialNotSaved(grant: String)
    /// What is assumed of consent; said at start, because it is a choice with consequences.
    case consentAssumed(destination: String, missing: String, denied: String)
}

/// What an erasure found, by where it was.
public struct EraseReport: Sendable, Equatable {
    public var queue = 0
    public var deadLetters = 0
    public var quarantined = 0
    public var rejects = 0
    /// Delivered conversions in the ledger.
    public var ledger = 0
    /// Entries of the delivery log.
    public var logged = 0
    /// Rows of the queue that are being sent, and stay until that is over.
    public var inFlight = 0
    /// What deleted rows left behind in free pages of the file and could not be overwritten, in bytes at most.
    public var residue: Int64 = 0

    public init() {}

    var counts: [(name: String, count: Int)] {
        [
            ("queue", queue), ("dead_letters", deadLetters), ("quarantined", quarantined), ("rejects", rejects),
            ("ledger", ledger), ("delivery_log", logged), ("in_flight", inFlight),
        ]
    }

    public func write(_ writer: inout JSONWriter) {
        for (name, count) in counts { writer.member(name, count) }
        writer.member("residue_bytes", residue)
    }
}

public struct PartitionReport: Sendable, Equatable {
    public var topic: String
    public var partition: Int32
    /// Where reading starts, or stood; nil where that is Kafka's to say.
    public var offset: Int64?

    public init(topic: String, partition: Int32, offset: Int64?) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }
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
    /// Given up, as they may have been accepted.
    public var unclear = 0
    public var retried = 0
    public var resent = 0
    public var warnings = 0
    /// What Microsoft found fault with, as `Code property`.
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

/// What Microsoft says of the conversions of one goal and day.
public struct VerdictReport: Sendable, Equatable {
    public var destination: String
    public var day: GoalDay

    public init(destination: String, day: GoalDay) {
        self.destination = destination
        self.day = day
    }
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
