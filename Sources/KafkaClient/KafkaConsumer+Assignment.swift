import CRdKafka

// How an assignment of the group is answered. librdkafka's documentation shows the answer inside its rebalance callback;
// ours only takes a note (PendingEvents), and the answer is due any time after that. Until then the group's state machine
// stands still (WAIT_ASSIGN_CALL, WAIT_UNASSIGN_CALL), every partition is paused, and the records already fetched are
// outdated and never handed out. The answer is an operation sent to librdkafka's main thread, which does not care who
// sends it or from where; making it on the polling thread keeps records and answers in one order.

extension KafkaConsumer {
    /// Answers `assigned`: begins to read all its partitions, each where `position` says.
    ///
    /// A pause may outlive an unassign: pause or resume explicitly what matters. After an error the group still waits;
    /// only a new consumer helps.
    public func assign(startingAt position: (TopicPartition) -> KafkaPosition) throws(KafkaError) {
        guard case .assign(let partitions) = owed else {
            preconditionFailure("assign answers an assigned event, and none is open")
        }
        owed = nil
        let positions = Dictionary(partitions.map { ($0, position($0)) }, uniquingKeysWith: { first, _ in first })
        try take(positions)
        assignment.merge(positions) { _, new in new }
    }

    /// Answers `revoked`: gives all its partitions back. No record of them is handed out after this.
    public func unassign() throws(KafkaError) {
        guard case .unassign(let partitions) = owed else {
            preconditionFailure("unassign answers a revoked event, and none is open")
        }
        owed = nil
        for partition in partitions { assignment[partition] = nil }
        try giveBack(partitions)
    }

    /// Goes on reading an assigned partition at another position, also after `positionLost`.
    ///
    /// The partition is given back and taken again rather than sought in: librdkafka refuses to seek in a partition whose
    /// position is lost, and before 2.1.0 its seek waits a thousandth of the time it is told to.
    public func seek(_ partition: TopicPartition, to position: KafkaPosition) throws(KafkaError) {
        precondition(assignment[partition] != nil, "seek in \(partition), which is not assigned")
        precondition(owed == nil, "seek while an assignment is not answered")
        if isCooperative {
            assignment[partition] = nil
            try giveBack([partition])
            try take([partition: position])
            assignment[partition] = position
        } else {
            // The eager protocol knows only whole assignments; every other partition goes on where it is.
            var positions = assignment
            for result in try self.position(partitions) {
                if let offset = result.offset { positions[result.partition] = .offset(offset) }
            }
            positions[partition] = position
            try take(positions)
            assignment = positions
        }
    }

    func take(_ positions: [TopicPartition: KafkaPosition]) throws(KafkaError) {
        let list = PartitionList(capacity: positions.count)
        for (partition, position) in positions { list.append(partition, offset: position.raw) }
        let action = "taking \(positions.count) partitions"
        let error =
            isCooperative
            ? KafkaError(taking: rd_kafka_incremental_assign(handle, list.pointer), while: action)
            : KafkaError(rd_kafka_assign(handle, list.pointer), while: action)
        if let error { throw error }
    }

    func giveBack(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions)
        let action = "giving \(partitions.count) partitions back"
        let error =
            isCooperative
            ? KafkaError(taking: rd_kafka_incremental_unassign(handle, list.pointer), while: action)
            : KafkaError(rd_kafka_assign(handle, nil), while: action)
        if let error { throw error }
    }

    /// Whether the group moves single partitions (cooperative) rather than taking all away on every change (eager).
    var isCooperative: Bool {
        guard let protocolName = rd_kafka_rebalance_protocol(handle) else { return false }
        return String(cString: protocolName) == "COOPERATIVE"
    }
}
