import FakeMicrosoft
import ForwarderCore
import Glibc

/// Makes records of which it knows what must become of them: events for one destination and for both, each way of being
/// wrong, tombstones, duplicates. Everything but the time is drawn from the seed.
struct ChaosShop {
    /// A larger record is rejected; to be configured so.
    static let eventBytes = 16 << 10
    /// An address as a shop sends it, and what must arrive of it: its SHA-256, by sha256sum.
    private static let address = " Ada@Example.com "
    private static let addressHash = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"

    private let partitions: Int32
    /// Seconds.
    private let requestTimeout: Int64
    private let hasAged: Bool
    private var random: SeededRandom
    private var number = 0
    /// The last events, to be published again.
    private var recent: [ChaosEvent] = []

    init(seed: UInt64, partitions: Int32, requestTimeoutSeconds: Int64, hasAged: Bool) {
        random = SeededRandom(seed: seed)
        self.partitions = partitions
        requestTimeout = requestTimeoutSeconds
        self.hasAged = hasAged
    }

    /// The next record, with `now` (seconds since 1970) as its time.
    mutating func next(now: Int64) -> ChaosEvent {
        let draw = Int.random(in: 0..<1000, using: &random)
        if draw < 20, let again = recent.randomElement(using: &random) {
            var event = again
            // The same bytes; sometimes read by another member.
            if Bool.random(using: &random) { event.partition = anyPartition() }
            return event
        }
        number += 1
        let event =
            switch draw {
            case ..<60: wrong(now)
            case ..<70: unwanted(now)
            case ..<80 where hasAged: aged(now)
            default: good(now)
            }
        if recent.count < 200 { recent.append(event) } else { recent[number % 200] = event }
        return event
    }

    // MARK: Good ones

    private static let forCAPI = [
        "PageView", "PageView", "ViewContent", "AddToCart", "InitiateCheckout", "Search", "SignUp",
    ]

    private mutating func good(_ now: Int64) -> ChaosEvent {
        if Int.random(in: 0..<3, using: &random) > 0 {
            let name = ChaosShop.forCAPI.randomElement(using: &random) ?? "PageView"
            return event(name, time: now, .delivered, .skipped)
        }
        let name = Bool.random(using: &random) ? "Purchase" : "Lead"
        guard Int.random(in: 0..<20, using: &random) > 0 else {
            // Nobody that offline conversions could be matched to.
            return event(name, time: now, hasClick: false, .delivered, .rejected(["no_identifier"]))
        }
        // Days old is as good as new.
        let age = Int.random(in: 0..<10, using: &random) == 0 ? Int64(6 * 86_400) : 0
        return event(name, time: now - age, .delivered, .delivered)
    }

    /// So old that its time is over within the run.
    private mutating func aged(_ now: Int64) -> ChaosEvent {
        let left = Int64.random(in: 1...20, using: &random) + 60 + requestTimeout
        return event(
            "Purchase", time: now - 7 * 86_400 + left, kind: "aged", .deliveredOrExpired, .deliveredOrExpired)
    }

    private mutating func unwanted(_ now: Int64) -> ChaosEvent {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return event("WishlistAdd", time: now, kind: "unmapped", .skipped, .skipped)
        case 1:
            return event(
                "Purchase", time: now, more: #","consent":{"ad_storage":"denied"}"#, kind: "denied", .skipped, .skipped)
        default:
            return ChaosEvent(
                id: id, value: nil, partition: anyPartition(), capi: .skipped, offline: .skipped, kind: "tombstone")
        }
    }

    // MARK: Wrong ones

    private mutating func wrong(_ now: Int64) -> ChaosEvent {
        func both(_ reasons: String...) -> (ChaosEvent.Fate, ChaosEvent.Fate) {
            (.rejected(reasons), .rejected(reasons))
        }
        func record(_ reason: String, _ change: (String) -> [UInt8]) -> ChaosEvent {
            var event = event("Purchase", time: now, kind: reason, .rejected([reason]), .rejected([reason]))
            event.value = event.value.map { change(String(decoding: $0, as: UTF8.self)) }
            return event
        }
        func timed(_ time: Int64, _ reason: String) -> ChaosEvent {
            event("Purchase", time: time, kind: reason, .rejected([reason]), .rejected([reason]))
        }
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return record("malformed_json") { Array($0.utf8.dropLast(5)) }
        case 1: return record("not_an_object") { Array("[\($0)]".utf8) }
        case 2:
            return record("invalid_utf8") {
                Array("{\"title\":\"".utf8) + [0xC3, 0x28] + Array("\",\($0.dropFirst())".utf8)
            }
        case 3:
            let nest = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
            return record("too_deep") { Array("{\"nest\":\(nest),\($0.dropFirst())".utf8) }
        case 4:
            let filler = String(repeating: "x", count: ChaosShop.eventBytes)
            return record("event_too_large") { Array("{\"filler\":\"\(filler)\",\($0.dropFirst())".utf8) }
        case 5:
            return event(
                nil, time: now, kind: "event_missing", .rejected(["event_missing"]), .rejected(["event_missing"]))
        case 6:
            return record("event_invalid") { text in
                Array(text.replacingFirst("\"event\":\"Purchase\"", with: "\"event\":true").utf8)
            }
        case 7: return record("timestamp_missing") { Array($0.replacingFirst("\"event_time\":\(now),", with: "").utf8) }
        case 8:
            return record("timestamp_not_a_number") {
                Array($0.replacingFirst("\"event_time\":\(now)", with: "\"event_time\":\"today\"").utf8)
            }
        case 9: return timed(now * 1000, "timestamp_in_milliseconds")
        // Further than the clock is ever set.
        case 10: return timed(now + 86_400, "in_the_future")
        case 11: return timed(now - 8 * 86_400, "too_old")
        case 12:
            let fates = both("no_identifier")
            return event(
                "Purchase", time: now, hasAnyone: false, hasClick: false, kind: "no_identifier", fates.0, fates.1)
        case 13:
            return event("PageView", time: now, url: nil, kind: "url_missing", .rejected(["url_missing"]), .skipped)
        case 14:
            return event(
                "PageView", time: now, url: "not a page", kind: "url_invalid", .rejected(["url_invalid"]), .skipped)
        default:
            // Every violation is told, not only the first.
            return event(
                "PageView", time: now - 8 * 86_400, url: nil, hasAnyone: false, hasClick: false, kind: "much",
                .rejected(["too_old", "no_identifier", "url_missing"]), .skipped)
        }
    }

    // MARK: Words

    static func id(_ number: Int) -> String { "chaos-\(number)" }

    private var id: String { ChaosShop.id(number) }

    private mutating func anyPartition() -> Int32 { Int32.random(in: 0..<partitions, using: &random) }

    private mutating func event(
        _ name: String?, time: Int64, url: String? = "https://shop.example/p/1?utm_source=bing", hasAnyone: Bool = true,
        hasClick: Bool = true, more: String = "", kind: String = "good", _ capi: ChaosEvent.Fate,
        _ offline: ChaosEvent.Fate
    ) -> ChaosEvent {
        let click = hex() + hex()
        let hash = hex() + hex() + hex() + hex()
        let form = hasClick ? Int.random(in: 0..<3, using: &random) : 0
        var user: [String] = []
        if hasAnyone { user.append("\"anonymous_id\":\"a\(number)\"") }
        if hasClick { user.append("\"msclkid\":\"\(click)\"") }
        if form > 0 { user.append("\"email\":\"\(form == 1 ? hash : ChaosShop.address)\"") }
        let event = name.map { "\"event\":\"\($0)\"," } ?? ""
        let page = url.map { "\"url\":\"\($0)\"," } ?? ""
        let padding = String(repeating: "b", count: Int.random(in: 0..<200, using: &random))
        let text =
            "{\(event)\"event_id\":\"\(id)\",\"event_time\":\(time),\(page)\"title\":\"Page \(padding)\",\"user\":{"
            + user.joined(separator: ",")
            + "},\"properties\":{\"value\":\(number % 900).\(10 + number % 90),\"currency\":\"EUR\","
            + "\"transaction_id\":\"t-\(number)\",\"search_term\":\"mug\",\"item_ids\":[\"sku-\(number % 50)\"]}\(more)}"
        let goal = ["Purchase": "Purchase", "Lead": "Lead Form Submit"][name ?? ""]
        return ChaosEvent(
            id: id, value: Array(text.utf8), partition: anyPartition(), capi: capi, offline: offline,
            conversion: goal.map {
                ConversionKey(
                    name: $0, time: CivilText.utc(time), clickID: hasClick ? click : "",
                    emailHash: ["", hash, ChaosShop.addressHash][form])
            }, kind: kind)
    }

    private mutating func hex() -> String {
        let digits = String(random.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension String {
    /// `part` stands in it once.
    fileprivate func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { preconditionFailure("\(part) is not in the event") }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
