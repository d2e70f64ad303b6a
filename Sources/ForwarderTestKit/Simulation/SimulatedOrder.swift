import FakeMicrosoft

/// All that a shop says of one order, over time.
struct SimulatedOrder {
    /// The order as it was published once; every one after the first counts nothing.
    struct Copy {
        var eventID: String
        var conversion: ConversionKey
    }

    struct Refund {
        var id: String
        /// In thousandths, as all amounts here.
        var amount: Int64
        /// Of the event, in seconds.
        var time: Int64 = 0
    }

    var transactionID: String
    var goal: String
    var clickID: String
    var value: Int64
    /// Where all its copies are.
    var partition = 0
    /// None: of an order that is refunded, and that nobody knows.
    var copies: [Copy] = []
    /// Each once.
    var refunds: [Refund] = []

    /// Of the auction that led to it.
    var token: String { "t\(clickID)." }

    /// The same for each copy: a pixel is told of the order, not of the event.
    var pixelQuery: String {
        "id=\(Simulation.pixel)&order_id=\(transactionID)&value=\(SimulatedOrder.text(value))&sspdata=\(token)"
    }

    var refunded: Int64 { refunds.reduce(0) { $0 + $1.amount } }

    /// What counts when so much of it was refunded.
    func worth(refunded: Int64) -> CountedValue {
        if refunded >= value { return .retracted }
        return .amount(SimulatedOrder.text(value - refunded), currency: "USD")
    }

    /// `49.9`: as short as can be.
    static func text(_ thousandths: Int64) -> String {
        var fraction = String(thousandths % 1000 + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(thousandths / 1000)" : "\(thousandths / 1000).\(fraction)"
    }
}
