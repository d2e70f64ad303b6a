import CRdKafka

// Errors come in two ways: about the client through a callback, about what is read as a message in place of a record.

extension KafkaConsumer {
    /// What a message says that holds an error.
    func event(for message: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaEvent {
        let error = KafkaError(toldBy: handle, message.pointee.err, rd_kafka_message_errstr(message))
        guard let partition = partition(of: message) else { return .error(error) }
        let offset = message.pointee.offset
        return switch error.code {
        case .autoOffsetReset: .positionLost(partition, asked: KafkaPosition(raw: offset), error)
        case .endOfPartition: .endOfPartition(partition, offset: offset)
        default: .partitionError(partition, offset: offset >= 0 ? offset : nil, error)
        }
    }

    /// What an error says that came through the callback. That a partition has vanished does so too, though the callback
    /// has nothing to tell the partition by but the text, which begins with it.
    func event(for error: KafkaError) -> KafkaEvent {
        let partition = assignment.keys.first { error.text.hasPrefix("\($0.topic) [\($0.partition)]: ") }
        return partition.map { .partitionError($0, offset: nil, error) } ?? .error(error)
    }

    /// The partition that a message is about; nil if it is about a topic or about more.
    private func partition(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> TopicPartition? {
        guard let topic = message.pointee.rkt else { return nil }
        let partition = TopicPartition(String(cString: rd_kafka_topic_name(topic)), message.pointee.partition)
        guard partition.partition == 0 else { return partition }
        // Partition 0 may also stand for the whole topic, which then comes as an object that the topic's partitions do not
        // share. rd_kafka_topic_new finds the one they share, but would make one for a topic that has no partition here.
        guard assignment[partition] != nil, let shared = rd_kafka_topic_new(handle, partition.topic, nil) else {
            return nil
        }
        defer { rd_kafka_topic_destroy(shared) }
        return topic == shared ? partition : nil
    }
}
