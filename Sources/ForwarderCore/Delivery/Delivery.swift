/// One event owed to one destination: the unit of state. A plain value without references, so that a batch of them is
/// one allocation; texts that several deliveries share are indices into their batch.
public struct Delivery: Sendable {
    // MARK: Where it comes from

    /// Index into `DeliveryBatch.topics`.
    public var topic: UInt16
    /// How many bytes behind its record are its note: what the delivery log will say of it. 0: it has none.
    public var noteLength: UInt16 = 0
    public var partition: Int32
    public var offset: Int64
    /// The assignment whose watermark waits for this delivery, and its place in that assignment's consumed order.
    public var assignment: AssignmentID
    public var sequence: UInt64
    /// First eight bytes of the SHA-256 of the record's value; 0 until somebody needed it, as a transaction does. Tells a record apart from
    /// another one that took its offset after the topic was made anew.
    public var payloadHash: Int64 = 0

    // MARK: What it is

    /// Seconds since 1970.
    public var eventTime: Int64
    /// The last moment at which a request that carries it may start.
    public var sendBy: Timestamp
    /// Where its frozen content stands in `DeliveryBatch.contents`.
    public var contentStart: UInt32
    public var contentEnd: UInt32
    /// Where its record, or after a spill its neutral event, stands in `DeliveryBatch.records`.
    public var recordStart: UInt32
    public var recordEnd: UInt32
    /// How many entries of the request's list the content is. They are settled together.
    public var itemCount: UInt8 = 1
    /// Index into `DeliveryBatch.goals`: the conversion goal, or the event name, that it was mapped to.
    public var goal: UInt16 = 0
    public var matchKeys: MatchKeys = []
    /// What may count once only; `.none` where it may count as often as it comes.
    public var transaction = TransactionKey.none

    // MARK: What has happened to it

    public var attempts: Int32 = 0
    /// How often its batch failed while others passed.
    public var strikes: UInt8 = 0
    public var row = RowID.none
    /// Not to be sent before.
    public var dueAt = Timestamp(milliseconds: 0)

    public init(
        topic: UInt16, partition: Int32, offset: Int64, assignment: AssignmentID, sequence: UInt64, eventTime: Int64,
        sendBy: Timestamp, content: Range<UInt32>, record: Range<UInt32>
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.assignment = assignment
        self.sequence = sequence
        self.eventTime = eventTime
        self.sendBy = sendBy
        contentStart = content.lowerBound
        contentEnd = content.upperBound
        recordStart = record.lowerBound
        recordEnd = record.upperBound
    }

    public var content: Range<Int> { Int(contentStart)..<Int(contentEnd) }
    public var record: Range<Int> { Int(recordStart)..<Int(recordEnd) }
    /// The note of the delivery log, behind the record.
    public var note: Range<Int> { Int(recordEnd)..<(Int(recordEnd) + Int(noteLength)) }
    /// Whether it is in the retry queue on disk.
    public var isStored: Bool { row != .none }
}

/// What a delivery offers Microsoft to recognise the person by; the match rate lives on it.
public struct MatchKeys: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let email = MatchKeys(rawValue: 1)
    public static let phone = MatchKeys(rawValue: 2)
    public static let clickID = MatchKeys(rawValue: 4)
}
