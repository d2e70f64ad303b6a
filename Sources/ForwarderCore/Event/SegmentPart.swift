/// What a call of Segment or RudderStack says that is no field of the event by itself, or is one only where its own place
/// is empty. Noted in the same list of 64 places as the fields, from its end.
enum SegmentPart: UInt8, CaseIterable {
    /// `track`, `page`, or a call that is no event.
    case callType
    case originalTimestamp, sentAt, receivedAt
    // The properties of a `page` call. Those of a `track` call have the same names and other meanings.
    case pageURL, pageReferrer, pageTitle
    /// The query of the page's URL.
    case search
    case propertiesEmail, propertiesPhone
    /// `properties.value`, which is revenue only where nothing else is.
    case abstractValue
    case advertisingID, platform, adTracking
    case consentCategories, allowedConsents, deniedConsents
    /// All properties: those of a call about one product are that product's.
    case properties

    /// A place that no field has; what stands inside of items has none of its own.
    @inline(__always)
    var place: Int { 63 - Int(rawValue) }

    @inline(__always)
    var bit: UInt64 { 1 << UInt64(place) }
}

/// What kind of call a record is.
enum SegmentCall {
    case track, page
    /// `identify`, `group`, `alias`, `screen` and whatever else is no event of a storefront.
    case other
}
