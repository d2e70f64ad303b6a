/// Where Segment and RudderStack put what an event says: the common fields of every call, and the properties of
/// Segment's e-commerce specification (version 2), which RudderStack's follows. Each name is read in camelCase and in
/// snake_case.
extension FieldMap {
    static func segment(consentCategory: String) -> [([String], EventField)] {
        segmentFields + [(["context", "consent", "categoryPreferences", consentCategory], .adStorage)]
    }

    private static let segmentFields: [([String], EventField)] = [
        (["event"], .event), (["messageId"], .eventID), (["timestamp"], .eventTime),
        (["userId"], .externalID), (["anonymousId"], .anonymousID),
        (["context", "page", "url"], .url), (["context", "page", "referrer"], .referrer),
        (["context", "page", "title"], .title), (["context", "userAgent"], .userAgent),
        (["context", "ip"], .ipAddress),
        (["context", "traits", "email"], .email), (["context", "traits", "phone"], .phone),
        (["properties", "msclkid"], .clickID), (["properties", "sspdata"], .sspData),
        (["properties", "keywords"], .keywords),
        (["properties", "page_load_id"], .pageLoadID),
        (["properties", "revenue"], .value), (["properties", "currency"], .currency),
        (["properties", "order_id"], .transactionID), (["properties", "query"], .searchTerm),
        (["properties", "item_ids"], .itemIDs), (["properties", "products"], .items),
        (["properties", "event_category"], .category), (["properties", "event_label"], .label),
        (["properties", "event_value"], .eventValue), (["properties", "page_type"], .pageType),
        (["properties", "ecomm_total_value"], .ecommTotalValue),
        (["properties", "ecomm_category"], .ecommCategory),
        (["properties", "external_attribution_credit"], .externalAttributionCredit),
        (["properties", "external_attribution_model"], .externalAttributionModel),
        (["properties", "original_time"], .originalTime), (["properties", "original_value"], .originalValue),
    ]

    /// Second places, looked at where the first is empty. A consent that names no category must not be taken for a
    /// missing one, which may count as granted.
    static let segmentOtherPlaces: [([String], EventField)] = [
        (["traits", "email"], .email), (["traits", "phone"], .phone), (["request_ip"], .ipAddress),
        (["context", "sspdata"], .sspData),
        (["context", "msclkid"], .clickID), (["context", "campaign", "msclkid"], .clickID),
        (["integrations", "Microsoft Bing CAPI (Actions)", "msclkid"], .clickID),
        (["context", "consent"], .adStorage), (["context", "consent", "ad_storage"], .adStorage),
        (["context", "consent", "categoryPreferences"], .adStorage),
        (["properties", "total"], .value), (["properties", "transaction_id"], .transactionID),
        (["properties", "search_term"], .searchTerm), (["properties", "items"], .items),
        (["properties", "label"], .label), (["properties", "category"], .ecommCategory),
        // Flat, as Segment's own destination for this API reads them.
        (["properties", "hotel_total_price"], .hotelTotalPrice),
        (["properties", "hotel_base_price"], .hotelBasePrice),
        (["properties", "hotel_check_in_date"], .hotelCheckinDate),
        (["properties", "hotel_check_out_date"], .hotelCheckoutDate),
        (["properties", "hotel_length_of_stay"], .hotelLengthOfStay),
        (["properties", "hotel_partner_id"], .hotelPartnerID),
        (["properties", "hotel_booking_href"], .hotelBookingHref),
    ]

    static let segmentParts: [([String], SegmentPart)] = [
        (["type"], .callType), (["originalTimestamp"], .originalTimestamp), (["sentAt"], .sentAt),
        (["receivedAt"], .receivedAt),
        (["properties"], .properties), (["properties", "url"], .pageURL),
        (["properties", "referrer"], .pageReferrer), (["properties", "title"], .pageTitle),
        (["context", "page", "search"], .search),
        (["properties", "email"], .propertiesEmail), (["properties", "phone"], .propertiesPhone),
        (["properties", "value"], .abstractValue),
        (["context", "device", "advertisingId"], .advertisingID), (["context", "device", "type"], .platform),
        (["context", "device", "adTrackingEnabled"], .adTracking),
        (["context", "consent", "categoryPreferences"], .consentCategories),
        (["context", "consentManagement", "allowedConsentIds"], .allowedConsents),
        (["context", "consentManagement", "deniedConsentIds"], .deniedConsents),
    ]

    static let segmentOtherParts: [([String], SegmentPart)] = [
        (["context", "os", "name"], .platform), (["properties", "search"], .search),
    ]
}
