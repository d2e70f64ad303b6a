import CRdKafka

/// A member of a consumer group. Owns the librdkafka client and decides nothing: where to begin, what to commit and what
/// to do about an error is up to the owner.
///
/// **Threads.** Not Sendable: one thread makes every call. librdkafka works on threads of its own and puts what it has to
/// say, log lines included, into one queue; `poll` takes from that queue. librdkafka's callbacks only take notes, so
/// nothing happens behind the owner's back and the order of events is the order in which `poll` hands them out.
///
/// **Life.** `init`, `subscribe`, then `poll` again and again, answering `assigned` and `revoked`, and at last `close`.
/// After `close` no call is allowed. A consumer that is dropped without it closes itself, waiting up to a second.
public final class KafkaConsumer {
    /// The rd_kafka_t; nil once closed.
    private var client: OpaquePointer?
    /// The group's queue, into which the queues for logs, errors and every partition are redirected. It is what
    /// rd_kafka_consumer_poll takes from.
    let queue: OpaquePointer
    /// What librdkafka's callbacks have noted.
    let pending = PendingEvents()
    /// What `assigned` or `revoked` awaits from the owner.
    var owed: Answer?
    /// Every partition this consumer reads, with the position it was last told to begin at.
    var assignment: [TopicPartition: KafkaPosition] = [:]
    /// The partitions that the owner has paused and not resumed, assigned or not.
    var paused: Set<TopicPartition> = []
    /// Whether `poll` is lending a record.
    var isPolling = false
    /// Whether the group ever gave an assignment, be it an empty one.
    var wasAssigned = false

    /// An assignment of the group that the owner has been told of and has not answered.
    enum Answer {
        case assign([TopicPartition])
        case unassign([TopicPartition])
    }

    /// Starts a client; connecting goes on in the background, and the group is joined by `subscribe`.
    ///
    /// - Parameter properties: librdkafka's, set in order. `log.queue` is always on.
    /// - Throws: what librdkafka has against a property (the error names it, never its value) or their combination.
    public init(properties: [(name: String, value: String)]) throws(KafkaError) {
        let configuration = ClientConfiguration()
        try configuration.set(properties + [("log.queue", "true")])
        pending.register(in: configuration)
        let client = try configuration.makeClient(RD_KAFKA_CONSUMER)
        // Log lines go to the main queue, the main queue into the group's.
        rd_kafka_set_log_queue(client, nil)
        rd_kafka_poll_set_consumer(client)
        guard let queue = rd_kafka_queue_get_consumer(client) else {
            rd_kafka_destroy(client)
            throw KafkaError(.unknownGroup, "starting the Kafka client: property group.id is missing")
        }
        self.client = client
        self.queue = queue
        pending.queue = queue
    }

    deinit {
        if client != nil { _ = close(timeoutMilliseconds: 1000) { _ in } }
    }

    /// The rd_kafka_t.
    var handle: OpaquePointer {
        guard let client else { preconditionFailure("a closed consumer is used") }
        return client
    }

    /// The partitions this consumer reads.
    public var partitions: [TopicPartition] { assignment.keys.sorted() }

    /// Joins the group for `topics`, or changes what it is joined for. What comes of it is an `assigned` event.
    public func subscribe(_ topics: [String]) throws(KafkaError) {
        let list = PartitionList(topics.map { TopicPartition($0, -1) })
        if let error = KafkaError(rd_kafka_subscribe(handle, list.pointer), while: "subscribing to \(topics)") {
            throw error
        }
    }

    /// Waits up to `timeoutMilliseconds` for something to hand out; then goes on without waiting until nothing is left,
    /// `limit` records have been handed out, or there is an event, which is returned. Returning nil says nothing about
    /// how many records there were.
    ///
    /// Within one assignment the offsets of a partition rise, but for a `seek`. The owner has to cope with a repetition all
    /// the same: when a fetch or a record just taken falls together with a rebalance, librdkafka before 2.4.0 may hand out
    /// records again.
    ///
    /// Call it at least every `max.poll.interval.ms` (5 minutes unless configured), paused or not: a consumer that does
    /// not poll loses its partitions.
    ///
    /// - Parameter onRecord: gets each record, which is lent for the time of that call. It may not poll or close.
    public func poll(
        timeoutMilliseconds: Int32, limit: Int = .max, _ onRecord: (borrowing KafkaRecord) -> Void
    ) -> KafkaEvent? {
        precondition(owed == nil, "assigned and revoked are answered with assign and unassign before the next poll")
        precondition(client != nil && !isPolling, "a consumer is polled that is closed or in the middle of a poll")
        isPolling = true
        defer { isPolling = false }
        var timeout = timeoutMilliseconds
        var count = 0
        while count < limit {
            if let event = nextEvent() { return event }
            guard let message = rd_kafka_consumer_poll(handle, timeout) else { return nextEvent() }
            defer { rd_kafka_message_destroy(message) }
            timeout = 0
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                onRecord(KafkaRecord(message))
                count += 1
            } else {
                pending.append(event(for: message))
            }
        }
        return nil
    }

    /// The next event for the owner, and what the owner owes for it.
    private func nextEvent() -> KafkaEvent? {
        while let next = pending.next() {
            switch next {
            case .assigned(let partitions):
                wasAssigned = true
                owed = .assign(partitions)
            case .revoked(let partitions, _):
                owed = .unassign(partitions)
            case .error(let error):
                return event(for: error)
            case .positionLost(let partition, _, _) where assignment[partition] == nil:
                // It may still come after its partition has been taken away, and would make the owner seek in it.
                continue
            default:
                break
            }
            return next
        }
        return nil
    }

    /// Gives the client up. For `close`.
    func takeClient() -> OpaquePointer {
        defer { client = nil }
        return handle
    }
}
