import Synchronization

/// That the process has to end although nobody told it to. Said by a loop, carried out by the main thread.
final class ProcessEnd: Sendable {
    enum Manner: UInt8 {
        /// The Kafka client will do nothing useful any more, or the store's file is gone: what is in flight is finished
        /// first.
        case orderly = 1
        /// Nothing that is in memory can be trusted: the next start reads from Kafka what was not committed.
        case atOnce = 2
    }

    private let asked = Atomic<UInt8>(0)

    /// The graver of two demands stands.
    func ask(_ manner: Manner) {
        asked.max(manner.rawValue, ordering: .releasing)
    }

    var manner: Manner? { Manner(rawValue: asked.load(ordering: .acquiring)) }
}
