import ForwarderCore

/// Which entries of the delivery log are asked for. Every condition that is given must hold.
struct DeliveryLogQuery: Sendable, Equatable {
    static let defaultLimit = 100
    static let statuses = ["delivered", "delivered_unconfirmed", "dead_lettered", "verdict"]

    var destination: String?
    var status: String?
    /// The storefront's name of the event.
    var event: String?
    /// Microsoft's name of what it counts as, of an offline conversion.
    var goal: String?
    var transactionID: String?
    var since: Timestamp?
    var until: Timestamp?
    var limit = defaultLimit

    init() {}

    init(json root: JSONElement) {
        destination = root["destination"]?.string
        status = root["status"]?.string
        event = root["event"]?.string
        goal = root["goal"]?.string
        transactionID = root["transaction_id"]?.string
        since = root["since"]?.integer.map { Timestamp(milliseconds: $0) }
        until = root["until"]?.integer.map { Timestamp(milliseconds: $0) }
        limit = root["limit"]?.integer.flatMap { Int(exactly: $0) } ?? DeliveryLogQuery.defaultLimit
    }

    func write(_ writer: inout JSONWriter) {
        for (name, value) in [
            ("destination", destination), ("status", status), ("event", event), ("goal", goal),
            ("transaction_id", transactionID),
        ] {
            if let value { writer.member(name, value) }
        }
        if let since { writer.member("since", since.milliseconds) }
        if let until { writer.member("until", until.milliseconds) }
        writer.member("limit", limit)
    }
}
