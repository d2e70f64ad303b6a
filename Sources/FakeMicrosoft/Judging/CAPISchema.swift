/// The form that a field's value must have.
enum CAPIForm: UInt8 {
    /// A string that is not empty.
    case text
    /// The same, and not an e-mail address.
    case anonymousText
    case url, sha256, clickID, version4GUID, date, address, currency
    case eventType, consent, pageType
    case eventTime, decimal, integer
    /// An array of strings that are not empty.
    case texts
    /// An object, or an array of objects, with a schema of its own.
    case nested
}

/// The fields of one object of a CAPI event.
struct CAPISchema {
    let names: [StaticString]
    let forms: [CAPIForm]

    private init(_ fields: [(name: StaticString, form: CAPIForm)]) {
        names = fields.map(\.name)
        forms = fields.map(\.form)
    }

    static let root = CAPISchema([
        ("data", .nested), ("continueOnValidationError", .nested), ("dataProvider", .text),
    ])

    static let event = CAPISchema([
        ("eventType", .eventType), ("eventTime", .eventTime), ("userData", .nested), ("eventSourceUrl", .url),
        ("eventId", .text), ("eventName", .text), ("customData", .nested), ("pageLoadId", .version4GUID),
        ("referrerUrl", .url), ("pageTitle", .text), ("keywords", .text), ("adStorageConsent", .consent),
    ])

    static let userData = CAPISchema([
        ("anonymousId", .anonymousText), ("externalId", .anonymousText), ("em", .sha256), ("ph", .sha256),
        ("msclkid", .clickID), ("idfa", .anonymousText), ("gaid", .anonymousText),
        ("clientIpAddress", .address), ("clientUserAgent", .text),
    ])

    static let customData = CAPISchema([
        ("value", .decimal), ("items", .nested), ("hotelData", .nested), ("eventCategory", .text),
        ("eventLabel", .text), ("eventValue", .decimal), ("currency", .currency), ("transactionId", .text),
        ("searchTerm", .anonymousText), ("itemIds", .texts), ("pageType", .pageType), ("ecommTotalValue", .decimal),
        ("ecommCategory", .text),
    ])

    static let product = CAPISchema([
        ("id", .text), ("quantity", .integer), ("price", .decimal), ("name", .text),
    ])

    static let hotelData = CAPISchema([
        ("totalPrice", .decimal), ("basePrice", .decimal), ("checkinDate", .date), ("checkoutDate", .date),
        ("lengthOfStay", .integer), ("partnerHotelId", .anonymousText), ("bookingHref", .anonymousText),
    ])

    // Places of the fields that more than their form is asked of.
    enum Root { static let data = 0, continues = 1, provider = 2 }
    enum Event { static let type = 0, time = 1, userData = 2, url = 3, id = 4, name = 5, customData = 6 }
    /// The first so many fields of `userData` identify a person.
    static let identifierCount = 7
    enum Custom { static let value = 0, items = 1, hotelData = 2, currency = 6, transactionID = 7 }
    enum Hotel { static let checkout = 3, length = 4 }
}
