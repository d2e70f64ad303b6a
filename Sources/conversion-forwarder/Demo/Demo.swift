import FakeMicrosoft
import Forwarder
import ForwarderCore
import Glibc
import ForwarderHarness
import KafkaClient
import MockKafka
import StorefrontEvents

/// A shop, a Kafka, the daemon and a Microsoft on one machine.
final class Demo {
    private let events: Int
    private let rate: Int
    private let hasFaults: Bool
    private let seed: UInt64
    private let isQuiet: Bool
    private let keepsDirectory: Bool
    private let startedAt = SystemClock.now.uptime

    /// With faults they stop after this; without, everything should long be done.
    private static let faultLength = Duration.seconds(20)
    private static let settleTimeout = Duration.seconds(150)
    private static let topic = "storefront-events"

    init(events: Int, rate: Int, hasFaults: Bool, seed: UInt64, isQuiet: Bool, keepsDirectory: Bool) {
        self.events = events
        self.rate = rate
        self.hasFaults = hasFaults
        self.seed = seed
        self.isQuiet = isQuiet
        self.keepsDirectory = keepsDirectory
    }

    func run() throws(HarnessFailure) -> DemoSummary {
        let directory = try DaemonDirectory()
        defer {
            if keepsDirectory { say("left behind: \(directory.path)") } else { directory.remove() }
        }
        let kafka = try startKafka()
        let plan: FaultPlan = hasFaults ? .mixed(seed: seed, length: Demo.faultLength) : .none
        let microsoft = try Microsoft.start(plan: plan, seed: seed)
        defer { microsoft.stop() }
        try settings(kafka, microsoft).write(to: directory)
        let daemon = try DaemonProcess("/proc/self/exe", directory)
        say("Kafka and Microsoft are up; waiting for the daemon to join its group (three seconds with this Kafka)")
        try daemon.waitUntilReading()

        let expectation = try publish(to: kafka.bootstrapServers, directory)
        try waitUntilSettled(daemon, directory)
        say("everything is settled; stopping the daemon")
        try daemon.stop()
        guard let last = directory.lastMetrics() else { throw HarnessFailure("the daemon's log has no metrics line") }
        return DemoSummary(
            expectation: expectation, metrics: last, microsoft: microsoft,
            elapsed: SystemClock.now.uptime - startedAt)
    }

    private func startKafka() throws(HarnessFailure) -> MockCluster {
        do throws(KafkaError) {
            let kafka = try MockCluster()
            try kafka.createTopic(Demo.topic, partitions: 8)
            return kafka
        } catch {
            throw HarnessFailure(error.description)
        }
    }

    private func settings(_ kafka: MockCluster, _ microsoft: FakeMicrosoftServer) -> DaemonSettings {
        var settings = DaemonSettings(
            brokers: kafka.bootstrapServers, topic: Demo.topic, endpoint: microsoft.endpoint,
            authority: microsoft.authority)
        // The faults last seconds; waiting for minutes after them would only be dull.
        settings.capi = [
            "retry: {cap: 5s}", "adjustments: {account: offline, goals: {Purchase: \(Microsoft.refundedGoal)}}",
        ]
        settings.offline = ["retry: {cap: 5s}"]
        settings.hasInvest = true
        // A pixel that counts all would count a repeat; what is given up for that is not what the demo is about.
        settings.invest = ["retry: {cap: 5s}", "retry_ambiguous: true"]
        return settings
    }

    private func publish(
        to brokers: String, _ directory: DaemonDirectory
    ) throws(HarnessFailure) -> Expectation {
        var shop = Storefront(seed: seed, name: "demo\(seed)")
        shop.repeatsPerMille = 60
        shop.refundsPerMille = 150
        shop.auctions = SystemClock.now.wall
        var expectation = Expectation()
        do throws(KafkaError) {
            let producer = try KafkaProducer(properties: [("bootstrap.servers", brokers), ("linger.ms", "20")])
            let began = SystemClock.now.uptime
            var nextReport = began
            for count in 0..<events {
                let record = shop.next(now: SystemClock.now.wall.seconds)
                try producer.produce(Demo.topic, key: record.key, value: record.value)
                expectation.add(record)
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
            return expectation
        } catch {
            throw HarnessFailure(error.description)
        }
    }

    private func waitUntilSettled(_ daemon: DaemonProcess, _ directory: DaemonDirectory) throws(HarnessFailure) {
        var nextReport = SystemClock.now.uptime
        try daemon.wait(Demo.settleTimeout, for: "everything to be settled") { status in
            if SystemClock.now.uptime >= nextReport {
                nextReport = SystemClock.now.uptime + .seconds(1)
                report(events, directory)
            }
            return (status["destinations"]?.elements ?? []).allSatisfy { destination in
                destination["consumed"]?.integer == Int64(events) && destination["pending"]?.integer == 0
                    && destination["in_flight"]?.integer == 0
            }
        }
    }

    // MARK: Words

    private var lastReport = ""

    /// One line of progress; nothing where nothing has changed.
    private func report(_ produced: Int, _ directory: DaemonDirectory) {
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
