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
    /// What a commit brought.
    init(commitEnded code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) {
        let action = "committing offsets"
        if let list {
            self = .committed(PartitionResult.all(in: list, while: action, error: code))
        } else {
            self = .error(KafkaError(KafkaError.Code(code), "\(action): \(String(cString: rd_kafka_err2str(code)))"))
        }
    }
}
