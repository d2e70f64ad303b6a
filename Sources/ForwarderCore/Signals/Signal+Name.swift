extension Signal {
    /// The constant name of the line, `noun.past_verb`.
    public var name: SignalName {
        switch self {
        case .daemonStarted: .daemonStarted
        case .daemonReady: .daemonReady
        case .daemonRefused: .daemonRefused
        case .stopRequested: .stopRequested
        case .daemonStopped: .daemonStopped
        case .configurationReloaded: .configurationReloaded
        case .configurationRejected: .configurationRejected
        case .adminListening: .adminListening
        case .adminUnavailable: .adminUnavailable
        case .threadStalled: .threadStalled
        case .clockStepped: .clockStepped
        case .storeOpened: .storeOpened
        case .storeMissing: .storeMissing
        case .stateDirectoryDoubtful: .stateDirectoryDoubtful
        case .storeFull: .storeFull
        case .storeFailing: .storeFailing
        case .storeRecovered: .storeRecovered
        case .queueFull: .queueFull
        case .detached: .detached
        case .rejectsNotKept: .rejectsNotKept
        case .purged: .purged
        case .personErased: .personErased
        case .partitionsAssigned: .partitionsAssigned
        case .partitionsRevoked: .partitionsRevoked
        case .partitionStopped: .partitionStopped
        case .commitRefused: .commitRefused
        case .offsetReset: .offsetReset
        case .partitionFaulted: .partitionFaulted
        case .kafkaFaulted: .kafkaFaulted
        case .leftGroup: .leftGroup
        case .intakePaused: .intakePaused
        case .intakeResumed: .intakeResumed
        case .kafkaReported: .kafkaReported
        case .attempted: .attempted
        case .pixelFired: .pixelFired
        case .deadLettered: .deadLettered
        case .shadowed: .shadowed
        case .expiredInQueue: .expiredInQueue
        case .rejected: .rejected
        case .countDistrusted: .countDistrusted
        case .quarantined: .quarantined
        case .replayed: .replayed
        case .discarded: .discarded
        case .duplicatesSkipped: .duplicatesSkipped
        case .gateClosed: .gateClosed
        case .gateOpened: .gateOpened
        case .gateParked: .gateParked
        case .gateHalted: .gateHalted
        case .gatePaused: .gatePaused
        case .gateResumed: .gateResumed
        case .goalHeld: .goalHeld
        case .goalReleased: .goalReleased
        case .goalTooYoung: .goalTooYoung
        case .verdictRead: .verdictRead
        case .verdictMissed: .verdictMissed
        case .secretUnreadable: .secretUnreadable
        case .credentialRenewed: .credentialRenewed
        case .credentialRefused: .credentialRefused
        case .credentialNotSaved: .credentialNotSaved
        case .consentAssumed: .consentAssumed
        }
    }

    /// error: somebody must act. warning: look when it repeats. info: the ordinary course.
    public var level: LogSettings.Level {
        switch self {
        case .daemonStarted, .daemonReady, .stopRequested, .configurationReloaded, .adminListening, .storeOpened,
            .storeRecovered, .purged, .personErased, .replayed, .discarded, .duplicatesSkipped, .partitionsAssigned,
            .partitionsRevoked(_, isLost: false),
            .intakeResumed,
            .attempted, .shadowed, .gateOpened, .gatePaused, .gateResumed, .goalReleased, .credentialRenewed,
            .consentAssumed:
            .info
        case .pixelFired: .debug
        // More than half: what is sent does not do what it is sent for.
        case .verdictRead(let report): report.day.counts.isMostlyUnattributed ? .warning : .info
        case .daemonStopped(let isComplete, _): isComplete ? .info : .warning
        case .clockStepped, .stateDirectoryDoubtful, .adminUnavailable, .partitionsRevoked(_, isLost: true),
            .commitRefused, .offsetReset, .partitionFaulted, .intakePaused, .deadLettered, .rejected, .gateClosed,
            .rejectsNotKept,
            .detached, .goalTooYoung, .verdictMissed:
            .warning
        case .credentialRefused(_, _, let isDead, _): isDead ? .error : .warning
        case .daemonRefused, .configurationRejected, .threadStalled, .storeMissing, .storeFull, .storeFailing,
            .queueFull,
            .partitionStopped, .expiredInQueue, .countDistrusted, .quarantined, .gateParked, .gateHalted, .goalHeld,
            .secretUnreadable, .credentialNotSaved:
            .error
        case .kafkaReported(let severity, _, _): severity
        case .kafkaFaulted(_, _, let isFatal): isFatal ? .error : .warning
        case .leftGroup(let isComplete): isComplete ? .info : .warning
        }
    }

    /// Lines with the same key are alike: of too many only some are written, and the number of the others is told.
    public var floodKey: String {
        switch self {
        case .rejected(let report): key(report.destination ?? "")
        case .deadLettered(let report): key(report.destination)
        case .attempted(let report): key(report.outcome == "ok" ? report.destination : "\(report.destination)/not_ok")
        case .pixelFired(let fire): key(fire.destination)
        case .verdictRead(let report): key("\(report.destination)/\(report.day.goal)")
        case .verdictMissed(let destination, _, _): key(destination)
        case .kafkaReported(_, let facility, _): key(facility)
        case .kafkaFaulted(let reason, _, _): key(reason)
        case .partitionFaulted(let partition, let reason): key("\(partition.topic)/\(reason)")
        case .secretUnreadable(let destination, let secret, _): key("\(destination)/\(secret)")
        case .queueFull(let destination), .countDistrusted(let destination), .gateOpened(let destination),
            .gateHalted(let destination), .gatePaused(let destination), .gateResumed(let destination),
            .shadowed(let destination, _, _), .expiredInQueue(let destination, _), .quarantined(let destination, _),
            .replayed(let destination, _), .discarded(let destination, _),
            .duplicatesSkipped(let destination, _),
            .detached(let destination, _), .gateClosed(let destination, _, _, _), .gateParked(let destination, _, _),
            .goalHeld(let destination, _), .goalReleased(let destination, _), .goalTooYoung(let destination, _, _),
            .consentAssumed(let destination, _, _):
            key(destination)
        case .credentialRenewed(let grant, _), .credentialRefused(let grant, _, _, _), .credentialNotSaved(let grant):
            key(grant)
        case .threadStalled(let thread, _): key(thread)
        case .daemonStarted, .daemonReady, .daemonRefused, .stopRequested, .daemonStopped, .configurationReloaded,
            .configurationRejected, .adminListening, .adminUnavailable, .clockStepped, .storeOpened, .storeMissing,
            .stateDirectoryDoubtful, .storeFull, .storeFailing, .storeRecovered, .rejectsNotKept, .purged,
            .personErased, .partitionsAssigned, .partitionsRevoked, .partitionStopped, .commitRefused, .offsetReset,
            .leftGroup,
            .intakePaused, .intakeResumed:
            name.rawValue
        }
    }

    /// How many lines that are alike are written.
    public var floodLimit: FloodGuard.Limit {
        switch self {
        case .attempted: .attempts
        case .pixelFired: .fires
        default: .usual
        }
    }

    private func key(_ subject: String) -> String { "\(name.rawValue)/\(subject)" }
}
