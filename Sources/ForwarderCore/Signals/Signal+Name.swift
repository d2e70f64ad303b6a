extension Signal {
    /// The constant name of the line, `noun.past_verb`.
    public var name: String {
        switch self {
        case .daemonStarted: "daemon.started"
        case .daemonReady: "daemon.became_ready"
        case .daemonRefused: "daemon.refused"
        case .stopRequested: "stop.requested"
        case .daemonStopped: "daemon.stopped"
        case .configurationReloaded: "configuration.reloaded"
        case .configurationRejected: "configuration.rejected"
        case .adminListening: "admin.opened"
        case .adminUnavailable: "admin.refused"
        case .threadStalled: "thread.stalled"
        case .clockStepped: "clock.stepped"
        case .storeOpened: "store.opened"
        case .storeMissing: "store.vanished"
        case .stateDirectoryDoubtful: "state_directory.doubted"
        case .storeFull: "store.filled"
        case .storeFailing: "store.faulted"
        case .storeRecovered: "store.recovered"
        case .queueFull: "queue.filled"
        case .detached: "destination.detached"
        case .rejectsNotKept: "rejects.left_out"
        case .purged: "store.purged"
        case .partitionsAssigned: "partitions.assigned"
        case .partitionsRevoked: "partitions.revoked"
        case .partitionStopped: "partition.stopped"
        case .commitRefused: "commit.refused"
        case .offsetReset: "offset.reset"
        case .partitionFaulted: "partition.faulted"
        case .kafkaFaulted: "kafka.faulted"
        case .leftGroup: "group.left"
        case .intakePaused: "intake.paused"
        case .intakeResumed: "intake.resumed"
        case .kafkaReported: "kafka.reported"
        case .attempted: "delivery.attempted"
        case .deadLettered: "delivery.dead_lettered"
        case .shadowed: "delivery.shadowed"
        case .expiredInQueue: "deliveries.expired"
        case .rejected: "event.rejected"
        case .countDistrusted: "count.distrusted"
        case .quarantined: "rows.quarantined"
        case .gateClosed: "gate.closed"
        case .gateOpened: "gate.opened"
        case .gateParked: "gate.parked"
        case .gateHalted: "gate.halted"
        case .gatePaused: "gate.paused"
        case .gateResumed: "gate.resumed"
        case .goalHeld: "goal.held"
        case .goalReleased: "goal.released"
        case .secretUnreadable: "secret.refused"
        case .credentialRenewed: "credential.renewed"
        case .credentialRefused: "credential.refused"
        case .credentialNotSaved: "credential.left_unsaved"
        case .consentAssumed: "consent.assumed"
        }
    }

    /// error: somebody must act. warning: look when it repeats. info: the ordinary course.
    public var level: LogSettings.Level {
        switch self {
        case .daemonStarted, .daemonReady, .stopRequested, .configurationReloaded, .adminListening, .storeOpened,
            .storeRecovered, .purged, .partitionsAssigned, .partitionsRevoked(_, isLost: false), .intakeResumed,
            .attempted, .shadowed, .gateOpened, .gatePaused, .gateResumed, .goalReleased, .credentialRenewed,
            .consentAssumed:
            .info
        case .daemonStopped(let isComplete, _): isComplete ? .info : .warning
        case .clockStepped, .stateDirectoryDoubtful, .adminUnavailable, .partitionsRevoked(_, isLost: true),
            .commitRefused, .offsetReset, .partitionFaulted, .intakePaused, .deadLettered, .rejected, .gateClosed,
            .rejectsNotKept,
            .detached:
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

    /// What a flood of the same would drown in: such lines are held back after a burst, and their number is told.
    public var floodKey: String? {
        switch self {
        case .rejected(let report): "event.rejected/\(report.destination ?? "")"
        case .deadLettered(let report): "delivery.dead_lettered/\(report.destination)"
        case .kafkaReported(_, let facility, _): "kafka.reported/\(facility)"
        case .kafkaFaulted(let reason, _, _): "kafka.faulted/\(reason)"
        case .partitionFaulted(let partition, let reason): "partition.faulted/\(partition.topic)/\(reason)"
        case .commitRefused: "commit.refused"
        case .secretUnreadable(let destination, let secret, _): "secret.refused/\(destination)/\(secret)"
        default: nil
        }
    }
}
