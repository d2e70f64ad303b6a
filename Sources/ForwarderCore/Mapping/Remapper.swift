/// Maps neutral events anew, by the configuration of now. Confined to one thread.
public final class Remapper {
    public enum Outcome: Sendable {
        /// A batch of the one delivery, with its neutral event. Where it comes from is left open.
        case delivery(DeliveryBatch)
        /// It would not be sent any more, for this reason; and then it is still the dead letter that it was.
        case skipped(String)
        case rejected([String])
    }

    private let intake: Intake

    public init(_ id: DestinationID, _ settings: DestinationSettings) {
        // A neutral event is a storefront event, whatever the records look like.
        var input = InputSettings()
        input.maxEventBytes = JSONTape.sizeLimit
        intake = Intake(input, [IntakeDestination(id, settings, firstSeen: .distantPast)])
        _ = intake.index(ofTopic: "")
    }

    public func remap(_ event: [UInt8], now: Moment) -> Outcome {
        let origin = Intake.Origin(topic: 0, partition: 0, offset: 0, assignment: .none, sequence: 0)
        event.withUnsafeBufferPointer { intake.accept($0, origin, now: now) }
        switch intake.dispositions[0] {
        case .skipped(let reason): return .skipped("\(reason.name)")
        case .rejected(let reasons): return .rejected(reasons.names)
        case .owed:
            guard var batch = intake.destinations[0].takeBatches(now: now.uptime, all: true).first else {
                preconditionFailure("what is owed is in a batch")
            }
            batch.recordForm = .neutral
            batch.deliveries[0].noteLength = 0
            return .delivery(batch)
        }
    }
}
