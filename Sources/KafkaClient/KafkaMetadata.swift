import CRdKafka

/// What the cluster says of itself and of some topics.
public struct KafkaMetadata: Hashable, Sendable {
    public struct Broker: Hashable, Sendable {
        public var id: Int32
        public var host: String
        public var port: Int32
    }

    public struct Topic: Hashable, Sendable {
        public var name: String
        public var partitionCount: Int
        /// Such as `unknownTopicOrPartition` or `topicAuthorizationFailed`.
        public var error: KafkaError?
    }

    public var brokers: [Broker] = []
    public var topics: [Topic] = []
}

extension KafkaConsumer {
    /// Asks the cluster for its brokers and for each of the topics, without creating any.
    ///
    /// - Parameter timeoutMilliseconds: for all of it.
    public func metadata(topics: [String], timeoutMilliseconds: Int32) throws(KafkaError) -> KafkaMetadata {
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        var result = KafkaMetadata()
        for name in topics {
            let action = "asking for topic \(name)"
            guard let topic = rd_kafka_topic_new(handle, name, nil) else {
                throw KafkaError(
                    .invalidArgument, "\(action): \(String(cString: rd_kafka_err2str(rd_kafka_last_error())))")
            }
            defer { rd_kafka_topic_destroy(topic) }
            var answer: UnsafePointer<rd_kafka_metadata>?
            let code = rd_kafka_metadata(handle, 0, topic, &answer, deadline.millisecondsLeft)
            if let error = KafkaError(code, while: action) { throw error }
            guard let answer else { continue }
            defer { rd_kafka_metadata_destroy(answer) }
            result.brokers = (0..<Int(answer.pointee.broker_cnt)).map {
                KafkaMetadata.Broker(answer.pointee.brokers[$0])
            }
            result.topics += (0..<Int(answer.pointee.topic_cnt)).map { KafkaMetadata.Topic(answer.pointee.topics[$0]) }
        }
        return result
    }
}

extension KafkaMetadata.Broker {
    fileprivate init(_ broker: rd_kafka_metadata_broker) {
        self.init(id: broker.id, host: String(cString: broker.host), port: broker.port)
    }
}

extension KafkaMetadata.Topic {
    fileprivate init(_ topic: rd_kafka_metadata_topic) {
        let name = String(cString: topic.topic)
        self.init(
            name: name, partitionCount: Int(topic.partition_cnt),
            error: KafkaError(topic.err, while: "asking for topic \(name)"))
    }
}
