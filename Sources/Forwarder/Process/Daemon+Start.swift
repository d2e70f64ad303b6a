import DeliveryStore
import ForwarderCore
import HTTPClient
import KafkaClient

extension Daemon {
    /// Opening a store after a crash reads its log.
    private static let startTimeout = Duration.seconds(120)

    struct Started {
        var loops: Loops
        var control: ControlSocket
        var admin: AdminPort?
    }

    func start() throws(Refusal) -> Started {
        let (store, opened) = try startStore()
        let service = ControlService(
            mailboxes: mailboxes, telemetry: telemetry, readiness: readiness, rows: opened.rows,
            stateDirectory: configuration.state.directory)
        let control = try openControl(service)
        do throws(Refusal) {
            let delivery = try startDelivery(opened.plan, opened.rows)
            let intake = try startIntake(opened.plan)
            return Started(
                loops: Loops(store: store, delivery: delivery, intake: intake), control: control,
                admin: openAdmin(service))
        } catch {
            control.stop()
            throw error
        }
    }

    // MARK: Store

    private struct Opened: Sendable {
        var plan: Plan
        var rows: RowIDs
    }

    private func startStore() throws(Refusal) -> (LoopThread, Opened) {
        let configuration = self.configuration
        let reply = Reply<Result<Opened, Refusal>>()
        let (mailboxes, bell, pressure, telemetry, heartbeats, end) = (
            mailboxes, storeBell, pressure, telemetry, heartbeats, end
        )
        let thread = LoopThread(name: "store") {
            do throws(Refusal) {
                let store = try Daemon.openStore(configuration.state)
                let plan = try Daemon.makePlan(configuration, store)
                Daemon.report(plan, store, to: telemetry)
                reply.send(.success(Opened(plan: plan, rows: RowIDs(after: try Daemon.highestRow(store)))))
                StoreLoop(
                    store, plan, mailboxes: mailboxes, doorbell: bell, pressure: pressure, telemetry: telemetry,
                    heartbeats: heartbeats, end: end
                ).run()
            } catch {
                reply.send(.failure(error))
            }
        }
        return (thread, try result(of: reply, "the store"))
    }

    private static func openStore(_ settings: StateSettings) throws(Refusal) -> DeliveryStore {
        do throws(StoreError) {
            return try DeliveryStore(directory: settings.directory)
        } catch {
            // What an earlier run held in reserve is for this.
            guard error.isDiskFull, Ballast(settings).release() else {
                throw .failed(error.description, code: ExitCode.failure)
            }
        }
        do throws(StoreError) {
            return try DeliveryStore(directory: settings.directory)
        } catch {
            throw .failed(error.description, code: ExitCode.failure)
        }
    }

    private static func highestRow(_ store: DeliveryStore) throws(Refusal) -> RowID {
        do throws(StoreError) {
            return try store.highestRow()
        } catch {
            throw .failed(error.description, code: ExitCode.failure)
        }
    }

    static func makePlan(_ configuration: Configuration, _ store: DeliveryStore) throws(Refusal) -> Plan {
        do throws(Planning.Refused) {
            return try Planning.plan(configuration, store, now: SystemClock.now.wall)
        } catch {
            switch error {
            case .store(let error): throw .failed(error.description, code: ExitCode.failure)
            case .configuration(let problems): throw .failed(problems.joined(separator: "\n"), code: ExitCode.usage)
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

    // MARK: Microsoft

    private func startDelivery(_ plan: Plan, _ rows: RowIDs) throws(Refusal) -> LoopThread {
        let options = HTTPClient.Options(plan.configuration.http)
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
                // A library that does not start today may do so tomorrow.
                let code = if case .library = error { ExitCode.failure } else { ExitCode.usage }
                reply.send(.failure(.failed("http: \(error.description)", code: code)))
            }
        }
        try result(of: reply, "the HTTP client")
        return thread
    }

    // MARK: Kafka

    private func startIntake(_ plan: Plan) throws(Refusal) -> LoopThread {
        let properties: [(name: String, value: String)]
        do throws(Secrets.Unreadable) {
            properties = try KafkaProperties.all(plan.configuration.kafka)
        } catch {
            // Whoever provides the secret may do so any moment.
            throw .failed("kafka.properties: \(error.reason)", code: ExitCode.failure)
        }
        let reply = Reply<Result<Void, Refusal>>()
        let (mailboxes, bell, pressure, telemetry, heartbeats, end) = (
            mailboxes, intakeBell, pressure, telemetry, heartbeats, end
        )
        let thread = LoopThread(name: "intake") {
            do throws(KafkaError) {
                let consumer = try KafkaConsumer(properties: properties)
                try consumer.subscribe(plan.configuration.kafka.topics)
                reply.send(.success(()))
                IntakeLoop(
                    plan, consumer: consumer, mailboxes: mailboxes, doorbell: bell, pressure: pressure,
                    telemetry: telemetry, heartbeats: heartbeats, end: end
                ).run()
            } catch {
                let code = error.code == .invalidArgument ? ExitCode.usage : ExitCode.failure
                reply.send(.failure(.failed("kafka: \(error.description)", code: code)))
            }
        }
        try result(of: reply, "the Kafka client")
        return thread
    }

    private func result<Value>(
        of reply: Reply<Result<Value, Refusal>>, _ what: String
    ) throws(Refusal) -> Value {
        if let result = answer(reply, timeout: Daemon.startTimeout) { return try result.get() }
        if isToldToStop { throw .stopped }
        throw .failed("\(what) has not started within two minutes", code: ExitCode.failure)
    }

    // MARK: Commands and pages

    private func openControl(_ service: ControlService) throws(Refusal) -> ControlSocket {
        do throws(ControlSocket.Unavailable) {
            let control = try ControlSocket(directory: configuration.state.directory)
            control.start { service.answer($0) }
            return control
        } catch {
            switch error {
            case .pathTooLong(let text): throw .failed("state.directory: \(text)", code: ExitCode.usage)
            case .failed(let reason): throw .failed("control socket: \(reason)", code: ExitCode.failure)
            }
        }
    }

    /// Without it the daemon still does what it is for.
    private func openAdmin(_ service: ControlService) -> AdminPort? {
        guard let endpoint = configuration.admin.listen else { return nil }
        let (telemetry, readiness, heartbeats, running) = (telemetry, readiness, heartbeats, running)
        let sources = AdminSources(
            metrics: { telemetry.metrics }, reasons: { readiness.reasons },
            stalled: { heartbeats.stalled(at: SystemClock.now.uptime).map(\.loop.name) },
            configuration: { running.current }, ask: { service.answer($0) }, history: history)
        do throws(AdminPort.Unavailable) {
            let admin = try AdminPort(endpoint, configuration.admin, sources)
            let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
            telemetry.report(.adminListening(address: "\(host):\(admin.server.port)"))
            return admin
        } catch {
            telemetry.report(.adminUnavailable(reason: error.reason))
            return nil
        }
    }
}
