import CRdKafka
import Glibc

/// One partition of one topic.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32

    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public var description: String { "\(topic)[\(partition)]" }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// Where reading a partition begins.
public enum KafkaPosition: Hashable, Sendable {
    /// The record with this offset, or the first after it.
    case offset(Int64)
    /// The oldest record that is still there.
    case beginning
    /// After the newest record.
    case end
    /// The offset the group has committed.
    case committed

    init(raw: Int64) {
        switch raw {
        case 0...: self = .offset(raw)
        case Int64(RD_KAFKA_OFFSET_BEGINNING): self = .beginning
        case Int64(RD_KAFKA_OFFSET_END): self = .end
        default: self = .committed
        }
    }

    var raw: Int64 {
        switch self {
        case .offset(let offset): offset
        case .beginning: Int64(RD_KAFKA_OFFSET_BEGINNING)
        case .end: Int64(RD_KAFKA_OFFSET_END)
        case .committed: Int64(RD_KAFKA_OFFSET_STORED)
        }
    }
}

/// An offset to commit: the one to read next, with what the owner wants to remember beside it.
public struct OffsetToCommit: Hashable, Sendable {
    public var partition: TopicPartition
    public var offset: Int64
    /// Stored by Kafka with the offset; brokers accept 4 KiB unless configured otherwise.
    public var metadata: String?

    public init(_ partition: TopicPartition, _ offset: Int64, metadata: String? = nil) {
        self.partition = partition
        self.offset = offset
        self.metadata = metadata
    }
}

/// What a call on several partitions brought for one of them.
public struct PartitionResult: Hashable, Sendable {
    public var partition: TopicPartition
    /// nil where there is none.
    public var offset: Int64?
    /// Of a committed offset; nil where none or an empty one is stored.
    public var metadata: String?
    public var error: KafkaError?
}

/// The ends of a partition's log.
public struct Watermarks: Hashable, Sendable {
    /// The offset of the oldest record.
    public var low: Int64
    /// The offset the next record will get.
    public var high: Int64

    public init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}

/// An rd_kafka_topic_partition_list_t that belongs to its owner.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(capacity: Int) {
        pointer = rd_kafka_topic_partition_list_new(Int32(clamping: capacity))
    }

    /// The partitions, all with the same raw offset.
    init(_ partitions: [TopicPartition], offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID)) {
        self.init(capacity: partitions.count)
        for partition in partitions { append(partition, offset: offset) }
    }

    deinit {
        rd_kafka_topic_partition_list_destroy(pointer)
    }

    func append(_ partition: TopicPartition, offset: Int64, metadata: String? = nil) {
        guard let element = rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition) else {
            preconditionFailure("librdkafka always adds to a list")
        }
        element.pointee.offset = offset
        if let metadata {
            // The list frees it.
            element.pointee.metadata = UnsafeMutableRawPointer(strdup(metadata))
            element.pointee.metadata_size = metadata.utf8.count
        }
    }

    func results(while action: String) -> [PartitionResult] {
        PartitionResult.all(in: pointer, while: action)
    }

    /// Only what did not succeed.
    func failures(while action: String) -> [PartitionResult] {
        results(while: action).filter { $0.error != nil }
    }
}

extension PartitionResult {
    /// Copies a list that belongs to librdkafka. An element without an error of its own has that of the whole call.
    static func all(
        in list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>, while action: String,
        error whole: rd_kafka_resp_err_t = RD_KAFKA_RESP_ERR_NO_ERROR
    ) -> [PartitionResult] {
        (0..<Int(list.pointee.cnt)).map { index in
            let element = list.pointee.elems[index]
            let code = element.err == RD_KAFKA_RESP_ERR_NO_ERROR ? whole : element.err
            let metadata = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size)
            return PartitionResult(
                partition: TopicPartition(element), offset: element.offset >= 0 ? element.offset : nil,
                metadata: metadata.isEmpty ? nil : String(decoding: metadata, as: UTF8.self),
                error: KafkaError(code, while: action))
        }
    }
}

extension TopicPartition {
    init(_ element: rd_kafka_topic_partition_t) {
        self.init(String(cString: element.topic), element.partition)
    }

    /// Copies a list that belongs to librdkafka.
    static func all(in list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> [TopicPartition] {
        (0..<Int(list.pointee.cnt)).map { TopicPartition(list.pointee.elems[$0]) }
    }
}
