import FakeMicrosoft

/// One record of the chaos shop and what must become of it. The daemon has no part in this: whoever makes the record
/// knows what it is.
struct ChaosEvent {
    /// What must become of it at one destination.
    enum Fate: Equatable {
        /// Accepted at least once; or refused by Microsoft, where the plan makes it refuse.
        case delivered
        /// So old that it is delivered, or expires on the way, or is too old already when it is read.
        case deliveredOrExpired
        case skipped
        /// With exactly these reasons.
        case rejected([String])
    }

    /// The key in Kafka too, so that the record is known again whatever its content is.
    var id: String
    /// nil: a tombstone.
    var value: [UInt8]?
    var partition: Int32
    var capi: Fate
    var offline: Fate
    /// How an offline conversion of it is told from others.
    var conversion: ConversionKey?
    /// What kind of record it is, for reports.
    var kind: String
}
