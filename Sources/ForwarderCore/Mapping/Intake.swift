/// The first half of an event's way: a record goes in, and for each destination comes out what is owed to it.
///
/// Pure: time comes in as an argument, and nothing leaves but values. One thread's property; its memory is used again
/// from record to record.
public final class Intake {
    /// Where a record stands.
    public struct Origin: Sendable {
        public var topic: UInt16
        public var partition: Int32
        public var offset: Int64
        public var assignment: AssignmentID
        /// The record's place in the consumed order of its assignment.
        public var sequence: UInt64
        /// When the broker or producer stamped it; nil if the topic has no timestamps.
        public var publishedAt: Timestamp?
        /// Destinations, as bits of their index, that the store already holds this record for.
        public var storedFor: UInt64 = 0

        public init(
            topic: UInt16, partition: Int32, offset: Int64, assignment: AssignmentID, sequence: UInt64,
            publishedAt: Timestamp? = nil, storedFor: UInt64 = 0
        ) {
            self.topic = topic
            self.partition = partition
            self.offset = offset
            self.assignment = assignment
            self.sequence = sequence
            self.publishedAt = publishedAt
            self.storedFor = storedFor
        }
    }

    /// What became of a record for one destination.
    public enum Disposition: Sendable, Equatable {
        /// A delivery is owed and is in the destination's batches.
        case owed
        case skipped(SkipReason)
        case rejected(RejectReasons)
    }

    /// More would not fit `Origin.storedFor`.
    public static let destinationLimit = 64

    // Unchecked, both: nothing that is called while they change leads back here, and the check is paid for each event.
    @exclusivity(unchecked) private var reader: EventReader
    public let destinations: [IntakeDestination]
    /// What became of the last record, by destination.
    @exclusivity(unchecked) public private(set) var dispositions: [Disposition]
    /// What deliveries name by index.
    public private(set) var topics: [String] = []

    public init(_ input: InputSettings, _ destinations: [IntakeDestination]) {
        precondition(destinations.count <= Intake.destinationLimit, "too many destinations")
        reader = EventReader(input)
        self.destinations = destinations
        dispositions = Array(repeating: .owed, count: destinations.count)
    }

    /// The index by which deliveries name a topic.
    public func index(ofTopic topic: String) -> UInt16 {
        if let index = topics.firstIndex(of: topic) { return UInt16(index) }
        topics.append(topic)
        for destination in destinations { destination.setTopics(topics) }
        return UInt16(topics.count - 1)
    }

    /// Takes one record. `value` is nil for a tombstone; it is read during the call only.
    public func accept(_ value: Bytes?, _ origin: Origin, now: Moment) {
        guard let value else {
            reader.close()
            return settleAll(.skipped(.tombstone))
        }
        if let reason = reader.open(value) { return settleAll(.rejected(RejectReasons(reason))) }
        if reader.call == .other { return settleAll(.skipped(.notAnEvent)) }
        for index in destinations.indices {
            let isStored = origin.storedFor & (1 << UInt64(index)) != 0
            dispositions[index] = destinations[index].take(&reader, origin, isStored: isStored, now: now)
        }
    }

    private func settleAll(_ disposition: Disposition) {
        for index in destinations.indices {
            dispositions[index] = disposition
            destinations[index].count(disposition)
        }
    }
}

extension Intake {
    /// The id of the last record's event: its own, or the one made for it; nil if the record could not be read, or nobody
    /// wanted the event and it has none. To be asked while the record's bytes are still lent.
    public var lastEventID: String? {
        let id = reader.isRead ? reader.event.id.bytes : reader.rawText(.eventID)
        return id.isEmpty ? nil : String(decoding: id, as: UTF8.self)
    }

    /// The name of the last record's event; nil if it has none. To be asked while the record's bytes are still lent.
    public var lastEventName: String? {
        let name = reader.rawText(.event)
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    /// The event of a record in the form that is kept on disk. False if the record cannot be read.
    public func neutralEvent(of record: Bytes, for destination: IntakeDestination, to output: inout ByteBuffer) -> Bool
    {
        guard reader.open(record) == nil else { return false }
        reader.read(now: .distantFuture)
        NeutralEvent.append(reader.event, destination.emailForm, to: &output)
        return true
    }
}
