/// Writes what became of deliveries as lines of the delivery log, one for each batch. Confined to one thread, as the intake
/// it reads with.
public final class DeliveryLogLines {
    private var reader = EventReader(InputSettings())
    private var rawReader: EventReader
    private var destinations: [DestinationID: DestinationSettings] = [:]

    public init(_ input: InputSettings, _ destinations: [(DestinationID, DestinationSettings)]) {
        rawReader = EventReader(input)
        for (id, settings) in destinations { self.destinations[id] = settings }
    }

    /// Goes on by another configuration. What is configured no longer may still come to an end.
    public func reload(_ input: InputSettings, _ destinations: [(DestinationID, DestinationSettings)]) {
        rawReader = EventReader(input)
        for (id, settings) in destinations { self.destinations[id] = settings }
    }

    /// Appends the line, with its line break, if there is anything to be said. Returns of how many deliveries it tells.
    public func append(
        _ settled: SettledDeliveries, of id: DestinationID, at now: Timestamp, to output: inout ByteBuffer
    ) -> Int {
        let start = output.count
        output.append(#"{"at":"#)
        output.append(decimal: now.milliseconds)
        switch settled.end {
        case .delivered: output.append(#","status":"delivered","deliveries":["#)
        case .unconfirmed: output.append(#","status":"delivered_unconfirmed","deliveries":["#)
        case .deadLettered(let cause):
            output.append(#","status":"dead_lettered","class":"#)
            output.append(json: cause.reasonClass.rawValue)
            output.append(#","code":"#)
            output.append(json: cause.reason)
            output.append(#","deliveries":["#)
        }
        let batch = settled.batch
        var count = 0
        batch.records.withUnsafeBufferPointer { records in
            for index in settled.indices {
                let delivery = batch.deliveries[index]
                let entry = output.count
                output.append(#"{"attempts":"#)
                output.append(decimal: delivery.attempts)
                output.append(UInt8(ascii: ","))
                if delivery.noteLength > 0 {
                    output.append(Bytes(rebasing: records[delivery.note]))
                } else if !appendNote(
                    of: Bytes(rebasing: records[delivery.record]), batch.recordForm,
                    goal: batch.goals[Int(delivery.goal)], id, settled.end, to: &output)
                {
                    output.truncate(to: entry)
                    continue
                }
                output.append("},")
                count += 1
            }
        }
        guard count > 0 else {
            output.truncate(to: start)
            return 0
        }
        output.close(UInt8(ascii: "]"))
        output.append("}\n")
        return count
    }

    /// Appends the line that tells what Microsoft made of conversions, with its line break.
    public func append(_ days: [GoalDay], at now: Timestamp, to output: inout ByteBuffer) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("at", now.milliseconds)
            writer.member("status", "verdict")
            writer.name("deliveries")
            writer.array { writer in
                for day in days {
                    writer.object { writer in
                        writer.member("goal", day.goal)
                        writer.member("day", day.day.text)
                        day.counts.write(&writer)
                    }
                }
            }
        }
        output.append(writer.bytes)
        output.append("\n")
    }

    /// The note of a delivery that has none with it: because it comes from the disk, or because only its refusal is of
    /// interest.
    private func appendNote(
        of record: Bytes, _ form: DeliveryBatch.RecordForm, goal: String, _ id: DestinationID,
        _ end: SettledDeliveries.End, to output: inout ByteBuffer
    ) -> Bool {
        switch form {
        case .neutral: DeliveryLogLines.appendNote(&reader, record, goal, isLogged(id, end), to: &output)
        case .raw: DeliveryLogLines.appendNote(&rawReader, record, goal, isLogged(id, end), to: &output)
        }
    }

    private static func appendNote(
        _ reader: inout EventReader, _ record: Bytes, _ goal: String, _ isLogged: (Bytes) -> Bool,
        to output: inout ByteBuffer
    ) -> Bool {
        guard reader.open(record) == nil, isLogged(reader.rawText(.event)) else { return false }
        reader.read(now: .distantFuture)
        DeliveryNote.append(reader.event, Array(goal.utf8), to: &output)
        return true
    }

    /// Which events are told of: every refusal, every offline conversion, and of the others those that are configured.
    private func isLogged(_ id: DestinationID, _ end: SettledDeliveries.End) -> (Bytes) -> Bool {
        if case .deadLettered = end { return { _ in true } }
        guard let settings = destinations[id] else { return { _ in false } }
        guard case .capi = settings.kind else { return { _ in true } }
        return { name in settings.deliveryLog.events.contains { $0.utf8.elementsEqual(name) } }
    }
}
