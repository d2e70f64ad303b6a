/// Turns records into the deliveries of one destination, and keeps the books. A value, so that all of it changes under one
/// access of the object that holds it.
struct Gatherer: ~Copyable {
    let rules: DestinationRules
    let startsAt: Timestamp
    private(set) var books = IntakeBooks()
    private var ripe: BatchBuilder
    /// Deliveries whose time has not come: a storefront's clock may be ahead.
    private var early: BatchBuilder
    /// How long after its time an event may still be sent, in milliseconds.
    private let sendMargin: Int64
    /// What was left out of the last event that was read.
    private var lastDropped = DroppedFields()
    private let goals: [[UInt8]]

    /// Time that must be left before an event is too old for its destination when a request starts, beside the
    /// request's own.
    private static let expiryMargin = Duration.seconds(60)

    init(_ settings: DestinationSettings, firstSeen: Timestamp) {
        switch settings.startAt {
        case .committed: startsAt = .distantPast
        case .latest: startsAt = firstSeen
        case .time(let time): startsAt = time
        }
        rules = DestinationRules(settings)
        goals = rules.routes.goals.map { Array($0.utf8) }
        let entries = if case .capi(let capi) = settings.kind, capi.pageValue { 2 } else { 1 }
        ripe = BatchBuilder(settings.batch, goals: rules.routes.goals, entriesPerDelivery: entries)
        early = BatchBuilder(settings.batch, goals: rules.routes.goals, entriesPerDelivery: entries)
        sendMargin = (settings.maxEventAge - Gatherer.expiryMargin - settings.requestTimeout).milliseconds
    }

    mutating func setTopics(_ topics: [String]) {
        ripe.topics = topics
        early.topics = topics
    }

    // MARK: Records

    mutating func take(
        _ reader: inout EventReader, _ origin: Intake.Origin, isStored: Bool, now: Moment
    ) -> Intake.Disposition {
        lastDropped = DroppedFields()
        let disposition = disposition(&reader, origin, isStored, now)
        books.count(disposition)
        return disposition
    }

    mutating func count(_ disposition: Intake.Disposition) {
        lastDropped = DroppedFields()
        books.count(disposition)
    }

    private mutating func disposition(
        _ reader: inout EventReader, _ origin: Intake.Origin, _ isStored: Bool, _ now: Moment
    ) -> Intake.Disposition {
        if isStored { return .skipped(.alreadyStored) }
        if let published = origin.publishedAt, published < startsAt { return .skipped(.beforeStart) }
        switch rules.decide(&reader, now: now.wall) {
        case .skip(let reason): return .skipped(reason)
        case .reject(let reasons):
            lastDropped = reader.event.dropped
            return .rejected(reasons)
        case .deliver(let route):
            append(reader, route, origin, now)
            return .owed
        }
    }

    private mutating func append(
        _ reader: borrowing EventReader, _ route: EventRoutes.Route, _ origin: Intake.Origin, _ now: Moment
    ) {
        let time = Timestamp(seconds: reader.event.time)
        var delivery = Delivery(
            topic: origin.topic, partition: origin.partition, offset: origin.offset, assignment: origin.assignment,
            sequence: origin.sequence, eventTime: reader.event.time,
            sendBy: Timestamp(milliseconds: time.milliseconds.addingClamped(sendMargin)), content: 0..<0, record: 0..<0)
        delivery.goal = route.goal
        delivery.matchKeys = rules.matchKeys(reader.event)
        lastDropped = reader.event.dropped
        if time > now.wall {
            delivery.dueAt = time
            early.append(delivery, record: reader.record, now: now.uptime) { output in
                rules.append(reader, route, dropped: &lastDropped, to: &output)
            } writeNote: { output in
                if route.isLogged { DeliveryNote.append(reader.event, goals[Int(route.goal)], to: &output) }
            }
        } else {
            ripe.append(delivery, record: reader.record, now: now.uptime) { output in
                rules.append(reader, route, dropped: &lastDropped, to: &output)
            } writeNote: { output in
                if route.isLogged { DeliveryNote.append(reader.event, goals[Int(route.goal)], to: &output) }
            }
        }
        if reader.event.isIDDerived { books.eventIDsDerived += 1 }
        books.count(lastDropped, in: rules.fields)
    }

    var droppedFields: [(field: EventField, reason: DropReason)] {
        var result: [(EventField, DropReason)] = []
        lastDropped.forEach(in: rules.fields) { result.append(($0, $1)) }
        return result
    }

    // MARK: Batches

    var hasReady: Bool { ripe.hasReady || early.hasReady }

    var gatheredCount: Int { ripe.gatheredCount + early.gatheredCount }

    var lingersUntil: Uptime? {
        guard let first = ripe.lingersUntil, let second = early.lingersUntil else {
            return ripe.lingersUntil ?? early.lingersUntil
        }
        return min(first, second)
    }

    mutating func takeBatches(now: Uptime, all: Bool) -> [DeliveryBatch] {
        early.take(now: now, all: all) + ripe.take(now: now, all: all)
    }

    mutating func release(_ assignments: Set<AssignmentID>) {
        books.released += ripe.release(assignments) + early.release(assignments)
    }
}
