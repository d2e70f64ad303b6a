/// A text of the event, lent for as long as its record is processed. Empty and absent are the same.
struct EventText {
    var bytes: Bytes
    /// The text came out of JSON with escapes, so it may hold what JSON must escape; any other text is copied as it is.
    var needsEscaping: Bool

    static var absent: EventText { EventText(bytes: Bytes(start: nil, count: 0), needsEscaping: false) }

    init(bytes: Bytes, needsEscaping: Bool) {
        self.bytes = bytes
        self.needsEscaping = needsEscaping
    }

    /// Of bytes that hold nothing JSON must escape.
    init(plain bytes: Bytes) {
        self.init(bytes: bytes, needsEscaping: false)
    }

    var isPresent: Bool { !bytes.isEmpty }
}

/// What the storefront says of consent to advertising.
enum AdStorage: Sendable {
    case missing, granted, denied
    /// It says something, but not that it was granted: treated as denied.
    case unreadable
}

/// One line of `items`.
struct EventItem {
    var id = EventText.absent
    var name = EventText.absent
    var price: DecimalText?
    var quantity: DecimalText?

    var isEmpty: Bool { !id.isPresent && !name.isPresent && price == nil && quantity == nil }
}

/// The event after decoding and normalisation: what is here may be sent, what could not be used is in `dropped`. Every
/// text is lent and dies with the record. Not copyable, because it is large and one is read for every record.
struct StorefrontEvent: ~Copyable {
    var name = EventText.absent
    var id = EventText.absent
    var isIDDerived = false
    /// Seconds since 1970.
    var time: Int64 = 0
    /// What is wrong for every destination. `time` and `name` mean nothing if it says so.
    var violations: RejectReasons = []
    var dropped = DroppedFields()

    var url = EventText.absent
    var referrer = EventText.absent
    var title = EventText.absent
    var keywords = EventText.absent
    var pageLoadID = EventText.absent
    var source = EventText.absent
    var adStorage = AdStorage.missing

    /// Lowercase hexadecimal SHA-256. The two forms differ only for addresses with accents or inner spaces.
    var emailHash = EventText.absent
    var enhancedEmailHash = EventText.absent
    var phoneHash = EventText.absent
    var externalID = EventText.absent
    var anonymousID = EventText.absent
    var clickID = EventText.absent
    /// The token of an auction of Invest.
    var sspData = EventText.absent
    var ipAddress = EventText.absent
    var userAgent = EventText.absent
    var idfa = EventText.absent
    var gaid = EventText.absent

    var value: DecimalText?
    var currency = EventText.absent
    var transactionID = EventText.absent
    var searchTerm = EventText.absent
    var category = EventText.absent
    var label = EventText.absent
    var pageType = EventText.absent
    var eventValue: DecimalText?
    var ecommTotalValue: DecimalText?
    var ecommCategory = EventText.absent
    var externalAttributionCredit: DecimalText?
    var externalAttributionModel = EventText.absent
    /// Of a refund: when the order was made, in seconds since 1970, and what it was worth, if the shop says so.
    var originalTime: Int64?
    var originalValue: DecimalText?
    /// One at most. A list, so that the events that have none do not pay for it.
    var hotelStays: [HotelStay] = []
    var itemIDs: [EventText] = []
    var items: [EventItem] = []

    /// Forgets everything but the memory of the lists.
    mutating func reset() {
        var fresh = StorefrontEvent()
        swap(&fresh.itemIDs, &itemIDs)
        swap(&fresh.items, &items)
        swap(&fresh.hotelStays, &hotelStays)
        fresh.itemIDs.removeAll(keepingCapacity: true)
        fresh.items.removeAll(keepingCapacity: true)
        if !fresh.hotelStays.isEmpty { fresh.hotelStays.removeAll(keepingCapacity: true) }
        self = fresh
    }
}
