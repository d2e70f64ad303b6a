/// Deliveries of one destination in the order in which they are to be sent: the unit of flow between the stages.
public struct DeliveryBatch: Sendable {
    public var deliveries: [Delivery]
    /// The frozen contents in the order of the deliveries, joined by commas: the inside of the request's JSON list.
    public var contents: [UInt8]
    /// The records the deliveries were made from (`.raw`: as consumed, personal data and all, in memory only) or what
    /// is kept of them on disk (`.neutral`: only hashes). Behind a record may stand its note.
    public var records: [UInt8]
    public var recordForm: RecordForm
    /// What `Delivery.topic` and `Delivery.goal` point into.
    public var topics: [String]
    public var goals: [String]

    public enum RecordForm: Sendable {
        case raw, neutral
    }

    public init(
        deliveries: [Delivery] = [], contents: [UInt8] = [], records: [UInt8] = [], recordForm: RecordForm,
        topics: [String], goals: [String]
    ) {
        self.deliveries = deliveries
        self.contents = contents
        self.records = records
        self.recordForm = recordForm
        self.topics = topics
        self.goals = goals
    }

    public var isEmpty: Bool { deliveries.isEmpty }
    public var count: Int { deliveries.count }

    /// How many entries the request's list has: a delivery may be more than one.
    public var itemCount: Int { deliveries.reduce(0) { $0 + Int($1.itemCount) } }

    /// What the batch holds of the memory that a destination may use.
    public var byteCount: Int { contents.count + records.count + deliveries.count * MemoryLayout<Delivery>.stride }

    /// A batch of only those deliveries whose index is in `indices`, which must rise.
    public func picking(_ indices: some Sequence<Int>) -> DeliveryBatch {
        var picked = DeliveryBatch(recordForm: recordForm, topics: topics, goals: goals)
        for index in indices { picked.append(deliveries[index], of: self) }
        return picked
    }

    /// Where the record of a delivery stands.
    public func origin(_ delivery: Delivery) -> RecordOrigin {
        RecordOrigin(
            topic: topics[Int(delivery.topic)], partition: delivery.partition, offset: delivery.offset,
            payloadHash: delivery.payloadHash)
    }

    /// The first `count` deliveries and the others.
    public func split(at count: Int) -> (DeliveryBatch, DeliveryBatch) {
        (picking(0..<count), picking(count..<deliveries.count))
    }

    /// Appends a copy of one delivery of another batch that has the same topics and goals.
    public mutating func append(_ delivery: Delivery, of batch: DeliveryBatch) {
        var copy = delivery
        if !contents.isEmpty { contents.append(UInt8(ascii: ",")) }
        copy.contentStart = UInt32(contents.count)
        contents.append(contentsOf: batch.contents[delivery.content])
        copy.contentEnd = UInt32(contents.count)
        copy.recordStart = UInt32(records.count)
        records.append(contentsOf: batch.records[delivery.record])
        copy.recordEnd = UInt32(records.count)
        if delivery.noteLength > 0 { records.append(contentsOf: batch.records[delivery.note]) }
        deliveries.append(copy)
    }
}
