import CRdKafka
import KafkaClient
import ScenarioKit

/// Writes records in transactions. One thread makes every call.
final class TransactionalProducer {
    private let client: OpaquePointer

    init(_ brokers: String, id: String) throws {
        let configuration = ClientConfiguration()
        try configuration.set([("bootstrap.servers", brokers), ("transactional.id", id)])
        rd_kafka_conf_set_log_cb(configuration.raw, nil)
        client = try configuration.makeClient(RD_KAFKA_PRODUCER)
        try check(rd_kafka_init_transactions(client, 20_000), "preparing transactions")
    }

    deinit {
        rd_kafka_destroy(client)
    }

    func begin() throws {
        try check(rd_kafka_begin_transaction(client), "beginning a transaction")
    }

    /// Waits until the broker has them, so that those of an abort are in its log as well.
    func produce(_ topic: String, partition: Int32, _ values: [[UInt8]]) throws {
        guard let handle = rd_kafka_topic_new(client, topic, nil) else {
            throw Disappointment("\(topic) cannot be opened")
        }
        defer { rd_kafka_topic_destroy(handle) }
        for value in values {
            let code = forwarder_produce(client, handle, partition, nil, 0, value, value.count, 0)
            try require(code == RD_KAFKA_RESP_ERR_NO_ERROR, "producing: \(String(cString: rd_kafka_err2str(code)))")
        }
        let code = rd_kafka_flush(client, 20_000)
        try require(code == RD_KAFKA_RESP_ERR_NO_ERROR, "flushing: \(String(cString: rd_kafka_err2str(code)))")
    }

    func commit() throws {
        try check(rd_kafka_commit_transaction(client, 20_000), "committing a transaction")
    }

    func abort() throws {
        try check(rd_kafka_abort_transaction(client, 20_000), "aborting a transaction")
    }

    private func check(_ error: OpaquePointer?, _ action: String) throws {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        throw Disappointment("\(action): \(String(cString: rd_kafka_error_string(error)))")
    }
}
