import CRdKafka
import Glibc
import Synchronization

extension KafkaConsumer {
    /// Leaves the group, so that the other members get the partitions at once, and ends the client.
    ///
    /// - Parameters:
    ///   - timeoutMilliseconds: for all of it, what `onEvent` takes included.
    ///   - onEvent: gets what happens meanwhile. `revoked`, which comes if any partition is assigned, is the time for the
    ///     last commit; `close` answers it itself.
    /// - Returns: whether librdkafka finished in time. If not, the client is left behind with its threads and sockets,
    ///   because ending it could take for ever; the broker notices after `session.timeout.ms` at the latest. A coordinator
    ///   that is out of reach is not waited for.
    public func close(timeoutMilliseconds: Int32, _ onEvent: (KafkaEvent) -> Void) -> Bool {
        precondition(!isPolling, "a consumer is closed in the middle of a poll")
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        // An assignment that arrives or is answered once closing has begun makes librdkafka before 2.4.0 wait for ever:
        // so no join may be under way. Unsubscribing ends it, and takes the partitions away.
        answer(onEvent)
        rd_kafka_unsubscribe(handle)
        var wait: Int32 = 0
        while serve(timeoutMilliseconds: wait, until: deadline, onEvent) { wait = 50 }
        let mayDestroy = !destroyingAborts

        var isFinished: Bool
        if let error = KafkaError(taking: rd_kafka_consumer_close_queue(handle, queue), while: "leaving the group") {
            // Only after a fatal error, which has ended the membership anyway.
            onEvent(.error(error))
            isFinished = true
        } else {
            isFinished = rd_kafka_consumer_closed(handle) != 0
            while !isFinished, !deadline.hasPassed {
                serve(timeoutMilliseconds: min(deadline.millisecondsLeft, 50), until: deadline, onEvent)
                isFinished = rd_kafka_consumer_closed(handle) != 0
            }
        }
        let client = takeClient()
        rd_kafka_queue_destroy(queue)
        guard isFinished else { return false }
        return mayDestroy ? destroy(client, until: deadline) : true
    }

    /// Before 2.3.0 librdkafka aborts the process when it ends a cooperative consumer that the group has let in but not
    /// yet given an assignment, even an empty one. Such a client is better left behind.
    private var destroyingAborts: Bool {
        KafkaConsumer.libraryVersion < 0x0203_0000 && !wasAssigned && isCooperative
    }

    /// Hands out everything but records, and answers the group. Returns whether there was anything to answer.
    @discardableResult
    private func serve(
        timeoutMilliseconds: Int32, until deadline: Deadline, _ onEvent: (KafkaEvent) -> Void
    ) -> Bool {
        var timeout = timeoutMilliseconds
        var hasAnswered = false
        repeat {
            var hasRecords = false
            let event = poll(timeoutMilliseconds: timeout, limit: 1000) { _ in hasRecords = true }
            timeout = 0
            switch event {
            case .assigned:
                break
            case .revoked(let partitions, let isLost):
                let known = partitions.filter { assignment[$0] != nil }
                if !known.isEmpty { onEvent(.revoked(known, isLost: isLost)) }
            case let event?:
                onEvent(event)
            case nil:
                if !hasRecords { return hasAnswered }
            }
            if owed != nil {
                hasAnswered = true
                answer(onEvent)
            }
        } while !deadline.hasPassed
        return false
    }

    /// Gives the group the answer it waits for, whatever the owner thinks of it.
    private func answer(_ onEvent: (KafkaEvent) -> Void) {
        do throws(KafkaError) {
            switch owed {
            case .assign(let partitions):
                // They can only be given back once they have been taken. An explicit offset needs no looking up.
                owed = nil
                try take(Dictionary(partitions.map { ($0, .offset(0)) }, uniquingKeysWith: { first, _ in first }))
            case .unassign:
                try unassign()
            case nil:
                break
            }
        } catch {
            onEvent(.error(error))
        }
    }

    /// Ends the client on a thread of its own: librdkafka waits there for its threads without a limit, and before 2.1.0
    /// one of them never ends once a partition has vanished from its topic. Returns whether it has ended in time.
    private func destroy(_ client: OpaquePointer, until deadline: Deadline) -> Bool {
        let destruction = Destruction(client)
        let argument = Unmanaged.passRetained(destruction)
        var thread = pthread_t()
        guard pthread_create(&thread, nil, runDestruction, argument.toOpaque()) == 0 else {
            argument.release()
            return false
        }
        pthread_detach(thread)
        while !destruction.isDone.load(ordering: .acquiring), !deadline.hasPassed { usleep(1000) }
        return destruction.isDone.load(ordering: .acquiring)
    }
}

private final class Destruction {
    let client: OpaquePointer
    let isDone = Atomic(false)

    init(_ client: OpaquePointer) {
        self.client = client
    }
}

private func runDestruction(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let destruction = Unmanaged<Destruction>.fromOpaque(argument).takeRetainedValue()
    rd_kafka_destroy_flags(destruction.client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    destruction.isDone.store(true, ordering: .releasing)
    return nil
}
