import ForwarderCore

/// Takes single events the way the daemon would, without sending anything.
final class Explainer {
    private let intake: Intake
    private let interfaces: [MicrosoftInterface]
    private let now: Moment
    private let topic: UInt16

    init(_ configuration: Configuration, now: Timestamp) {
        self.now = Moment(wall: now, uptime: Uptime(milliseconds: 0))
        let destinations = configuration.running.enumerated().map { index, settings in
            IntakeDestination(DestinationID(Int32(index)), settings, firstSeen: .distantPast)
        }
        intake = Intake(configuration.input, destinations)
        interfaces = configuration.running.map(MicrosoftInterface.init)
        topic = intake.index(ofTopic: "explain")
    }

    /// The events of a file: the elements of an array, one object, or one object a line.
    static func events(in input: [UInt8]) -> [[UInt8]] {
        if let document = try? JSONDocument(input) {
            return document.root.elements?.map(\.json) ?? [document.root.json]
        }
        return input.split(separator: UInt8(ascii: "\n")).map(Array.init).filter { line in
            line.contains { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
        }
    }

    func explain(_ event: [UInt8]) -> Explanation {
        var explanation = event.withUnsafeBufferPointer { bytes in
            intake.accept(
                bytes,
                Intake.Origin(topic: topic, partition: 0, offset: 0, assignment: AssignmentID(1), sequence: 0), now: now
            )
            return Explanation(eventID: intake.lastEventID, event: intake.lastEventName)
        }
        if case .rejected(let reasons)? = intake.dispositions.first, reasons.isOfRecord {
            explanation.unreadable = reasons.names
            return explanation
        }
        for (index, destination) in intake.destinations.enumerated() {
            // Refunds have a destination that nobody has configured: it is told of them alone.
            if case .adjustments = destination.settings.kind, explanation.event != DestinationSettings.refundEvent {
                continue
            }
            var outcome = Explanation.Destination(
                name: destination.settings.name, type: destination.settings.kind.type, outcome: .skip)
            outcome.dropped = destination.droppedFields.map { ("\($0.field.name)", "\($0.reason.name)") }
            switch intake.dispositions[index] {
            case .skipped(let reason): outcome.reasons = ["\(reason.name)"]
            case .rejected(let reasons):
                outcome.outcome = .reject
                outcome.reasons = reasons.names
            case .owed:
                outcome.outcome = .deliver
                let batch = destination.takeBatches(now: now.uptime, all: true).first
                if case .adjustments = destination.settings.kind {
                    // What it comes to is known when its purchase is, and that is in the ledger.
                    outcome.reasons = ["waits_for_purchase"]
                } else if let batch {
                    let request = interfaces[index].request(batch.contents, isStrict: false, .init(token: ""))
                    outcome.request = (request.method.rawValue, request.url, request.body)
                    outcome.batch = batch
                }
            }
            explanation.destinations.append(outcome)
        }
        return explanation
    }
}

/// What would become of one event.
struct Explanation {
    enum Outcome: String {
        case deliver, skip, reject
    }

    struct Destination {
        var name: String
        var type: String
        var outcome: Outcome
        var reasons: [String] = []
        var dropped: [(field: String, reason: String)] = []
        var request: (method: String, url: String, body: [UInt8])?
        /// What would be owed.
        var batch: DeliveryBatch?
    }

    var eventID: String?
    var event: String?
    /// Why the record cannot be read at all.
    var unreadable: [String]?
    var destinations: [Destination] = []

    init(eventID: String?, event: String?) {
        self.eventID = eventID
        self.event = event
    }

    var json: [UInt8] {
        var writer = JSONWriter(capacity: 2048)
        writer.object { writer in
            if let unreadable {
                writer.name("event_id")
                writer.null()
                writer.member("outcome", Outcome.reject.rawValue)
                writer.member("reasons", array: unreadable)
                return
            }
            writer.name("event_id")
            if let eventID { writer.value(eventID) } else { writer.null() }
            if let event { writer.member("event", event) }
            writer.name("destinations")
            writer.array { writer in
                for destination in destinations { writer.object { destination.write(&$0) } }
            }
        }
        return writer.bytes
    }

    var text: String {
        if let unreadable { return "(unreadable)\n  rejected: \(unreadable.joined(separator: ", "))" }
        var lines = ["\(event ?? "(no name)") \(eventID ?? "(no id)")"]
        for destination in destinations {
            let reasons = destination.reasons.isEmpty ? "" : ": \(destination.reasons.joined(separator: ", "))"
            lines.append("  \(destination.name): \(destination.outcome.rawValue)\(reasons)")
            for (field, reason) in destination.dropped { lines.append("    without \(field) (\(reason))") }
            if let request = destination.request {
                lines.append("    \(request.method) \(request.url)")
                if !request.body.isEmpty { lines.append("    \(String(decoding: request.body, as: UTF8.self))") }
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension Explanation.Destination {
    fileprivate func write(_ writer: inout JSONWriter) {
        writer.member("name", name)
        writer.member("type", type)
        writer.member("outcome", outcome.rawValue)
        writer.member("reasons", array: reasons)
        writer.member("dropped_fields", array: dropped.map(\.field))
        if !dropped.isEmpty {
            writer.name("dropped_because")
            writer.object { writer in
                for (field, reason) in dropped { writer.member(field, reason) }
            }
        }
        if let request {
            writer.name("request")
            writer.object { writer in
                writer.member("method", request.method)
                writer.member("url", request.url)
                writer.name("body")
                if request.body.isEmpty { writer.null() } else { writer.raw(request.body) }
            }
        }
    }
}
