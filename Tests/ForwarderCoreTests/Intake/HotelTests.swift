import Testing

@testable import ForwarderCore

@Suite struct HotelTests {
    private func publish(_ properties: String, name: String = #""Purchase""#) -> Shop.Outcome {
        Shop(.capi()).publish(event(name, properties: properties, #""url":"https://hotel.example/""#))[0]
    }

    @Test(arguments: [
        #""hotel":{"total_price":310.50,"checkin_date":"2026-09-01","length_of_stay":3,"partner_hotel_id":"h"}"#,
        #""hotel":{"totalPrice":"310.50","checkinDate":"2026-09-01","lengthOfStay":"3","partnerHotelId":"h"}"#,
        #""hotel_data":{"total_price":310.50,"check_in_date":"2026-09-01","length_of_stay":3.0,"partnerHotelId":"h"}"#,
        #""hotelData":{"totalPrice":310.50,"checkInDate":"2026-09-01","lengthOfStay":3,"partnerHotelId":"h","x":{}}"#,
    ])
    func `a stay is read in every spelling`(_ properties: String) {
        #expect(
            value("customData", "hotelData", in: publish(properties).content)
                == #"{"totalPrice":310.50,"checkinDate":"2026-09-01","lengthOfStay":3,"partnerHotelId":"h"}"#)
    }

    @Test(arguments: [
        ("total_price", "-1", "out_of_range"), ("base_price", #""cheap""#, "invalid"),
        ("base_price", "[]", "wrong_type"),
        ("checkin_date", #""2026-02-29""#, "invalid"), ("checkin_date", #""2026-9-1""#, "invalid"),
        ("checkin_date", #""2026-09-01T00:00""#, "invalid"), ("checkin_date", "20260901", "invalid"),
        ("checkin_date", #""2026-13-01""#, "invalid"), ("checkin_date", "{}", "wrong_type"),
        ("length_of_stay", "2.5", "invalid"), ("length_of_stay", "-1", "invalid"),
        ("length_of_stay", "1e12", "out_of_range"), ("partner_hotel_id", "true", "wrong_type"),
        ("booking_href", #""ada@example.com""#, "personal_data"),
    ])
    func `a bad field is left out and counted, and the stay goes on`(_ field: String, _ json: String, _ reason: String)
    {
        let outcome = publish(#""hotel":{"checkout_date":"2026-09-04","\#(field)":\#(json)}"#)
        #expect(value("customData", "hotelData", in: outcome.content) == #"{"checkoutDate":"2026-09-04"}"#)
        let name = field == "partner_hotel_id" ? "hotel_partner_id" : "hotel_\(field)"
        #expect(outcome.dropped == ["\(name) \(reason)"])
    }

    @Test func `a stay without an end or a length is left out, each field counted`() {
        let outcome = publish(
            #""value":5,"hotel":{"total_price":9,"base_price":null,"checkin_date":"2026-09-01","booking_href":" "}"#)
        #expect(value("customData", in: outcome.content) == #"{"value":5}"#)
        #expect(outcome.dropped == ["hotel_total_price incomplete", "hotel_checkin_date incomplete"])
        // What was wrong already keeps its reason.
        #expect(publish(#""hotel":{"length_of_stay":"x"}"#).dropped == ["hotel_length_of_stay invalid"])
    }

    @Test(arguments: [#""Ritz""#, "[]", "[{}]", "null", "7", "{}"])
    func `what holds no stay says nothing`(_ hotel: String) {
        #expect(publish(#""hotel":\#(hotel)"#).content == publish(#""x":1"#).content)
    }

    @Test func `a page load carries a stay and its currency`() {
        let content = publish(#""currency":"EUR","hotel":{"length_of_stay":2}"#, name: #""PageView""#).content
        #expect(value("customData", in: content) == #"{"currency":"EUR","hotelData":{"lengthOfStay":2}}"#)
    }

    @Test func `an offline conversion knows no hotels`() {
        let outcome = Shop(.offline()).publish(
            event(user: #""phone":"+14255550100""#, properties: #""hotel":{"length_of_stay":"x"}"#))[0]
        #expect(outcome.content?.contains("otel") == false)
        #expect(outcome.dropped == [])
    }
}
