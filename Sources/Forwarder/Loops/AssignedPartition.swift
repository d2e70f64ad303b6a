import ForwarderCore
import KafkaClient

/// One assignment of a partition, from the moment it is given until it is taken away.
final class AssignedPartition {
    let id: AssignmentID
    let partition: TopicPartition
    let topicIndex: UInt16
    var progress = PartitionProgress()
    /// What the store holds of it; nil while nobody has asked: then the first record does.
    var held: HeldRecords?
    /// What Kafka has confirmed.
    private(set) var committed: Int64?
    /// What was sent to be committed and not answered.
    var committing: Int64?
    /// Offset of the next record to be read; nil while only Kafka knows.
    var position: Int64?
    /// Where reading begins though nothing is committed there; committed as soon as possible, so that the next start does
    /// not begin somewhere else.
    let start: Int64?

    /// Too much is read and not settled: nothing more of this partition for now.
    var isOverfull = false
    /// What librdkafka was told last; nil: nothing since the assignment.
    var isPaused: Bool?
    /// Reading was sent elsewhere: what comes next may lie before what came last.
    private var wasSought = false
    /// The end of the log when librdkafka last had nothing more to hand out; nil when it had, or nobody has asked since
    /// reading went elsewhere.
    private var handedOutTo: Int64?
    /// Its position was lost, and the configuration says to wait for an operator.
    var isStopped = false

    /// Most records that are read and not committed: of one partition, and of all.
    static let uncommittedLimit = 1_000_000
    private static let uncommittedLimitOfAll = 4_000_000

    init(_ id: AssignmentID, _ partition: TopicPartition, topicIndex: UInt16, committed: Int64?, start: Int64? = nil) {
        self.id = id
        self.partition = partition
        self.topicIndex = topicIndex
        self.committed = committed
        self.start = start
        position = committed ?? start
    }

    /// What a record that comes is, by its offset.
    enum Arrival {
        case next
        /// librdkafka may repeat records within an assignment; they are being taken care of already.
        case repeated
        /// Kafka has gone back behind what was read, as it was asked to: another log in the same place.
        case ofAnotherLog
    }

    func arrival(at offset: Int64) -> Arrival {
        defer { wasSought = false }
        guard let position, offset < position else { return .next }
        return wasSought ? .ofAnotherLog : .repeated
    }

    func seek() {
        wasSought = true
        isPaused = nil
        handedOutTo = nil
    }

    /// What librdkafka says of itself; of what was fetched before a pause it knows nothing.
    func isHandedOut(to end: Int64?) {
        handedOutTo = isPaused == true ? nil : end
    }

    /// How many records are not committed, by the ends of the log. Behind the last record Kafka may keep what no reader
    /// ever gets, the marks of transactions: that is no lag.
    func lag(_ marks: Watermarks?) -> Int64? {
        guard let marks else { return nil }
        let isAllCommitted = progress.uncommittedCount == 0 && (progress.watermark ?? start ?? committed) == committed
        let behind = max(committed ?? start ?? marks.low, isAllCommitted ? handedOutTo ?? 0 : 0)
        return max(0, marks.high - behind)
    }

    /// Whether so much is uncommitted that reading must stop, or, once it has stopped, must not go on.
    func judgeOverfull(partitions: Int) -> Bool {
        let share = AssignedPartition.uncommittedLimitOfAll / max(1, partitions)
        let limit = max(10_000, min(AssignedPartition.uncommittedLimit, share))
        let count = progress.uncommittedCount
        return count >= limit || isOverfull && count > limit / 2
    }

    /// What may be committed and is not.
    var commitable: Int64? {
        guard committing == nil, let offset = progress.watermark ?? start, offset != committed else { return nil }
        return offset
    }

    func confirm(_ offset: Int64) {
        committed = offset
    }

    func report(offset: Int64?) -> PartitionReport {
        PartitionReport(topic: partition.topic, partition: partition.partition, offset: offset)
    }
}
