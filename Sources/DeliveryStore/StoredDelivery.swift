import ForwarderCore

/// What a row says about its delivery, in the queue as among the dead letters.
public struct StoredDelivery: Sendable, Equatable {
    public var destination: DestinationID
    public var topic: String
    public var partition: Int32
    public var offset: Int64
    /// Seconds since 1970.
    public var eventTime: Int64
    /// The last moment at which a request that carries it may start.
    public var sendBy: Timestamp
    public var goal: String
    public var itemCount: Int
    public var matchKeys: MatchKeys

    static let columns = "destination, topic, partition, offset, event_time, send_by, goal, items, match_keys"

    /// Reads the columns of the row a statement stands on, the first of them at `first`. A number that cannot be is
    /// shown cut to size: this is for looking at.
    init(_ row: SQLiteStatement, from first: Int32, _ texts: TextTable) throws(SQLiteError) {
        destination = row.destination(first)
        topic = try texts.text(row.integer(first + 1)) ?? ""
        partition = Int32(truncatingIfNeeded: row.integer(first + 2))
        offset = row.integer(first + 3)
        eventTime = row.integer(first + 4)
        sendBy = row.time(first + 5)
        goal = row.text(first + 6)
        itemCount = Int(row.integer(first + 7))
        matchKeys = MatchKeys(rawValue: UInt8(truncatingIfNeeded: row.integer(first + 8)))
    }
}
