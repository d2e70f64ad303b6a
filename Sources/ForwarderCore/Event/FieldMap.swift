/// Where the fields of an event stand, compiled from the preset and the configured paths: one look-up per member that is
/// met, none per field that is looked for.
struct FieldMap: ~Copyable, Sendable {
    /// What one member of an object, or one element of an array, means.
    struct Target: BitwiseCopyable, Sendable {
        /// The fields whose value it is, as field bits, here under their proper name.
        var canonical: UInt64 = 0
        /// The fields whose value it is if the event does not have them under their proper name.
        var other: UInt64 = 0
        /// The node that knows what stands inside; 0 if nothing does.
        var child = 0
    }

    private let targets: NameTable<Target>
    /// By node: how many elements of an array can matter.
    private let elementLimits: [Int]
    /// The fields that have a path of their own in the configuration, as field bits.
    private let overridden: UInt64

    /// No event has room for so many elements: a larger number in a path can only name a member of an object.
    private static let elementLimit = 1 << 20

    /// The node of the event itself.
    static let root = 0

    init(_ settings: InputSettings) {
        var tree = Tree()
        let overridden = settings.fields.reduce(0) { $0 | $1.field.bit }
        func insert(_ places: [([String], EventField)], isCanonical: Bool) {
            for (path, field) in places where overridden & field.bit == 0 {
                tree.insertSpellings(of: path, field.bit, isCanonical: isCanonical)
            }
        }
        insert(FieldMap.places(of: settings), isCanonical: true)
        insert(FieldMap.otherHotel, isCanonical: false)
        switch settings.preset {
        case .storefront: insert(FieldMap.otherSpellings, isCanonical: false)
        case .segment:
            insert(FieldMap.segmentOtherPlaces, isCanonical: false)
            for (path, part) in FieldMap.segmentParts { tree.insertSpellings(of: path, part.bit, isCanonical: true) }
            for (path, part) in FieldMap.segmentOtherParts {
                tree.insertSpellings(of: path, part.bit, isCanonical: false)
            }
        }
        for entry in settings.fields { tree.insert(entry.path, entry.field.bit, isCanonical: true) }

        self.overridden = overridden
        targets = NameTable(
            tree.nodes.enumerated().flatMap { node, members in
                members.map { NameTable<Target>.Entry(scope: node, name: $0.key, value: $0.value) }
            })
        elementLimits = tree.nodes.map { members in
            let numbers = members.keys.compactMap { Int($0) }.filter { 0..<FieldMap.elementLimit ~= $0 }
            return (numbers.max() ?? -1) + 1
        }
    }

    @inline(__always)
    func target(of name: Bytes, in node: Int) -> Target? {
        targets.find(name, in: node)
    }

    /// How many elements of an array that is this node can matter.
    func elementLimit(of node: Int) -> Int {
        elementLimits[node]
    }

    func isOverridden(_ field: EventField) -> Bool {
        overridden & field.bit != 0
    }

    /// Where the fields stand by the preset alone.
    static func places(of settings: InputSettings) -> [([String], EventField)] {
        switch settings.preset {
        case .storefront: storefront + hotel(in: "hotel")
        case .segment: segment(consentCategory: settings.consentCategory) + hotel(in: "hotel")
        }
    }

    // MARK: The storefront preset

    private static let storefront: [([String], EventField)] = [
        (["event"], .event), (["event_id"], .eventID), (["event_time"], .eventTime), (["url"], .url),
        (["referrer"], .referrer), (["title"], .title), (["keywords"], .keywords),
        (["page_load_id"], .pageLoadID), (["source"], .source),
        (["consent", "ad_storage"], .adStorage),
        (["user", "email"], .email), (["user", "phone"], .phone), (["user", "external_id"], .externalID),
        (["user", "anonymous_id"], .anonymousID), (["user", "msclkid"], .clickID),
        (["user", "sspdata"], .sspData),
        (["user", "ip_address"], .ipAddress), (["user", "user_agent"], .userAgent), (["user", "idfa"], .idfa),
        (["user", "gaid"], .gaid),
        (["properties", "value"], .value), (["properties", "currency"], .currency),
        (["properties", "transaction_id"], .transactionID), (["properties", "search_term"], .searchTerm),
        (["properties", "item_ids"], .itemIDs), (["properties", "items"], .items),
        (["properties", "category"], .category), (["properties", "label"], .label),
        (["properties", "page_type"], .pageType), (["properties", "event_value"], .eventValue),
        (["properties", "ecomm_total_value"], .ecommTotalValue),
        (["properties", "ecomm_category"], .ecommCategory),
        (["properties", "external_attribution_credit"], .externalAttributionCredit),
        (["properties", "external_attribution_model"], .externalAttributionModel),
        (["properties", "original_time"], .originalTime), (["properties", "original_value"], .originalValue),
    ]

    private static func hotel(in object: String) -> [([String], EventField)] {
        [
            (["properties", object, "total_price"], .hotelTotalPrice),
            (["properties", object, "base_price"], .hotelBasePrice),
            (["properties", object, "checkin_date"], .hotelCheckinDate),
            (["properties", object, "checkout_date"], .hotelCheckoutDate),
            (["properties", object, "length_of_stay"], .hotelLengthOfStay),
            (["properties", object, "partner_hotel_id"], .hotelPartnerID),
            (["properties", object, "booking_href"], .hotelBookingHref),
        ]
    }

    private static let otherHotel: [([String], EventField)] =
        hotel(in: "hotel_data") + hotel(in: "hotelData")
        + ["hotel", "hotel_data", "hotelData"].flatMap { object in
            [
                (["properties", object, "check_in_date"], .hotelCheckinDate),
                (["properties", object, "check_out_date"], .hotelCheckoutDate),
            ]
        }

    /// Spellings in use besides the canonical one and its camelCase. A consent that names no storage must not be
    /// taken for a missing one, which may count as granted.
    private static let otherSpellings: [([String], EventField)] = [
        (["consent"], .adStorage),
        (["user", "client_ip_address"], .ipAddress), (["user", "client_user_agent"], .userAgent),
        (["user", "ssp_data"], .sspData),
    ]
}

/// The map while it is being built.
private struct Tree {
    /// By node, what its members mean.
    private(set) var nodes: [[String: FieldMap.Target]] = [[:]]

    /// Inserts a path and, as another one, the path whose last name is spelled in camelCase instead of snake_case, or the
    /// other way round.
    mutating func insertSpellings(of path: [String], _ bits: UInt64, isCanonical: Bool) {
        insert(path, bits, isCanonical: isCanonical)
        guard let last = path.last else { return }
        let other = last.contains("_") ? Tree.camelCased(last) : Tree.snakeCased(last)
        if other != last { insert(path.dropLast() + [other], bits, isCanonical: false) }
    }

    mutating func insert(_ path: [String], _ bits: UInt64, isCanonical: Bool) {
        guard let last = path.last else { return }
        var node = FieldMap.root
        for name in path.dropLast() { node = child(name, of: node) }
        if isCanonical {
            nodes[node][last, default: FieldMap.Target()].canonical |= bits
        } else {
            nodes[node][last, default: FieldMap.Target()].other |= bits
        }
    }

    private mutating func child(_ name: String, of node: Int) -> Int {
        if let target = nodes[node][name], target.child != 0 { return target.child }
        nodes.append([:])
        nodes[node][name, default: FieldMap.Target()].child = nodes.count - 1
        return nodes.count - 1
    }

    private static func camelCased(_ name: String) -> String {
        var result = ""
        var isStart = false
        for character in name {
            if character == "_" {
                isStart = true
            } else {
                result += isStart ? character.uppercased() : String(character)
                isStart = false
            }
        }
        return result
    }

    private static func snakeCased(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? ($0.isEmpty ? "" : "_") + $1.lowercased() : String($1) }
    }
}
