import ForwarderCore

/// Makes of what was consumed what may be written to disk: hashes for e-mail and phone, and only known fields.
final class Neutralizer {
    private var intake: Intake
    /// Also those configured no longer: what they still have in memory goes to their queue.
    private var destinations: [DestinationID: IntakeDestination] = [:]
    private let hasher = SHA256()

    init(_ plan: Plan) {
        intake = Intake(plan.configuration.input, [])
        add(plan)
    }

    /// Goes on by another configuration.
    func add(_ plan: Plan) {
        let planned = plan.destinations.map { IntakeDestination($0.id, $0.settings, firstSeen: $0.firstSeen) }
        intake = Intake(plan.configuration.input, planned)
        for destination in planned { destinations[destination.id] = destination }
    }

    func neutral(_ work: StoreWork) -> StoreWork {
        switch work {
        case .enqueue(let id, let batch, let entry): .enqueue(id, neutral(batch, id), entry)
        case .deadLetter(let id, let batch, let ends, let at): .deadLetter(id, neutral(batch, id), ends: ends, at: at)
        case .remove, .reschedule, .deadLetterRows, .expire, .reject, .setState: work
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
                neutral.deliveries[index].payloadHash = hasher.prefix64(record)
            }
        }
        neutral.records = output.array()
        return neutral
    }
}
