import DeliveryStore
import ForwarderCore
import Glibc
import HTTPClient
import HTTPServer
import KafkaClient
import Synchronization

/// How a command ends.
public enum ExitCode {
    public static let done: Int32 = 0
    /// The thing itself went wrong, or is not well.
    public static let failure: Int32 = 1
    /// Wrong usage or configuration: starting again changes nothing.
    public static let usage: Int32 = 2
}

/// The daemon from start to end. It only connects: what is decided about events is in the core, what is done with C
/// libraries in their wrappers.
///
/// Four threads do the work and tell each other by mailboxes: intake (Kafka), delivery (Microsoft), store (SQLite), log.
/// This one waits for signals.
public final class Daemon {
    /// How long the parts have to end, beyond the grace of the requests.
    private static let endTimeout = Duration.seconds(15)

    private let configurationPath: String
    private var configuration: Configuration
    private let signals: ProcessSignals
    private let notifier = ServiceNotifier()
    private let sink = LogSink()
    private let telemetry: Telemetry
    private let heartbeats = Heartbeats()
    private let readiness = Readiness()
    private let fault = Fault()
    private let pressure = Pressure()
    private let intakeBell = Doorbell()
    private let storeBell = Doorbell()
    private let deliveryWaker = WakerSlot()
    private let mailboxes: Mailboxes
    private let startedAt = SystemClock.now

    /// Runs the daemon until it is told to stop. Returns the exit code of the process.
    public static func run(configurationPath: String) -> Int32 {
        let loaded: ConfigurationLoading.Loaded
        do {
            loaded = try ConfigurationLoading.load(configurationPath)
        } catch {
            for problem in error.problems { StandardError.write(problem) }
            return ExitCode.usage
        }
        for warning in loaded.warnings { StandardError.write(warning) }
        return Daemon(configurationPath, loaded.configuration).run()
    }

    private init(_ path: String, _ configuration: Configuration) {
        configurationPath = path
        self.configuration = configuration
        signals = ProcessSignals()
        telemetry = Telemetry(sink: sink, level: configuration.log.level)
        let intakeBell = self.intakeBell
        let storeBell = self.storeBell
        let deliveryWaker = self.deliveryWaker
        mailboxes = Mailboxes(
            intake: Mailbox { intakeBell.ring() }, delivery: Mailbox { deliveryWaker.wake() },
            store: Mailbox { storeBell.ring() })
    }

    private func run() -> Int32 {
        // State, grants, control socket: nobody else's business.
        umask(0o077)
        sink.start()
        defer { sink.close() }
        telemetry.report(
            .daemonStarted(
                version: Version.text, libraries: Version.libraries, configuration: configuration.redacted))
        do {
            return try serve()
        } catch {
            StandardError.write(error.text)
            telemetry.report(.daemonRefused(reason: error.text))
            return error.code
        }
    }

    private struct Refusal: Error {
        var text: String
        var code: Int32
    }

    // MARK: Start

    private func serve() throws(Refusal) -> Int32 {
        let (storeThread, opened) = try startStore()
        let control = try openControl(opened.rows)
        let deliveryThread = try startDelivery(opened.plan, opened.rows)
        let intakeThread = try startIntake(opened.plan)
        let admin = openAdmin()
        defer {
            control.stop()
            admin?.server.stop()
        }
        notifier.ready()
        telemetry.report(.daemonReady)
        let code = waitForSignals(storeThread: storeThread, deliveryThread: deliveryThread, intakeThread: intakeThread)
        telemetry.report(
            .daemonStopped(isComplete: code == ExitCode.done, elapsed: SystemClock.now.uptime - startedAt.uptime))
        return code
    }

    private struct Opened: Sendable {
        var plan: Plan
        var rows: RowIDs
    }

    private func startStore() throws(Refusal) -> (LoopThread, Opened) {
        let configuration = self.configuration
        let reply = Reply<Result<Opened, Refusal>>()
        let (mailboxes, bell, telemetry, heartbeats) = (mailboxes, storeBell, telemetry, heartbeats)
        let giveUp = self.giveUp
        let thread = LoopThread(name: "store") {
            do throws(Refusal) {
                let store = try Daemon.openStore(configuration)
                let plan = try Daemon.makePlan(configuration, store)
                Daemon.report(plan, store, to: telemetry)
                reply.send(.success(Opened(plan: plan, rows: RowIDs(after: try Daemon.highestRow(store)))))
                StoreLoop(
                    store, plan, mailboxes: mailboxes, doorbell: bell, telemetry: telemetry, heartbeats: heartbeats,
                    giveUp: giveUp
                ).run()
            } catch {
                reply.send(.failure(error))
            }
        }
        return (thread, try result(of: reply, "the store"))
    }

    private static func openStore(_ configuration: Configuration) throws(Refusal) -> DeliveryStore {
        do throws(StoreError) {
            return try DeliveryStore(directory: configuration.state.directory)
        } catch {
            throw Refusal(text: error.description, code: ExitCode.failure)
        }
    }

    private static func highestRow(_ store: DeliveryStore) throws(Refusal) -> RowID {
        do throws(StoreError) {
            return try store.highestRow()
        } catch {
            throw Refusal(text: error.description, code: ExitCode.failure)
        }
    }

    private static func makePlan(_ configuration: Configuration, _ store: DeliveryStore) throws(Refusal) -> Plan {
        do throws(Planning.Refused) {
            return try Planning.plan(configuration, store, now: SystemClock.now.wall)
        } catch {
            switch error {
            case .store(let error): throw Refusal(text: error.description, code: ExitCode.failure)
            case .configuration(let problems):
                throw Refusal(text: problems.joined(separator: "\n"), code: ExitCode.usage)
            }
        }
    }

    private static func report(_ plan: Plan, _ store: DeliveryStore, to telemetry: Telemetry) {
        let directory = plan.configuration.state.directory
        let pending = plan.destinations.reduce(0) { $0 + $1.depth.rows }
        telemetry.report(.storeOpened(identity: store.identity, isNew: store.wasCreated, pending: pending))
        if let kind = FileSystemKind.doubtful(directory) {
            telemetry.report(.stateDirectoryDoubtful(directory: directory, fileSystem: kind))
        }
        for (name, pending) in plan.detached.sorted(by: { $0.key < $1.key }) {
            telemetry.report(.detached(destination: name, pending: pending))
        }
        for destination in plan.destinations {
            let consent = destination.settings.consent
            telemetry.report(
                .consentAssumed(
                    destination: destination.settings.name, missing: consent.missing.rawValue,
                    denied: consent.denied.rawValue))
        }
    }

    private func startDelivery(_ plan: Plan, _ rows: RowIDs) throws(Refusal) -> LoopThread {
        let http = plan.configuration.http
        let options = HTTPClient.Options(
            userAgent: "conversion-forwarder/\(Version.text)", proxy: http.proxy, caFile: http.caFile,
            connectTimeout: http.connectTimeout)
        let reply = Reply<Result<Void, Refusal>>()
        let (mailboxes, waker, pressure, telemetry, heartbeats) = (
            mailboxes, deliveryWaker, pressure, telemetry, heartbeats
        )
        let thread = LoopThread(name: "delivery") {
            do throws(HTTPClientError) {
                let client = try HTTPClient(options: options)
                waker.fill(client.waker)
                reply.send(.success(()))
                DeliveryLoop(
                    plan, client: client, rows: rows, mailboxes: mailboxes, pressure: pressure, telemetry: telemetry,
                    heartbeats: heartbeats
                ).run()
            } catch {
                reply.send(.failure(Refusal(text: error.description, code: ExitCode.usage)))
            }
        }
        try result(of: reply, "the HTTP client")
        return thread
    }

    private func startIntake(_ plan: Plan) throws(Refusal) -> LoopThread {
        let properties: [(name: String, value: String)]
        do {
            properties = try KafkaProperties.all(plan.configuration.kafka)
        } catch {
            throw Refusal(text: "kafka.properties: \(error.reason)", code: ExitCode.usage)
        }
        let reply = Reply<Result<Void, Refusal>>()
        let (mailboxes, bell, pressure, telemetry, heartbeats) = (
            mailboxes, intakeBell, pressure, telemetry, heartbeats
        )
        let thread = LoopThread(name: "intake") {
            do throws(KafkaError) {
                let consumer = try KafkaConsumer(properties: properties)
                try consumer.subscribe(plan.configuration.kafka.topics)
                reply.send(.success(()))
                IntakeLoop(
                    plan, consumer: consumer, mailboxes: mailboxes, doorbell: bell, pressure: pressure,
                    telemetry: telemetry, heartbeats: heartbeats
                ).run()
            } catch {
                reply.send(.failure(Refusal(text: "kafka: \(error.description)", code: ExitCode.usage)))
            }
        }
        try result(of: reply, "the Kafka client")
        return thread
    }

    private func result<Value>(
        of reply: Reply<Result<Value, Refusal>>, _ what: String
    ) throws(Refusal) -> Value {
        guard let result = reply.wait(timeout: .seconds(120)) else {
            throw Refusal(text: "\(what) has not started within two minutes", code: ExitCode.failure)
        }
        return try result.get()
    }

    private func openControl(_ rows: RowIDs) throws(Refusal) -> ControlSocket {
        do {
            let control = try ControlSocket(directory: configuration.state.directory)
            let service = ControlService(mailboxes: mailboxes, telemetry: telemetry, readiness: readiness, rows: rows)
            control.start(service.answer)
            return control
        } catch {
            throw Refusal(text: "control socket: \(error.reason)", code: ExitCode.failure)
        }
    }

    /// Without it the daemon still does what it is for.
    private func openAdmin() -> AdminPort? {
        guard let endpoint = configuration.admin.listen else { return nil }
        do throws(HTTPServerError) {
            let admin = try AdminPort(endpoint, telemetry: telemetry, readiness: readiness, heartbeats: heartbeats)
            telemetry.report(.adminListening(address: "\(endpoint.host):\(admin.server.port)"))
            return admin
        } catch {
            telemetry.report(.adminUnavailable(reason: error.description))
            return nil
        }
    }

    // MARK: Running

    /// Nothing that is still in memory can be trusted: the next start reads from Kafka what was not committed.
    private var giveUp: @Sendable (String) -> Void {
        let (telemetry, fault) = (telemetry, fault)
        return { reason in
            telemetry.report(.storeFailing(reason: reason))
            fault.raise()
        }
    }

    private func waitForSignals(
        storeThread: LoopThread, deliveryThread: LoopThread, intakeThread: LoopThread
    ) -> Int32 {
        var watch = ClockWatch(SystemClock.now)
        while true {
            let interval = min(.seconds(1), notifier.watchdogInterval ?? .seconds(1))
            switch signals.wait(timeout: interval) {
            case SIGHUP?: reload()
            case let number?:
                telemetry.report(.stopRequested(signal: ProcessSignals.name(number)))
                return stop(storeThread: storeThread, deliveryThread: deliveryThread, intakeThread: intakeThread)
            case nil: break
            }
            let now = SystemClock.now
            if let step = watch.step(now) { telemetry.report(.clockStepped(by: step)) }
            let stalled = heartbeats.stalled(at: now.uptime)
            for (loop, silence) in stalled { telemetry.report(.threadStalled(thread: loop.name, silence: silence)) }
            if stalled.isEmpty { notifier.alive() }
            readiness.judge(telemetry.metrics, stalled: stalled.map(\.loop.name), now: now.uptime)
            if let metrics = telemetry.metrics { notifier.status(metrics.summary) }
            if fault.isRaised { return ExitCode.failure }
        }
    }

    // MARK: Reload

    private func reload() {
        notifier.reloading()
        defer { notifier.ready() }
        do throws(ConfigurationLoading.Refused) {
            let loaded = try ConfigurationLoading.load(configurationPath)
            let fixed = configuration.fixedDifferences(from: loaded.configuration)
            guard fixed.isEmpty else {
                throw .init(problems: fixed.map { "\($0) cannot change while the daemon runs; restart it" })
            }
            try apply(loaded.configuration)
            telemetry.report(.configurationReloaded)
        } catch {
            telemetry.report(.configurationRejected(problems: error.problems))
        }
    }

    private func apply(_ configuration: Configuration) throws(ConfigurationLoading.Refused) {
        let reply = Reply<Result<Plan, Refusal>>()
        mailboxes.store.put(
            .inspect { store in
                do throws(Refusal) {
                    reply.send(.success(try Daemon.makePlan(configuration, store)))
                } catch {
                    reply.send(.failure(error))
                }
            })
        switch reply.wait(timeout: .seconds(30)) {
        case .success(let plan)?:
            self.configuration = configuration
            telemetry.setLevel(configuration.log.level)
            mailboxes.store.put(.reload(plan))
            // The intake hands over what it has by the old plan, then passes the new one on.
            mailboxes.intake.put(.reload(plan))
        case .failure(let refusal)?: throw .init(problems: [refusal.text])
        case nil: throw .init(problems: ["the store has not answered within 30 seconds"])
        }
    }

    // MARK: Stop

    /// Stops reading; lets what is on its way arrive; writes down what would otherwise be sent twice; commits; leaves.
    private func stop(
        storeThread: LoopThread, deliveryThread: LoopThread, intakeThread: LoopThread
    ) -> Int32 {
        notifier.stopping()
        let grace = configuration.shutdown.grace
        let deadline = SystemClock.now.uptime + grace + Daemon.endTimeout
        mailboxes.intake.put(.drain)
        mailboxes.delivery.put(.drain(until: SystemClock.now.uptime + grace))
        guard wait(for: deliveryThread, until: deadline) else { return ExitCode.failure }
        mailboxes.intake.put(.finish)
        guard wait(for: intakeThread, until: deadline) else { return ExitCode.failure }
        mailboxes.store.put(.close)
        guard wait(for: storeThread, until: deadline) else { return ExitCode.failure }
        return ExitCode.done
    }

    /// Returns false if a second signal came, or it took too long.
    private func wait(for thread: LoopThread, until deadline: Uptime) -> Bool {
        while !thread.isFinished {
            switch signals.wait(timeout: .milliseconds(20)) {
            case SIGHUP?, nil: break
            case let number?:
                telemetry.report(.stopRequested(signal: ProcessSignals.name(number)))
                return false
            }
            if SystemClock.now.uptime > deadline || fault.isRaised { return false }
            notifier.alive()
        }
        return true
    }
}

/// A thread that can be asked whether it has ended.
private final class LoopThread: Sendable {
    private let finished = Atomic(false)

    init(name: String, _ body: @escaping @Sendable () -> Void) {
        _ = Thread(name: name) {
            body()
            self.finished.store(true, ordering: .releasing)
        }
    }

    var isFinished: Bool { finished.load(ordering: .acquiring) }
}

/// That the process must not go on.
private final class Fault: Sendable {
    private let flag = Atomic(false)

    func raise() { flag.store(true, ordering: .releasing) }
    var isRaised: Bool { flag.load(ordering: .acquiring) }
}

/// The waker of a client that is made later, on its own thread.
private final class WakerSlot: Sendable {
    private let waker = Mutex<HTTPWaker?>(nil)

    func fill(_ waker: HTTPWaker) { self.waker.withLock { $0 = waker } }
    func wake() { waker.withLock { $0 }?.wake() }
}

/// Notices when somebody sets the wall clock.
private struct ClockWatch {
    private static let tolerance = Duration.seconds(2)
    private var last: Moment

    init(_ now: Moment) {
        last = now
    }

    mutating func step(_ now: Moment) -> Duration? {
        defer { last = now }
        let difference = (now.wall - last.wall) - (now.uptime - last.uptime)
        return difference > ClockWatch.tolerance || difference < .zero - ClockWatch.tolerance ? difference : nil
    }
}

extension Metrics {
    /// One line for `systemctl status`.
    fileprivate var summary: String {
        let parts = destinations.map { destination in
            "\(destination.lane.name) \(destination.lane.gate), \(destination.lane.books.delivered) delivered, \(destination.lane.pending) pending"
        }
        return "\(kafka.partitions.count) partitions; " + parts.joined(separator: "; ")
    }
}

extension Configuration {
    /// The sections in which another configuration differs although they are read only at start.
    fileprivate func fixedDifferences(from other: Configuration) -> [String] {
        var names: [String] = []
        if kafka != other.kafka { names.append("kafka") }
        if state != other.state { names.append("state") }
        if http != other.http { names.append("http") }
        if admin != other.admin { names.append("admin") }
        return names
    }
}
