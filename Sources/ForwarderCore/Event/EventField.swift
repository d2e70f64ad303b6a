/// A field of the storefront event that is read. The raw name is the one that configuration, `explain` and the counters
/// of dropped fields use.
public enum EventField: UInt8, CaseIterable, Sendable {
    case event, eventID, eventTime, url, referrer, title, keywords, pageLoadID, source
    case adStorage
    case email, phone, externalID, anonymousID, clickID, sspData, ipAddress, userAgent, idfa, gaid
    case value, currency, transactionID, searchTerm, itemIDs, items, category, label, pageType
    case eventValue, ecommTotalValue, ecommCategory
    case externalAttributionCredit, externalAttributionModel
    case hotelTotalPrice, hotelBasePrice, hotelCheckinDate, hotelCheckoutDate, hotelLengthOfStay
    case hotelPartnerID, hotelBookingHref
    case originalTime, originalValue
    // Inside of `items`.
    case itemID, itemName, itemPrice, itemQuantity
}

extension EventField {
    public var name: StaticString {
        switch self {
        case .event: "event"
        case .eventID: "event_id"
        case .eventTime: "event_time"
        case .url: "url"
        case .referrer: "referrer"
        case .title: "title"
        case .keywords: "keywords"
        case .pageLoadID: "page_load_id"
        case .source: "source"
        case .adStorage: "ad_storage"
        case .email: "email"
        case .phone: "phone"
        case .externalID: "external_id"
        case .anonymousID: "anonymous_id"
        case .clickID: "msclkid"
        case .sspData: "sspdata"
        case .ipAddress: "ip_address"
        case .userAgent: "user_agent"
        case .idfa: "idfa"
        case .gaid: "gaid"
        case .value: "value"
        case .currency: "currency"
        case .transactionID: "transaction_id"
        case .searchTerm: "search_term"
        case .itemIDs: "item_ids"
        case .items: "items"
        case .category: "category"
        case .label: "label"
        case .pageType: "page_type"
        case .eventValue: "event_value"
        case .ecommTotalValue: "ecomm_total_value"
        case .ecommCategory: "ecomm_category"
        case .externalAttributionCredit: "external_attribution_credit"
        case .externalAttributionModel: "external_attribution_model"
        case .hotelTotalPrice: "hotel_total_price"
        case .hotelBasePrice: "hotel_base_price"
        case .hotelCheckinDate: "hotel_checkin_date"
        case .hotelCheckoutDate: "hotel_checkout_date"
        case .hotelLengthOfStay: "hotel_length_of_stay"
        case .hotelPartnerID: "hotel_partner_id"
        case .hotelBookingHref: "hotel_booking_href"
        case .originalTime: "original_time"
        case .originalValue: "original_value"
        case .itemID: "items.id"
        case .itemName: "items.name"
        case .itemPrice: "items.price"
        case .itemQuantity: "items.quantity"
        }
    }

    public init?(name: String) {
        guard let field = EventField.allCases.first(where: { "\($0.name)" == name }) else { return nil }
        self = field
    }
}
