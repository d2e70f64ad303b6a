/// One destination as the intake sees it: what is owed to it, and the batches in which that is gathered.
public final class IntakeDestination {
    public let id: DestinationID
    public let settings: DestinationSettings
    // Unchecked: nothing that is called while it changes leads back here, and the check is paid for each event.
    @exclusivity(unchecked) private var gatherer: Gatherer

    /// `firstSeen` is when the store first heard of the destination.
    public init(_ id: DestinationID, _ settings: DestinationSettings, firstSeen: Timestamp) {
        self.id = id
        self.settings = settings
        gatherer = Gatherer(settings, firstSeen: firstSeen)
    }

    /// Records published before this are none of the destination's.
    public var startsAt: Timestamp { gatherer.startsAt }

    public var books: IntakeBooks { gatherer.books }

    /// The fields of the last record's event that this destination had to leave out, or could not use where it rejected
    /// the event.
    public var droppedFields: [(field: EventField, reason: DropReason)] { gatherer.droppedFields }

    /// Whether a batch is full.
    public var hasReady: Bool { gatherer.hasReady }

    /// When the batch that is being gathered must go out; nil if there is none.
    public var lingersUntil: Uptime? { gatherer.lingersUntil }

    /// Deliveries that wait for their batch to fill.
    public var gatheredCount: Int { gatherer.gatheredCount }

    /// The batches that are full or have waited long enough; with `all`, everything.
    public func takeBatches(now: Uptime, all: Bool = false) -> [DeliveryBatch] {
        gatherer.takeBatches(now: now, all: all)
    }

    /// Drops the deliveries of assignments that are gone.
    public func release(_ assignments: Set<AssignmentID>) {
        gatherer.release(assignments)
    }

    // MARK: For the intake

    var emailForm: EmailAddress.Form { gatherer.rules.emailForm }

    /// What deliveries name by index. Grows only.
    func setTopics(_ topics: [String]) {
        gatherer.setTopics(topics)
    }

    /// Takes the record that is open in `reader`. `isStored`: the store holds it already.
    package func take(
        _ reader: inout EventReader, _ origin: Intake.Origin, isStored: Bool, now: Moment
    ) -> Intake.Disposition {
        gatherer.take(&reader, origin, isStored: isStored, now: now)
    }

    /// Counts a record that is the same for every destination: there is no event in it.
    func count(_ disposition: Intake.Disposition) {
        gatherer.count(disposition)
    }
}
