import ForwarderCore

/// What the store knows about a destination that is configured now, or was once.
public struct KnownDestination: Sendable, Equatable {
    public var id: DestinationID
    public var name: String
    /// What the deliveries of its queue were made for: its tag, account or customer.
    public var fingerprint: String
    public var firstSeen: Timestamp
    public var state: DestinationState
    public var depth: QueueDepth
    public var deadLetters: Int
    /// Rows that were put aside because they could not be read back as they were written.
    public var quarantined: Int
}

/// The answer to a registration.
public enum RegistrationOutcome: Sendable, Equatable {
    case registered(KnownDestination)
    /// Deliveries wait that were made for another account: the destination must be given a new name, or its queue
    /// emptied first. Nothing was changed.
    case fingerprintDiffers(stored: String, configured: String, rows: Int)
}

extension DeliveryStore {
    /// Makes a destination known, or finds it again by its name.
    public func register(
        name: String, fingerprint: String, now: Timestamp
    ) throws(StoreError) -> RegistrationOutcome {
        try change { (change) throws(SQLiteError) in
            if let known = try destination(named: name) {
                if known.fingerprint == fingerprint { return .registered(known) }
                // Dead letters count: replayed, they would go to the wrong account.
                let rows = known.depth.rows + known.deadLetters
                guard rows == 0 else {
                    return .fingerprintDiffers(stored: known.fingerprint, configured: fingerprint, rows: rows)
                }
            }
            let insert = try connection.statement(
                """
                INSERT INTO destinations (name, fingerprint, first_seen, state) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (name) DO UPDATE SET fingerprint = ?2
                """)
            insert.bind(1, name)
            insert.bind(2, fingerprint)
            insert.bind(3, now)
            insert.bind(4, DestinationState.running.rawValue)
            try insert.run()
            guard let known = try destination(named: name) else {
                preconditionFailure("a destination that was just written is not there")
            }
            return .registered(known)
        }
    }

    /// All destinations that ever were registered, in the order of their registration.
    public func destinations() throws(StoreError) -> [KnownDestination] {
        try read { () throws(SQLiteError) in
            let row = try connection.statement(
                "SELECT id, name, fingerprint, first_seen, state FROM destinations ORDER BY id")
            defer { row.reset() }
            var known: [KnownDestination] = []
            while try row.step() { known.append(destination(in: row)) }
            return known
        }
    }

    func setState(_ state: DestinationState, of destination: DestinationID) throws(SQLiteError) {
        let update = try connection.statement("UPDATE destinations SET state = ?2 WHERE id = ?1")
        update.bind(1, destination)
        update.bind(2, state.rawValue)
        try update.run()
    }

    private func destination(named name: String) throws(SQLiteError) -> KnownDestination? {
        let row = try connection.statement(
            "SELECT id, name, fingerprint, first_seen, state FROM destinations WHERE name = ?1")
        defer { row.reset() }
        row.bind(1, name)
        return try row.step() ? destination(in: row) : nil
    }

    private func destination(in row: SQLiteStatement) -> KnownDestination {
        let id = row.destination(0)
        let counted = counters[id] ?? Counters()
        return KnownDestination(
            id: id, name: row.text(1), fingerprint: row.text(2), firstSeen: row.time(3),
            // A word this release does not know: sending nothing is the state an operator notices and can undo.
            state: DestinationState(rawValue: row.text(4)) ?? .halted, depth: counted.queue,
            deadLetters: counted.deadLetters, quarantined: counted.quarantined)
    }
}
