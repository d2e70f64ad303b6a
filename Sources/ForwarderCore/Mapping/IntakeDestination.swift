/// One destination as the intake sees it: what is owed to it, and the batches in which that is gathered.
public final class IntakeDestination {
    public let id: DestinationID
    public let settings: DestinationSettings
    /// Records published before this are none of the destination's.
    public let startsAt: Timestamp
    public internal(set) var books = IntakeBooks()

    private let routes: EventRoutes
    private let mapping: Mapping
    private let matches: [(field: EventField, values: [[UInt8]])]
    private let builder: BatchBuilder
    /// Deliveries whose time has not come: a storefront's clock may be ahead.
    private let early: BatchBuilder
    private let maxAgeSeconds: Int64
    private let sendMargin: Duration
    fileprivate let topicList = TopicList()

    private enum Mapping {
        case capi(CAPIMapping)
        case offline(OfflineMapping)
    }

    fileprivate final class TopicList {
        var names: [String] = []
    }

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
        let routes = EventRoutes(settings)
        self.routes = routes
        switch settings.kind {
        case .capi(let capi):
            mapping = .capi(CAPIMapping(capi, consent: settings.consent, goals: routes.goals))
        case .offlineConversions(let offline):
            mapping = .offline(OfflineMapping(offline, goals: routes.goals))
        }
        matches = settings.match.map { match in (match.field, match.values.map { Array($0.utf8) }) }
        let topicList = self.topicList
        let entries = if case .capi(let capi) = settings.kind, capi.pageValue { 2 } else { 1 }
        let limits = settings.batch
        builder = BatchBuilder(limits, goals: routes.goals, entriesPerDelivery: entries) { topicList.names }
        early = BatchBuilder(limits, goals: routes.goals, entriesPerDelivery: entries) { topicList.names }
        maxAgeSeconds = settings.maxEventAge.milliseconds / 1000
        sendMargin = settings.maxEventAge - IntakeDestination.expiryMargin - settings.requestTimeout
    }

    var topics: [String] {
        get { topicList.names }
        set { topicList.names = newValue }
    }

    var emailForm: EmailAddress.Form {
        switch mapping {
        case .capi: .conversionsAPI
        case .offline: .enhancedConversions
        }
    }

    /// What of an event this destination uses, as field bits.
    private var fields: UInt64 {
        switch mapping {
        case .capi: CAPIMapping.fields
        case .offline: OfflineMapping.fields
        }
    }

    // MARK: Decisions

    enum Routing {
        case skipped(SkipReason)
        case route(EventRoutes.Route)
    }

    func routing(_ name: Bytes, _ reader: inout EventReader) -> Routing {
        for (field, values) in matches {
            let text = reader.rawText(field).bytes
            let isMatch = values.contains { $0.withUnsafeBufferPointer { text.equals($0) } }
            if !isMatch { return .skipped(.notMatched) }
        }
        guard let route = routes.route(of: name) else { return .skipped(.unmappedEvent) }
        switch reader.adStorage() {
        case .granted: return .route(route)
        case .denied: return settings.consent.denied == .send ? .route(route) : .skipped(.consentDenied)
        case .missing:
            switch settings.consent.missing {
            case .granted: return .route(route)
            case .skip: return .skipped(.consentMissing)
            case .denied: return settings.consent.denied == .send ? .route(route) : .skipped(.consentDenied)
            }
        }
    }

    func violations(_ reader: borrowing EventReader, _ route: EventRoutes.Route, _ now: Timestamp) -> RejectReasons {
        let event = reader.event
        var violations: RejectReasons = []
        let hasTime = event.violations.isDisjoint(with: RejectReasons.ofTime)
        if hasTime, now.seconds - event.time > maxAgeSeconds { violations.insert(.tooOld) }
        switch mapping {
        case .capi(let capi):
            violations.formUnion(capi.violations(event, route.target, wasURLGiven: event.dropped.contains(.url)))
        case .offline(let offline):
            violations.formUnion(offline.violations(event))
        }
        return violations
    }

    // MARK: Batches

    func append(
        _ reader: borrowing EventReader, _ route: EventRoutes.Route, _ record: Bytes, _ origin: Intake.Origin,
        _ now: Moment, _ hasher: SHA256
    ) {
        let time = Timestamp(seconds: reader.event.time)
        var delivery = Delivery(
            topic: origin.topic, partition: origin.partition, offset: origin.offset, assignment: origin.assignment,
            sequence: origin.sequence, eventTime: reader.event.time, sendBy: time + sendMargin, content: 0..<0,
            record: 0..<0)
        delivery.goal = route.goal
        delivery.matchKeys = matchKeys(reader.event)
        var dropped = reader.event.dropped
        let isEarly = time > now.wall
        if isEarly { delivery.dueAt = time }
        let target = isEarly ? early : builder
        target.append(delivery, record: record, now: now.uptime) { output in
            switch mapping {
            case .capi(let capi):
                return capi.append(reader, route, dropped: &dropped, hasher: hasher, to: &output)
            case .offline(let offline):
                offline.append(reader.event, route, dropped: &dropped, to: &output)
                return 1
            }
        }
        if reader.event.isIDDerived { books.eventIDsDerived += 1 }
        books.count(dropped, in: fields)
        lastDropped = dropped
    }

    /// What was left out of the last event that was appended; for `explain`.
    private(set) var lastDropped = DroppedFields()

    /// The fields of the last event that this destination had to leave out.
    public var droppedFields: [(field: EventField, reason: DropReason)] {
        var result: [(EventField, DropReason)] = []
        lastDropped.forEach(in: fields) { result.append(($0, $1)) }
        return result
    }

    private func matchKeys(_ event: StorefrontEvent) -> MatchKeys {
        var keys: MatchKeys = []
        switch mapping {
        case .capi:
            if event.emailHash.isPresent { keys.insert(.email) }
            if event.phoneHash.isPresent { keys.insert(.phone) }
        case .offline(let offline) where offline.isEnhanced:
            if event.enhancedEmailHash.isPresent { keys.insert(.email) }
            if event.phoneHash.isPresent { keys.insert(.phone) }
        case .offline: break
        }
        if event.clickID.isPresent { keys.insert(.clickID) }
        return keys
    }

    /// Whether a batch is full.
    public var hasReady: Bool { !builder.ready.isEmpty || !early.ready.isEmpty }

    /// When the batch that is being gathered must go out; nil if there is none.
    public var lingersUntil: Uptime? {
        guard let first = builder.lingersUntil, let second = early.lingersUntil else {
            return builder.lingersUntil ?? early.lingersUntil
        }
        return min(first, second)
    }

    /// The batches that are full or have waited long enough; with `all`, everything.
    public func takeBatches(now: Uptime, all: Bool = false) -> [DeliveryBatch] {
        for builder in [builder, early] {
            if let deadline = builder.lingersUntil, all || deadline <= now { builder.seal() }
        }
        return early.takeReady() + builder.takeReady()
    }

    /// Deliveries that wait for their batch to fill.
    public var gatheredCount: Int { builder.gatheredCount + early.gatheredCount }

    /// Drops the deliveries of assignments that are gone.
    public func release(_ assignments: Set<AssignmentID>) {
        books.released += builder.release(assignments) + early.release(assignments)
    }
}

extension RejectReasons {
    /// After one of these the event's time says nothing.
    static let ofTime: RejectReasons = {
        var reasons: RejectReasons = []
        for reason in [RejectReason.timestampMissing, .timestampNotANumber, .timestampInMilliseconds] {
            reasons.insert(reason)
        }
        return reasons
    }()
}
