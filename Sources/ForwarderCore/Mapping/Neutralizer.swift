/// Makes of what was consumed what may be written to disk: hashes for e-mail and phone, and only known fields. Confined to one
/// thread, as the intake it reads with.
public final class Neutralizer {
    private var intake: Intake
    /// Also those configured no longer: what they still have in memory goes to their queue.
    private var destinations: [DestinationID: IntakeDestination] = [:]
    private let hasher = SHA256()

    /// `intake` is its own from here on.
    public init(_ intake: Intake) {
        self.intake = intake
        add(intake)
    }

    /// Goes on by another configuration.
    public func add(_ intake: Intake) {
        self.intake = intake
        for destination in intake.destinations { destinations[destination.id] = destination }
    }

    /// The work with its records in the form that may be kept; work without records as it is.
    public func neutral(_ work: StoreWork) -> StoreWork {
        switch work {
        case .enqueue(let id, let batch, let entry): .enqueue(id, neutral(batch, id), entry)
        case .deadLetter(let id, let batch, let ends, let at): .deadLetter(id, neutral(batch, id), ends: ends, at: at)
        case .remove, .reschedule, .deadLetterRows, .expire, .remember, .reject, .setState: work
        }
    }

    private func neutral(_ batch: DeliveryBatch, _ id: DestinationID) -> DeliveryBatch {
        guard batch.recordForm == .raw else { return batch }
        var neutral = batch
        neutral.recordForm = .neutral
        var output = ByteBuffer(capacity: batch.records.count)
        batch.records.withUnsafeBufferPointer { records in
            for index in batch.deliveries.indices {
                let record = Bytes(rebasing: records[batch.deliveries[index].record])
                let start = output.count
                let isRead = destinations[id].map { intake.neutralEvent(of: record, for: $0, to: &output) } ?? false
                // It was read once already. Were it not to be read now, its frozen content would still be sent.
                if !isRead { output.append("{}") }
                neutral.deliveries[index].recordStart = UInt32(start)
                neutral.deliveries[index].recordEnd = UInt32(output.count)
                // A row has none: what it says is in the neutral event.
                neutral.deliveries[index].noteLength = 0
                neutral.deliveries[index].payloadHash = hasher.prefix64(record)
            }
        }
        neutral.records = output.array()
        return neutral
    }
}
