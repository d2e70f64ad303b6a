/// One destination as the intake sees it: what is owed to it, and the batches in which that is gathered.
public final class IntakeDestination {
    public let id: DestinationID
    public let settings: DestinationSettings
    /// Records published before this are none of the destination's.
    public let startsAt: Timestamp
    public private(set) var books = IntakeBooks()

    private let rules: DestinationRules
    private var ripe: BatchBuilder
    /// Deliveries whose time has not come: a storefront's clock may be ahead.
    private var early: BatchBuilder
    /// How long after its time an event may still be sent, in milliseconds.
    private let sendMargin: Int64
    /// What was left out of the last event that was read.
    private var lastDropped = DroppedFields()

    /// Time that must be left before an event is too old for its destination when a request starts, beside the
    /// request's own.
    static let expiryMargin = Duration.seconds(60)

    /// `firstSeen` is when the store first heard of the destination.
    public init(_ id: DestinationID, _ settings: DestinationSettings, firstSeen: Timestamp) {
        self.id = id
        self.settings = settings
        switch settings.startAt {
        case .committed: startsAt = .distantPast
        case .latest: startsAt = firstSeen
        case .time(let time): startsAt = time
        }
        rules = DestinationRules(settings)
        let entries = if case .capi(let capi) = settings.kind, capi.pageValue { 2 } else { 1 }
        ripe = BatchBuilder(settings.batch, goals: rules.routes.goals, entriesPerDelivery: entries)
        early = BatchBuilder(settings.batch, goals: rules.routes.goals, entriesPerDelivery: entries)
        sendMargin = (settings.maxEventAge - IntakeDestination.expiryMargin - settings.requestTimeout).milliseconds
    }

    /// What deliveries name by index. Grows only.
    var topics: [String] {
        get { ripe.topics }
        set {
            ripe.topics = newValue
            early.topics = newValue
        }
    }

    var emailForm: EmailAddress.Form { rules.emailForm }

    // MARK: Records

    /// Takes the record that is open in `reader`. `isStored`: the store holds it already.
    func take(
        _ reader: inout EventReader, _ origin: Intake.Origin, isStored: Bool, now: Moment
    ) -> Intake.Disposition {
        let disposition: Intake.Disposition
        lastDropped = DroppedFields()
        if isStored {
            disposition = .skipped(.alreadyStored)
        } else if let published = origin.publishedAt, published < startsAt {
            disposition = .skipped(.beforeStart)
        } else {
            switch rules.decide(&reader, now: now.wall) {
            case .skip(let reason): disposition = .skipped(reason)
            case .reject(let reasons):
                lastDropped = reader.event.dropped
                disposition = .rejected(reasons)
            case .deliver(let route):
                append(reader, route, origin, now)
                disposition = .owed
            }
        }
        books.count(disposition)
        return disposition
    }

    /// Counts a record that is the same for every destination: there is no event in it.
    func count(_ disposition: Intake.Disposition) {
        lastDropped = DroppedFields()
        books.count(disposition)
    }

    private func append(
        _ reader: borrowing EventReader, _ route: EventRoutes.Route, _ origin: Intake.Origin, _ now: Moment
    ) {
        let time = Timestamp(seconds: reader.event.time)
        var delivery = Delivery(
            topic: origin.topic, partition: origin.partition, offset: origin.offset, assignment: origin.assignment,
            sequence: origin.sequence, eventTime: reader.event.time,
            sendBy: Timestamp(milliseconds: time.milliseconds.addingClamped(sendMargin)), content: 0..<0,
            record: 0..<0)
        delivery.goal = route.goal
        delivery.matchKeys = rules.matchKeys(reader.event)
        var dropped = reader.event.dropped
        if time > now.wall {
            delivery.dueAt = time
            early.append(delivery, record: reader.record, now: now.uptime) { output in
                rules.append(reader, route, dropped: &dropped, to: &output)
            }
        } else {
            ripe.append(delivery, record: reader.record, now: now.uptime) { output in
                rules.append(reader, route, dropped: &dropped, to: &output)
            }
        }
        if reader.event.isIDDerived { books.eventIDsDerived += 1 }
        books.count(dropped, in: rules.fields)
        lastDropped = dropped
    }

    /// The fields of the last record's event that this destination had to leave out, or could not use where it rejected
    /// the event.
    public var droppedFields: [(field: EventField, reason: DropReason)] {
        var result: [(EventField, DropReason)] = []
        lastDropped.forEach(in: rules.fields) { result.append(($0, $1)) }
        return result
    }

    // MARK: Batches

    /// Whether a batch is full.
    public var hasReady: Bool { ripe.hasReady || early.hasReady }

    /// When the batch that is being gathered must go out; nil if there is none.
    public var lingersUntil: Uptime? {
        guard let first = ripe.lingersUntil, let second = early.lingersUntil else {
            return ripe.lingersUntil ?? early.lingersUntil
        }
        return min(first, second)
    }

    /// The batches that are full or have waited long enough; with `all`, everything.
    public func takeBatches(now: Uptime, all: Bool = false) -> [DeliveryBatch] {
        early.take(now: now, all: all) + ripe.take(now: now, all: all)
    }

    /// Deliveries that wait for their batch to fill.
    public var gatheredCount: Int { ripe.gatheredCount + early.gatheredCount }

    /// Drops the deliveries of assignments that are gone.
    public func release(_ assignments: Set<AssignmentID>) {
        books.released += ripe.release(assignments) + early.release(assignments)
    }
}
