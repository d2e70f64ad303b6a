/// A refund as its neutral event tells of it.
struct RefundEvent {
    var id: String
    /// Seconds since 1970.
    var time: Int64
    var transactionID: String
    var amount: Amount
    var currency: String?
    // What the shop says of the order, for one that was not sent from here.
    var originalTime: Int64?
    var originalValue: Amount?
    var clickID: String?
    var emailHash: String?
    var phoneHash: String?

    /// nil if something is missing without which it was not taken in.
    init?(neutral event: [UInt8]) {
        guard let root = (try? JSONDocument(event))?.root, let properties = root["properties"],
            let id = root["event_id"]?.string, let time = root["event_time"]?.integer,
            let transactionID = properties["transaction_id"]?.string,
            let amount = properties["value"].flatMap({ Amount($0.rawText) })
        else { return nil }
        self.id = id
        self.time = time
        self.transactionID = transactionID
        self.amount = amount
        currency = properties["currency"]?.string
        originalTime = properties["original_time"]?.integer
        originalValue = properties["original_value"].flatMap { Amount($0.rawText) }
        let user = root["user"]
        clickID = user?["msclkid"]?.string
        emailHash = user?["email"]?.string
        phoneHash = user?["phone"]?.string
    }
}

/// What was refunded of one order, as the ledger has it.
struct Refunds {
    struct Entry {
        /// The refund's event id: the same refund is never subtracted twice.
        var id: String
        /// The record it came in, as `topic/partition/offset/hash`.
        var origin: String
        var amount: Amount
        /// When it was made, or a second after the one before it if that was later: of two adjustments of one conversion
        /// the later one counts.
        var time: Int64
    }

    /// An order with more is none.
    static let limit = 200

    private(set) var entries: [Entry] = []

    init(_ bytes: [UInt8]) {
        let elements = (try? JSONDocument(bytes))?.root.elements ?? []
        entries = elements.compactMap { element in
            guard let id = element["id"]?.string, let origin = element["origin"]?.string,
                let amount = element["amount"]?.integer, let time = element["time"]?.integer
            else { return nil }
            return Entry(id: id, origin: origin, amount: Amount(thousandths: amount), time: time)
        }
    }

    var total: Amount { entries.reduce(.zero) { $0 + $1.amount } }

    func entry(_ id: String) -> Entry? { entries.first { $0.id == id } }

    /// The time of the last adjustment.
    var lastTime: Int64? { entries.lazy.map(\.time).max() }

    mutating func add(_ event: RefundEvent, from origin: RecordOrigin, notBefore time: Int64?) {
        let earliest = max(lastTime.map { $0 + 1 } ?? .min, time ?? .min)
        entries.append(
            Entry(id: event.id, origin: origin.text, amount: event.amount, time: max(event.time, earliest)))
    }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for entry in entries {
                writer.object {
                    $0.member("id", entry.id)
                    $0.member("origin", entry.origin)
                    $0.member("amount", entry.amount.thousandths)
                    $0.member("time", entry.time)
                }
            }
        }
        return writer.bytes
    }
}

extension RecordOrigin {
    /// Which record it is, in one word.
    var text: String { "\(topic)/\(partition)/\(offset)/\(payloadHash)" }
}
