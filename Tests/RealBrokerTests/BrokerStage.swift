import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc
import KafkaClient
import MockKafka
import ScenarioKit
import StorefrontEvents

/// A topic and a group of its own on the real broker, a Microsoft that judges, and a directory for a daemon between them.
final class BrokerStage {
    let brokers: String
    /// Also the group's name.
    let topic: String
    let partitions: Int32
    let admin: KafkaAdmin
    let microsoft: FakeMicrosoftServer
    let directory: DaemonDirectory
    var settings: DaemonSettings
    let publisher: Publisher
    /// For single records.
    let producer: KafkaProducer
    private var isFinished = false

    init(
        _ name: String, partitions: Int32 = 4, hasOffline: Bool = true, hasTopic: Bool = true,
        topicProperties: [(name: String, value: String)] = [], producer properties: [(name: String, value: String)] = []
    ) throws {
        guard let brokers = Broker.address else { throw Disappointment("FORWARDER_TEST_BROKER is missing") }
        self.brokers = brokers
        self.partitions = partitions
        topic = "\(name)-\(getpid())-\(SystemClock.now.wall.milliseconds)"
        admin = try KafkaAdmin(brokers)
        if hasTopic { try admin.createTopic(topic, partitions: partitions, properties: topicProperties) }
        microsoft = try Microsoft.start()
        directory = try DaemonDirectory()
        settings = DaemonSettings(
            brokers: brokers, topic: topic, endpoint: microsoft.endpoint, authority: microsoft.authority)
        settings.hasOffline = hasOffline
        settings.kafka = [
            "group_id: \(topic)",
            """
            properties: {session.timeout.ms: 6000, heartbeat.interval.ms: 500, topic.metadata.refresh.interval.ms: 1000}
            """,
        ]
        publisher = try Publisher(brokers: brokers, topic: topic, seed: 1, name: name, properties: properties)
        producer = try KafkaProducer(properties: [("bootstrap.servers", brokers), ("linger.ms", "5")])
    }

    deinit {
        microsoft.stop()
        if isFinished { directory.remove() }
    }

    // MARK: The daemon

    func launch(in directory: DaemonDirectory? = nil) throws -> DaemonProcess {
        let directory = directory ?? self.directory
        try settings.write(to: directory)
        return try DaemonProcess(daemonBinary, directory)
    }

    /// Launches one and waits until it reads every partition.
    func start() throws -> DaemonProcess {
        let daemon = try launch()
        try waitUntilReading(partitions)
        return daemon
    }

    func waitUntilReading(_ count: Int32, in directory: DaemonDirectory? = nil, line: Int = #line) throws {
        let directory = directory ?? self.directory
        try eventually("\(count) partitions; log: \(directory.log)", line: line) {
            directory.status()?["assignments"]?.elements?.count == Int(count)
        }
    }

    // MARK: Kafka

    /// Events for CAPI, straight to a partition. Returns their ids.
    func publish(_ ids: [String], partition: Int32, key: [UInt8]? = nil) throws {
        for id in ids {
            try producer.produce(topic, partition: partition, key: key, value: BrokerStage.pageView(id))
        }
        try producer.flush(timeoutMilliseconds: 20_000)
    }

    static func pageView(_ id: String) -> [UInt8] {
        Array(
            """
            {"event":"PageView","event_id":"\(id)","event_time":\(SystemClock.now.wall.seconds),\
            "url":"https://shop.example/","user":{"anonymous_id":"a-\(id)"}}
            """.utf8)
    }

    static func ids(_ name: String, _ count: Int) -> [String] {
        (0..<count).map { "\(name)-\($0)" }
    }

    func content() throws -> TopicContent {
        try TopicContent(topic, partitions: partitions, brokers: brokers)
    }

    /// What the group has committed, by partition.
    func committed() throws -> [Int32: Int64] {
        try withGroup { consumer in
            let results = try consumer.committed(
                (0..<partitions).map { TopicPartition(topic, $0) }, timeoutMilliseconds: 10_000)
            return Dictionary(
                uniqueKeysWithValues: results.compactMap { result in
                    result.offset.map { (result.partition.partition, $0) }
                })
        }
    }

    /// Moves the group, which has no members now.
    func commit(_ offset: Int64, partition: Int32) throws {
        try withGroup { consumer in
            let results = try consumer.commit(
                [OffsetToCommit(TopicPartition(topic, partition), offset)], timeoutMilliseconds: 10_000)
            try require(results.allSatisfy { $0.error == nil }, "\(results)")
        }
    }

    private func withGroup<Result>(_ body: (KafkaConsumer) throws -> Result) throws -> Result {
        let consumer = try KafkaConsumer(properties: [("bootstrap.servers", brokers), ("group.id", topic)])
        defer { _ = consumer.close(timeoutMilliseconds: 1000) { _ in } }
        return try body(consumer)
    }

    // MARK: Microsoft

    func missing(_ ids: some Sequence<String>) -> [String] {
        microsoft.withModel { model in
            ids.filter { model.timesAccepted(tag: Microsoft.tag, eventID: $0) == 0 }
        }
    }

    /// Waits until Microsoft has them all.
    func arrive(_ ids: some Sequence<String>, line: Int = #line, file: String = #fileID) throws {
        try eventually("them to arrive; log: \(directory.log)", line: line, file: file) { missing(ids).isEmpty }
    }

    // MARK: The end

    /// What every scenario must leave behind: what was published has arrived, the books balance, everything that there is
    /// to read is committed, and Microsoft has nothing against it.
    func finish(_ daemon: DaemonProcess, others: [(directory: DaemonDirectory, kills: Int)] = []) throws {
        // Only then: until the daemon has fetched, it does not know that there is anything to settle.
        try arrive(publisher.expectation.capi)
        // What the status says is half a second old.
        try eventually("the conversions to arrive; log: \(directory.log)") {
            publisher.expectation.differences(microsoft, hasOffline: settings.hasOffline).isEmpty
        }
        try daemon.waitUntilSettled(.seconds(60))
        try daemon.stop()
        try requireEqual(publisher.expectation.differences(microsoft, hasOffline: settings.hasOffline), [])
        for (directory, kills) in others + [(directory, 0)] {
            let problems = LogCheck.problems(directory, kills: kills)
            try require(problems.isEmpty, "\(directory.log): \(problems.prefix(5))")
        }
        try requireEqual(directory.lastMetrics()?["unaccounted"]?.integer, 0, "unaccounted")
        try requireEqual(committed(), content().ends, "committed")
        for (directory, _) in others { directory.remove() }
        isFinished = true
    }
}
