import CRdKafka
import KafkaClient

/// Writes records to a mock or a real cluster. For the demo, benchmarks and tests; the daemon itself only reads.
///
/// Not Sendable: one thread makes every call.
public final class KafkaProducer {
    private let client: OpaquePointer
    private let reports = Reports()
    private var topics: [String: OpaquePointer] = [:]
    private var producedSincePoll = 0

    /// What brokers said of the records so far. librdkafka tells on the thread that polls or flushes: the owner's.
    private final class Reports {
        var delivered = 0
        var refused = 0
    }

    public init(properties: [(name: String, value: String)]) throws(KafkaError) {
        let configuration = ClientConfiguration()
        try configuration.set(properties)
        rd_kafka_conf_set_log_cb(configuration.raw, nil)
        // The client does not outlive `reports`: deinit ends it first.
        rd_kafka_conf_set_opaque(configuration.raw, Unmanaged.passUnretained(reports).toOpaque())
        rd_kafka_conf_set_dr_msg_cb(configuration.raw) { _, message, opaque in
            guard let message, let opaque else { return }
            let reports = Unmanaged<Reports>.fromOpaque(opaque).takeUnretainedValue()
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                reports.delivered += 1
            } else {
                reports.refused += 1
            }
        }
        client = try configuration.makeClient(RD_KAFKA_PRODUCER)
    }

    deinit {
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
        rd_kafka_destroy(client)
    }

    /// Records that a broker has taken, as of the last `flush`.
    public var delivered: Int { reports.delivered }

    /// Records that were given up, as of the last `flush`.
    public var refused: Int { reports.refused }

    /// Hands one record to librdkafka, which copies it and sends it in the background. Waits while its queue is full.
    ///
    /// - Parameters:
    ///   - partition: nil lets the hash of the key, or chance, decide.
    ///   - value: nil makes a tombstone.
    ///   - timestamp: milliseconds since 1970; nil is now.
    public func produce(
        _ topic: String, partition: Int32? = nil, key: UnsafeBufferPointer<UInt8>? = nil,
        value: UnsafeBufferPointer<UInt8>?, timestamp: Int64? = nil
    ) throws(KafkaError) {
        let handle = try self.handle(of: topic)
        // Delivery reports wait in memory until they are taken.
        producedSincePoll += 1
        if producedSincePoll == 1000 {
            producedSincePoll = 0
            rd_kafka_poll(client, 0)
        }
        var attempts = 0
        while true {
            let code = forwarder_produce(
                client, handle, partition ?? -1, key.map(start), key?.count ?? 0, value.map(start),
                value?.count ?? 0, timestamp ?? 0)
            if code == RD_KAFKA_RESP_ERR__QUEUE_FULL, attempts < 600 {
                attempts += 1
                rd_kafka_poll(client, 100)
                continue
            }
            if let error = KafkaError(code, while: "producing to \(topic)") { throw error }
            return
        }
    }

    public func produce(
        _ topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?, timestamp: Int64? = nil
    ) throws(KafkaError) {
        try Self.withBytes(key) { key throws(KafkaError) in
            try Self.withBytes(value) { value throws(KafkaError) in
                try produce(topic, partition: partition, key: key, value: value, timestamp: timestamp)
            }
        }
    }

    /// Hands one record with headers to librdkafka.
    public func produce(
        _ topic: String, partition: Int32, headers: [(name: String, value: String)], value: [UInt8]
    ) throws(KafkaError) {
        let handle = try self.handle(of: topic)
        let list = rd_kafka_headers_new(headers.count)
        for header in headers { rd_kafka_header_add(list, header.name, -1, header.value, -1) }
        let code = forwarder_produce_with_headers(client, handle, partition, value, value.count, list)
        guard let error = KafkaError(code, while: "producing to \(topic)") else { return }
        rd_kafka_headers_destroy(list)
        throw error
    }

    /// Waits until every record is delivered or given up.
    public func flush(timeoutMilliseconds: Int32) throws(KafkaError) {
        if let error = KafkaError(rd_kafka_flush(client, timeoutMilliseconds), while: "flushing the producer") {
            throw error
        }
    }

    private func handle(of topic: String) throws(KafkaError) -> OpaquePointer {
        if let handle = topics[topic] { return handle }
        guard let handle = rd_kafka_topic_new(client, topic, nil) else {
            throw KafkaError(rd_kafka_last_error(), while: "opening topic \(topic)")
                ?? KafkaError(.invalidArgument, "opening topic \(topic)")
        }
        topics[topic] = handle
        return handle
    }

    /// The first byte. Of an empty run any address: to librdkafka NULL is a tombstone, not an empty value.
    private func start(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeRawPointer {
        bytes.baseAddress.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(client)
    }

    private static func withBytes(
        _ bytes: [UInt8]?, _ body: (UnsafeBufferPointer<UInt8>?) throws(KafkaError) -> Void
    ) throws(KafkaError) {
        guard let bytes else { return try body(nil) }
        try bytes.withUnsafeBufferPointer(body)
    }
}
