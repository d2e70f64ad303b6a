/// Where the fields of an event stand, compiled from the preset and the configured paths into a tree of small hash
/// tables: one look-up per member that is met, none per field that is looked for.
struct FieldMap: ~Copyable, @unchecked Sendable {
    // @unchecked: the memory behind the tables is written in init only and freed with the one owner.
    enum Target: Sendable {
        /// The value is this field. A canonical spelling wins over another one in the same event.
        case field(EventField, isCanonical: Bool)
        /// The value is an object (or array) in which fields stand: the node that knows them.
        case child(Int)
    }

    /// One object of the event: a table with open addressing, a power of two in size and never more than half full.
    private struct Node {
        var firstSlot: Int
        var mask: Int
    }

    private struct Slot {
        var key = Bytes(start: nil, count: 0)
        var target: Target?
    }

    // Not arrays: this is read for every member of every event, and a look-up must not touch a reference count.
    private let nodes: UnsafeMutableBufferPointer<Node>
    private let slots: UnsafeMutableBufferPointer<Slot>
    private var keys = Arena(capacity: 2 << 10)

    /// The root of an event.
    static let root = 0

    init(_ settings: InputSettings) {
        var tree = Tree()
        let overridden = Set(settings.fields.map(\.field))
        for (path, field) in FieldMap.storefront where !overridden.contains(field) {
            tree.insert(path[...], field, isCanonical: true)
            let camelCase = path.last.map(FieldMap.camelCased) ?? ""
            if camelCase != path.last { tree.insert(path.dropLast() + [camelCase], field, isCanonical: false) }
        }
        for (path, field) in FieldMap.otherSpellings where !overridden.contains(field) {
            tree.insert(path[...], field, isCanonical: false)
        }
        for entry in settings.fields { tree.insert(entry.path[...], entry.field, isCanonical: true) }
        self.init(tree)
    }

    /// A map for the members of one item.
    static let item: FieldMap = {
        var tree = Tree()
        tree.insert(["id"], .itemID, isCanonical: true)
        tree.insert(["name"], .itemName, isCanonical: true)
        tree.insert(["price"], .itemPrice, isCanonical: true)
        tree.insert(["quantity"], .itemQuantity, isCanonical: true)
        return FieldMap(tree)
    }()

    private init(_ tree: Tree) {
        let sizes = tree.members.map { members in
            var size = 4
            while size < members.count * 2 { size *= 2 }
            return size
        }
        nodes = .allocate(capacity: sizes.count)
        slots = .allocate(capacity: sizes.reduce(0, +))
        slots.initialize(repeating: Slot())
        var firstSlot = 0
        for (index, members) in tree.members.enumerated() {
            nodes.initializeElement(at: index, to: Node(firstSlot: firstSlot, mask: sizes[index] - 1))
            firstSlot += sizes[index]
            for (name, target) in members { insert(name, target, nodes[index]) }
        }
    }

    deinit {
        nodes.deallocate()
        slots.deallocate()
    }

    private mutating func insert(_ name: String, _ target: Target, _ node: Node) {
        let key = keys.copy(name.utf8)
        var index = Int(FieldMap.hash(key)) & node.mask
        while slots[node.firstSlot + index].target != nil { index = (index + 1) & node.mask }
        slots[node.firstSlot + index] = Slot(key: key, target: target)
    }

    @inline(__always)
    func target(of key: Bytes, in node: Int) -> Target? {
        let node = nodes[node]
        var index = Int(FieldMap.hash(key)) & node.mask
        while true {
            let slot = slots[node.firstSlot &+ index]
            guard let target = slot.target else { return nil }
            if slot.key.equals(key) { return target }
            index = (index &+ 1) & node.mask
        }
    }

    @inline(__always)
    static func hash(_ key: Bytes) -> UInt32 {
        guard let first = key.first, let last = key.last else { return 0 }
        let middle = key[key.count / 2]
        var hash = UInt32(key.count) &* 0x9E37_79B1
        hash ^= UInt32(first) | UInt32(last) << 8 | UInt32(middle) << 16
        hash = hash &* 0x85EB_CA6B
        return hash ^ hash >> 15
    }

    // MARK: The storefront preset

    static let storefront: [([String], EventField)] = [
        (["event"], .event), (["event_id"], .eventID), (["event_time"], .eventTime), (["url"], .url),
        (["referrer"], .referrer), (["title"], .title), (["keywords"], .keywords),
        (["page_load_id"], .pageLoadID), (["source"], .source),
        (["consent", "ad_storage"], .adStorage),
        (["user", "email"], .email), (["user", "phone"], .phone), (["user", "external_id"], .externalID),
        (["user", "anonymous_id"], .anonymousID), (["user", "msclkid"], .clickID),
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
    ]

    /// Spellings in use that are not the camelCase of the canonical one.
    private static let otherSpellings: [([String], EventField)] = [
        (["user", "client_ip_address"], .ipAddress), (["user", "clientIpAddress"], .ipAddress),
        (["user", "client_user_agent"], .userAgent), (["user", "clientUserAgent"], .userAgent),
    ]

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
}

/// The tree while it is being built.
private struct Tree {
    private(set) var members: [[String: FieldMap.Target]] = [[:]]

    mutating func insert(_ path: ArraySlice<String>, _ field: EventField, isCanonical: Bool, at node: Int = 0) {
        guard let name = path.first else { return }
        guard path.count > 1 else {
            if case .field(_, isCanonical: true)? = members[node][name], !isCanonical { return }
            members[node][name] = .field(field, isCanonical: isCanonical)
            return
        }
        let child: Int
        if case .child(let existing)? = members[node][name] {
            child = existing
        } else {
            child = members.count
            members.append([:])
            members[node][name] = .child(child)
        }
        insert(path.dropFirst(), field, isCanonical: isCanonical, at: child)
    }
}
