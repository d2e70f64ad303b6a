import Forwarder
import ForwarderCore
import KafkaClient
import ScenarioKit

/// What a topic hands out to a reader that begins at its beginning and sees only what was committed, as the daemon does.
struct TopicContent {
    /// Offset of each record, by partition.
    private(set) var offsets: [Int32: [Int64]] = [:]
    private(set) var eventIDs: Set<String> = []

    var count: Int { offsets.values.reduce(0) { $0 + $1.count } }

    /// Offsets between the first and the last that no reader gets.
    var holes: Int {
        offsets.values.reduce(0) { sum, offsets in
            guard let first = offsets.first, let last = offsets.last else { return sum }
            return sum + Int(last - first) + 1 - offsets.count
        }
    }

    /// What a group that has read everything has committed: the offset behind the last record.
    var ends: [Int32: Int64] {
        offsets.compactMapValues { offsets in offsets.last.map { $0 + 1 } }
    }

    init(_ topic: String, partitions: Int32, brokers: String) throws {
        // A group of its own: noida-db would wait for an earlier reader for ever that was not let in before it left.
        let group = "reader-\(SystemClock.now.wall.milliseconds)-of-\(topic)"
        let consumer = try KafkaConsumer(
            properties: [
                ("bootstrap.servers", brokers), ("group.id", group), ("enable.partition.eof", "true"),
                ("enable.auto.commit", "false"),
                // Tansu lets a member wait for half of its session, and others take no shorter one.
                ("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "500"),
            ])
        defer { _ = consumer.close(timeoutMilliseconds: 5000) { _ in } }
        try consumer.subscribe([topic])
        var ended: Set<Int32> = []
        try eventually("the end of \(topic)") {
            var offsets: [Int32: [Int64]] = [:]
            var eventIDs: Set<String> = []
            let event = consumer.poll(timeoutMilliseconds: 100) { record in
                offsets[record.partition, default: []].append(record.offset)
                guard let value = record.value else { return }
                if let id = (try? JSONDocument(Array(value)))?.root["event_id"]?.string { eventIDs.insert(id) }
            }
            self.offsets.merge(offsets) { $0 + $1 }
            self.eventIDs.formUnion(eventIDs)
            switch event {
            case .assigned: try consumer.assign { _ in .beginning }
            case .revoked: try consumer.unassign()
            case .endOfPartition(let partition, _): ended.insert(partition.partition)
            default: break
            }
            return ended.count == Int(partitions)
        }
    }
}
