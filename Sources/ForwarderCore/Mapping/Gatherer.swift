/// Turns records into the deliveries of one destination, and keeps the books. A value, so that all of it changes under one
/// access of the object that holds it.
struct Gatherer: ~Copyable {
    let rules: DestinationRules
    let startsAt: Timestamp
    private(set) var books = IntakeBooks()
    private var ripe: BatchBuilder
    /// Deliveries whose time has not come: a storefront's clock may be ahead.
    private var early: BatchBuilder
    /// Deliveries that the ledger is asked about: the others need not wait for the answer.
    private var once: BatchBuilder
    /// How long after its time an event may still be sent, in milliseconds.
    private let sendMargin: Int64
    /// What was left out of the last event that was read.
    private var lastDropped = DroppedFields()
    private let goals: [[UInt8]]
    private var transaction = ByteBuffer(capacity: 256)

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
        once = BatchBuilder(settings.batch, goals: rules.routes.goals, entriesPerDelivery: entries)
        sendMargin = (settings.maxEventAge - Gatherer.expiryMargin - settings.requestTimeout).milliseconds
    }

    mutating func setTopics(_ topics: [String]) {
        ripe.topics = topics
        early.topics = topics
        once.topics = topics
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
        if rules.isOnce(reader.event, route) {
            delivery.transaction = transactionKey(reader, route)
            delivery.payloadHash = reader.hasher.prefix64(reader.record)
        }
        if time > now.wall {
            delivery.dueAt = time
            Gatherer.append(delivery, to: &early, reader, route, rules, goals, &lastDropped, now)
        } else if delivery.transaction != .none {
            Gatherer.append(delivery, to: &once, reader, route, rules, goals, &lastDropped, now)
        } else {
            Gatherer.append(delivery, to: &ripe, reader, route, rules, goals, &lastDropped, now)
        }
        if reader.event.isIDDerived { books.eventIDsDerived += 1 }
        books.count(lastDropped, in: rules.fields)
    }

    @inline(__always)
    private static func append(
        _ delivery: Delivery, to builder: inout BatchBuilder, _ reader: borrowing EventReader,
        _ route: EventRoutes.Route, _ rules: borrowing DestinationRules, _ goals: [[UInt8]],
        _ dropped: inout DroppedFields, _ now: Moment
    ) {
        builder.append(delivery, record: reader.record, now: now.uptime) { output in
            rules.append(reader, route, dropped: &dropped, to: &output)
        } writeNote: { output in
            if route.isLogged { DeliveryNote.append(reader.event, goals[Int(route.goal)], to: &output) }
        }
    }

    /// The first eight bytes of the hash of goal and transaction.
    private mutating func transactionKey(
        _ reader: borrowing EventReader, _ route: EventRoutes.Route
    ) -> TransactionKey {
        transaction.removeAll()
        goals[Int(route.goal)].withUnsafeBufferPointer {
            TransactionKey.append(goal: $0, transaction: reader.event.transactionID.bytes, to: &transaction)
        }
        return transaction.withBytes { TransactionKey(rawValue: reader.hasher.prefix64($0)) }
    }

    var droppedFields: [(field: EventField, reason: DropReason)] {
        var result: [(EventField, DropReason)] = []
        lastDropped.forEach(in: rules.fields) { result.append(($0, $1)) }
        return result
    }

    // MARK: Batches

    var hasReady: Bool { ripe.hasReady || once.hasReady || early.hasReady }

    var gatheredCount: Int { ripe.gatheredCount + once.gatheredCount + early.gatheredCount }

    var lingersUntil: Uptime? {
        let times = (ripe.lingersUntil, once.lingersUntil, early.lingersUntil)
        guard times.0 != nil || times.1 != nil || times.2 != nil else { return nil }
        return min(times.0 ?? .distantFuture, times.1 ?? .distantFuture, times.2 ?? .distantFuture)
    }

    mutating func takeBatches(now: Uptime, all: Bool) -> [DeliveryBatch] {
        early.take(now: now, all: all) + once.take(now: now, all: all) + ripe.take(now: now, all: all)
    }

    mutating func release(_ assignments: Set<AssignmentID>) {
        books.released += ripe.release(assignments) + once.release(assignments) + early.release(assignments)
    }
}
