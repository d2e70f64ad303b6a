/// A refund as it is taken in. What is sent is decided when its purchase is settled, see `TransactionReview`.
struct RefundMapping: Sendable {
    static let fields: UInt64 = {
        let used: [EventField] = [
            .event, .eventID, .eventTime, .adStorage, .transactionID, .value, .currency, .clickID, .email, .phone,
            .originalTime, .originalValue,
        ]
        return used.reduce(0) { $0 | $1.bit }
    }()

    /// A refund of nothing, or of less, is none; and nobody guesses how much it was.
    func violations(_ event: borrowing StorefrontEvent) -> RejectReasons {
        var violations: RejectReasons = []
        if !event.transactionID.isPresent { violations.insert(.transactionIDMissing) }
        let amount = event.value.flatMap { Amount(String(decoding: $0.text, as: UTF8.self)) }
        if amount.map({ $0 > .zero }) != true { violations.insert(.refundValueMissing) }
        return violations
    }

    /// What stands in the place of the content until it is known.
    func append(to output: inout ByteBuffer) {
        output.append("{}")
    }
}
