import CRdKafka

/// What a consumer has to say besides records.
public enum KafkaEvent: Hashable, Sendable {
    /// The group gives these partitions to this consumer. To be answered with `assign` before the next poll.
    case assigned([TopicPartition])
    /// The group takes these partitions away. To be answered with `unassign` before the next poll, after the last commit
    /// for them. `isLost`: another member may own them already, so that a commit can only be refused.
    case revoked([TopicPartition], isLost: Bool)
    /// How a `startCommit` ended. A partition without an error is committed.
    case committed([PartitionResult])
    /// Nothing is read from the partition any more, because the position it was `asked` for cannot be used: an offset
    /// that Kafka does not hold (any more, or yet), `.committed` where the group has committed none, or an end that could
    /// not be looked up. `seek` goes on.
    case positionLost(TopicPartition, asked: KafkaPosition, KafkaError)
    /// Everything up to `offset` has been handed out. Only with `enable.partition.eof`.
    case endOfPartition(TopicPartition, offset: Int64)
    /// Trouble with one partition, such as a record batch that cannot be decoded or a missing permission. librdkafka
    /// keeps trying.
    case partitionError(TopicPartition, offset: Int64?, KafkaError)
    /// Trouble with the cluster, the group or a topic. librdkafka keeps trying unless `isFatal`.
    case error(KafkaError)
    /// librdkafka's statistics, a JSON object. Only with `statistics.interval.ms`.
    case statistics([UInt8])
    case log(KafkaLog)
}

/// A line of librdkafka's log.
public struct KafkaLog: Hashable, Sendable {
    /// syslog's: 3 error, 4 warning, 5 notice, 6 information, 7 debug.
    public var level: Int32
    /// What it is about, such as `FAIL` or `MAXPOLL`.
    public var facility: String
    public var text: String
}

extension KafkaEvent {
    /// What an event of type ERROR says: about the client, or about one partition.
    init(error event: OpaquePointer) {
        let code = KafkaError.Code(rd_kafka_event_error(event))
        let error = KafkaError(
            code, String(cString: rd_kafka_event_error_string(event)),
            isFatal: rd_kafka_event_error_is_fatal(event) != 0)
        guard let element = rd_kafka_event_topic_partition(event) else {
            self = .error(error)
            return
        }
        defer { rd_kafka_topic_partition_destroy(element) }
        let partition = TopicPartition(element.pointee)
        let offset = element.pointee.offset
        self =
            switch code {
            case .autoOffsetReset: .positionLost(partition, asked: KafkaPosition(raw: offset), error)
            case .endOfPartition: .endOfPartition(partition, offset: offset)
            default: .partitionError(partition, offset: offset >= 0 ? offset : nil, error)
            }
    }

    /// What an event of type OFFSET_COMMIT says.
    init(commit event: OpaquePointer) {
        let action = "committing offsets"
        guard let list = rd_kafka_event_topic_partition_list(event) else {
            let code = KafkaError.Code(rd_kafka_event_error(event))
            self = .error(KafkaError(code, "\(action): \(String(cString: rd_kafka_event_error_string(event)))"))
            return
        }
        self = .committed(PartitionResult.all(in: list, while: action, error: rd_kafka_event_error(event)))
    }

    /// What an event of type LOG says.
    init?(log event: OpaquePointer) {
        var facility: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        var level: Int32 = 0
        guard rd_kafka_event_log(event, &facility, &text, &level) == 0, let facility, let text else { return nil }
        self = .log(KafkaLog(level: level, facility: String(cString: facility), text: String(cString: text)))
    }

    /// What an event of type STATS says.
    init?(statistics event: OpaquePointer) {
        guard let text = rd_kafka_event_stats(event) else { return nil }
        self = .statistics(Array(String(cString: text).utf8))
    }
}
