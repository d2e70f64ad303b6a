/// Writes an event as the Conversions API takes it: one entry of the request's `data`, members in the order of
/// Microsoft's guide (Universal Event Tracking Conversions API integration guide, August 2026).
struct CAPIMapping: Sendable {
    private let sendsPageValue: Bool
    private let consent: ConsentRule
    private let goals: [[UInt8]]

    /// What of the event is used, as field bits: a field left out counts only where it would have been sent.
    static let fields: UInt64 = {
        var mask: UInt64 = 0
        for field in EventField.allCases {
            switch field {
            case .externalAttributionCredit, .externalAttributionModel, .source: continue
            default: mask |= field.bit
            }
        }
        return mask
    }()

    init(_ settings: CAPISettings, consent: ConsentRule, goals: [String]) {
        sendsPageValue = settings.pageValue
        self.consent = consent
        self.goals = goals.map { Array($0.utf8) }
    }

    /// What keeps the event from being sent, beyond what is wrong with it everywhere.
    func violations(_ event: StorefrontEvent, _ target: EventRoutes.Target, wasURLGiven: Bool) -> RejectReasons {
        var violations: RejectReasons = []
        let hasIdentifier =
            event.anonymousID.isPresent || event.externalID.isPresent || event.emailHash.isPresent
            || event.phoneHash.isPresent || event.clickID.isPresent || event.idfa.isPresent || event.gaid.isPresent
        if !hasIdentifier { violations.insert(.noIdentifier) }
        if target == .pageLoad, !event.url.isPresent { violations.insert(wasURLGiven ? .urlInvalid : .urlMissing) }
        return violations
    }

    /// Appends the entry, or two where a page has a value. Returns how many.
    func append(
        _ reader: borrowing EventReader, _ route: EventRoutes.Route, dropped: inout DroppedFields,
        hasher: SHA256, to output: inout ByteBuffer
    ) -> UInt8 {
        let event = reader.event
        guard route.target == .pageLoad else {
            appendCustom(reader, event, route, to: &output)
            return 1
        }
        let hasPageValue = sendsPageValue && event.value != nil
        if event.value != nil, !sendsPageValue { dropped.insert(.value, .notOnPageLoad) }
        withPageLoadID(of: event, isNeeded: hasPageValue, hasher) { pageLoadID in
            output.append(#"{"eventType":"pageLoad","eventId":"#)
            output.append(json: event.id)
            appendCommon(event, pageLoadID, to: &output)
            appendUserData(event, to: &output)
            appendCustomData(reader, event, withValue: false, to: &output)
            output.append("}")
            if hasPageValue { appendPageValue(event, pageLoadID, to: &output) }
        }
        return hasPageValue ? 2 : 1
    }

    private func appendCustom(
        _ reader: borrowing EventReader, _ event: StorefrontEvent, _ route: EventRoutes.Route,
        to output: inout ByteBuffer
    ) {
        output.append(#"{"eventType":"custom","eventId":"#)
        output.append(json: event.id)
        output.append(#","eventName":"#)
        if Int(route.goal) == goals.count - 1 {
            output.append(json: event.name)
        } else {
            output.append(UInt8(ascii: "\""))
            goals[Int(route.goal)].withUnsafeBufferPointer { JSONText.escape($0, to: &output) }
            output.append(UInt8(ascii: "\""))
        }
        appendCommon(event, event.pageLoadID, to: &output)
        appendUserData(event, to: &output)
        appendCustomData(reader, event, withValue: true, to: &output)
        output.append("}")
    }

    /// Revenue has no place on a page load; it travels in a custom event of its own that names the same page load and
    /// says nothing else.
    private func appendPageValue(_ event: StorefrontEvent, _ pageLoadID: EventText, to output: inout ByteBuffer) {
        output.append(#",{"eventType":"custom","eventId":"#)
        output.append(json: event.id)
        output.truncate(to: output.count - 1)
        output.append(#"-value","eventName":"page_value","eventTime":"#)
        output.append(decimal: event.time)
        output.append(#","pageLoadId":"#, ifPresent: pageLoadID)
        appendConsent(event, to: &output)
        appendUserData(event, to: &output)
        output.append(#","customData":{"value":"#, ifPresent: event.value)
        output.append(#","currency":"#, ifPresent: event.currency)
        output.append("}}")
    }

    private func appendCommon(_ event: StorefrontEvent, _ pageLoadID: EventText, to output: inout ByteBuffer) {
        output.append(#","eventTime":"#)
        output.append(decimal: event.time)
        output.append(#","eventSourceUrl":"#, ifPresent: event.url)
        output.append(#","pageLoadId":"#, ifPresent: pageLoadID)
        output.append(#","referrerUrl":"#, ifPresent: event.referrer)
        output.append(#","pageTitle":"#, ifPresent: event.title)
        output.append(#","keywords":"#, ifPresent: event.keywords)
        appendConsent(event, to: &output)
    }

    /// Always said, also where it was only assumed: what Microsoft does with silence may change.
    private func appendConsent(_ event: StorefrontEvent, to output: inout ByteBuffer) {
        let isGranted =
            switch event.adStorage {
            case .granted: true
            case .denied: false
            case .missing: consent.missing == .granted
            }
        output.append(isGranted ? #","adStorageConsent":"G""# : #","adStorageConsent":"D""#)
    }

    private func appendUserData(_ event: StorefrontEvent, to output: inout ByteBuffer) {
        output.append(#","userData":{"#)
        output.appendMember(#""clientUserAgent":"#, event.userAgent)
        output.appendMember(#""anonymousId":"#, event.anonymousID)
        output.appendMember(#""externalId":"#, event.externalID)
        output.appendMember(#""em":"#, event.emailHash)
        output.appendMember(#""ph":"#, event.phoneHash)
        output.appendMember(#""clientIpAddress":"#, event.ipAddress)
        output.appendMember(#""msclkid":"#, event.clickID)
        output.appendMember(#""idfa":"#, event.idfa)
        output.appendMember(#""gaid":"#, event.gaid)
        output.dropTrailingComma()
        output.append("}")
    }

    private func appendCustomData(
        _ reader: borrowing EventReader, _ event: StorefrontEvent, withValue: Bool, to output: inout ByteBuffer
    ) {
        let start = output.count
        output.append(#","customData":{"#)
        let first = output.count
        output.appendMember(#""eventCategory":"#, event.category)
        output.appendMember(#""eventLabel":"#, event.label)
        output.appendMember(#""eventValue":"#, event.eventValue)
        output.appendMember(#""searchTerm":"#, event.searchTerm)
        output.appendMember(#""transactionId":"#, event.transactionID)
        if withValue { output.appendMember(#""value":"#, event.value) }
        if withValue || event.ecommTotalValue != nil { output.appendMember(#""currency":"#, event.currency) }
        output.appendList(#""itemIds":["#, reader.itemIDs)
        output.appendItems(reader.items)
        output.appendMember(#""pageType":"#, event.pageType)
        output.appendMember(#""ecommTotalValue":"#, event.ecommTotalValue)
        output.appendMember(#""ecommCategory":"#, event.ecommCategory)
        guard output.count > first else { return output.truncate(to: start) }
        output.dropTrailingComma()
        output.append("}")
    }

    /// The page load's id: the one given or, where the value's event needs one to refer to, one made from the event id,
    /// so that a repeat has the same.
    private func withPageLoadID(
        of event: StorefrontEvent, isNeeded: Bool, _ hasher: SHA256, _ body: (EventText) -> Void
    ) {
        if event.pageLoadID.isPresent || !isNeeded { return body(event.pageLoadID) }
        var arena = Arena(capacity: 64)
        let id = hasher.withDigest(event.id.bytes) { UUIDText.version4(from: $0, in: &arena) }
        body(EventText(plain: id))
    }
}
