import FakeMicrosoft
import Forwarder
import ForwarderCore
import Glibc
import KafkaClient
import MockKafka

/// Carries out a plan around real daemons, then lets everything heal, and has the oracle judge.
public final class ChaosTrial {
    public static let settleLimit = Duration.seconds(120)
    private static let topic = "chaos"
    private static let requestTimeoutSeconds: Int64 = 2

    let plan: ChaosPlan
    let binary: String
    private let mock: MockCluster?
    private let brokers: String
    private let topic: String
    let microsoft: FakeMicrosoftServer
    private let root: DaemonDirectory
    let members: [SupervisedDaemon]
    private let producer: KafkaProducer
    private var disk: SmallDisk?
    /// When it was last emptied, until what it did to the daemon is over.
    private var diskFreed: Uptime?
    private var clock: SteppedClock?
    private var shop: ChaosShop
    private var events: [ChaosEvent] = []
    var token = Microsoft.token
    var refreshToken = Microsoft.refreshToken
    var report = ChaosReport()

    /// - Parameters:
    ///   - kafka: a broker and a topic of `ChaosPlan.partitions` partitions that nobody else uses; nil makes a mock, whose
    ///     brokers can be made to fail.
    ///   - clockLibrary: sets the daemons' clocks; nil leaves them alone.
    public init(
        binary: String, plan: ChaosPlan, kafka: (brokers: String, topic: String)? = nil, clockLibrary: String? = nil
    ) throws(HarnessFailure) {
        self.plan = plan
        self.binary = binary
        topic = kafka?.topic ?? ChaosTrial.topic
        do throws(KafkaError) {
            mock = kafka == nil ? try MockCluster(brokers: ChaosPlan.brokers) : nil
            try mock?.createTopic(topic, partitions: ChaosPlan.partitions)
            brokers = kafka?.brokers ?? mock?.bootstrapServers ?? ""
            producer = try KafkaProducer(properties: [
                ("bootstrap.servers", brokers), ("linger.ms", "20"), ("socket.timeout.ms", "5000"),
                ("reconnect.backoff.max.ms", "1000"),
            ])
        } catch {
            throw HarnessFailure("Kafka: \(error)")
        }
        microsoft = try Microsoft.start(seed: plan.seed)
        root = try DaemonDirectory()
        report.directory = root.path
        try root.write(plan.description + "\n", to: "plan")
        if let clockLibrary {
            clock = try SteppedClock(library: clockLibrary, file: "\(root.path)/clock")
        } else {
            report.leftOut.append("clock steps: there is no library that sets a clock")
        }
        if mock == nil { report.leftOut.append("broker faults: it is not ours") }
        shop = ChaosShop(
            seed: plan.seed, partitions: ChaosPlan.partitions, requestTimeoutSeconds: ChaosTrial.requestTimeoutSeconds,
            hasAged: plan.hasAged)
        var settings = DaemonSettings(
            brokers: brokers, topic: topic, endpoint: microsoft.endpoint, authority: microsoft.authority)
        ChaosTrial.configure(&settings, plan, group: kafka?.topic ?? "conversion-forwarder")
        var members: [SupervisedDaemon] = []
        for member in ChaosPlan.Member.allCases {
            let directory = try DaemonDirectory(in: root, "\(member)")
            try settings.write(to: directory)
            members.append(SupervisedDaemon(binary, directory, environment: clock?.environment ?? []))
        }
        self.members = members
        do throws(HarnessFailure) {
            disk = try SmallDisk(members[0].directory.state, megabytes: 48)
        } catch {
            report.leftOut.append("disk fills: \(error.reason)")
        }
    }

    private static func configure(_ settings: inout DaemonSettings, _ plan: ChaosPlan, group: String) {
        settings.kafka = ["group_id: \(group)", "properties: {session.timeout.ms: 3000, heartbeat.interval.ms: 500}"]
        settings.ballast = "1MiB"
        settings.other = ["input: {max_event_bytes: \(ChaosShop.eventBytes)}", "shutdown: {grace: 3s}"]
        let destination = [
            "retry: {base: 100ms, cap: 3s, parked_probe: 1s}",
            "batch: {linger: 100ms, max_events: \(plan.batchEvents)}",
            "buffer: {max_age: \(plan.bufferMilliseconds)ms}",
            "request_timeout: \(requestTimeoutSeconds)s",
        ]
        settings.capi = destination
        settings.offline = destination
    }

    // MARK: The run

    public func run() throws(HarnessFailure) -> ChaosReport {
        do throws(HarnessFailure) {
            try play()
            try heal()
            try settle()
            try judge()
        } catch {
            report.differences.append(error.reason)
        }
        for member in members { member.abandon() }
        microsoft.stop()
        // A run that is given up leaves nothing behind.
        let isKept = !report.isGood && Interruption.signal == nil
        if isKept { try disk?.keep() }
        disk = nil
        if !isKept { root.remove() }
        return report
    }

    private func play() throws(HarnessFailure) {
        members[0].start()
        microsoft.withModel { [faults = plan.faults] in $0.follow(faults, from: SystemClock.now.wall) }
        let began = SystemClock.now.uptime
        var steps = plan.steps[...]
        while true {
            let elapsed = SystemClock.now.uptime - began
            guard elapsed < plan.length else { break }
            while let step = steps.first, step.at <= elapsed {
                steps.removeFirst()
                try carryOut(step.action)
            }
            try publish(upTo: Int(elapsed.milliseconds) * plan.rate / 1000)
            try tick()
        }
    }

    private func tick() throws(HarnessFailure) {
        if let signal = Interruption.signal { throw HarnessFailure("ended by signal \(signal)") }
        let now = SystemClock.now.uptime
        // A full disk may have ended it until a moment ago.
        if let freed = diskFreed, now - freed > .seconds(3) {
            members[0].mayFail = false
            diskFreed = nil
        }
        for member in members { try member.tick(now) }
        usleep(5000)
    }

    private func freeDisk() {
        disk?.free()
        diskFreed = SystemClock.now.uptime
    }

    private func publish(upTo count: Int) throws(HarnessFailure) {
        do throws(KafkaError) {
            while events.count < count {
                let event = shop.next(now: SystemClock.now.wall.seconds)
                try producer.produce(topic, partition: event.partition, key: Array(event.id.utf8), value: event.value)
                events.append(event)
            }
        } catch {
            throw HarnessFailure("publishing: \(error)")
        }
    }

    private func carryOut(_ action: ChaosPlan.Action) throws(HarnessFailure) {
        let now = SystemClock.now.uptime
        switch action {
        case .kill(let member, let hard, let down): members[member.rawValue].kill(hard: hard, down: down, now: now)
        case .reload(let member): members[member.rawValue].reload(now: now)
        case .join: members[1].start()
        case .leave(let hard): members[1].stop(hard: hard, now: now)
        case .fillDisk:
            guard let disk else { return }
            members[0].mayFail = true
            diskFreed = nil
            try disk.fill()
            report.diskFills += 1
        case .freeDisk: freeDisk()
        case .setClock(let milliseconds):
            guard let clock else { return }
            try clock.set(milliseconds: milliseconds)
            report.clockSteps += 1
        case .changeToken:
            token = "another-made-up-token-\(plan.seed)"
            microsoft.withModel { [token] in $0.setToken(token, ofTag: Microsoft.tag) }
        case .handOutToken: try handOutToken()
        case .revokeGrant: consentAnew(revoking: true)
        case .handOutGrant: try handOutGrant()
        case .resumeHalted: try resumeHalted()
        case .expireAccessTokens: microsoft.withModel { $0.expireAccessTokens(now: SystemClock.now.wall) }
        default:
            guard let mock else { return }
            do throws(KafkaError) {
                try trouble(mock, action)
            } catch {
                throw HarnessFailure("the mock Kafka: \(error)")
            }
        }
    }

    private func trouble(_ mock: MockCluster, _ action: ChaosPlan.Action) throws(KafkaError) {
        switch action {
        case .brokerDown(let broker):
            try mock.takeDown(broker: broker)
            report.brokerOutages += 1
        case .brokerUp(let broker): try mock.bringUp(broker: broker)
        case .slowBroker(let broker, let milliseconds):
            try mock.setRoundTrip(milliseconds: milliseconds, broker: broker)
        case .moveLeader(let partition, let broker):
            try mock.setLeader(TopicPartition(topic, partition), broker: broker)
        case .moveGroup(let broker): try mock.setCoordinator(group: "conversion-forwarder", broker: broker)
        case .refuseRequests(let request, let count):
            mock.failNext(request, Array(repeating: .coordinatorNotAvailable, count: count))
        default: break
        }
    }

    // MARK: The end

    /// Nothing goes wrong from here on.
    private func heal() throws(HarnessFailure) {
        microsoft.withModel { $0.follow(.none, from: SystemClock.now.wall) }
        freeDisk()
        try clock?.set(milliseconds: 0)
        try handOutToken()
        if plan.faults.endsGrant { consentAnew(revoking: false) }
        try handOutGrant()
        do throws(KafkaError) {
            try mock?.bringUp()
            try mock?.setRoundTrip(milliseconds: 0)
            // What a member that left has written down it delivers when it is back.
            for member in members { member.start() }
            try producer.flush(timeoutMilliseconds: 60_000)
        } catch {
            throw HarnessFailure("Kafka does not recover: \(error)")
        }
        guard producer.delivered == events.count else {
            throw HarnessFailure("Kafka took \(producer.delivered) of \(events.count) records")
        }
    }

    private func settle() throws(HarnessFailure) {
        let began = SystemClock.now.uptime
        var calmSince: Uptime?
        var isRestarted = false
        while true {
            let now = SystemClock.now.uptime
            if isSettled() {
                let since = calmSince ?? now
                calmSince = since
                if now - since > .milliseconds(1500) { break }
            } else {
                calmSince = nil
            }
            guard now - began < ChaosTrial.settleLimit, members.allSatisfy({ $0.misdeeds.count < 5 }) else {
                let statuses = members.map {
                    $0.directory.status().map { String(decoding: $0.json, as: UTF8.self) } ?? "none"
                }
                report.differences.append("not settled after \((now - began).milliseconds / 1000) s: \(statuses)")
                break
            }
            try resumeHalted()
            if !isRestarted, plan.faults.hasYoungGoal, try isOnlyWaitingForGoals() {
                isRestarted = true
                for member in members { member.kill(hard: false, down: .zero, now: now) }
            }
            for _ in 0..<20 { try tick() }
        }
        report.settleSeconds = Double((SystemClock.now.uptime - began).milliseconds / 100) / 10
        for member in members { member.stop(hard: false, now: SystemClock.now.uptime) }
        while !members.allSatisfy(\.isOff) { try tick() }
    }

    private func isSettled() -> Bool {
        var partitions = 0
        for member in members {
            guard let status = member.directory.status(), let assigned = status["assignments"]?.elements,
                let destinations = status["destinations"]?.elements,
                assigned.allSatisfy({ $0["lag"]?.integer == 0 }),
                destinations.allSatisfy({ $0["pending"]?.integer == 0 && $0["in_flight"]?.integer ?? 0 == 0 })
            else { return false }
            partitions += assigned.count
        }
        return partitions == ChaosPlan.partitions
    }

    private func judge() throws(HarnessFailure) {
        for member in members {
            report.differences += member.misdeeds
            report.differences += LogCheck.problems(member.directory, kills: member.hardKills).prefix(10).map {
                "\(member.directory.log): \($0)"
            }
            for line in member.directory.logLines("gate.halted") {
                report.halts += 1
                let name = line["destination"]?.string ?? ""
                if !plan.faults.haltable.contains(name) { report.differences.append("\(name) was halted without need") }
            }
            report.kills += member.kills
            report.rebalances += member.directory.logLines("partitions.assigned").count
        }
        var store = StoreView()
        for member in members { try store.add(binary, member.directory) }
        if store.pending > 0 { report.differences.append("\(store.pending) deliveries still wait") }
        let oracle = ChaosOracle(
            events: events, places: try TopicReader.read(brokers: brokers, topic: topic, group: "chaos-reader"),
            store: store)
        report.differences += oracle.differences(microsoft)
        report.differences += ChaosOracle.findings(microsoft)
        report.events = events.count
        report.rejects = store.rejects.count
        report.deadLetters = store.letters.count
        let books = microsoft.withModel { model in
            [Microsoft.capi, Microsoft.offline].compactMap { model.books(of: $0) }
        }
        for book in books {
            report.accepted += book.accepted
            report.repeats += book.duplicates
            report.requests.merge(book.traffic.requests, uniquingKeysWith: +)
        }
    }
}
