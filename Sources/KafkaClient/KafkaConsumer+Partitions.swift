import CRdKafka

extension KafkaConsumer {
    /// Stops handing out records of the partitions; those already fetched are thrown away and fetched again by `resume`.
    /// Returns those it did not work for.
    public func pause(_ partitions: [TopicPartition]) throws(KafkaError) -> [PartitionResult] {
        let list = PartitionList(partitions)
        let action = "pausing a partition"
        if let error = KafkaError(rd_kafka_pause_partitions(handle, list.pointer), while: action) { throw error }
        let results = list.results(while: action)
        for result in results where result.error == nil { paused.insert(result.partition) }
        return results.filter { $0.error != nil }
    }

    /// Hands out records of the partitions again, from the one after the last that was handed out. Returns those it did
    /// not work for. For a partition that is not paused it does nothing.
    public func resume(_ partitions: [TopicPartition]) throws(KafkaError) -> [PartitionResult] {
        // Before 2.4.0 librdkafka reads a partition that it resumes although it is not paused again from where its
        // assignment, or its last pause, began.
        let list = PartitionList(partitions.filter { paused.contains($0) || assignment[$0] == nil })
        let action = "resuming a partition"
        if let error = KafkaError(rd_kafka_resume_partitions(handle, list.pointer), while: action) { throw error }
        let results = list.results(while: action)
        for result in results where result.error == nil { paused.remove(result.partition) }
        return results.filter { $0.error != nil }
    }

    /// The offset after the last record handed out, for each partition; nil where none has been since the assignment.
    /// Asks nobody.
    public func position(_ partitions: [TopicPartition]) throws(KafkaError) -> [PartitionResult] {
        let list = PartitionList(partitions)
        let action = "looking up a position"
        if let error = KafkaError(rd_kafka_position(handle, list.pointer), while: action) { throw error }
        return list.results(while: action)
    }

    /// The ends of an assigned partition as the last fetch saw them; nil if nothing has been fetched. Asks nobody.
    public func cachedWatermarks(_ partition: TopicPartition) -> Watermarks? {
        var marks = Watermarks(low: -1, high: -1)
        let code = rd_kafka_get_watermark_offsets(
            handle, partition.topic, partition.partition, &marks.low, &marks.high)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, marks.low >= 0, marks.high >= 0 else { return nil }
        return marks
    }

    /// The ends of a partition, asked of its leader. Throws `timedOut` if there is no answer in time.
    public func queryWatermarks(
        _ partition: TopicPartition, timeoutMilliseconds: Int32
    ) throws(KafkaError) -> Watermarks {
        // rd_kafka_query_watermark_offsets waits for its answer however long a broker is down. Asked for as times, the
        // ends come by the way that keeps to its timeout; Kafka's protocol has them as the times -2 and -1.
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        let action = "asking for the ends of \(partition)"
        var ends: [Int64] = []
        for end in [KafkaPosition.beginning, .end] {
            let results = try listOffsets([partition], end.raw, deadline.millisecondsLeft, action)
            if let error = results.first?.error { throw error }
            guard let offset = results.first?.offset else {
                throw KafkaError(.unknownPartition, "\(action): the answer has none")
            }
            ends.append(offset)
        }
        return Watermarks(low: ends[0], high: ends[1])
    }

    /// For each partition the offset of its first record at or after `milliseconds` since 1970; nil where there is none.
    public func offsets(
        of partitions: [TopicPartition], since milliseconds: Int64, timeoutMilliseconds: Int32
    ) throws(KafkaError) -> [PartitionResult] {
        try listOffsets(partitions, milliseconds, timeoutMilliseconds, "asking for offsets by time")
    }

    private func listOffsets(
        _ partitions: [TopicPartition], _ time: Int64, _ timeoutMilliseconds: Int32, _ action: String
    ) throws(KafkaError) -> [PartitionResult] {
        let list = PartitionList(partitions, offset: time)
        let code = rd_kafka_offsets_for_times(handle, list.pointer, timeoutMilliseconds)
        if let error = KafkaError(code, while: action) { throw error }
        return list.results(while: action)
    }
}
