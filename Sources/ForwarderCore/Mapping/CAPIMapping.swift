/// Writes an event as the Conversions API takes it: one entry of the request's `data`, members in the order of
/// Microsoft's guide (Universal Event Tracking Conversions API integration guide, August 2026).
struct CAPIMapping: Sendable {
    let sendsPageValue: Bool
    /// What is said where the storefront says nothing.
    private let assumesConsent: Bool
    private let goals: [[UInt8]]

    /// What of the event is used, as field bits: a field left out counts only where it would have been sent.
    static let fields: UInt64 = {
        let unused: [EventField] = [
            .externalAttributionCredit, .externalAttributionModel, .source, .originalTime, .originalValue, .sspData,
        ]
        return EventField.allCases.filter { !unused.contains($0) }.reduce(0) { $0 | $1.bit }
    }()

    init(_ settings: CAPISettings, consent: ConsentRule, goals: [String]) {
        sendsPageValue = settings.pageValue
        assumesConsent = consent.missing == .granted
        self.goals = goals.map { Array($0.utf8) }
    }

    /// What keeps the event from being sent, beyond what is wrong with it everywhere.
    func violations(_ event: borrowing StorefrontEvent, _ target: EventRoutes.Target?) -> RejectReasons {
        var violations: RejectReasons = []
        let hasIdentifier =
            event.anonymousID.isPresent || event.externalID.isPresent || event.emailHash.isPresent
            || event.phoneHash.isPresent || event.clickID.isPresent || event.idfa.isPresent || event.gaid.isPresent
        if !hasIdentifier { violations.insert(.noIdentifier) }
        if target == .pageLoad, !event.url.isPresent {
            violations.insert(event.dropped.contains(.url) ? .urlInvalid : .urlMissing)
        }
        return violations
    }

    /// Appends the entry, or two where a page has a value. Returns how many.
    func append(
        _ event: borrowing StorefrontEvent, _ route: EventRoutes.Route, dropped: inout DroppedFields, hasher: SHA256,
        to output: inout ByteBuffer
    ) -> UInt8 {
        if !event.emailHash.isPresent, event.enhancedEmailHash.isPresent {
            dropped.insert(.email, .emailNotNormalizable)
        }
        guard route.target == .pageLoad else {
            appendCustom(event, route, to: &output)
            return 1
        }
        guard event.value != nil, sendsPageValue else {
            if event.value != nil { dropped.insert(.value, .notOnPageLoad) }
            appendPageLoad(event, event.pageLoadID, to: &output)
            return 1
        }
        withPageLoadID(of: event, hasher) { pageLoadID in
            appendPageLoad(event, pageLoadID, to: &output)
            output.append(UInt8(ascii: ","))
            appendPageValue(event, pageLoadID, to: &output)
        }
        return 2
    }

    private func appendPageLoad(
        _ event: borrowing StorefrontEvent, _ pageLoadID: EventText, to output: inout ByteBuffer
    ) {
        output.append(#"{"eventType":"pageLoad","#)
        output.member("eventId", event.id)
        appendCommon(event, pageLoadID, to: &output)
        appendUserData(event, to: &output)
        appendCustomData(event, withValue: false, to: &output)
        output.close(UInt8(ascii: "}"))
    }

    private func appendCustom(
        _ event: borrowing StorefrontEvent, _ route: EventRoutes.Route, to output: inout ByteBuffer
    ) {
        output.append(#"{"eventType":"custom","#)
        output.member("eventId", event.id)
        if route.target == .customByOwnName {
            output.member("eventName", event.name)
        } else {
            goals[Int(route.goal)].withUnsafeBufferPointer {
                output.member("eventName", EventText(bytes: $0, needsEscaping: true))
            }
        }
        appendCommon(event, event.pageLoadID, to: &output)
        appendUserData(event, to: &output)
        appendCustomData(event, withValue: true, to: &output)
        output.close(UInt8(ascii: "}"))
    }

    /// Revenue has no place on a page load; it travels in a custom event of its own that names the same page load and
    /// says nothing else.
    private func appendPageValue(
        _ event: borrowing StorefrontEvent, _ pageLoadID: EventText, to output: inout ByteBuffer
    ) {
        output.append(#"{"eventType":"custom","eventId":"#)
        output.append(json: event.id)
        output.truncate(to: output.count - 1)
        output.append(#"-value","eventName":"page_value","#)
        output.member("eventTime", event.time)
        output.member("pageLoadId", pageLoadID)
        appendConsent(event, to: &output)
        appendUserData(event, to: &output)
        output.object("customData") { output in
            output.member("value", event.value)
            output.member("currency", event.currency)
        }
        output.close(UInt8(ascii: "}"))
    }

    private func appendCommon(_ event: borrowing StorefrontEvent, _ pageLoadID: EventText, to output: inout ByteBuffer)
    {
        output.member("eventTime", event.time)
        output.member("eventSourceUrl", event.url)
        output.member("pageLoadId", pageLoadID)
        output.member("referrerUrl", event.referrer)
        output.member("pageTitle", event.title)
        output.member("keywords", event.keywords)
        appendConsent(event, to: &output)
    }

    /// Always said, also where it was only assumed: what Microsoft does with silence may change.
    private func appendConsent(_ event: borrowing StorefrontEvent, to output: inout ByteBuffer) {
        let isGranted =
            switch event.adStorage {
            case .granted: true
            case .denied, .unreadable: false
            case .missing: assumesConsent
            }
        output.append(isGranted ? #""adStorageConsent":"G","# : #""adStorageConsent":"D","#)
    }

    private func appendUserData(_ event: borrowing StorefrontEvent, to output: inout ByteBuffer) {
        output.object("userData") { output in
            output.member("clientUserAgent", event.userAgent)
            output.member("anonymousId", event.anonymousID)
            output.member("externalId", event.externalID)
            output.member("em", event.emailHash)
            output.member("ph", event.phoneHash)
            output.member("clientIpAddress", event.ipAddress)
            output.member("msclkid", event.clickID)
            output.member("idfa", event.idfa)
            output.member("gaid", event.gaid)
        }
    }

    private func appendCustomData(_ event: borrowing StorefrontEvent, withValue: Bool, to output: inout ByteBuffer) {
        let start = output.count
        var isEmpty = false
        output.object("customData") { output in
            let first = output.count
            output.member("eventCategory", event.category)
            output.member("eventLabel", event.label)
            output.member("eventValue", event.eventValue)
            output.member("searchTerm", event.searchTerm)
            output.member("transactionId", event.transactionID)
            if withValue { output.member("value", event.value) }
            if withValue || event.ecommTotalValue != nil || !event.hotelStays.isEmpty {
                output.member("currency", event.currency)
            }
            output.list("itemIds", event.itemIDs)
            output.items(event.items)
            output.member("pageType", event.pageType)
            output.member("ecommTotalValue", event.ecommTotalValue)
            output.member("ecommCategory", event.ecommCategory)
            for stay in event.hotelStays { append(stay, to: &output) }
            isEmpty = output.count == first
        }
        if isEmpty { output.truncate(to: start) }
    }

    private func append(_ stay: HotelStay, to output: inout ByteBuffer) {
        output.object("hotelData") { output in
            output.member("totalPrice", stay.totalPrice)
            output.member("basePrice", stay.basePrice)
            output.member("checkinDate", stay.checkinDate)
            output.member("checkoutDate", stay.checkoutDate)
            output.member("lengthOfStay", stay.lengthOfStay)
            output.member("partnerHotelId", stay.partnerHotelID)
            output.member("bookingHref", stay.bookingHref)
        }
    }

    /// The page load's id: the one given or, as the value's event needs one to refer to, one made from the event id, so
    /// that a repeat has the same.
    private func withPageLoadID(of event: borrowing StorefrontEvent, _ hasher: SHA256, _ body: (EventText) -> Void) {
        if event.pageLoadID.isPresent { return body(event.pageLoadID) }
        var arena = Arena(capacity: 64)
        let id = hasher.withDigest(event.id.bytes) { UUIDText.version4(from: $0, in: &arena) }
        body(EventText(plain: id))
    }
}
