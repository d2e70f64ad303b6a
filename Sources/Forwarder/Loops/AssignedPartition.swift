import ForwarderCore
import KafkaClient

/// One assignment of a partition, from the moment it is given until it is taken away.
final class AssignedPartition {
    let id: AssignmentID
    let partition: TopicPartition
    let topicIndex: UInt16
    var progress = PartitionProgress()
    /// What the store holds although Kafka sends it again: by offset, until that offset has passed.
    var held: [Int64: [HeldPosition]]
    /// What Kafka has confirmed.
    var committed: Int64?
    /// What was sent to be committed and not answered.
    var committing: Int64?
    var position: Int64?
    /// Too much is read and not settled: nothing more of this partition for now.
    var isOverfull = false

    /// Most records of one partition that are read and not committed.
    static let uncommittedLimit = 1_000_000

    init(
        _ id: AssignmentID, _ partition: TopicPartition, topicIndex: UInt16, held: [HeldPosition], committed: Int64?
    ) {
        self.id = id
        self.partition = partition
        self.topicIndex = topicIndex
        self.held = Dictionary(grouping: held, by: \.offset)
        self.committed = committed
    }

    /// What may be committed and is not.
    var commitable: Int64? {
        guard committing == nil, let watermark = progress.watermark, watermark != committed else { return nil }
        return watermark
    }
}
