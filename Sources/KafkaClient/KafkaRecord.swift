import CRdKafka

/// One record, lent for the time of the call it is given to: everything in it is librdkafka's memory, which is freed when
/// that call returns. It cannot be copied, so only what is read out of it can be kept.
public struct KafkaRecord: ~Copyable {
    private let message: UnsafePointer<rd_kafka_message_t>

    init(_ message: UnsafePointer<rd_kafka_message_t>) {
        self.message = message
    }

    /// Tells the topics of this consumer apart without looking at their names. Good for as long as a partition of the
    /// topic is assigned; a later assignment may bring another.
    public var topicID: KafkaTopicID { KafkaTopicID(bits: UInt(bitPattern: message.pointee.rkt)) }

    /// The topic's name. Makes a string on every call: use `topicID` to look up what is kept for a topic.
    public var topic: String { String(cString: rd_kafka_topic_name(message.pointee.rkt)) }

    public var partition: Int32 { message.pointee.partition }

    public var offset: Int64 { message.pointee.offset }

    /// When the record was made or appended (the topic decides which), in milliseconds since 1970; nil if not known.
    public var timestamp: Int64? {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = rd_kafka_message_timestamp(message, &kind)
        return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : milliseconds
    }

    /// nil for a tombstone. An empty value is not a tombstone.
    public var value: UnsafeBufferPointer<UInt8>? {
        Self.bytes(message.pointee.payload, message.pointee.len)
    }

    /// nil if the record has none.
    public var key: UnsafeBufferPointer<UInt8>? {
        Self.bytes(message.pointee.key, message.pointee.key_len)
    }

    private static func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> UnsafeBufferPointer<UInt8>? {
        guard let start else { return nil }
        return UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }
}

/// One topic of one consumer, as a number that costs nothing to compare.
public struct KafkaTopicID: Hashable, Sendable {
    let bits: UInt
}
