/// What the delivery log says of a delivery beside its fate, written while the event is at hand: members of a JSON object.
/// Nothing of the person: no hash, no click id, and of the texts only those that hold neither e-mail nor phone.
enum DeliveryNote {
    /// A longer text is no id of anybody's.
    private static let textLimit = 200

    static func append(_ event: borrowing StorefrontEvent, _ goal: [UInt8], to output: inout ByteBuffer) {
        goal.withUnsafeBufferPointer { append(event, goal: $0, to: &output) }
    }

    @inline(__always)
    private static func append(_ event: borrowing StorefrontEvent, goal: Bytes, to output: inout ByteBuffer) {
        output.member("event", event.name)
        if event.id.bytes.count <= textLimit { output.member("event_id", event.id) }
        output.member("event_time", event.time)
        output.member("goal", EventText(bytes: goal, needsEscaping: true))
        output.member("value", event.value)
        output.member("currency", event.currency)
        if event.transactionID.bytes.count <= textLimit { output.member("transaction_id", event.transactionID) }
        output.truncate(to: output.count - 1)
    }
}
