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

    private var reader: EventReader
    private let hasher = SHA256()
    public let destinations: [IntakeDestination]
    /// What became of the last record, by destination.
    public private(set) var dispositions: [Disposition]
    /// Whether the last record's event was normalised: not if nobody wanted it.
    private var isRead = false
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
        for destination in destinations { destination.topics = topics }
        return UInt16(topics.count - 1)
    }

    /// Takes one record. `value` is nil for a tombstone; it is read during the call only.
    public func accept(_ value: Bytes?, _ origin: Origin, now: Moment) {
        isRead = false
        guard let value else { return settleAll(.skipped(.tombstone)) }
        if let reason = reader.open(value) { return settleAll(.rejected(RejectReasons(reason))) }
        for index in destinations.indices {
            let destination = destinations[index]
            let disposition = disposition(destination, index, value, origin, now)
            dispositions[index] = disposition
            destination.books.count(disposition)
        }
    }

    private func settleAll(_ disposition: Disposition) {
        for index in destinations.indices {
            dispositions[index] = disposition
            destinations[index].books.count(disposition)
        }
    }

    private func disposition(
        _ destination: IntakeDestination, _ index: Int, _ value: Bytes, _ origin: Origin, _ now: Moment
    ) -> Disposition {
        if origin.storedFor & (1 << UInt64(index)) != 0 { return .skipped(.alreadyStored) }
        if let published = origin.publishedAt, published < destination.startsAt { return .skipped(.beforeStart) }
        let name = reader.rawText(.event).bytes.trimmed()
        var route: EventRoutes.Route?
        if !name.isEmpty {
            switch destination.routing(name, &reader) {
            case .skipped(let reason): return .skipped(reason)
            case .route(let found): route = found
            }
        }
        if !isRead {
            reader.read(now: now.wall)
            isRead = true
        }
        var violations = reader.event.violations
        if let route { violations.formUnion(destination.violations(reader, route, now.wall)) }
        guard let route, violations.isEmpty else { return .rejected(violations) }
        destination.append(reader, route, value, origin, now, hasher)
        return .owed
    }
}

extension Intake {
    /// The id of the last record's event: its own, or the one made for it; nil if it could not be read, or nobody wanted
    /// it and it has none.
    public var lastEventID: String? {
        if isRead { return String(decoding: reader.event.id.bytes, as: UTF8.self) }
        return lastText(.eventID)
    }

    /// The name of the last record's event.
    public var lastEventName: String? { lastText(.event) }

    private func lastText(_ field: EventField) -> String? {
        let text = reader.rawText(field)
        return text.isPresent ? String(decoding: text.bytes, as: UTF8.self) : nil
    }

    /// The event of a record in the form that is kept on disk, or nil if the record cannot be read.
    public func neutralEvent(of record: Bytes, for destination: IntakeDestination, to output: inout ByteBuffer) -> Bool
    {
        guard reader.open(record) == nil else { return false }
        reader.read(now: .distantFuture)
        NeutralEvent.append(reader, destination.emailForm, to: &output)
        return true
    }
}
