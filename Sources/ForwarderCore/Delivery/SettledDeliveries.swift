/// Deliveries that came to the same end, for the delivery log.
public struct SettledDeliveries: Sendable {
    public enum End: Sendable, Equatable {
        case delivered
        /// Microsoft did not confirm it in so many words.
        case unconfirmed
        case deadLettered(DeadLetterCause)
    }

    public var batch: DeliveryBatch
    /// Which of the batch are meant.
    public var indices: [Int]
    public var end: End

    public init(batch: DeliveryBatch, indices: [Int], end: End) {
        self.batch = batch
        self.indices = indices
        self.end = end
    }
}
