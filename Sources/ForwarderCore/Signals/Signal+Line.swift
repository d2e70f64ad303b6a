extension Signal {
    /// The line of the log, without the line break. `heldBack` lines like this one were not written.
    public func line(at time: Timestamp, heldBack: Int = 0) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.object { writer in
            writer.member("ts", LogTime.text(time))
            writer.member("level", level.rawValue)
            writer.member("event", name.rawValue)
            writeFields(&writer)
            if heldBack > 0 { writer.member("held_back", heldBack) }
        }
        return writer.bytes
    }

    private func writeFields(_ writer: inout JSONWriter) {
        switch self {
        case .daemonReady, .configurationReloaded, .storeFull, .storeRecovered, .intakeResumed: break
        case .daemonStarted(let version, let libraries, let configuration):
            writer.member("version", version)
            writer.member("libraries", libraries)
            writer.name("configuration")
            writer.raw(configuration)
        case .stopRequested(let signal): writer.member("signal", signal)
        case .daemonStopped(let isComplete, let elapsed):
            writer.member("complete", isComplete)
            writer.member("elapsed_ms", elapsed.milliseconds)
        case .configurationRejected(let problems): writer.member("problems", array: problems)
        case .adminListening(let address): writer.member("address", address)
        case .daemonRefused(let reason), .adminUnavailable(let reason), .storeFailing(let reason),
            .intakePaused(let reason):
            writer.member("reason", reason)
        case .threadStalled(let thread, let silence):
            writer.member("thread", thread)
            writer.member("silence_ms", silence.milliseconds)
        case .clockStepped(let step): writer.member("step_ms", step.milliseconds)
        case .storeOpened(let identity, let isNew, let pending):
            writer.member("store", identity)
            writer.member("new", isNew)
            writer.member("pending", pending)
        case .storeMissing(let remembered, let present):
            writer.member("remembered", remembered)
            writer.member("present", present)
        case .stateDirectoryDoubtful(let directory, let fileSystem):
            writer.member("directory", directory)
            writer.member("file_system", fileSystem)
        case .purged(let deadLetters, let rejects):
            writer.member("dead_letters", deadLetters)
            writer.member("rejects", rejects)
        case .rejectsNotKept(let count): writer.member("count", count)
        case .partitionsAssigned, .partitionsRevoked, .partitionStopped, .partitionFaulted, .commitRefused,
            .offsetReset,
            .kafkaReported, .kafkaFaulted, .leftGroup:
            writeKafkaFields(&writer)
        case .attempted, .deadLettered, .shadowed, .expiredInQueue, .rejected, .countDistrusted, .quarantined:
            writeDeliveryFields(&writer)
        case .queueFull, .detached, .gateClosed, .gateOpened, .gateParked, .gateHalted, .gatePaused, .gateResumed,
            .goalHeld, .goalReleased, .consentAssumed:
            writeDestinationFields(&writer)
        case .secretUnreadable, .credentialRenewed, .credentialRefused, .credentialNotSaved:
            writeCredentialFields(&writer)
        }
    }

    private func writeKafkaFields(_ writer: inout JSONWriter) {
        switch self {
        case .partitionsAssigned(let partitions): write(partitions, &writer)
        case .partitionsRevoked(let partitions, let isLost):
            writer.member("lost", isLost)
            write(partitions, &writer)
        case .partitionStopped(let partition, let reason), .partitionFaulted(let partition, let reason),
            .commitRefused(let partition, let reason):
            write(partition, &writer)
            writer.member("reason", reason)
        case .offsetReset(let partition, let to, let policy):
            writer.member("topic", partition.topic)
            writer.member("partition", partition.partition)
            if let from = partition.offset { writer.member("from", from) }
            if let to { writer.member("to", to) }
            writer.member("policy", policy)
        case .kafkaFaulted(let reason, let text, let isFatal):
            writer.member("reason", reason)
            writer.member("text", text)
            writer.member("fatal", isFatal)
        case .leftGroup(let isComplete): writer.member("complete", isComplete)
        case .kafkaReported(_, let facility, let text):
            writer.member("facility", facility)
            writer.member("text", text)
        default: break
        }
    }

    private func writeDeliveryFields(_ writer: inout JSONWriter) {
        switch self {
        case .attempted(let report): write(report, &writer)
        case .deadLettered(let report):
            writer.member("destination", report.destination)
            writer.member("class", report.reasonClass.rawValue)
            writer.member("reason", report.reason)
            writer.member("topic", report.topic)
            writer.member("partition", report.partition)
            writer.member("offset", report.offset)
            writer.member("attempts", report.attempts)
        case .shadowed(let destination, let deliveries, let bytes):
            writer.member("destination", destination)
            writer.member("deliveries", deliveries)
            writer.member("bytes", bytes)
        case .expiredInQueue(let destination, let count), .quarantined(let destination, let count):
            writer.member("destination", destination)
            writer.member("count", count)
        case .rejected(let report):
            if let destination = report.destination { writer.member("destination", destination) }
            writer.member("reasons", array: report.reasons)
            writer.member("topic", report.topic)
            writer.member("partition", report.partition)
            writer.member("offset", report.offset)
        case .countDistrusted(let destination): writer.member("destination", destination)
        default: break
        }
    }

    private func writeDestinationFields(_ writer: inout JSONWriter) {
        switch self {
        case .queueFull(let destination), .gateOpened(let destination), .gateHalted(let destination),
            .gatePaused(let destination), .gateResumed(let destination):
            writer.member("destination", destination)
        case .detached(let destination, let pending):
            writer.member("destination", destination)
            writer.member("pending", pending)
        case .gateClosed(let destination, let reason, let wait, let failures):
            writer.member("destination", destination)
            writer.member("reason", reason)
            writer.member("wait_ms", wait.milliseconds)
            writer.member("failures", failures)
        case .gateParked(let destination, let reason, let probeIn):
            writer.member("destination", destination)
            writer.member("reason", reason)
            writer.member("probe_in_ms", probeIn.milliseconds)
        case .goalHeld(let destination, let goal), .goalReleased(let destination, let goal):
            writer.member("destination", destination)
            writer.member("goal", goal)
        case .consentAssumed(let destination, let missing, let denied):
            writer.member("destination", destination)
            writer.member("missing", missing)
            writer.member("denied", denied)
        default: break
        }
    }

    private func writeCredentialFields(_ writer: inout JSONWriter) {
        switch self {
        case .secretUnreadable(let destination, let secret, let reason):
            writer.member("destination", destination)
            writer.member("secret", secret)
            writer.member("reason", reason)
        case .credentialRenewed(let grant, let lifetime):
            writer.member("grant", grant)
            writer.member("lifetime_ms", lifetime.milliseconds)
        case .credentialRefused(let grant, let reason, let isDead, let wait):
            writer.member("grant", grant)
            writer.member("reason", reason)
            writer.member("dead", isDead)
            writer.member("wait_ms", wait.milliseconds)
        case .credentialNotSaved(let grant): writer.member("grant", grant)
        default: break
        }
    }

    private func write(_ report: AttemptReport, _ writer: inout JSONWriter) {
        writer.member("destination", report.destination)
        writer.member("request", report.request.rawValue)
        writer.member("source", report.source)
        if report.isProbe { writer.member("probe", true) }
        writer.member("deliveries", report.deliveries)
        writer.member("bytes", report.bytes)
        writer.member("elapsed_ms", report.elapsed.milliseconds)
        writer.member("outcome", report.outcome)
        writer.member("delivered", report.delivered)
        for (name, count) in [
            ("unconfirmed", report.unconfirmed), ("refused", report.refused), ("retried", report.retried),
            ("resent", report.resent), ("warnings", report.warnings),
        ] where count > 0 {
            writer.member(name, count)
        }
        if !report.problems.isEmpty { writer.member("problems", array: report.problems) }
        if let traceID = report.traceID { writer.member("trace_id", traceID) }
        writer.member("gate", report.gate)
        if let wait = report.wait { writer.member("wait_ms", wait.milliseconds) }
    }

    private func write(_ partition: PartitionReport, _ writer: inout JSONWriter) {
        writer.member("topic", partition.topic)
        writer.member("partition", partition.partition)
        if let offset = partition.offset { writer.member("offset", offset) }
    }

    private func write(_ partitions: [PartitionReport], _ writer: inout JSONWriter) {
        writer.name("partitions")
        writer.array { writer in
            for partition in partitions { writer.object { write(partition, &$0) } }
        }
    }
}

/// `2026-08-06T07:06:40.123Z`.
public enum LogTime {
    public static func text(_ time: Timestamp) -> String {
        var buffer = ByteBuffer(capacity: 32)
        ISO8601.append(time.seconds, to: &buffer)
        buffer.truncate(to: buffer.count - 1)
        let milliseconds = Int(time.milliseconds - time.seconds * 1000)
        buffer.append(UInt8(ascii: "."))
        for divisor in [100, 10, 1] { buffer.append(UInt8(ascii: "0") + UInt8(milliseconds / divisor % 10)) }
        buffer.append(UInt8(ascii: "Z"))
        return buffer.withBytes { String(decoding: $0, as: UTF8.self) }
    }
}
