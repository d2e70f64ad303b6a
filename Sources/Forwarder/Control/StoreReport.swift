import DeliveryStore
import ForwarderCore

/// What the store holds, as JSON; stable.
struct StoreReport {
    private let names: [DestinationID: String]

    init(_ names: [DestinationID: String]) {
        self.names = names
    }

    func list(_ rows: [QueueRow]) -> [UInt8] {
        StoreReport.list("deliveries", rows) { row, writer in
            writer.member("row", row.row.rawValue)
            write(row.delivery, &writer)
            writer.member("due_at", LogTime.text(row.dueAt))
            writer.member("queued_at", LogTime.text(row.queuedAt))
            if let hold = row.hold { writer.member("held_for", hold) }
            write(attempts: row.attempts, row.firstFailure, row.lastFailure, &writer)
            writer.member("claimed", row.isClaimed)
        }
    }

    func list(_ letters: [DeadLetter]) -> [UInt8] {
        StoreReport.list("dead_letters", letters, write)
    }

    func list(_ rejects: [RejectedEvent]) -> [UInt8] {
        StoreReport.list("rejects", rejects) { reject, writer in
            if let id = reject.destination { writer.member("destination", names[id] ?? "\(id.rawValue)") }
            writer.member("topic", reject.topic)
            writer.member("partition", reject.partition)
            writer.member("offset", reject.offset)
            writer.member("reasons", array: reject.reasons)
            writer.member("at", LogTime.text(reject.at))
        }
    }

    func show(_ found: DeadLetterWithContent) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            write(found.letter, &writer)
            // What would be sent, and the event it was made from; e-mail and phone only as hashes.
            writer.name("content")
            writer.raw(Array("[".utf8) + found.content + Array("]".utf8))
            writer.name("neutral_event")
            writer.raw(found.event)
        }
        return writer.bytes
    }

    static func stats(_ store: DeliveryStore, now: Timestamp) throws(StoreError) -> [UInt8] {
        let stats = try store.queueStats()
        return list("destinations", try store.destinations()) { destination, writer in
            let queue = stats.first { $0.destination == destination.id }
            writer.member("name", destination.name)
            writer.member("state", destination.state.rawValue)
            writer.member("pending", destination.depth.rows)
            writer.member("bytes", destination.depth.bytes)
            writer.member("dead_letters", destination.deadLetters)
            writer.member("quarantined", destination.quarantined)
            if let oldest = queue?.oldestEventTime {
                writer.member("oldest_pending_seconds", max(0, now.seconds - oldest))
            }
            if let due = queue?.nextDue { writer.member("next_due", LogTime.text(due)) }
            if let held = queue?.heldRows, !held.isEmpty { write("held", held, &writer) }
            if let failures = queue?.failedRows, !failures.isEmpty { write("failures", failures, &writer) }
        }
    }

    // MARK: Pieces

    private static func list<Row>(
        _ name: String, _ rows: [Row], _ write: (Row, inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.name(name)
            writer.array { writer in
                for row in rows { writer.object { write(row, &$0) } }
            }
        }
        return writer.bytes
    }

    private static func write(_ name: String, _ counts: [String: Int], _ writer: inout JSONWriter) {
        writer.name(name)
        writer.object { writer in
            for (key, count) in counts.sorted(by: { $0.key < $1.key }) { writer.member(key, count) }
        }
    }

    private func write(_ letter: DeadLetter, _ writer: inout JSONWriter) {
        writer.member("id", letter.id.rawValue)
        write(letter.delivery, &writer)
        writer.member("class", letter.cause.reasonClass.rawValue)
        writer.member("reason", letter.cause.reason)
        writer.member("dead_at", LogTime.text(letter.deadAt))
        write(attempts: letter.attempts, letter.firstFailure, letter.lastFailure, &writer)
    }

    private func write(_ delivery: StoredDelivery, _ writer: inout JSONWriter) {
        writer.member("destination", names[delivery.destination] ?? "\(delivery.destination.rawValue)")
        writer.member("goal", delivery.goal)
        writer.member("topic", delivery.topic)
        writer.member("partition", delivery.partition)
        writer.member("offset", delivery.offset)
        writer.member("event_time", delivery.eventTime)
        writer.member("send_by", LogTime.text(delivery.sendBy))
    }

    private func write(attempts: Int, _ first: String?, _ last: String?, _ writer: inout JSONWriter) {
        writer.member("attempts", attempts)
        if let first { writer.member("first_failure", first) }
        if let last { writer.member("last_failure", last) }
    }
}
