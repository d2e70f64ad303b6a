/// What one destination's settings say of an event: whether anything is owed, and under which route.
struct DestinationRules: ~Copyable {
    enum Decision {
        case skip(SkipReason)
        case reject(RejectReasons)
        case deliver(EventRoutes.Route)
    }

    enum Mapping: Sendable {
        case capi(CAPIMapping)
        case offline(OfflineMapping)
        case pixels(PixelMapping)
        case refunds(RefundMapping)
    }

    let routes: EventRoutes
    let mapping: Mapping
    private let matches: [(field: EventField, values: [[UInt8]])]
    private let consent: ConsentRule
    private let maxAgeSeconds: Int64
    /// By goal, whether a transaction counts once only.
    private let countsOnce: [Bool]

    init(_ settings: DestinationSettings) {
        routes = EventRoutes(settings)
        switch settings.kind {
        case .capi(let capi):
            mapping = .capi(CAPIMapping(capi, consent: settings.consent, goals: routes.goals))
        case .offlineConversions(let offline):
            mapping = .offline(OfflineMapping(offline, goals: routes.goals))
        case .investPixel(let pixels): mapping = .pixels(PixelMapping(pixels))
        case .adjustments: mapping = .refunds(RefundMapping())
        }
        countsOnce = routes.goals.map(settings.countsOnce)
        matches = settings.match.map { match in (match.field, match.values.map { Array($0.utf8) }) }
        consent = settings.consent
        maxAgeSeconds = settings.maxEventAge.milliseconds / 1000
    }

    /// Judges the record that is open in `reader`. It is read in full only if it is not skipped.
    func decide(_ reader: inout EventReader, now: Timestamp) -> Decision {
        let name = reader.rawText(.event)
        var route: EventRoutes.Route?
        if !name.isEmpty {
            guard isMatch(&reader) else { return .skip(.notMatched) }
            route = routes.route(of: name)
            guard route != nil else { return .skip(.unmappedEvent) }
            if let reason = skipForConsent(reader.adStorage()) { return .skip(reason) }
            if case .pixels(let pixels) = mapping, !pixels.hasToken(&reader) { return .skip(.noToken) }
        }
        reader.read(now: now)
        let violations = violations(reader.event, route, now)
        guard let route, violations.isEmpty else { return .reject(violations) }
        return .deliver(route)
    }

    private func isMatch(_ reader: inout EventReader) -> Bool {
        for (field, values) in matches {
            let text = reader.rawText(field)
            guard values.contains(where: { $0.withUnsafeBufferPointer { text.equals($0) } }) else { return false }
        }
        return true
    }

    private func skipForConsent(_ adStorage: AdStorage) -> SkipReason? {
        let isDenied =
            switch adStorage {
            case .granted: false
            case .denied, .unreadable: true
            case .missing: consent.missing == .denied
            }
        if isDenied { return consent.denied == .skip ? .consentDenied : nil }
        return adStorage == .missing && consent.missing == .skip ? .consentMissing : nil
    }

    private func violations(
        _ event: borrowing StorefrontEvent, _ route: EventRoutes.Route?, _ now: Timestamp
    ) -> RejectReasons {
        var violations = event.violations
        let hasTime = violations.isDisjoint(with: .ofTime)
        if hasTime, now.seconds - event.time > maxAgeSeconds { violations.insert(.tooOld) }
        switch mapping {
        case .capi(let capi): violations.formUnion(capi.violations(event, route?.target))
        case .offline(let offline): violations.formUnion(offline.violations(event))
        case .pixels(let pixels): violations.formUnion(pixels.violations(event))
        case .refunds(let refunds): violations.formUnion(refunds.violations(event))
        }
        return violations
    }

    // MARK: What the destination is sent

    /// Appends the event as the request carries it. Returns how many entries that is.
    @inline(__always)
    func append(
        _ reader: borrowing EventReader, _ route: EventRoutes.Route, dropped: inout DroppedFields,
        to output: inout ByteBuffer
    ) -> UInt8 {
        switch mapping {
        case .capi(let capi):
            return capi.append(reader.event, route, dropped: &dropped, hasher: reader.hasher, to: &output)
        case .offline(let offline):
            offline.append(reader.event, route, dropped: &dropped, to: &output)
            return 1
        case .pixels(let pixels):
            guard case .pixel(let index) = route.target else { preconditionFailure("pixels have routes of their own") }
            pixels.append(reader.event, pixel: Int(index), dropped: &dropped, to: &output)
            return 1
        case .refunds(let refunds):
            refunds.append(to: &output)
            return 1
        }
    }

    /// Whether what the event counts as may be counted once for its transaction.
    @inline(__always)
    func isOnce(_ event: borrowing StorefrontEvent, _ route: EventRoutes.Route) -> Bool {
        event.transactionID.isPresent && countsOnce[Int(route.goal)]
    }

    /// What of an event this destination uses, as field bits.
    var fields: UInt64 {
        switch mapping {
        case .capi: CAPIMapping.fields
        case .offline(let offline): offline.fields
        case .pixels(let pixels): pixels.fields
        case .refunds: RefundMapping.fields
        }
    }

    var emailForm: EmailAddress.Form {
        switch mapping {
        case .capi, .pixels: .conversionsAPI
        case .offline, .refunds: .enhancedConversions
        }
    }

    func matchKeys(_ event: borrowing StorefrontEvent) -> MatchKeys {
        var keys: MatchKeys = event.clickID.isPresent ? .clickID : []
        switch mapping {
        case .capi:
            if event.emailHash.isPresent { keys.insert(.email) }
            if event.phoneHash.isPresent { keys.insert(.phone) }
        case .offline(let offline) where offline.isEnhanced:
            if event.enhancedEmailHash.isPresent { keys.insert(.email) }
            if event.phoneHash.isPresent { keys.insert(.phone) }
        case .offline: break
        // The token is a click's.
        case .pixels: return .clickID
        case .refunds: return []
        }
        return keys
    }
}

extension RejectReasons {
    /// After one of these the event's time says nothing.
    fileprivate static let ofTime: RejectReasons = [
        RejectReasons(.timestampMissing), RejectReasons(.timestampNotANumber), RejectReasons(.timestampInMilliseconds),
    ]
}
