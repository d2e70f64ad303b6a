import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import HTTPServer
import KafkaClient
import MockKafka
import ScenarioKit

/// A Kafka, a Microsoft, and a directory for a daemon between them; and the means to look at all three.
final class Stage {
    let kafka: MockCluster
    let microsoft: FakeMicrosoftServer
    let directory: DaemonDirectory
    var settings: DaemonSettings
    private let producer: KafkaProducer
    private var keepsDirectory = true

    static let topic = "events"
    static let group = "conversion-forwarder"

    init(
        partitions: Int32 = 4, plan: FaultPlan = .none, hasOffline: Bool = true, tls: TLSIdentity? = nil,
        configure: (inout MicrosoftSettings) -> Void = { _ in }
    ) throws {
        kafka = try MockCluster()
        try kafka.createTopic(Stage.topic, partitions: partitions)
        microsoft = try Microsoft.start(plan: plan, tls: tls, configure: configure)
        directory = try DaemonDirectory()
        settings = DaemonSettings(
            brokers: kafka.bootstrapServers, topic: Stage.topic, endpoint: microsoft.endpoint,
            authority: microsoft.authority)
        settings.hasOffline = hasOffline
        // The mock's group waits a second less than a session on every change but the first.
        settings.kafka = ["properties: {session.timeout.ms: 3000, heartbeat.interval.ms: 500}"]
        let quick = ["retry: {base: 50ms, cap: 500ms, parked_probe: 1s}", "batch: {linger: 50ms}"]
        settings.capi = quick
        settings.offline = quick
        producer = try KafkaProducer(properties: [("bootstrap.servers", kafka.bootstrapServers), ("linger.ms", "5")])
    }

    deinit {
        microsoft.stop()
        if !keepsDirectory { directory.remove() }
    }

    // MARK: The daemon

    /// Writes configuration and secrets and starts a daemon.
    func launch(
        in directory: DaemonDirectory? = nil, environment: [String] = [], output: ChildProcess.Stream? = nil
    ) throws -> DaemonProcess {
        let directory = directory ?? self.directory
        try settings.write(to: directory)
        return try DaemonProcess(daemonBinary, directory, environment: environment, output: output)
    }

    /// As `launch`, and waits until it reads.
    func start(environment: [String] = []) throws -> DaemonProcess {
        let daemon = try launch(environment: environment)
        try daemon.waitUntilReading()
        return daemon
    }

    /// A command of the command line, told this stage's configuration.
    func command(_ words: String..., input: String = "") throws -> CommandRun {
        try CommandRun(daemonBinary, words + ["--config", directory.configuration], input: Array(input.utf8))
    }

    /// The answer of a command with `--json`.
    func answer(_ words: String...) throws -> JSONElement {
        let run = try CommandRun(daemonBinary, words + ["--json", "--config", directory.configuration])
        guard let root = (try? JSONDocument(run.output))?.root else {
            throw Disappointment("\(words): \(run.code), \(run.output)\(run.errors)")
        }
        return root
    }

    func destination(_ name: String, in directory: DaemonDirectory? = nil) -> JSONElement? {
        (directory ?? self.directory).status()?["destinations"]?.elements?.first { $0["name"]?.string == name }
    }

    func number(_ name: String, _ member: String) -> Int {
        Int(destination(name)?[member]?.integer ?? -1)
    }

    /// Waits until a number of a destination is this: what the status says is half a second old.
    func expect(
        _ name: String, _ member: String, _ value: Int, line: Int = #line, file: String = #fileID
    ) throws {
        try eventually("\(name) \(member) \(value)", line: line, file: file) { number(name, member) == value }
    }

    /// The last line of an event, once there is one: the log is written by a thread of its own.
    @discardableResult
    func said(_ event: String, line: Int = #line, file: String = #fileID) throws -> JSONElement {
        var lines: [JSONElement] = []
        try eventually("\(event) to be said", line: line, file: file) {
            lines = directory.logLines(event)
            return !lines.isEmpty
        }
        return lines[lines.count - 1]
    }

    // MARK: Kafka

    func publish(_ records: [String], partition: Int32? = nil) throws {
        for record in records {
            try producer.produce(Stage.topic, partition: partition, value: Array(record.utf8))
        }
        try producer.flush(timeoutMilliseconds: 20_000)
    }

    func publishTombstone() throws {
        try producer.produce(Stage.topic, value: Optional<[UInt8]>.none)
        try producer.flush(timeoutMilliseconds: 20_000)
    }

    /// What the group has committed, by partition.
    func committed(partitions: Int32 = 4, group: String = Stage.group) throws -> [Int32: Int64] {
        let consumer = try KafkaConsumer(
            properties: [("bootstrap.servers", kafka.bootstrapServers), ("group.id", group)])
        defer { _ = consumer.close(timeoutMilliseconds: 1000) { _ in } }
        let results = try consumer.committed(
            (0..<partitions).map { TopicPartition(Stage.topic, $0) }, timeoutMilliseconds: 10_000)
        return Dictionary(
            uniqueKeysWithValues: results.compactMap { result in
                result.offset.map { (result.partition.partition, $0) }
            })
    }

    func committedTotal() throws -> Int64 {
        try committed().values.reduce(0, +)
    }

    // MARK: Microsoft

    func follow(_ plan: FaultPlan) {
        microsoft.withModel { $0.follow(plan, from: SystemClock.now.wall) }
    }

    /// One fault from now on, for all requests.
    func follow(_ fault: Fault, _ targets: FaultTargets = .events) {
        follow(FaultPlan([.init(fault, targets: targets)]))
    }

    func timesAccepted(_ id: String) -> Int {
        microsoft.withModel { $0.timesAccepted(tag: Microsoft.tag, eventID: id) }
    }

    func missing(_ ids: [String]) -> [String] {
        microsoft.withModel { model in
            ids.filter { model.timesAccepted(tag: Microsoft.tag, eventID: $0) == 0 }
        }
    }

    func books(_ destination: FakeDestination) throws -> DestinationBooks {
        guard let books = microsoft.withModel({ $0.books(of: destination) }) else {
            throw Disappointment("Microsoft knows no \(destination.name)")
        }
        return books
    }

    var acceptedOffline: Int {
        microsoft.withModel { $0.books(of: Microsoft.offline)?.accepted ?? 0 }
    }

    // MARK: The end

    /// What every scenario must leave behind: a log in order, balanced books, nothing that Microsoft holds against it.
    func finish(kills: Int = 0) throws {
        let problems = LogCheck.problems(directory, kills: kills)
        try require(problems.isEmpty, "\(problems.prefix(5))")
        for destination in microsoft.withModel({ $0.destinations }) {
            let books = try books(destination)
            try require(
                books.judgedInvalid == 0, "against the contract of \(destination.name): \(books.findings.prefix(3))")
            try requireEqual(books.changed, 0, "repeats with other content")
        }
        keepsDirectory = false
    }
}

/// The events of a shop that is told what to publish.
enum Shop {
    /// Offline takes it too: it has an e-mail address of its own.
    static func purchase(_ id: String, secondsAgo: Int64 = 1, more: String = "") -> String {
        """
        {"event":"Purchase","event_id":"\(id)","event_time":\(SystemClock.now.wall.seconds - secondsAgo),\
        "url":"https://shop.example/thanks","user":{"anonymous_id":"a-\(id)","email":"\(id)@mail.example"},\
        "properties":{"value":19.99,"currency":"EUR","transaction_id":"t-\(id)"\(more)}}
        """
    }

    /// Invest takes it too: an auction led to it a minute ago.
    static func auctioned(_ number: Int, name: String = "o") -> String {
        let token = AuctionToken(.click, user: UInt64(number), at: SystemClock.now.wall - .seconds(60)).text
        return """
            {"event":"Purchase","event_id":"\(name)-\(number)","event_time":\(SystemClock.now.wall.seconds - 1),\
            "url":"https://shop.example/thanks","user":{"anonymous_id":"a\(number)","sspdata":"\(token)"},\
            "properties":{"value":19.99,"currency":"EUR","transaction_id":"\(name)\(number)"}}
            """
    }

    /// CAPI only.
    static func pageView(_ id: String, more: String = "") -> String {
        """
        {"event":"PageView","event_id":"\(id)","event_time":\(SystemClock.now.wall.seconds - 1),\
        "url":"https://shop.example/","user":{"anonymous_id":"a-\(id)"}\(more)}
        """
    }

    static func ids(_ name: String, _ range: Range<Int>) -> [String] {
        range.map { "\(name)-\($0)" }
    }
}
