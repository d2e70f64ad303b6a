@testable import ForwarderCore

extension SignalName {
    /// Lines of this name, such that every level and every field it can have occurs. A new name does not compile without.
    var samples: [Signal] {
        switch self {
        case .daemonStarted:
            [.daemonStarted(version: "0.1.0", libraries: "librdkafka 2.0.2", configuration: Array("{}".utf8))]
        case .daemonReady: [.daemonReady]
        case .daemonRefused: [.daemonRefused(reason: "another process holds the state directory")]
        case .stopRequested: [.stopRequested(signal: "SIGTERM")]
        case .daemonStopped: [true, false].map { .daemonStopped(isComplete: $0, elapsed: .seconds(9000)) }
        case .configurationReloaded: [.configurationReloaded]
        case .configurationRejected: [.configurationRejected(problems: ["line 3: unknown key"])]
        case .adminListening: [.adminListening(address: "127.0.0.1:9464")]
        case .adminUnavailable: [.adminUnavailable(reason: "address in use")]
        case .threadStalled: [.threadStalled(thread: "store", silence: .seconds(61))]
        case .clockStepped: [.clockStepped(by: .seconds(-3600))]
        case .storeOpened: [.storeOpened(identity: "5f0c", isNew: false, pending: 12)]
        case .storeMissing: [.storeMissing(remembered: "5f0c", present: "77aa")]
        case .stateDirectoryDoubtful: [.stateDirectoryDoubtful(directory: "/var/lib/x", fileSystem: "tmpfs")]
        case .storeFull: [.storeFull]
        case .storeFailing: [.storeFailing(reason: "disk I/O error")]
        case .storeRecovered: [.storeRecovered]
        case .queueFull: [.queueFull(destination: "capi")]
        case .detached: [.detached(destination: "old", pending: 3)]
        case .rejectsNotKept: [.rejectsNotKept(count: 3)]
        case .purged: [.purged(deadLetters: 4, rejects: 5)]
        case .personErased: [.personErased(EraseReport())]
        case .partitionsAssigned: [.partitionsAssigned([place])]
        case .partitionsRevoked: [false, true].map { .partitionsRevoked([place], isLost: $0) }
        case .partitionStopped:
            [.partitionStopped(place, reason: "offset_out_of_range")] + somewhere { .partitionStopped($0, reason: "") }
        case .commitRefused:
            [.commitRefused(place, reason: "rebalance_in_progress")] + somewhere { .commitRefused($0, reason: "") }
        case .offsetReset:
            [.offsetReset(place, to: 9, policy: "earliest")] + somewhere { .offsetReset($0, to: nil, policy: "latest") }
        case .partitionFaulted:
            [.partitionFaulted(place, reason: "unknown_partition")] + somewhere { .partitionFaulted($0, reason: "") }
        case .kafkaFaulted:
            [false, true].map { .kafkaFaulted(reason: "all_brokers_down", text: "2/2 brokers are down", isFatal: $0) }
        case .leftGroup: [true, false].map { .leftGroup(isComplete: $0) }
        case .intakePaused: [.intakePaused(reason: "memory")]
        case .intakeResumed: [.intakeResumed]
        case .kafkaReported:
            LogSettings.Level.allCases.map {
                .kafkaReported(severity: $0, facility: "FAIL", text: "broker-1:9092/1: Connect failed: refused")
            }
        case .attempted: [.attempted(.goodSample), .attempted(.badSample)]
        case .pixelFired: PixelFire.samples.map { .pixelFired($0) }
        case .deadLettered:
            [
                .deadLettered(
                    DeadLetterReport(
                        destination: "capi", reasonClass: .refused, reason: "InvalidTimestamp",
                        topic: "storefront-events",
                        partition: 3, offset: 123_456_789, attempts: 2))
            ]
        case .shadowed: [.shadowed(destination: "capi", deliveries: 1000, bytes: 412_345)]
        case .duplicatesSkipped: [.duplicatesSkipped(destination: "capi", count: 2)]
        case .expiredInQueue: [.expiredInQueue(destination: "capi", count: 3)]
        case .rejected:
            ["capi", nil].map {
                .rejected(
                    RejectReport(
                        destination: $0, reasons: ["too_old", "no_identifier"], topic: "storefront-events",
                        partition: 3,
                        offset: 123_456_789))
            }
        case .countDistrusted: [.countDistrusted(destination: "capi")]
        case .quarantined: [.quarantined(destination: "capi", count: 1)]
        case .replayed: [.replayed(destination: "capi", count: 2)]
        case .discarded: [.discarded(destination: "capi", count: 3)]
        case .gateClosed: [.gateClosed(destination: "capi", reason: "http_503", wait: .seconds(4), failures: 3)]
        case .gateOpened: [.gateOpened(destination: "capi")]
        case .gateParked: [.gateParked(destination: "capi", reason: "http_401", probeIn: .seconds(60))]
        case .gateHalted: [.gateHalted(destination: "capi")]
        case .gatePaused: [.gatePaused(destination: "capi")]
        case .gateResumed: [.gateResumed(destination: "capi")]
        case .goalHeld: [.goalHeld(destination: "offline", goal: "Purchase")]
        case .goalReleased: [.goalReleased(destination: "offline", goal: "Purchase")]
        case .goalTooYoung: [.goalTooYoung(destination: "offline", goal: "Purchase", wait: .seconds(7200))]
        case .verdictRead:
            [(9, 1), (1, 9)].map { attributed, unattributed in
                let counts = GoalCounts(
                    attributed: attributed, unattributed: unattributed, reasons: [.noMatchingClickFound: 1])
                let day = GoalDay(
                    goal: "Purchase", day: CalendarDay(of: Timestamp(seconds: 1_786_000_000)), counts: counts)
                return .verdictRead(VerdictReport(destination: "offline", day: day))
            }
        case .verdictMissed:
            ["Purchase", nil].map { .verdictMissed(destination: "offline", goal: $0, reason: "campaign_117") }
        case .secretUnreadable:
            [
                .secretUnreadable(
                    destination: "capi", secret: "token", reason: "/run/secrets/t: No such file or directory")
            ]
        case .credentialRenewed:
            [.seconds(3600), nil].map { .credentialRenewed(grant: "offline", lifetime: $0) }
        case .credentialRefused:
            [false, true].map {
                .credentialRefused(grant: "offline", reason: "invalid_grant", isDead: $0, wait: .seconds(120))
            }
        case .credentialNotSaved: [.credentialNotSaved(grant: "offline")]
        case .consentAssumed: [.consentAssumed(destination: "capi", missing: "granted", denied: "skip")]
        }
    }

    private var place: PartitionReport {
        PartitionReport(topic: "storefront-events", partition: 3, offset: 123_456_789)
    }

    /// The same where the offset is not known.
    private func somewhere(_ signal: (PartitionReport) -> Signal) -> [Signal] {
        [signal(PartitionReport(topic: "storefront-events", partition: 3, offset: nil))]
    }
}

extension AttemptReport {
    static var goodSample: AttemptReport {
        AttemptReport(
            destination: "capi", request: RequestID(4_295_067_297), source: "fresh", isProbe: false, deliveries: 1000,
            bytes: 812_345, elapsed: .milliseconds(187), outcome: "ok", delivered: 1000,
            traceID: "0f8fad5b-d9cb-469f-a165-70867728950e", gate: "open")
    }

    static var badSample: AttemptReport {
        AttemptReport(
            destination: "capi", request: RequestID(4_295_067_298), source: "queue", isProbe: true, deliveries: 1000,
            bytes: 812_345, elapsed: .milliseconds(30_000), outcome: "http_503", unconfirmed: 1, refused: 10,
            retried: 988,
            resent: 1, warnings: 2, problems: (0..<10).map { "InvalidTimestamp eventTime\($0)" },
            traceID: "0f8fad5b-d9cb-469f-a165-70867728950e", gate: "closed", wait: .seconds(60))
    }
}

extension Metrics {
    /// Of the busiest kind: nothing in it is 0 or absent.
    static func sample(destinations names: [String], scale: Int = 1) -> Metrics {
        var kafka = Metrics.Kafka()
        kafka.partitions = [.init(topic: "t", partition: 0, position: 5, committed: 4, lag: 12_345)]
        kafka.commits = 86_400 * scale
        var store = Metrics.Store()
        store.freeBytes = 50_000_000_000
        store.sizeBytes = 100_000_000_000
        store.transactions = 12_345 * scale
        let destinations = names.enumerated().map { index, name in
            destination(name, DestinationID(Int32(index + 1)), scale)
        }
        var metrics = Metrics(uptime: .seconds(86_400 * scale), destinations: destinations, kafka: kafka, store: store)
        metrics.detached = ["old": 7]
        return metrics
    }

    private static func destination(_ name: String, _ id: DestinationID, _ scale: Int) -> Destination {
        var intake = IntakeBooks()
        intake.consumed = 9_123_456_789 * scale
        for index in intake.skipped.indices { intake.skipped[index] = 1_234_567 * scale }
        for index in intake.rejectedByReason.indices { intake.rejectedByReason[index] = 1_234_567 * scale }
        for index in intake.fieldsDropped.indices { intake.fieldsDropped[index] = 12_345 * scale }
        let settings = DestinationSettings(
            name: name, kind: .capi(CAPISettings(uetTagID: "1", token: .environment("T"))))
        let now = Moment(wall: Timestamp(seconds: 0), uptime: Uptime(milliseconds: 0))
        var lane = DestinationLane(
            id: id, settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(), heldGoals: [], state: .running,
            now: now, seed: 1
        ).snapshot(now: now)
        lane.clockOffset = .milliseconds(-123)
        lane.books.delivered = 9_000_000_000 * scale
        for index in lane.books.outcomes.indices { lane.books.outcomes[index] = 12_345 * scale }
        for fault in TransportFault.allCases { lane.books.transportFaults[fault] = 1_234 * scale }
        lane.books.deadLetteredData = 5 * scale
        var times = Histogram()
        for milliseconds in [3, 30, 300, 3_000, 9_999_999] { times.add(.milliseconds(milliseconds)) }
        var destination = Destination(
            type: "capi", intake: intake, gathering: 0, lane: lane, requestTime: times, oldestPendingSeconds: 61.5)
        destination.credentialExpiresSeconds = 1800
        destination.verdictAgeSeconds = 3600 * Double(scale)
        let reasons = Dictionary(uniqueKeysWithValues: UnattributedReason.allCases.map { ($0, 12_345 * scale) })
        destination.goals = [
            GoalSum(
                goal: "Purchase",
                counts: GoalCounts(attributed: 123_456 * scale, unattributed: 12_345 * scale, reasons: reasons))
        ]
        return destination
    }
}

extension PixelFire {
    fileprivate static var samples: [PixelFire] {
        var delivery = Delivery(
            topic: 0, partition: 3, offset: 123_456_789, assignment: AssignmentID(1), sequence: 1,
            eventTime: 1_786_000_000, sendBy: Timestamp(seconds: 1_786_600_000), content: 0..<0, record: 0..<0)
        delivery.attempts = 1
        var batch = DeliveryBatch(recordForm: .neutral, topics: ["storefront-events"], goals: ["pixel 37"])
        batch.contents = Array(#""id=37&order_id=991&value=79.99&other=mug&sspdata=ams1AAAAAAAAkQC8AD4AAA.""#.utf8)
        batch.deliveries = [delivery]
        var answer = HTTPAnswer(status: 200)
        answer.redirect = HTTPAnswer.Redirect(count: 1, host: "ams1-ib.adnxs.com")
        return [.answer(answer), .noAnswer(.timeout)].compactMap {
            PixelFire("invest", RequestID(42), batch, $0, .milliseconds(87))
        }
    }
}
