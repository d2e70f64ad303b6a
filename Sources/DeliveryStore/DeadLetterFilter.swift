import ForwarderCore

/// A dead letter in the store. Never used a second time.
public struct DeadLetterID: Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    public static func < (left: DeadLetterID, right: DeadLetterID) -> Bool { left.rawValue < right.rawValue }
}

/// Which dead letters are meant. Every condition that is given must hold.
public struct DeadLetterFilter: Sendable, Equatable {
    public var id: DeadLetterID?
    public var destination: DestinationID?
    public var reasonClass: DeadLetterCause.Class?
    public var reason: String?
    /// Died at this time or later.
    public var since: Timestamp?
    /// Only later ones than this: where the slice before ended.
    public var after: DeadLetterID?
    /// Most dead letters one call takes. It holds its thread up meanwhile, so what may be many is done in slices.
    public var limit: Int

    public init(
        id: DeadLetterID? = nil, destination: DestinationID? = nil, reasonClass: DeadLetterCause.Class? = nil,
        reason: String? = nil, since: Timestamp? = nil, after: DeadLetterID? = nil, limit: Int = 1000
    ) {
        self.id = id
        self.destination = destination
        self.reasonClass = reasonClass
        self.reason = reason
        self.since = since
        self.after = after
        self.limit = limit
    }

    /// The conditions in SQL, on parameters 1 to 6; parameter 7 is the limit.
    static let condition = """
        id BETWEEN ?1 AND ?2 AND (?3 IS NULL OR destination = ?3) AND (?4 IS NULL OR class = ?4)
        AND (?5 IS NULL OR reason = ?5) AND (?6 IS NULL OR dead_at >= ?6)
        """

    func bind(to statement: SQLiteStatement) {
        let first = (after?.rawValue ?? 0) + 1
        statement.bind(1, max(first, id?.rawValue ?? first))
        statement.bind(2, id?.rawValue ?? .max)
        statement.bind(3, destination.map { Int64($0.rawValue) })
        statement.bind(4, reasonClass?.rawValue)
        statement.bind(5, reason)
        statement.bind(6, since?.milliseconds)
        statement.bind(7, Int64(limit))
    }
}
