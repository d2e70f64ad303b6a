/// Names what a shop may count once only: a goal and the id of an order in it, as the first eight bytes of their SHA-256.
/// Among a hundred million orders of a destination two different ones share a key with a chance of 1 in 3,000.
public struct TransactionKey: Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// Of a delivery that has no transaction.
    public static let none = TransactionKey(rawValue: 0)

    /// What rows are held back for that wait behind another delivery of their transaction, in the place of a goal's name.
    public static let hold = "(transaction)"

    public static func < (left: TransactionKey, right: TransactionKey) -> Bool { left.rawValue < right.rawValue }
}

extension TransactionKey {
    /// What is hashed: both, with a byte between them that no goal has.
    static func append(goal: Bytes, transaction: Bytes, to output: inout ByteBuffer) {
        output.append(goal)
        output.append(0)
        output.append(transaction)
    }

    /// The keys that these transactions may have, by all goals of these destinations.
    public static func all(of transactions: [String], _ destinations: [DestinationSettings]) -> Set<TransactionKey> {
        let hasher = SHA256()
        var keys: Set<TransactionKey> = []
        for destination in destinations {
            for goal in EventRoutes(destination).goals {
                for transaction in transactions {
                    var output = ByteBuffer(capacity: 128)
                    Array(goal.utf8).withUnsafeBufferPointer { goal in
                        Array(transaction.utf8).withUnsafeBufferPointer {
                            append(goal: goal, transaction: $0, to: &output)
                        }
                    }
                    keys.insert(TransactionKey(rawValue: output.withBytes { hasher.prefix64($0) }))
                }
            }
        }
        return keys
    }
}

/// Whether deliveries that came fresh are the first of their transaction.
public struct TransactionInquiry: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public var key: TransactionKey
        /// Where its record stands: what comes again after a crash or a rewind is not its own duplicate.
        public var origin: RecordOrigin

        public init(key: TransactionKey, origin: RecordOrigin) {
            self.key = key
            self.origin = origin
        }
    }

    public enum Answer: Sendable, Equatable {
        case first
        /// Another record of the transaction was delivered.
        case duplicate
        /// Another one waits in the queue.
        case behind
    }

    public var destination: DestinationID
    /// Those that have a transaction, in their order.
    public var entries: [Entry]
    /// What was delivered before this is forgotten.
    public var since: Timestamp

    public init(destination: DestinationID, entries: [Entry], since: Timestamp) {
        self.destination = destination
        self.entries = entries
        self.since = since
    }
}

/// Where a record stands in Kafka, and which one it is.
public struct RecordOrigin: Sendable, Hashable {
    public var topic: String
    public var partition: Int32
    public var offset: Int64
    /// Tells it apart from another record that took its offset after the topic was made anew.
    public var payloadHash: Int64

    public init(topic: String, partition: Int32, offset: Int64, payloadHash: Int64) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.payloadHash = payloadHash
    }
}
