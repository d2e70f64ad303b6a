import CRdKafka

/// What librdkafka's callbacks have left for the owner, in the order in which they came.
///
/// Each callback does no more than append here and end the wait it interrupts, so the owner is never called from inside
/// librdkafka: it gets an event as the result of `poll`.
///
/// **Lifetime.** librdkafka knows this object by an address that retains nothing. That is sound because it calls back
/// out of rd_kafka_consumer_poll and nowhere else, on the thread that polls (log lines too: `log.queue` sees to that). The
/// consumer that makes the call holds this object. A client that `close` leaves behind is never polled again.
final class PendingEvents {
    private var events: [KafkaEvent] = []
    /// How many of them have been taken.
    private var taken = 0
    /// The queue that is polled, once there is one.
    var queue: OpaquePointer?

    func append(_ event: KafkaEvent) {
        events.append(event)
    }

    /// Takes the oldest.
    func next() -> KafkaEvent? {
        guard taken < events.count else { return nil }
        defer {
            taken += 1
            if taken == events.count {
                events.removeAll(keepingCapacity: taken < 100)
                taken = 0
            }
        }
        return events[taken]
    }
}

extension PendingEvents {
    /// What librdkafka passes to every callback.
    var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// Has a client that is made of `configuration` tell everything to this object.
    func register(in configuration: borrowing ClientConfiguration) {
        rd_kafka_conf_set_opaque(configuration.raw, opaque)
        rd_kafka_conf_set_rebalance_cb(configuration.raw, rebalanced)
        rd_kafka_conf_set_offset_commit_cb(configuration.raw, commitEnded)
        rd_kafka_conf_set_error_cb(configuration.raw, failed)
        rd_kafka_conf_set_stats_cb(configuration.raw, counted)
        rd_kafka_conf_set_log_cb(configuration.raw, logged)
    }
}

// MARK: Callbacks

private typealias List = UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

private func note(_ event: KafkaEvent, _ opaque: UnsafeMutableRawPointer, interrupting client: OpaquePointer) {
    Unmanaged<PendingEvents>.fromOpaque(opaque).takeUnretainedValue().append(event)
    rd_kafka_yield(client)
}

private func rebalanced(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t, _ list: List?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let client, let opaque else { return }
    let partitions = list.map(TopicPartition.all(in:)) ?? []
    // Anything else than REVOKE_PARTITIONS would be a failed rebalance, which is to be answered in the same way.
    let event: KafkaEvent =
        code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
        ? .assigned(partitions) : .revoked(partitions, isLost: rd_kafka_assignment_lost(client) != 0)
    note(event, opaque, interrupting: client)
}

/// For the client's commits and for those that are sent with a callback.
func commitEnded(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let client, let opaque else { return }
    note(KafkaEvent(commitEnded: code, list), opaque, interrupting: client)
}

private func failed(
    _ client: OpaquePointer?, _ code: Int32, _ reason: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let client, let opaque else { return }
    let error = KafkaError(toldBy: client, rd_kafka_resp_err_t(code), reason)
    note(.error(error), opaque, interrupting: client)
}

/// Returns 0: the text stays librdkafka's.
private func counted(
    _ client: OpaquePointer?, _ json: UnsafeMutablePointer<CChar>?, _ count: Int, _ opaque: UnsafeMutableRawPointer?
) -> Int32 {
    guard let client, let opaque else { return 0 }
    note(.statistics(Array(UnsafeRawBufferPointer(start: json, count: count))), opaque, interrupting: client)
    return 0
}

private func logged(
    _ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ text: UnsafePointer<CChar>?
) {
    // While a client is being made, there is nobody yet to tell.
    guard let client, let opaque = rd_kafka_opaque(client), let facility, let text else {
        return rd_kafka_log_print(client, level, facility, text)
    }
    let pending = Unmanaged<PendingEvents>.fromOpaque(opaque).takeUnretainedValue()
    pending.append(.log(KafkaLog(level: level, facility: String(cString: facility), text: String(cString: text))))
    // librdkafka gives log lines out while it looks for something to return, where it takes no notice of rd_kafka_yield.
    if let queue = pending.queue { rd_kafka_queue_yield(queue) }
}
