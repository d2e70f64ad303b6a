extension Signal {
    /// The line of the log. `heldBack` lines like this one were not written.
    public func line(at time: Timestamp, heldBack: Int = 0) -> LogLine {
        let more = heldBack > 0 ? [LogField.number("held_back", heldBack)] : []
        return LogLine(time: time, level: level, event: name.rawValue, fields: fields + more)
    }

    /// What the line says besides its name.
    public var fields: [LogField] {
        switch self {
        case .daemonReady, .configurationReloaded, .storeFull, .storeRecovered, .intakeResumed: []
        case .daemonStarted(let version, let libraries, let configuration):
            [
                .text("version", version), .text("libraries", libraries),
                LogField("configuration", .object(configuration)),
            ]
        case .stopRequested(let signal): [.text("signal", signal)]
        case .daemonStopped(let isComplete, let elapsed):
            [.flag("complete", isComplete), .milliseconds("elapsed_ms", elapsed)]
        case .configurationRejected(let problems): [.list("problems", problems)]
        case .adminListening(let address): [.text("address", address)]
        case .daemonRefused(let reason), .adminUnavailable(let reason), .storeFailing(let reason),
            .intakePaused(let reason):
            [.text("reason", reason)]
        case .threadStalled(let thread, let silence):
            [.text("thread", thread), .milliseconds("silence_ms", silence)]
        case .clockStepped(let step): [.milliseconds("step_ms", step)]
        case .storeOpened(let identity, let isNew, let pending):
            [.text("store", identity), .flag("new", isNew), .number("pending", pending)]
        case .storeMissing(let remembered, let present):
            [.text("remembered", remembered), .text("present", present)]
        case .stateDirectoryDoubtful(let directory, let fileSystem):
            [.text("directory", directory), .text("file_system", fileSystem)]
        case .purged(let deadLetters, let rejects): [.number("dead_letters", deadLetters), .number("rejects", rejects)]
        case .personErased(let report): report.fields
        case .rejectsNotKept(let count): [.number("count", count)]

        case .partitionsAssigned(let partitions): [LogField("partitions", .partitions(partitions))]
        case .partitionsRevoked(let partitions, let isLost):
            [.flag("lost", isLost), LogField("partitions", .partitions(partitions))]
        case .partitionStopped(let partition, let reason), .partitionFaulted(let partition, let reason),
            .commitRefused(let partition, let reason):
            partition.fields + [.text("reason", reason)]
        case .offsetReset(let partition, let to, let policy):
            partition.place
                + [partition.offset.map { .number("from", $0) }, to.map { .number("to", $0) }].compactMap(\.self)
                + [.text("policy", policy)]
        case .kafkaFaulted(let reason, let text, let isFatal):
            [.text("reason", reason), .text("text", text), .flag("fatal", isFatal)]
        case .leftGroup(let isComplete): [.flag("complete", isComplete)]
        case .kafkaReported(_, let facility, let text): [.text("facility", facility), .text("text", text)]

        case .attempted(let report): report.fields
        case .pixelFired(let fire): fire.fields
        case .deadLettered(let report): report.fields
        case .rejected(let report): report.fields
        case .shadowed(let destination, let deliveries, let bytes):
            [
                .text("destination", destination), .number("deliveries", deliveries), LogField("bytes", .bytes(bytes)),
            ]
        case .expiredInQueue(let destination, let count), .quarantined(let destination, let count),
            .replayed(let destination, let count), .discarded(let destination, let count),
            .duplicatesSkipped(let destination, let count):
            [.text("destination", destination), .number("count", count)]
        case .detached(let destination, let pending):
            [.text("destination", destination), .number("pending", pending)]
        case .queueFull(let destination), .countDistrusted(let destination), .gateOpened(let destination),
            .gateHalted(let destination), .gatePaused(let destination), .gateResumed(let destination):
            [.text("destination", destination)]

        case .gateClosed(let destination, let reason, let wait, let failures):
            [
                .text("destination", destination), .text("reason", reason), .milliseconds("wait_ms", wait),
                .number("failures", failures),
            ]
        case .gateParked(let destination, let reason, let probeIn):
            [.text("destination", destination), .text("reason", reason), .milliseconds("probe_in_ms", probeIn)]
        case .goalHeld(let destination, let goal), .goalReleased(let destination, let goal):
            [.text("destination", destination), .text("goal", goal)]
        case .goalTooYoung(let destination, let goal, let wait):
            [.text("destination", destination), .text("goal", goal), .milliseconds("wait_ms", wait)]
        case .consentAssumed(let destination, let missing, let denied):
            [.text("destination", destination), .text("missing", missing), .text("denied", denied)]

        case .verdictRead(let report): report.fields
        case .verdictMissed(let destination, let goal, let reason):
            [.text("destination", destination)] + (goal.map { [.text("goal", $0)] } ?? []) + [.text("reason", reason)]

        case .secretUnreadable(let destination, let secret, let reason):
            [.text("destination", destination), .text("secret", secret), .text("reason", reason)]
        case .credentialRenewed(let grant, let lifetime):
            [.text("grant", grant)] + (lifetime.map { [.milliseconds("lifetime_ms", $0)] } ?? [])
        case .credentialRefused(let grant, let reason, let isDead, let wait):
            [
                .text("grant", grant), .text("reason", reason), .flag("dead", isDead),
                .milliseconds("wait_ms", wait),
            ]
        case .credentialNotSaved(let grant): [.text("grant", grant)]
        }
    }
}

extension EraseReport {
    fileprivate var fields: [LogField] {
        counts.map { .number($0.name, $0.count) } + [LogField("residue_bytes", .bytes(Int(clamping: residue)))]
    }
}

extension PartitionReport {
    fileprivate var place: [LogField] { [.text("topic", topic), .number("partition", partition)] }
    var fields: [LogField] { place + (offset.map { [.number("offset", $0)] } ?? []) }
}

extension AttemptReport {
    fileprivate var fields: [LogField] {
        var fields: [LogField] = [
            .text("destination", destination), .number("request", request.rawValue), .text("source", source),
        ]
        if isProbe { fields.append(.flag("probe", true)) }
        fields += [
            .number("deliveries", deliveries), LogField("bytes", .bytes(bytes)), .milliseconds("elapsed_ms", elapsed),
            .text("outcome", outcome), .number("delivered", delivered),
        ]
        for (name, count) in [
            ("unconfirmed", unconfirmed), ("refused", refused), ("unclear", unclear), ("retried", retried),
            ("resent", resent),
            ("warnings", warnings),
        ] where count > 0 {
            fields.append(.number(name, count))
        }
        if !problems.isEmpty { fields.append(.list("problems", problems)) }
        if let traceID { fields.append(.text("trace_id", traceID)) }
        fields.append(.text("gate", gate))
        if let wait { fields.append(.milliseconds("wait_ms", wait)) }
        return fields
    }
}

extension DeadLetterReport {
    fileprivate var fields: [LogField] {
        [
            .text("destination", destination), .text("class", reasonClass.rawValue), .text("reason", reason),
            .text("topic", topic), .number("partition", partition), .number("offset", offset),
            .number("attempts", attempts),
        ]
    }
}

extension VerdictReport {
    fileprivate var fields: [LogField] {
        var reasons = JSONWriter()
        reasons.object { writer in
            for (reason, count) in day.counts.sortedReasons { writer.member(reason.name, count) }
        }
        return [
            .text("destination", destination), .text("goal", day.goal), .text("day", day.day.text),
            .number("attributed", day.counts.attributed), .number("unattributed", day.counts.unattributed),
            LogField("unattributed_reasons", .object(reasons.bytes)),
        ]
    }
}

extension RejectReport {
    fileprivate var fields: [LogField] {
        (destination.map { [.text("destination", $0)] } ?? [])
            + [
                .list("reasons", reasons), .text("topic", topic), .number("partition", partition),
                .number("offset", offset),
            ]
    }
}
