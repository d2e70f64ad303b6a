/// What waits to be written, in order, and what of it is tried when the disk is full.
///
/// Ordinarily everything goes in one transaction after the other. On a full disk only what gives space back, or cannot
/// wait, is tried: settlements first. A delivery that was settled before it was ever written needs no row any more.
public struct StoreBacklog: Sendable {
    public struct Entry: Sendable {
        fileprivate var id: UInt64
        public var destination: DestinationID?
        public var ticket: StoreTicket?
        public var work: StoreWork
        /// Offsets that the work frees beyond those of its ticket.
        public var settlements: [Settlement]
    }

    /// Work of one transaction.
    public struct Transaction: Sendable {
        public var entries: [Entry]
        public var works: [StoreWork] { entries.map(\.work) }
        public var isEmpty: Bool { entries.isEmpty }
    }

    /// What is done with a transaction.
    public struct Outcome: Sendable {
        /// Tickets all of whose work is done.
        public var tickets: [(destination: DestinationID, ticket: StoreTicket)] = []
        public var settlements: [Settlement] = []
    }

    /// Larger transactions only make everybody wait longer.
    static let deliveriesPerTransaction = 5000

    private var entries: [Entry] = []
    private var openWorks: [StoreTicket: Int] = [:]
    private var nextID: UInt64 = 0

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }

    /// Whether nobody waits for any of it but offsets (orders to be remembered, rejects), and more of it would still go into
    /// the same transaction, where it changes mostly the same pages.
    public var isUnhurried: Bool {
        var size = 0
        for entry in entries {
            switch entry.work {
            case .remember, .reject: size += entry.work.size
            case .enqueue, .remove, .reschedule, .deadLetterRows, .deadLetter, .expire, .setState: return false
            }
        }
        return !entries.isEmpty && size < StoreBacklog.deliveriesPerTransaction
    }

    public mutating func append(_ works: [StoreWork], of destination: DestinationID, _ ticket: StoreTicket) {
        openWorks[ticket] = works.count
        for work in works {
            append(Entry(id: 0, destination: destination, ticket: ticket, work: work, settlements: []))
        }
    }

    public mutating func append(rejects: [RejectedEvent], _ settlements: [Settlement]) {
        append(Entry(id: 0, destination: nil, ticket: nil, work: .reject(rejects), settlements: settlements))
    }

    private mutating func append(_ entry: Entry) {
        nextID += 1
        var entry = entry
        entry.id = nextID
        entries.append(entry)
    }

    /// The next transaction, in order.
    public func next() -> Transaction {
        var count = 0
        let taken = entries.prefix { entry in
            defer { count += entry.work.size }
            return count < StoreBacklog.deliveriesPerTransaction
        }
        return Transaction(entries: Array(taken))
    }

    /// What can be tried on a full disk. Takes deliveries that were settled in the meantime out of what waits.
    public mutating func nextOnFullDisk() -> Transaction {
        var unwritten: Set<RowID> = []
        var settled: Set<RowID> = []
        var taken: [Entry] = []
        for index in entries.indices {
            switch entries[index].work {
            case .enqueue(_, let batch, _): unwritten.formUnion(batch.deliveries.map(\.row))
            case .remove(let destination, let rows):
                settled.formUnion(rows.filter(unwritten.contains))
                entries[index].work = .remove(destination, rows.filter { !unwritten.contains($0) })
                taken.append(entries[index])
            case .reschedule(_, let rows, _, _):
                if rows.allSatisfy({ !unwritten.contains($0.row) }) { taken.append(entries[index]) }
            case .deadLetterRows(_, let rows):
                if rows.allSatisfy({ !unwritten.contains($0.row) }) { taken.append(entries[index]) }
            case .setState, .remember: taken.append(entries[index])
            case .deadLetter, .expire, .reject: break
            }
        }
        if !settled.isEmpty { forget(settled) }
        return Transaction(entries: taken)
    }

    /// The transaction is on disk.
    public mutating func committed(_ transaction: Transaction) -> Outcome {
        var outcome = Outcome()
        let done = Set(transaction.entries.map(\.id))
        entries.removeAll { done.contains($0.id) }
        for entry in transaction.entries {
            outcome.settlements += entry.settlements
            guard let ticket = entry.ticket, let destination = entry.destination, let open = openWorks[ticket] else {
                continue
            }
            openWorks[ticket] = open == 1 ? nil : open - 1
            if open == 1 { outcome.tickets.append((destination, ticket)) }
        }
        return outcome
    }

    private mutating func forget(_ settled: Set<RowID>) {
        for index in entries.indices {
            guard case .enqueue(let destination, let batch, let entry) = entries[index].work else { continue }
            let kept = batch.deliveries.indices.filter { !settled.contains(batch.deliveries[$0].row) }
            if kept.count < batch.count { entries[index].work = .enqueue(destination, batch.picking(kept), entry) }
        }
    }
}

extension StoreWork {
    /// How many deliveries it is about.
    fileprivate var size: Int {
        switch self {
        case .enqueue(_, let batch, _), .deadLetter(_, let batch, _, _): batch.count
        case .remove(_, let rows): rows.count
        case .remember(_, let transactions, _): transactions.count
        case .reschedule(_, let rows, _, _): rows.count
        case .deadLetterRows(_, let rows): rows.count
        case .reject(let events): events.count
        case .expire(_, _, let limit): limit
        case .setState: 1
        }
    }
}
