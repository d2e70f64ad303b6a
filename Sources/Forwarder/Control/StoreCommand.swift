import DeliveryStore
import ForwarderCore

/// What the command line asks of the store; carried out by the daemon between two transactions, or by the command itself
/// while no daemon runs.
enum StoreCommand: Sendable, Equatable {
    case queueStats
    case queueList(StoreSelection)
    case deadLettersList(StoreSelection)
    case deadLettersShow(Int64)
    case deadLettersReplay(StoreSelection)
    case deadLettersDiscard(StoreSelection)
    case rejectsList(StoreSelection)

    var isReadOnly: Bool {
        switch self {
        case .queueStats, .queueList, .deadLettersList, .deadLettersShow, .rejectsList: true
        case .deadLettersReplay, .deadLettersDiscard: false
        }
    }
}

/// Which rows are meant.
struct StoreSelection: Sendable, Equatable {
    var destination: String?
    var reason: String?
    var since: Timestamp?
    var id: Int64?
    var limit: Int?
}

/// What a command did, as one JSON object, and what the lanes must hear of it.
struct StoreAnswer: Sendable {
    var json: [UInt8]
    var replayed: [DestinationID: Int] = [:]

    static func error(_ text: String) -> StoreAnswer {
        var writer = JSONWriter()
        writer.object { $0.member("error", text) }
        return StoreAnswer(json: writer.bytes)
    }
}

extension StoreCommand {
    /// Rows listed where no limit is given.
    private static let listLimit = 100
    /// Rows changed in one transaction.
    private static let slice = 1000

    func run(_ store: DeliveryStore, now: Timestamp, nextRow: () -> RowID) -> StoreAnswer {
        do throws(StoreError) {
            let names = Dictionary(
                uniqueKeysWithValues: try store.destinations().map { ($0.id, $0.name) })
            if let name = selection?.destination, !names.values.contains(name) {
                let known = names.values.sorted().joined(separator: ", ")
                return .error("the store knows no destination \(name); it knows: \(known.isEmpty ? "none" : known)")
            }
            return try run(store, names, now: now, nextRow: nextRow)
        } catch {
            return .error(error.description)
        }
    }

    private var selection: StoreSelection? {
        switch self {
        case .queueStats, .deadLettersShow: nil
        case .queueList(let selection), .deadLettersList(let selection), .deadLettersReplay(let selection),
            .deadLettersDiscard(let selection), .rejectsList(let selection):
            selection
        }
    }

    private func run(
        _ store: DeliveryStore, _ names: [DestinationID: String], now: Timestamp, nextRow: () -> RowID
    ) throws(StoreError) -> StoreAnswer {
        switch self {
        case .queueStats: return try stats(store, names, now: now)
        case .queueList(let selection):
            let rows = try store.queueRows(
                QueueFilter(
                    destination: names.id(selection.destination), lastFailure: selection.reason,
                    since: selection.since, limit: selection.limit ?? StoreCommand.listLimit))
            return list("deliveries", rows) { row, writer in write(row, names, &writer) }
        case .deadLettersList(let selection):
            let letters = try store.deadLetters(
                filter(selection, names, limit: selection.limit ?? StoreCommand.listLimit))
            return list("dead_letters", letters) { letter, writer in write(letter, names, &writer) }
        case .deadLettersShow(let id):
            guard let found = try store.deadLetter(DeadLetterID(id)) else {
                return .error("there is no dead letter \(id); `dead-letters list` shows those there are")
            }
            return show(found, names)
        case .deadLettersReplay(let selection):
            return try replay(store, selection, names, now: now, nextRow: nextRow)
        case .deadLettersDiscard(let selection): return try discard(store, selection, names)
        case .rejectsList(let selection):
            let rejects = try store.rejects(
                RejectFilter(
                    destination: names.id(selection.destination), reason: selection.reason, since: selection.since,
                    limit: selection.limit ?? StoreCommand.listLimit))
            return list("rejects", rejects) { reject, writer in write(reject, names, &writer) }
        }
    }

    private func filter(
        _ selection: StoreSelection, _ names: [DestinationID: String], limit: Int
    ) -> DeadLetterFilter {
        // A class is one of few words; anything else is a reason.
        let reasonClass = selection.reason.flatMap(DeadLetterCause.Class.init(rawValue:))
        return DeadLetterFilter(
            id: selection.id.map { DeadLetterID($0) }, destination: names.id(selection.destination),
            reasonClass: reasonClass, reason: reasonClass == nil ? selection.reason : nil, since: selection.since,
            limit: limit)
    }

    // MARK: Changing

    private func replay(
        _ store: DeliveryStore, _ selection: StoreSelection, _ names: [DestinationID: String], now: Timestamp,
        nextRow: () -> RowID
    ) throws(StoreError) -> StoreAnswer {
        var total = ReplayResult()
        var left = selection.limit ?? .max
        var filter = filter(selection, names, limit: min(left, StoreCommand.slice))
        while left > 0 {
            filter.limit = min(left, StoreCommand.slice)
            let slice = try store.replay(filter, now: now, nextRow: nextRow)
            total.moved.merge(slice.moved, uniquingKeysWith: +)
            total.refused.merge(slice.refused, uniquingKeysWith: +)
            total.alreadyQueued.merge(slice.alreadyQueued, uniquingKeysWith: +)
            left -= filter.limit
            guard let next = slice.next else { break }
            filter.after = next
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("moved", total.moved.values.reduce(0, +))
            // Their last moment has passed: Microsoft would refuse them.
            writer.member("refused_expired", total.refused.values.reduce(0, +))
            writer.member("already_queued", total.alreadyQueued.values.reduce(0, +))
        }
        return StoreAnswer(json: writer.bytes, replayed: total.moved)
    }

    private func discard(
        _ store: DeliveryStore, _ selection: StoreSelection, _ names: [DestinationID: String]
    ) throws(StoreError) -> StoreAnswer {
        var discarded = 0
        var left = selection.limit ?? .max
        while left > 0 {
            let limit = min(left, StoreCommand.slice)
            let slice = try store.discardDeadLetters(filter(selection, names, limit: limit))
            discarded += slice.discarded.values.reduce(0, +)
            left -= limit
            if slice.isComplete { break }
        }
        var writer = JSONWriter()
        writer.object { $0.member("discarded", discarded) }
        return StoreAnswer(json: writer.bytes)
    }

    // MARK: Showing

    private func list<Row>(_ name: String, _ rows: [Row], _ write: (Row, inout JSONWriter) -> Void) -> StoreAnswer {
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.name(name)
            writer.array { writer in
                for row in rows { writer.object { write(row, &$0) } }
            }
        }
        return StoreAnswer(json: writer.bytes)
    }

    private func stats(
        _ store: DeliveryStore, _ names: [DestinationID: String], now: Timestamp
    ) throws(StoreError) -> StoreAnswer {
        let stats = try store.queueStats()
        let known = try store.destinations()
        return list("destinations", known) { destination, writer in
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

    private func write(_ name: String, _ counts: [String: Int], _ writer: inout JSONWriter) {
        writer.name(name)
        writer.object { writer in
            for (key, count) in counts.sorted(by: { $0.key < $1.key }) { writer.member(key, count) }
        }
    }

    private func write(_ row: QueueRow, _ names: [DestinationID: String], _ writer: inout JSONWriter) {
        writer.member("row", row.row.rawValue)
        write(row.delivery, names, &writer)
        writer.member("due_at", LogTime.text(row.dueAt))
        writer.member("queued_at", LogTime.text(row.queuedAt))
        if let hold = row.hold { writer.member("held_for", hold) }
        write(attempts: row.attempts, row.firstFailure, row.lastFailure, &writer)
        writer.member("claimed", row.isClaimed)
    }

    private func write(_ letter: DeadLetter, _ names: [DestinationID: String], _ writer: inout JSONWriter) {
        writer.member("id", letter.id.rawValue)
        write(letter.delivery, names, &writer)
        writer.member("class", letter.cause.reasonClass.rawValue)
        writer.member("reason", letter.cause.reason)
        writer.member("dead_at", LogTime.text(letter.deadAt))
        write(attempts: letter.attempts, letter.firstFailure, letter.lastFailure, &writer)
    }

    private func write(_ reject: RejectedEvent, _ names: [DestinationID: String], _ writer: inout JSONWriter) {
        if let id = reject.destination { writer.member("destination", names[id] ?? "\(id.rawValue)") }
        writer.member("topic", reject.topic)
        writer.member("partition", reject.partition)
        writer.member("offset", reject.offset)
        writer.member("reasons", array: reject.reasons)
        writer.member("at", LogTime.text(reject.at))
    }

    private func write(_ delivery: StoredDelivery, _ names: [DestinationID: String], _ writer: inout JSONWriter) {
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

    private func show(_ found: DeadLetterWithContent, _ names: [DestinationID: String]) -> StoreAnswer {
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            write(found.letter, names, &writer)
            // What would be sent, and the event it was made from; e-mail and phone only as hashes.
            writer.name("content")
            writer.raw(Array("[".utf8) + found.content + Array("]".utf8))
            writer.name("neutral_event")
            writer.raw(found.event)
        }
        return StoreAnswer(json: writer.bytes)
    }
}

extension [DestinationID: String] {
    fileprivate func id(_ name: String?) -> DestinationID? {
        name.flatMap { name in first { $0.value == name }?.key }
    }
}
