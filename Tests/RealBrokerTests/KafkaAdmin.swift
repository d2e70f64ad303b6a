import CRdKafka
import KafkaClient
import ScenarioKit

/// Makes, empties and removes topics. One thread makes every call.
final class KafkaAdmin {
    private let client: OpaquePointer
    private let replies: OpaquePointer

    init(_ brokers: String) throws {
        let configuration = ClientConfiguration()
        try configuration.set([("bootstrap.servers", brokers)])
        rd_kafka_conf_set_log_cb(configuration.raw, nil)
        client = try configuration.makeClient(RD_KAFKA_PRODUCER)
        replies = rd_kafka_queue_new(client)
    }

    deinit {
        rd_kafka_queue_destroy(replies)
        rd_kafka_destroy(client)
    }

    func createTopic(_ name: String, partitions: Int32, properties: [(name: String, value: String)] = []) throws {
        var topic = rd_kafka_NewTopic_new(name, partitions, 1, nil, 0)
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (name, value) in properties { rd_kafka_NewTopic_set_config(topic, name, value) }
        rd_kafka_CreateTopics(client, &topic, 1, nil, replies)
        try withReply("creating \(name)") { reply in
            var count = 0
            let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(reply), &count)
            return count == 1 ? rd_kafka_topic_result_error(results?[0]) : RD_KAFKA_RESP_ERR__FAIL
        }
    }

    func deleteTopic(_ name: String) throws {
        var topic = rd_kafka_DeleteTopic_new(name)
        defer { rd_kafka_DeleteTopic_destroy(topic) }
        rd_kafka_DeleteTopics(client, &topic, 1, nil, replies)
        try withReply("deleting \(name)") { reply in
            var count = 0
            let results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(reply), &count)
            return count == 1 ? rd_kafka_topic_result_error(results?[0]) : RD_KAFKA_RESP_ERR__FAIL
        }
    }

    /// Removes what stands before these offsets.
    func deleteRecords(_ topic: String, before offsets: [Int32: Int64]) throws {
        let list = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(list, topic, partition)?.pointee.offset = offset
        }
        var request = rd_kafka_DeleteRecords_new(list)
        defer { rd_kafka_DeleteRecords_destroy(request) }
        rd_kafka_DeleteRecords(client, &request, 1, nil, replies)
        try withReply("deleting records of \(topic)") { reply in
            let results = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(reply))
            guard let results else { return RD_KAFKA_RESP_ERR__FAIL }
            let codes = (0..<Int(results.pointee.cnt)).map { results.pointee.elems[$0].err }
            return codes.first { $0 != RD_KAFKA_RESP_ERR_NO_ERROR } ?? RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    private func withReply(_ action: String, _ code: (OpaquePointer) -> rd_kafka_resp_err_t) throws {
        guard let reply = rd_kafka_queue_poll(replies, 20_000) else { throw Disappointment("\(action): no answer") }
        defer { rd_kafka_event_destroy(reply) }
        let error = rd_kafka_event_error(reply)
        let result = error == RD_KAFKA_RESP_ERR_NO_ERROR ? code(reply) : error
        try require(result == RD_KAFKA_RESP_ERR_NO_ERROR, "\(action): \(String(cString: rd_kafka_err2str(result)))")
    }
}
