@testable import ForwarderCore

/// A storefront event, written as the call of Segment that says the same.
struct SegmentTwin {
    private static let names = [
        "Purchase": "Order Completed", "AddToCart": "product_added", "ViewContent": "Product Viewed",
        "InitiateCheckout": "CHECKOUT STARTED", "Search": "Products Searched", "SignUp": "Signed Up",
        "Lead": "Lead Generated",
    ]
    private static let user: [String: [String]] = [
        "email": ["context", "traits", "email"], "phone": ["context", "traits", "phone"], "external_id": ["userId"],
        "anonymous_id": ["anonymousId"], "msclkid": ["properties", "msclkid"], "ip_address": ["context", "ip"],
        "user_agent": ["context", "userAgent"],
    ]
    private static let properties = [
        "value": "revenue", "transaction_id": "order_id", "search_term": "query", "items": "products",
        "category": "event_category", "label": "event_label",
    ]

    private var root = JSONValue.object([])

    /// nil if there is no such call: one has no keywords of another type, and no ids of two kinds of device.
    static func of(_ event: JSONValue) -> JSONValue? {
        guard case .object(let members) = event else { return nil }
        var twin = SegmentTwin()
        for member in members where !twin.add(member) { return nil }
        return twin.root
    }

    private mutating func add(_ member: JSONValue.Member) -> Bool {
        switch (member.name, member.value) {
        case ("event", .string("PageView")): put(.string("page"), at: ["type"])
        case ("event", .string(let name)):
            put(.string("track"), at: ["type"])
            put(.string(SegmentTwin.names[name] ?? name), at: ["event"])
        case ("event_id", let value): put(value, at: ["messageId"])
        case ("event_time", .number(let seconds)):
            var time = ByteBuffer()
            ISO8601.append(Int64(seconds) ?? 0, to: &time)
            put(.string(String(decoding: time.array().dropLast(), as: UTF8.self) + ".9Z"), at: ["timestamp"])
        case ("url", let value), ("referrer", let value), ("title", let value):
            put(value, at: ["context", "page", member.name])
        case ("keywords", .array): return false
        case ("keywords", let value), ("page_load_id", let value): put(value, at: ["properties", member.name])
        case ("source", _): break
        case ("consent", .object(let members)):
            for member in members {
                put(member.value, at: ["context", "consent", "categoryPreferences", "Advertising"])
            }
        case ("user", .object(let members)):
            if members.contains(where: { $0.name == "idfa" }), members.contains(where: { $0.name == "gaid" }) {
                return false
            }
            for member in members { addUser(member) }
        case ("properties", .object(let members)):
            for member in members {
                let value = member.name == "items" ? SegmentTwin.products(member.value) : member.value
                put(value, at: ["properties", SegmentTwin.properties[member.name] ?? member.name])
            }
        default: return false
        }
        return true
    }

    private mutating func addUser(_ member: JSONValue.Member) {
        if let path = SegmentTwin.user[member.name] { return put(member.value, at: path) }
        put(.string(member.name == "idfa" ? "iOS" : "android"), at: ["context", "device", "type"])
        put(member.value, at: ["context", "device", "advertisingId"])
    }

    private static func products(_ items: JSONValue) -> JSONValue {
        guard case .array(let items) = items else { return items }
        return .array(
            items.map { item in
                guard case .object(let members) = item else { return item }
                return .object(
                    members.map { .init(name: $0.name == "id" ? "product_id" : $0.name, value: $0.value) })
            })
    }

    private mutating func put(_ value: JSONValue, at path: [String]) {
        root = SegmentTwin.put(value, at: path[...], in: root)
    }

    private static func put(_ value: JSONValue, at path: ArraySlice<String>, in parent: JSONValue) -> JSONValue {
        guard let name = path.first else { return value }
        var members: [JSONValue.Member] = []
        if case .object(let present) = parent { members = present }
        let index = members.firstIndex { $0.name == name } ?? members.endIndex
        if index == members.endIndex { members.append(.init(name: name, value: .object([]))) }
        members[index].value = put(value, at: path.dropFirst(), in: members[index].value)
        return .object(members)
    }
}
