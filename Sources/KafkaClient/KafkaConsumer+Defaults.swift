import CRdKafka

extension KafkaConsumer {
    /// The version of librdkafka in this process, as 0xMMmmrrpp: major, minor, revision, 0xff for a release.
    public static var libraryVersion: Int32 { rd_kafka_version() }

    public static var libraryVersionText: String { String(cString: rd_kafka_version_str()) }

    /// What the daemon wants of every consumer. Only what `libraryVersion` knows, so that all of it can be set. The owner
    /// adds the user's properties behind these; later ones win.
    public static func defaultProperties(libraryVersion: Int32) -> [(name: String, value: String)] {
        [
            // Offsets are committed by the owner, and only those it says.
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // A position that cannot be used is an event (`positionLost`), never a silent jump.
            ("auto.offset.reset", "error"),
            // A member that comes or goes costs the others nothing but the partitions that move.
            ("partition.assignment.strategy", "cooperative-sticky"),
            // A firewall that forgets an idle connection is noticed.
            ("socket.keepalive.enable", "true"),
        ] + prefetchProperties(libraryVersion: libraryVersion)
    }

    private static func prefetchProperties(libraryVersion: Int32) -> [(name: String, value: String)] {
        if libraryVersion >= 0x0202_0000 {
            // A full prefetch queue is looked at again after 5 ms, so a small one keeps the consumer busy.
            return [
                ("fetch.queue.backoff.ms", "5"),
                ("queued.min.messages", "20000"),
                ("queued.max.messages.kbytes", "4096"),
            ]
        }
        // Before 2.2.0 it is looked at again after one second, so it has to hold more than a second of input.
        return [
            ("queued.min.messages", "200000"),
            ("queued.max.messages.kbytes", "131072"),
        ]
    }
}
