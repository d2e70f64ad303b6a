import Glibc
import KafkaClient
import MockKafka
import Testing

/// Runs what blocks on a thread of its own: Swift Testing's threads are few. Still a part of the test's task, so that an
/// issue is put down to its test.
func onThread<Result: Sendable>(_ body: @Sendable () throws -> Result) async throws -> Result {
    try await withTaskExecutorPreference(OwnThread()) { try body() }
}

/// Gives every job a new thread.
private final class OwnThread: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let work = Unmanaged.passRetained(Work(UnownedJob(job), self))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, runWork, work.toOpaque())
        precondition(code == 0, "no thread: \(String(cString: strerror(code)))")
        pthread_detach(thread)
    }

    final class Work: Sendable {
        let job: UnownedJob
        let executor: OwnThread

        init(_ job: UnownedJob, _ executor: OwnThread) {
            self.job = job
            self.executor = executor
        }
    }
}

private func runWork(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let work = Unmanaged<OwnThread.Work>.fromOpaque(argument).takeRetainedValue()
    work.job.runSynchronously(on: work.executor.asUnownedTaskExecutor())
    return nil
}

/// A wait came to its end without what it waited for.
struct NeverHappened: Error {
    var what: String
}

/// One record, copied.
struct Seen: Hashable {
    var partition: TopicPartition
    var offset: Int64
    var key: String?
    var value: String?
    var timestamp: Int64?
}

/// A consumer with an owner that answers the group and remembers what it got. One thread uses it.
final class Member {
    let consumer: KafkaConsumer
    var records: [Seen] = []
    var events: [KafkaEvent] = []
    /// Where to begin partitions that are assigned.
    var start: (TopicPartition) -> KafkaPosition = { _ in .beginning }
    /// Called before a `revoked` is answered.
    var onRevoke: (KafkaConsumer, [TopicPartition]) throws -> Void = { _, _ in }

    static let group = "group"

    init(_ cluster: MockCluster, _ properties: [(name: String, value: String)] = []) throws {
        consumer = try KafkaConsumer(
            properties: KafkaConsumer.defaultProperties(libraryVersion: KafkaConsumer.libraryVersion) + [
                ("bootstrap.servers", cluster.bootstrapServers), ("group.id", Member.group),
                // The mock takes a second less than this to move partitions between members, and three for a first join.
                ("session.timeout.ms", "4000"), ("heartbeat.interval.ms", "100"), ("fetch.wait.max.ms", "10"),
                ("reconnect.backoff.max.ms", "200"),
            ] + properties)
    }

    /// Joins and waits for an assignment of `count` partitions.
    func join(_ topics: [String], partitions count: Int) throws {
        try consumer.subscribe(topics)
        try run("\(count) partitions") { consumer.partitions.count == count }
    }

    /// One poll, with the answer to what it brings.
    @discardableResult
    func step(milliseconds: Int32 = 20, limit: Int = .max) throws -> KafkaEvent? {
        guard
            let event = consumer.poll(
                timeoutMilliseconds: milliseconds, limit: limit, { records.append(Seen($0)) })
        else { return nil }
        events.append(event)
        switch event {
        case .assigned:
            try consumer.assign(startingAt: start)
        case .revoked(let partitions, _):
            try onRevoke(consumer, partitions)
            try consumer.unassign()
        default:
            break
        }
        return event
    }

    /// Polls until the condition holds.
    func run(_ what: String, seconds: Int = 40, until condition: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while !condition() {
            guard ContinuousClock.now < end else {
                throw NeverHappened(what: "\(what); \(records.count) records, events \(events)")
            }
            try step()
        }
    }

    /// Polls for a while in which nothing is expected.
    func idle(milliseconds: Int) throws {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while ContinuousClock.now < end { try step() }
    }

    func offsets(_ partition: TopicPartition) -> [Int64] {
        records.filter { $0.partition == partition }.map(\.offset)
    }
}

extension Seen {
    init(_ record: borrowing KafkaRecord) {
        self.init(
            partition: TopicPartition(record.topic, record.partition), offset: record.offset,
            key: record.key.map { String(decoding: $0, as: UTF8.self) },
            value: record.value.map { String(decoding: $0, as: UTF8.self) }, timestamp: record.timestamp)
    }
}

extension MockCluster {
    func producer() throws -> KafkaProducer {
        try KafkaProducer(properties: [("bootstrap.servers", bootstrapServers), ("linger.ms", "1")])
    }

    /// Produces `count` records to each partition and waits for them to arrive.
    func fill(_ topic: String, partitions: Int32, count: Int) throws {
        let producer = try self.producer()
        for index in 0..<count {
            for partition in 0..<partitions {
                try producer.produce(topic, partition: partition, value: Array("\(partition)-\(index)".utf8))
            }
        }
        try producer.flush(timeoutMilliseconds: 10_000)
        #expect(producer.delivered == count * Int(partitions))
    }
}
