/// One metric with all its values. The same list makes the `metrics` line of the log and the page for Prometheus, so they
/// cannot disagree.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// The label beside the destination, and all values it can have.
    public struct Label: Sendable {
        public var name: String
        public var values: [String]
    }

    public struct Sample: Sendable {
        public var destination: String?
        /// The name of a goal, as configured.
        public var goal: String?
        public var label: String?
        public var value: Double
        /// Of a histogram, whose value is the sum.
        public var histogram: Histogram?
    }

    /// Without the prefix, and without `_total`.
    public var name: String
    public var kind: Kind
    public var help: String
    /// Whether every destination has a value of its own.
    public var isPerDestination = true
    /// Whether every goal of it has.
    public var isPerGoal = false
    public var label: Label?
    public var samples: [Sample]

    /// The name as Prometheus sees it.
    public var exposedName: String { "conversion_forwarder_\(name)\(kind == .counter ? "_total" : "")" }
}

extension Metrics {
    /// Every metric there is; names and labels are an interface.
    public var families: [MetricFamily] {
        processFamilies + kafkaFamilies + intakeFamilies + laneFamilies + verdictFamilies
    }

    private var processFamilies: [MetricFamily] {
        [
            single("uptime_seconds", .gauge, "Time since start", Double(uptime.milliseconds) / 1000),
            single("ready", .gauge, "1 while everything does what it is there for, as /readyz says", isReady ? 1 : 0),
            single(
                "unaccounted", .gauge, "Events this program has lost count of; not 0 is a fault", Double(unaccounted)),
            single("log_lines_dropped", .counter, "Log lines that nobody read in time", Double(logLinesDropped)),
            single(
                "delivery_log_dropped", .counter,
                "Deliveries left out of the delivery log, as the disk was full or slow",
                Double(store.deliveryLogDropped)),
            single(
                "log_lines_held_back", .counter, "Log lines not written because there were too many like them",
                Double(logLinesHeldBack)),
            MetricFamily(
                name: "detached_pending", kind: .gauge,
                help: "Deliveries waiting for a destination configured no longer",
                samples: detached.sorted { $0.key < $1.key }.map { .init(destination: $0.key, value: Double($0.value)) }
            ),
            single("store_writable", .gauge, "1 while the store can write", store.isWritable ? 1 : 0),
            single("store_transactions", .counter, "Transactions committed", Double(store.transactions)),
            single(
                "store_transaction_seconds_p99", .gauge, "99th percentile of a transaction's time",
                store.transactionTime.quantile(0.99) ?? 0),
            optional("state_free_bytes", "Free bytes of the state directory's file system", store.freeBytes),
            optional("state_size_bytes", "Size of the state directory's file system", store.sizeBytes),
        ]
    }

    private var kafkaFamilies: [MetricFamily] {
        [
            single("partitions_assigned", .gauge, "Partitions this process reads", Double(kafka.partitions.count)),
            single(
                "lag", .gauge, "Records in Kafka behind the committed offsets of the assigned partitions",
                Double(kafka.partitions.reduce(0) { $0 + ($1.lag ?? 0) })),
            single("brokers_up", .gauge, "Brokers with a connection", Double(kafka.brokersUp)),
            single("brokers_known", .gauge, "Brokers of the cluster", Double(kafka.brokersKnown)),
            single("prefetched_records", .gauge, "Records fetched and not taken yet", Double(kafka.prefetched)),
            single("uncommitted_records", .gauge, "Records read and not committed", Double(kafka.uncommitted)),
            single("commits", .counter, "Commits that Kafka took", Double(kafka.commits)),
            single("commits_refused", .counter, "Commits that Kafka did not take", Double(kafka.commitsRefused)),
            single("rebalances", .counter, "Assignments and revocations", Double(kafka.rebalances)),
            single(
                "partitions_stopped", .gauge, "Partitions that are read no further until somebody has looked",
                Double(kafka.stopped)),
            single("intake_paused", .gauge, "1 while partitions are paused", kafka.isPaused ? 1 : 0),
        ]
    }

    private var intakeFamilies: [MetricFamily] {
        [
            counter("consumed", "Records read from Kafka") { $0.intake.consumed },
            labelled("skipped", "Events for which nothing is owed", by: "reason", SkipReason.allCases, { "\($0.name)" })
            {
                $0.skipped($1)
            },
            counter("rejected", "Events that the destination cannot take") { $0.intake.rejected },
            labelled(
                "reject_reasons", "What was wrong with them; an event can count twice", by: "reason",
                RejectReason.allCases, { "\($0.name)" }
            ) { $0.intake.rejectedByReason[Int($1.rawValue)] },
            labelled(
                "field_dropped", "Fields left out of good events", by: "field", EventField.allCases, { "\($0.name)" }
            ) { destination, field in
                DropReason.allCases.reduce(0) { $0 + destination.intake.dropped(field, $1) }
            },
            counter("event_id_derived", "Events without an id of their own") { $0.intake.eventIDsDerived },
        ]
    }

    private var laneFamilies: [MetricFamily] {
        [
            counter("delivered", "Deliveries that Microsoft took") { $0.lane.books.delivered },
            counter("delivered_unconfirmed", "Of these: not confirmed in so many words") {
                $0.lane.books.deliveredUnconfirmed
            },
            labelled(
                "dead_lettered", "Deliveries given up", by: "class", DeadLetterCause.Class.allCases, \.rawValue
            ) { $0.lane.books.deadLettered($1) },
            counter("discarded", "Deliveries thrown away by an operator, or unreadable") { $0.lane.books.discarded },
            counter("released", "Deliveries given back to Kafka") { $0.released },
            counter("restored", "Deliveries found in the queue at start") { $0.lane.books.restored },
            counter("replayed", "Dead letters put back into the queue") { $0.lane.books.replayed },
            gauge("pending", "Deliveries in the queue on disk") { Double($0.lane.pending) },
            gauge("in_flight", "Deliveries in memory") { Double($0.inFlight) },
            gauge("unaccounted_deliveries", "What came in minus what became of it") { Double($0.unaccounted) },
            gauge("oldest_pending_seconds", "Age of the oldest event in the queue") { $0.oldestPendingSeconds },
            gauge("queue_bytes", "Bytes in the queue on disk") { Double($0.lane.depth.bytes) },
            gauge("queue_limit_bytes", "Bytes at which the queue is full, and Kafka is paused") {
                Double($0.lane.queueLimitBytes)
            },
            gauge("goals_held", "Goals that Microsoft does not know; what is for them waits") {
                Double($0.lane.heldGoals)
            },
            gauge("memory_bytes", "Bytes of deliveries in memory") { Double($0.lane.memoryBytes) },
            labelled(
                "gate", "1 for the state the gate is in", as: .gauge, by: "state",
                ["open", "half_open", "closed", "parked", "halted", "paused"], { $0 }
            ) { $0.lane.gate == $1 ? 1 : 0 },
            gauge("credential_ready", "1 while there is a credential to send with") {
                $0.lane.isCredentialReady ? 1 : 0
            },
            gauge("credential_expires_seconds", "Time until the access token in use ends; it is renewed 300 s before") {
                $0.credentialExpiresSeconds
            },
            gauge("clock_offset_seconds", "This clock minus Microsoft's, by the Date of its last answer") {
                $0.lane.clockOffset.map { Double($0.milliseconds) / 1000 }
            },
            counter("requests", "Requests sent") { $0.lane.books.requests },
            counter("requests_unanswered", "Of these: without an answer") { $0.lane.books.requestsWithoutAnswer },
            labelled(
                "request_outcomes", "What requests came to", by: "outcome", RequestOutcome.allCases, \.name
            ) { $0.lane.books.outcomes[Int($1.rawValue)] },
            labelled(
                "transport_faults", "Why requests got no answer", by: "reason", TransportFault.allCases, \.rawValue
            ) { $0.lane.books.transportFaults[$1, default: 0] },
            counter("attempts", "Deliveries sent, repeats included") { $0.lane.books.attempts },
            counter("retried", "Deliveries put back to be sent again") { $0.lane.books.retried },
            counter("spilled", "Deliveries written to the queue") { $0.lane.books.spilled },
            counter("warnings", "Entries taken although something in them was not") { $0.lane.books.warnings },
            counter("erased", "Of the discarded: those erased because they were one person's") { $0.lane.books.erased },
            counter("quarantined", "Rows of the queue that could not be read back") { $0.lane.books.quarantined },
            counter(
                "not_remembered", "Transactions not asked for, or not noted, in the ledger, as the disk was in trouble"
            ) {
                $0.lane.books.notRemembered
            },
            counter("gate_closings", "How often the gate closed") { $0.lane.books.gateClosings },
            MetricFamily(
                name: "request_seconds", kind: .histogram, help: "Time of requests, answered or not",
                samples: destinations.map {
                    .init(
                        destination: $0.lane.name, value: $0.requestTime.seconds, histogram: $0.requestTime)
                }),
            gauge("request_seconds_p50", "Median time of a request since the start") { $0.requestTime.quantile(0.5) },
            gauge("request_seconds_p99", "99th percentile of it since the start") { $0.requestTime.quantile(0.99) },
            labelled(
                "match_keys", "Delivered events that carried a key to match by", by: "key",
                ["email", "phone", "msclkid"], { $0 }
            ) { destination, key in
                let books = destination.lane.books
                return switch key {
                case "email": books.deliveredWithEmail
                case "phone": books.deliveredWithPhone
                default: books.deliveredWithClickID
                }
            },
        ]
    }

    /// Of the conversions that Microsoft processed today and yesterday (UTC).
    private var verdictFamilies: [MetricFamily] {
        func samples(_ make: (GoalSum) -> [MetricFamily.Sample]) -> [MetricFamily.Sample] {
            destinations.flatMap { destination in
                destination.goals.flatMap { goal in
                    make(goal).map { sample in
                        var sample = sample
                        sample.destination = destination.lane.name
                        sample.goal = goal.goal
                        return sample
                    }
                }
            }
        }
        let reasons = UnattributedReason.allCases
        return [
            MetricFamily(
                name: "verdict_attributed", kind: .gauge,
                help: "Conversions of yesterday and today (UTC) that Microsoft counts for a click, as it last said",
                isPerGoal: true, samples: samples { [.init(value: Double($0.counts.attributed))] }),
            MetricFamily(
                name: "verdict_unattributed", kind: .gauge,
                help: "Conversions of yesterday and today (UTC) that it counts for none",
                isPerGoal: true, samples: samples { [.init(value: Double($0.counts.unattributed))] }),
            MetricFamily(
                name: "verdict_reasons", kind: .gauge, help: "Why it does not; a conversion can count twice",
                isPerGoal: true, label: .init(name: "reason", values: reasons.map(\.name)),
                samples: samples { goal in
                    reasons.map { .init(label: $0.name, value: Double(goal.counts.reasons[$0] ?? 0)) }
                }),
            gauge("verdict_age_seconds", "Time since Microsoft was last asked what it made of conversions") {
                $0.verdictAgeSeconds
            },
        ]
    }

    // MARK: Making families

    private func single(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double) -> MetricFamily {
        MetricFamily(name: name, kind: kind, help: help, isPerDestination: false, samples: [.init(value: value)])
    }

    /// Absent while it is not known.
    private func optional(_ name: String, _ help: String, _ value: Int?) -> MetricFamily {
        let samples = value.map { [MetricFamily.Sample(value: Double($0))] } ?? []
        return MetricFamily(name: name, kind: .gauge, help: help, isPerDestination: false, samples: samples)
    }

    private func counter(_ name: String, _ help: String, _ value: (Destination) -> Int) -> MetricFamily {
        let samples = destinations.map { MetricFamily.Sample(destination: $0.lane.name, value: Double(value($0))) }
        return MetricFamily(name: name, kind: .counter, help: help, samples: samples)
    }

    private func gauge(_ name: String, _ help: String, _ value: (Destination) -> Double?) -> MetricFamily {
        let samples = destinations.compactMap { destination in
            value(destination).map { MetricFamily.Sample(destination: destination.lane.name, value: $0) }
        }
        return MetricFamily(name: name, kind: .gauge, help: help, samples: samples)
    }

    private func labelled<Key>(
        _ name: String, _ help: String, as kind: MetricFamily.Kind = .counter, by label: String, _ keys: [Key],
        _ text: (Key) -> String, _ value: (Destination, Key) -> Int
    ) -> MetricFamily {
        let samples = destinations.flatMap { destination in
            keys.map { key in
                MetricFamily.Sample(
                    destination: destination.lane.name, label: text(key), value: Double(value(destination, key)))
            }
        }
        return MetricFamily(
            name: name, kind: kind, help: help, label: .init(name: label, values: keys.map(text)), samples: samples)
    }
}

extension Metrics.Destination {
    fileprivate func skipped(_ reason: SkipReason) -> Int {
        let atIntake = intake.skipped[Int(reason.rawValue)]
        switch reason {
        case .shadow: return atIntake + lane.books.skippedShadow
        case .alreadyStored: return atIntake + lane.books.skippedAlreadyStored
        case .duplicateTransaction: return lane.books.skippedDuplicate
        default: return atIntake
        }
    }
}
