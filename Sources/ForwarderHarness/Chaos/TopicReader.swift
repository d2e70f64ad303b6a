import Forwarder
import ForwarderCore
import KafkaClient

/// Reads what a topic really holds, as a group of its own: a producer that was cut off may have published a record twice.
enum TopicReader {
    struct Place: Hashable {
        var partition: Int32
        var offset: Int64
    }

    /// Where each key stands.
    static func read(
        brokers: String, topic: String, group: String, timeout: Duration = .seconds(60)
    ) throws(HarnessFailure) -> [String: [Place]] {
        do throws(KafkaError) {
            let consumer = try KafkaConsumer(properties: [
                ("bootstrap.servers", brokers), ("group.id", group), ("enable.partition.eof", "true"),
                ("enable.auto.commit", "false"), ("auto.offset.reset", "error"),
            ])
            defer { _ = consumer.close(timeoutMilliseconds: 1000) { _ in } }
            try consumer.subscribe([topic])
            var places: [String: [Place]] = [:]
            var unread: Set<TopicPartition>?
            let deadline = SystemClock.now.uptime + timeout
            while unread?.isEmpty != true, SystemClock.now.uptime < deadline {
                let event = consumer.poll(timeoutMilliseconds: 100, limit: 10_000) { record in
                    let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? ""
                    places[key, default: []].append(Place(partition: record.partition, offset: record.offset))
                }
                switch event {
                case .assigned(let partitions):
                    unread = Set(partitions)
                    try consumer.assign { _ in .beginning }
                case .revoked: try consumer.unassign()
                case .endOfPartition(let partition, _): unread?.remove(partition)
                default: break
                }
            }
            guard unread?.isEmpty == true else { throw KafkaError(.timedOut, "reading back \(topic)") }
            return places
        } catch {
            throw HarnessFailure("\(error)")
        }
    }
}
