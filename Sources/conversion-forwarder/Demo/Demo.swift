import FakeMicrosoft
import Forwarder
import ForwarderCore
import Glibc
import HTTPServer
import KafkaClient
import MockKafka
import StorefrontEvents

/// A shop, a Kafka, the daemon and a Microsoft on one machine.
final class Demo {
    struct Failure: Error {
        var reason: String
    }

    private let events: Int
    private let rate: Int
    private let hasFaults: Bool
    private let seed: UInt64
    private let isQuiet: Bool
    private let keepsDirectory: Bool
    private let startedAt = SystemClock.now.uptime

    /// With faults they stop after this; without, everything should long be done.
    private static let faultLength = Duration.seconds(20)
    private static let settleTimeout = Duration.seconds(90)
    private static let topic = "storefront-events"

    init(events: Int, rate: Int, hasFaults: Bool, seed: UInt64, isQuiet: Bool, keepsDirectory: Bool) {
        self.events = events
        self.rate = rate
        self.hasFaults = hasFaults
        self.seed = seed
        self.isQuiet = isQuiet
        self.keepsDirectory = keepsDirectory
    }

    func run() throws(Failure) -> DemoSummary {
        let directory = try DemoDirectory()
        defer {
            if keepsDirectory { say("left behind: \(directory.path)") } else { directory.remove() }
        }
        let (kafka, microsoft) = try startSurroundings()
        defer { microsoft.stop() }
        let configuration = try directory.write(
            brokers: kafka.bootstrapServers, topic: Demo.topic, endpoint: microsoft.endpoint,
            authority: microsoft.authority)
        let daemon = try startDaemon(configuration, directory)
        defer { end(daemon) }
        say("Kafka and Microsoft are up; waiting for the daemon to join its group (three seconds with this Kafka)")
        try waitUntilReady(daemon, directory)

        let produced = try produce(to: kafka.bootstrapServers, daemon, directory)
        try waitUntilSettled(produced, daemon, directory)
        say("everything is settled; stopping the daemon")
        daemon.send(SIGTERM)
        guard let code = daemon.exitCode(timeout: .seconds(60)) else {
            throw Failure(reason: "the daemon did not stop")
        }
        guard code == 0 else { throw Failure(reason: "the daemon ended with exit code \(code)") }
        guard let last = directory.lastMetrics() else { throw Failure(reason: "the daemon's log has no metrics line") }
        return DemoSummary(
            produced: produced, metrics: last, microsoft: microsoft, elapsed: SystemClock.now.uptime - startedAt)
    }

    // MARK: Start

    private func startSurroundings() throws(Failure) -> (MockCluster, FakeMicrosoftServer) {
        do throws(KafkaError) {
            let kafka = try MockCluster()
            try kafka.createTopic(Demo.topic, partitions: 8)
            return (kafka, try startMicrosoft())
        } catch {
            throw Failure(reason: error.description)
        }
    }

    private func startMicrosoft() throws(KafkaError) -> FakeMicrosoftServer {
        var settings = MicrosoftSettings()
        settings.tags = [DemoDirectory.tag: DemoDirectory.token]
        let goal = OfflineGoal(takesEnhancedConversions: true)
        settings.accounts = [
            OfflineAccount(
                customerID: "1", accountID: "2", goals: ["Purchase": goal, "Lead Form Submit": goal])
        ]
        settings.developerToken = DemoDirectory.developerToken
        settings.grant.refreshToken = DemoDirectory.refreshToken
        settings.grant.clientID = DemoDirectory.clientID
        let plan: FaultPlan = hasFaults ? .mixed(seed: seed, length: Demo.faultLength) : .none
        do throws(HTTPServerError) {
            return try FakeMicrosoftServer(settings, plan: plan, seed: seed)
        } catch {
            throw KafkaError(.invalidArgument, "the fake Microsoft does not start: \(error)")
        }
    }

    private func startDaemon(_ configuration: String, _ directory: DemoDirectory) throws(Failure) -> ChildProcess {
        do throws(ChildProcess.Failure) {
            return try ChildProcess(
                "/proc/self/exe", ["run", "--config", configuration], environment: Demo.environment,
                output: directory.log)
        } catch {
            throw Failure(reason: error.reason)
        }
    }

    /// The libraries must be found; nothing else is needed.
    private static var environment: [String] {
        let names = ["PATH", "LD_LIBRARY_PATH", "LD_PRELOAD"]
        return names.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
    }

    private func end(_ daemon: ChildProcess) {
        guard daemon.exitCode(timeout: .zero) == nil else { return }
        daemon.send(SIGKILL)
        _ = daemon.exitCode(timeout: .seconds(5))
    }

    // MARK: Course

    private func waitUntilReady(_ daemon: ChildProcess, _ directory: DemoDirectory) throws(Failure) {
        let deadline = SystemClock.now.uptime + .seconds(30)
        while SystemClock.now.uptime < deadline {
            if let status = directory.status(), status["ready"]?.bool == true,
                !(status["assignments"]?.elements ?? []).isEmpty
            {
                return
            }
            try checkAlive(daemon)
            usleep(100_000)
        }
        throw Failure(reason: "the daemon is not ready after 30 seconds")
    }

    private func checkAlive(_ daemon: ChildProcess) throws(Failure) {
        if let code = daemon.exitCode(timeout: .zero) {
            throw Failure(reason: "the daemon ended with exit code \(code); --keep leaves its log")
        }
    }

    private func produce(
        to brokers: String, _ daemon: ChildProcess, _ directory: DemoDirectory
    ) throws(Failure) -> Int {
        var shop = Storefront(seed: seed, name: "demo\(seed)")
        do throws(KafkaError) {
            let producer = try KafkaProducer(properties: [("bootstrap.servers", brokers), ("linger.ms", "20")])
            let began = SystemClock.now.uptime
            var nextReport = began
            for count in 0..<events {
                let record = shop.next(now: SystemClock.now.wall.seconds)
                try producer.produce(Demo.topic, key: record.key, value: record.value)
                guard count % 100 == 99 else { continue }
                let due = began + .milliseconds(Int64(count + 1) * 1000 / Int64(rate))
                let wait = due - SystemClock.now.uptime
                if wait > .zero { usleep(UInt32(wait.milliseconds * 1000)) }
                if SystemClock.now.uptime >= nextReport {
                    nextReport = SystemClock.now.uptime + .seconds(1)
                    report(count + 1, directory)
                }
            }
            try producer.flush(timeoutMilliseconds: 30_000)
            guard producer.delivered == events else {
                throw KafkaError(.timedOut, "Kafka took \(producer.delivered) of \(events) records")
            }
            return events
        } catch {
            throw Failure(reason: error.description)
        }
    }

    private func waitUntilSettled(
        _ produced: Int, _ daemon: ChildProcess, _ directory: DemoDirectory
    ) throws(Failure) {
        let deadline = SystemClock.now.uptime + Demo.settleTimeout
        var nextReport = SystemClock.now.uptime
        while SystemClock.now.uptime < deadline {
            let destinations = directory.status()?["destinations"]?.elements ?? []
            let isSettled = destinations.allSatisfy { destination in
                destination["consumed"]?.integer == Int64(produced) && destination["pending"]?.integer == 0
                    && destination["in_flight"]?.integer == 0
            }
            if isSettled, !destinations.isEmpty { return }
            try checkAlive(daemon)
            if SystemClock.now.uptime >= nextReport {
                nextReport = SystemClock.now.uptime + .seconds(1)
                report(produced, directory)
            }
            usleep(100_000)
        }
        throw Failure(
            reason:
                "not everything is settled after \(Demo.settleTimeout.milliseconds / 1000) seconds; --keep leaves the log"
        )
    }

    // MARK: Words

    private var lastReport = ""

    /// One line of progress; nothing where nothing has changed.
    private func report(_ produced: Int, _ directory: DemoDirectory) {
        guard !isQuiet, let status = directory.status() else { return }
        let parts = (status["destinations"]?.elements ?? []).map { destination in
            func number(_ name: String) -> String { destination[name]?.rawText ?? "0" }
            return """
                \(destination["name"]?.string ?? ""): \(number("delivered")) delivered, \(number("pending")) waiting, \
                gate \(destination["gate"]?.string ?? "")
                """
        }
        let line = "published \(produced) | " + parts.joined(separator: " | ")
        if line != lastReport { say(line) }
        lastReport = line
    }

    private func say(_ line: String) {
        if !isQuiet { StandardOutput.write(line) }
    }
}
