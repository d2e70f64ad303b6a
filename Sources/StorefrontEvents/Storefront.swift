import FakeMicrosoft
import ForwarderCore

/// A make-believe shop: visitors come, look, search, buy or leave, and now and then something sends nonsense. Everything
/// is drawn from one seed. For demo, benchmarks and tests.
public struct Storefront: Sendable {
    /// One record for Kafka, and what should become of it.
    public struct Record: Sendable {
        /// nil: a tombstone.
        public var value: [UInt8]?
        /// Visits stay on one partition.
        public var key: [UInt8]
        public var eventID: String
        public var kind: Kind
        /// Its id stands in it.
        public var hasID: Bool { kind != .tombstone && kind != .bad(.notAnObject) }
        /// It is a JSON object.
        public var isObject: Bool { hasID && kind != .bad(.malformedJSON) }
        /// It carries a click id, an e-mail address or a telephone number.
        public var isMatchable = false
        /// It carries the token of an auction.
        public var hasToken = false
        /// The event id of the Purchase that it comes behind.
        var follows: String?
    }

    public enum Kind: Sendable, Equatable {
        /// One of the eight events of the default mapping, by its name.
        case event(String)
        /// Good, but mapped nowhere.
        case custom
        /// Rejected for every destination that maps it, for this reason.
        case bad(RejectReason)
        case tombstone
        /// A Purchase that was published under this event id already.
        case again(String)
        case refund(Refund)
    }

    public struct Refund: Sendable, Equatable {
        public var transactionID: String
        /// What is left of the order, as short as can be; nil: nothing.
        public var rest: String?
    }

    /// How many of a thousand records are nonsense.
    public var nonsensePerMille = 15
    /// How many of a thousand purchases are published once more under another event id, on the same partition.
    public var repeatsPerMille = 0
    /// How many of a thousand purchases with a click id, an e-mail address or a telephone number are refunded.
    public var refundsPerMille = 0
    /// When the auctions were that sent every third visitor; nil: there were none.
    public var auctions: Timestamp?
    private var random: SeededRandom
    private var nextVisit = 0
    private var nextEvent = 0
    private var waiting: [Record] = []
    private let name: String

    /// `name` keeps the event ids of different runs apart.
    public init(seed: UInt64, name: String = "shop") {
        random = SeededRandom(seed: seed)
        self.name = name
    }

    /// The next record, with `now` (seconds since 1970) as its time.
    public mutating func next(now: Int64) -> Record {
        if Int.random(in: 0..<1000, using: &random) < nonsensePerMille { return nonsense(now) }
        // Several visits go on at once.
        while waiting.count < 64 { visit() }
        var index = Int.random(in: 0..<8, using: &random)
        // Nothing is said about an order before the order.
        if let first = waiting[index].follows { index = waiting.firstIndex { $0.eventID == first } ?? index }
        var record = waiting.remove(at: index)
        record.value = record.value.map { Storefront.stamped($0, now) }
        return record
    }

    /// Puts the time where `add` left room for it.
    private static func stamped(_ value: [UInt8], _ now: Int64) -> [UInt8] {
        let room = Array(timeRoom.utf8)
        guard let start = value.indices.first(where: { value[$0...].starts(with: room) }) else { return value }
        return value[..<start] + Array("\(now)".utf8) + value[(start + room.count)...]
    }

    private static let timeRoom = "@time@"

    // MARK: Visits

    private struct Visitor {
        var number: Int
        var anonymousID: String
        var email: String?
        var phone: String?
        var clickID: String?
        var token: String?
        var address: String
        var agent: String
        var consent: String?

        var isMatchable: Bool { email != nil || phone != nil || clickID != nil }
    }

    private mutating func visit() {
        nextVisit += 1
        let visitor = visitor(nextVisit)
        let items = (0..<Int.random(in: 1...3, using: &random)).map { _ in Int.random(in: 1...400, using: &random) }
        add(visitor, "PageView", page: "", title: "Home")
        if chance(30) {
            add(visitor, "Search", page: "search", title: "Search", ["\"search_term\":\"\(pick(terms))\""])
        }
        for item in items {
            let price = price(of: item)
            add(visitor, "PageView", page: "p/\(item)", title: "Item \(item)")
            add(
                visitor, "ViewContent", page: "p/\(item)", title: "Item \(item)",
                [
                    "\"item_ids\":[\"sku-\(item)\"]", "\"value\":\(price)", "\"currency\":\"EUR\"",
                    "\"page_type\":\"product\"",
                ])
            if chance(50) {
                add(
                    visitor, "AddToCart", page: "cart", title: "Cart",
                    [
                        "\"item_ids\":[\"sku-\(item)\"]", itemList([item]), "\"value\":\(price)",
                        "\"currency\":\"EUR\"",
                        "\"page_type\":\"cart\"",
                    ])
            }
        }
        if chance(10) { add(visitor, "WishlistAdd", page: "wishlist", title: "Wishlist", kind: .custom) }
        if chance(12) { add(visitor, "SignUp", page: "account", title: "Welcome") }
        if chance(12) { add(visitor, "Lead", page: "contact", title: "Contact", ["\"label\":\"newsletter\""]) }
        guard chance(40) else { return }
        let total = total(of: items)
        let money = ["\"value\":\(total)", "\"currency\":\"EUR\"", itemList(items)]
        add(visitor, "InitiateCheckout", page: "checkout", title: "Checkout", money)
        guard chance(70) else { return }
        let number = "\(name)-\(nextVisit)"
        let order = "\"transaction_id\":\"\(number)\""
        let purchase = money + [order, "\"page_type\":\"purchase\""]
        let id = add(visitor, "Purchase", page: "thanks", title: "Thank you", purchase)
        if happens(repeatsPerMille) {
            add(visitor, "Purchase", page: "thanks", title: "Thank you", purchase, kind: .again(id), behind: id)
        }
        guard visitor.isMatchable, happens(refundsPerMille) else { return }
        // The first item, or everything.
        let whole = items.reduce(0) { $0 + cents(of: $1) }
        let part = items.count > 1 && chance(60) ? cents(of: items[0]) : whole
        let refund = Refund(transactionID: number, rest: part < whole ? shortest(whole - part) : nil)
        add(
            visitor, "Refund", page: "returns", title: "Returns",
            ["\"value\":\(shortest(part))", "\"currency\":\"EUR\"", order], kind: .refund(refund), behind: id)
    }

    private mutating func visitor(_ number: Int) -> Visitor {
        let isKnown = chance(60)
        let first = pick(firstNames)
        return Visitor(
            number: number, anonymousID: hex(32),
            email: isKnown ? "\(first).\(pick(lastNames))\(number)+shop@mail\(number % 7).example" : nil,
            phone: chance(35) ? phone(number) : nil, clickID: chance(45) ? hex(32) : nil,
            token: number % 3 == 0 ? auctions.map { AuctionToken(.click, user: UInt64(number), at: $0).text } : nil,
            address: chance(80) ? "203.0.113.\(number % 250 + 1)" : "2001:db8::\(String(number % 9999, radix: 16))",
            agent: pick(agents), consent: chance(90) ? "granted" : nil)
    }

    /// Returns the event's id.
    @discardableResult
    private mutating func add(
        _ visitor: Visitor, _ event: String, page: String, title: String, _ properties: [String] = [],
        kind: Kind? = nil, behind first: String? = nil
    ) -> String {
        let id = newID()
        var user = ["\"anonymous_id\":\"\(visitor.anonymousID)\""]
        if let email = visitor.email { user.append("\"email\":\"\(email)\"") }
        if let phone = visitor.phone { user.append("\"phone\":\"\(phone)\"") }
        if let clickID = visitor.clickID { user.append("\"msclkid\":\"\(clickID)\"") }
        if let token = visitor.token { user.append("\"sspdata\":\"\(token)\"") }
        user.append("\"ip_address\":\"\(visitor.address)\"")
        user.append("\"user_agent\":\"\(visitor.agent)\"")
        var members = [
            "\"event\":\"\(event)\"", "\"event_id\":\"\(id)\"", "\"event_time\":\(Storefront.timeRoom)",
            "\"url\":\"https://shop.example/\(page)?utm_source=bing&utm_campaign=c\(visitor.number % 12)\"",
            "\"referrer\":\"https://shop.example/\"", "\"title\":\"\(title)\"",
        ]
        if let consent = visitor.consent { members.append("\"consent\":{\"ad_storage\":\"\(consent)\"}") }
        members.append("\"user\":{\(user.joined(separator: ","))}")
        if !properties.isEmpty { members.append("\"properties\":{\(properties.joined(separator: ","))}") }
        members.append("\"source\":\"shop-eu\"")
        let json = "{" + members.joined(separator: ",") + "}"
        waiting.append(
            Record(
                value: Array(json.utf8), key: Array(visitor.anonymousID.utf8), eventID: id,
                kind: kind ?? .event(event),
                isMatchable: visitor.isMatchable, hasToken: visitor.token != nil, follows: first))
        return id
    }

    // MARK: Nonsense

    private mutating func nonsense(_ now: Int64) -> Record {
        let id = newID()
        let key = Array(hex(8).utf8)
        func record(_ text: String, _ reason: RejectReason) -> Record {
            Record(value: Array(text.utf8), key: key, eventID: id, kind: .bad(reason))
        }
        func event(_ time: String, user: String = #"{"anonymous_id":"n1"}"#) -> String {
            #"{"event":"PageView","event_id":"\#(id)","event_time":\#(time),"url":"https://shop.example/","user":\#(user)}"#
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return Record(value: nil, key: key, eventID: id, kind: .tombstone)
        case 1: return record(event("\(now)000"), .timestampInMilliseconds)
        case 2: return record(event("\(now - 8 * 86_400)"), .tooOld)
        case 3: return record(event("\(now + 3600)"), .inTheFuture)
        case 4: return record(event("\(now)", user: "{}"), .noIdentifier)
        case 5: return record(String(event("\(now)").dropLast(7)), .malformedJSON)
        case 6: return record("[1,2,3]", .notAnObject)
        default: return record(event("\"yesterday\""), .timestampNotANumber)
        }
    }

    // MARK: Drawing

    private mutating func newID() -> String {
        nextEvent += 1
        return "\(name)-e\(nextEvent)"
    }

    private mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    private mutating func happens(_ perMille: Int) -> Bool {
        perMille > 0 && Int.random(in: 0..<1000, using: &random) < perMille
    }

    private mutating func pick(_ words: [String]) -> String {
        words[Int.random(in: words.indices, using: &random)]
    }

    private mutating func hex(_ count: Int) -> String {
        var digits = ""
        while digits.count < count {
            let part = String(random.next(), radix: 16)
            digits += String(repeating: "0", count: 16 - part.count) + part
        }
        return String(digits.prefix(count))
    }

    /// One of its own for each visitor: Microsoft tells conversions apart by who made them.
    private func phone(_ number: Int) -> String {
        let digits = String(10_000_000 + number).dropFirst()
        return "+1 (425) \(digits.prefix(3))-\(digits.dropFirst(3))"
    }

    private func price(of item: Int) -> String { "\(item % 90 + 1).\(item % 10)9" }

    private func cents(of item: Int) -> Int { (item % 90 + 1) * 100 + item % 10 * 10 + 9 }

    /// `49.9`
    private func shortest(_ cents: Int) -> String {
        if cents % 100 == 0 { return "\(cents / 100)" }
        let fraction = cents % 10 == 0 ? "\(cents % 100 / 10)" : "\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
        return "\(cents / 100).\(fraction)"
    }

    private func total(of items: [Int]) -> String {
        let cents = items.reduce(0) { $0 + self.cents(of: $1) }
        return "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
    }

    private func itemList(_ items: [Int]) -> String {
        let list = items.map {
            "{\"id\":\"sku-\($0)\",\"name\":\"Item \($0)\",\"price\":\(price(of: $0)),\"quantity\":1}"
        }
        return "\"items\":[\(list.joined(separator: ","))]"
    }

    private let terms = ["mug", "tea pot", "gift for a friend", "caf\u{e9}", "blue plate"]
    private let firstNames = ["ada", "Grace", "alan", "Edsger", "barbara", "Tony"]
    private let lastNames = ["north", "West", "east", "South"]
    private let agents = [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
    ]
}
