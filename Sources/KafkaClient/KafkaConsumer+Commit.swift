import CRdKafka

extension KafkaConsumer {
    /// What the group has committed, asked of the coordinator. An offset of nil: nothing.
    public func committed(
        _ partitions: [TopicPartition], timeoutMilliseconds: Int32
    ) throws(KafkaError) -> [PartitionResult] {
        guard !partitions.isEmpty else { return [] }
        let list = PartitionList(partitions)
        let action = "asking for committed offsets"
        if let error = KafkaError(rd_kafka_committed(handle, list.pointer, timeoutMilliseconds), while: action) {
            throw error
        }
        return list.results(while: action)
    }

    /// Sends a commit and does not wait; how it ends is a `committed` event. librdkafka may repeat a commit after a later
    /// one has been carried out, which moves the group back: have only one under way for a partition.
    public func startCommit(_ offsets: [OffsetToCommit]) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        try send(offsets, replyTo: queue)
    }

    /// Commits and waits for the answer. Throws `timedOut` if there is none in time; the commit may still be carried out
    /// then. A returned result without an error is committed.
    public func commit(
        _ offsets: [OffsetToCommit], timeoutMilliseconds: Int32
    ) throws(KafkaError) -> [PartitionResult] {
        guard !offsets.isEmpty else { return [] }
        // rd_kafka_commit would wait for ever. A queue of our own can be given up, and brings nothing else meanwhile.
        let replies = rd_kafka_queue_new(handle)
        defer { rd_kafka_queue_destroy(replies) }
        try send(offsets, replyTo: replies)
        guard let reply = rd_kafka_queue_poll(replies, timeoutMilliseconds) else {
            throw KafkaError(.timedOut, "committing offsets: no answer within \(timeoutMilliseconds) ms")
        }
        defer { rd_kafka_event_destroy(reply) }
        switch KafkaEvent(commitEnded: rd_kafka_event_error(reply), rd_kafka_event_topic_partition_list(reply)) {
        case .committed(let results): return results
        case .error(let error): throw error
        default: preconditionFailure("the reply to a commit is a result or an error")
        }
    }

    private func send(_ offsets: [OffsetToCommit], replyTo queue: OpaquePointer?) throws(KafkaError) {
        let list = PartitionList(capacity: offsets.count)
        for offset in offsets { list.append(offset.partition, offset: offset.offset, metadata: offset.metadata) }
        // A reply that is taken from its queue as an event does not call back; but without a callback of its own a commit
        // would be told a second time, through the client's.
        let code = rd_kafka_commit_queue(handle, list.pointer, queue, commitEnded, pending.opaque)
        if let error = KafkaError(code, while: "committing offsets") { throw error }
    }
}
