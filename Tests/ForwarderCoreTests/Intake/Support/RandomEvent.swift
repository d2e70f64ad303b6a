@testable import ForwarderCore

/// Events as no shop would publish them: any field missing, or of any type, with texts of all kinds.
struct RandomEvent {
    /// Put into texts now and then.
    var planted: [String] = []

    private static let page = ["url", "referrer", "title", "keywords", "page_load_id", "source"]
    private static let user = [
        "email", "phone", "external_id", "anonymous_id", "msclkid", "ip_address", "user_agent", "idfa", "gaid",
    ]
    private static let properties = [
        "value", "currency", "transaction_id", "search_term", "item_ids", "items", "category", "label", "page_type",
        "event_value", "ecomm_total_value", "ecomm_category", "external_attribution_credit",
        "external_attribution_model", "original_time", "original_value", "hotel",
    ]
    private static let hotel = [
        "total_price", "base_price", "checkin_date", "checkout_date", "length_of_stay", "partner_hotel_id",
        "booking_href",
    ]

    func make(using random: inout SeededRandom) -> JSONValue {
        var members = [
            JSONValue.Member(
                name: "event", value: .string(pick(["Purchase", "PageView", "Lead", "SignUp", "Other"], &random)))
        ]
        if Int.random(in: 0..<8, using: &random) > 0 { add("event_id", value("event_id", &random)) }
        add("event_time", .number("\(Shop.now - Int64.random(in: 0...3, using: &random) * 86_400)"))
        for field in RandomEvent.page where Bool.random(using: &random) { add(field, value(field, &random)) }
        if Bool.random(using: &random) {
            let consent = pick(["granted", "denied", "G", "D", "", "maybe"], &random)
            add("consent", .object([.init(name: "ad_storage", value: .string(consent))]))
        }
        add("user", object(RandomEvent.user, &random))
        add("properties", object(RandomEvent.properties, &random))
        func add(_ name: String, _ value: JSONValue) { members.append(.init(name: name, value: value)) }
        return .object(members)
    }

    private func object(_ fields: [String], _ random: inout SeededRandom) -> JSONValue {
        var members: [JSONValue.Member] = []
        for field in fields where Bool.random(using: &random) {
            members.append(.init(name: field, value: value(field, &random)))
        }
        return .object(members)
    }

    private func value(_ field: String, _ random: inout SeededRandom) -> JSONValue {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return .null
        case 1: return JSONValue.random(using: &random, depth: 3)
        case 2, 3, 4: return .string(text(&random))
        default: return good(field, &random)
        }
    }

    private func good(_ field: String, _ random: inout SeededRandom) -> JSONValue {
        switch field {
        case "email":
            .string(
                pick(
                    ["ada@example.com", "Ada.L+x@Example.com", " jöhn@contoso.com", "jo hn@contoso.com", "x"], &random))
        case "phone": .string(pick(["+1 (425) 555-0100", "0044 20 7946 0958", "4255550100", "+44 (0)20"], &random))
        case "msclkid":
            .string(pick(["dd4afcccb1c94a4cad9544dd7e5006ab", "_uetdd4afccc-b1c9-4a4c-ad95-44dd7e5006ab-1"], &random))
        case "ip_address": .string(pick(["203.0.113.7", "2001:db8::1", "1.2.3"], &random))
        case "page_load_id", "idfa", "gaid": .string("3f0c1b52-6a5e-4f0e-9c2a-0e6f3b1d9a77")
        case "currency": .string(pick(["USD", "eur", "EURO"], &random))
        case "page_type": .string(pick(["cart", "home", "checkout"], &random))
        case "value", "event_value", "ecomm_total_value", "external_attribution_credit":
            .number(JSONValue.randomNumber(using: &random))
        case "url", "referrer":
            .string("https://shop.example/" + pick(["", "a/", "?b=1&c=", "#", "x?e="], &random) + urlText(&random))
        case "hotel": object(RandomEvent.hotel, &random)
        case "total_price", "base_price": .number(JSONValue.randomNumber(using: &random))
        case "checkin_date", "checkout_date": .string(pick(["2026-09-01", "2026-02-29", "2028-02-29"], &random))
        case "length_of_stay": .number(pick(["1", "2.0", "2.5", "-1", "1e12"], &random))
        case "item_ids": .array((0..<3).map { _ in .string(text(&random)) })
        case "items": .array((0..<3).map { _ in item(&random) })
        default: .string(text(&random))
        }
    }

    private func item(_ random: inout SeededRandom) -> JSONValue {
        let members: [JSONValue.Member] = [
            .init(name: "id", value: .string(text(&random))), .init(name: "name", value: .string(text(&random))),
            .init(name: "price", value: .number(JSONValue.randomNumber(using: &random))),
            .init(name: "quantity", value: .number(pick(["1", "2.0", "2.5", "-1", "1e12"], &random))),
        ]
        return .object(members.filter { _ in Bool.random(using: &random) })
    }

    private func text(_ random: inout SeededRandom) -> String {
        guard let personal = planted.randomElement(using: &random), Bool.random(using: &random) else {
            return JSONValue.randomText(using: &random)
        }
        return pick(["", "x ", "mail: "], &random) + personal + pick(["", " y", ", z"], &random)
    }

    private func urlText(_ random: inout SeededRandom) -> String {
        let text = text(&random)
        let plain = String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { $0.value > 0x20 && !"<>\"\\\u{7F}".unicodeScalars.contains($0) }))
        return pick(["", "k=", "phone="], &random) + plain + pick(["", "&d=2", "#e"], &random)
    }

    private func pick(_ choices: [String], _ random: inout SeededRandom) -> String {
        choices.randomElement(using: &random) ?? ""
    }
}
