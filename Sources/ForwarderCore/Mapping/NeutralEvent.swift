/// The form in which an event waits on disk beside its frozen request: a storefront event again, in which e-mail and
/// phone are hashes and only known fields are left. Reading it with the storefront preset gives the same event, so a dead
/// letter can be mapped anew after a configuration was repaired.
enum NeutralEvent {
    static func append(
        _ event: borrowing StorefrontEvent, _ emailForm: EmailAddress.Form, to output: inout ByteBuffer
    ) {
        output.append(UInt8(ascii: "{"))
        output.member("event", event.name)
        output.member("event_id", event.id)
        output.member("event_time", event.time)
        output.member("url", event.url)
        output.member("referrer", event.referrer)
        output.member("title", event.title)
        output.member("keywords", event.keywords)
        output.member("page_load_id", event.pageLoadID)
        output.member("source", event.source)
        switch event.adStorage {
        case .missing: break
        case .granted: output.append(#""consent":{"ad_storage":"granted"},"#)
        case .denied, .unreadable: output.append(#""consent":{"ad_storage":"denied"},"#)
        }
        output.object("user") { appendUser(event, emailForm, to: &$0) }
        output.object("properties") { appendProperties(event, to: &$0) }
        output.close(UInt8(ascii: "}"))
    }

    private static func appendUser(
        _ event: borrowing StorefrontEvent, _ emailForm: EmailAddress.Form, to output: inout ByteBuffer
    ) {
        switch emailForm {
        case .conversionsAPI: output.member("email", event.emailHash)
        case .enhancedConversions: output.member("email", event.enhancedEmailHash)
        }
        output.member("phone", event.phoneHash)
        output.member("external_id", event.externalID)
        output.member("anonymous_id", event.anonymousID)
        output.member("msclkid", event.clickID)
        output.member("sspdata", event.sspData)
        output.member("ip_address", event.ipAddress)
        output.member("user_agent", event.userAgent)
        output.member("idfa", event.idfa)
        output.member("gaid", event.gaid)
    }

    private static func appendProperties(_ event: borrowing StorefrontEvent, to output: inout ByteBuffer) {
        output.member("value", event.value)
        output.member("currency", event.currency)
        output.member("transaction_id", event.transactionID)
        output.member("search_term", event.searchTerm)
        output.list("item_ids", event.itemIDs)
        output.items(event.items)
        output.member("category", event.category)
        output.member("label", event.label)
        output.member("page_type", event.pageType)
        output.member("event_value", event.eventValue)
        output.member("ecomm_total_value", event.ecommTotalValue)
        output.member("ecomm_category", event.ecommCategory)
        output.member("external_attribution_credit", event.externalAttributionCredit)
        output.member("external_attribution_model", event.externalAttributionModel)
        if let time = event.originalTime { output.member("original_time", time) }
        output.member("original_value", event.originalValue)
        for stay in event.hotelStays { output.object("hotel") { append(stay, to: &$0) } }
    }

    private static func append(_ stay: HotelStay, to output: inout ByteBuffer) {
        output.member("total_price", stay.totalPrice)
        output.member("base_price", stay.basePrice)
        output.member("checkin_date", stay.checkinDate)
        output.member("checkout_date", stay.checkoutDate)
        output.member("length_of_stay", stay.lengthOfStay)
        output.member("partner_hotel_id", stay.partnerHotelID)
        output.member("booking_href", stay.bookingHref)
    }
}
