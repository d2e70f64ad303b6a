/// A stay in a hotel that was looked at or booked. It says when it ends or how long it is, or it says nothing at all:
/// Microsoft can do nothing with less.
struct HotelStay {
    /// With taxes and fees.
    var totalPrice: DecimalText?
    /// Without them.
    var basePrice: DecimalText?
    /// `YYYY-MM-DD`, as the other date.
    var checkinDate = EventText.absent
    var checkoutDate = EventText.absent
    /// Nights.
    var lengthOfStay: DecimalText?
    var partnerHotelID = EventText.absent
    var bookingHref = EventText.absent

    var isPresent: Bool { checkoutDate.isPresent || lengthOfStay != nil }
}

extension EventField {
    static let hotelFields: [EventField] = [
        .hotelTotalPrice, .hotelBasePrice, .hotelCheckinDate, .hotelCheckoutDate, .hotelLengthOfStay, .hotelPartnerID,
        .hotelBookingHref,
    ]

    /// They follow each other.
    @inline(__always)
    static var hotelBits: UInt64 { hotelBookingHref.bit << 1 - hotelTotalPrice.bit }
}

extension EventReader {
    mutating func readHotelStay() {
        var stay = HotelStay()
        stay.totalPrice = price(.hotelTotalPrice)
        stay.basePrice = price(.hotelBasePrice)
        stay.checkinDate = checked(.hotelCheckinDate, ISO8601.isDate)
        stay.checkoutDate = checked(.hotelCheckoutDate, ISO8601.isDate)
        if let place = scanner.place(of: .hotelLengthOfStay) {
            stay.lengthOfStay = wholeNumber(.hotelLengthOfStay, at: place)
        }
        stay.partnerHotelID = plainText(.hotelPartnerID)
        stay.bookingHref = plainText(.hotelBookingHref)
        guard !stay.isPresent else { return event.hotelStays.append(stay) }
        for field in EventField.hotelFields where !event.dropped.contains(field) { dropIfGiven(field, .incomplete) }
    }

    private mutating func price(_ field: EventField) -> DecimalText? {
        guard let price = decimal(field) else { return nil }
        guard !price.isNegative else {
            event.dropped.insert(field, .outOfRange)
            return nil
        }
        return price
    }
}
