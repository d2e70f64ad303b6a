import ForwarderCore

extension Metrics {
    /// The answer of `status --json`; stable. A member that does not apply is absent.
    func status(isReady: Bool, reasons: [String]) -> [UInt8] {
        var writer = JSONWriter(capacity: 2048)
        writer.object { writer in
            writer.member("ready", isReady)
            if !reasons.isEmpty { writer.member("not_ready_because", array: reasons) }
            writer.member("uptime_seconds", Double(uptime.milliseconds) / 1000)
            writer.name("assignments")
            writer.array { writer in
                for partition in kafka.partitions { writer.object { Metrics.write(partition, &$0) } }
            }
            writer.name("destinations")
            writer.array { writer in
                for destination in destinations { writer.object { Metrics.write(destination, &$0) } }
                for (name, pending) in detached.sorted(by: { $0.key < $1.key }) {
                    writer.object {
                        $0.member("name", name)
                        $0.member("gate", "detached")
                        $0.member("pending", pending)
                    }
                }
            }
            writer.member("unaccounted", unaccounted)
        }
        return writer.bytes
    }

    private static func write(_ partition: Partition, _ writer: inout JSONWriter) {
        writer.member("topic", partition.topic)
        writer.member("partition", partition.partition)
        if let position = partition.position { writer.member("position", position) }
        if let committed = partition.committed { writer.member("committed", committed) }
        if let lag = partition.lag { writer.member("lag", lag) }
    }

    private static func write(_ destination: Destination, _ writer: inout JSONWriter) {
        let books = destination.lane.books
        writer.member("name", destination.lane.name)
        writer.member("type", destination.type)
        writer.member("gate", destination.lane.gate)
        if let reason = destination.lane.gateReason { writer.member("gate_reason", reason) }
        writer.member("pending", destination.lane.pending)
        if let age = destination.oldestPendingSeconds { writer.member("oldest_pending_seconds", age) }
        writer.member("in_flight", destination.inFlight)
        writer.member("delivered", books.delivered)
        writer.member("delivered_unconfirmed", books.deliveredUnconfirmed)
        writer.member("rejected", destination.intake.rejected)
        writer.member("skipped", destination.skipped)
        writer.member("dead_lettered", books.deadLettered)
        writer.member("discarded", books.discarded)
        writer.member("consumed", destination.intake.consumed)
        writer.member("restored", books.restored)
        writer.member("replayed", books.replayed)
        writer.member("released", destination.released)
        writer.member("attempts", books.attempts)
        writer.member("credential", destination.lane.isCredentialReady ? "ready" : "missing")
        if let problem = destination.credentialProblem { writer.member("credential_problem", problem) }
    }
}
