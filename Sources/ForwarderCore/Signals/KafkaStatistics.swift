/// What is read of librdkafka's statistics (STATISTICS.md of librdkafka): how much is prefetched, and whether brokers and
/// group are there.
public struct KafkaStatistics: Sendable, Equatable {
    public struct Partition: Sendable, Equatable {
        public var topic: String
        public var partition: Int32
        /// The end of the log if all that can be read before it was handed out; nil if there is more.
        public var handedOutTo: Int64?
        /// Records fetched and not handed out.
        public var prefetched: Int
    }

    public var partitions: [Partition] = []
    public var brokersUp = 0
    public var brokersKnown = 0
    /// Whether the group has this member and is at rest.
    public var isSettledInGroup: Bool

    public init?(json: [UInt8]) {
        guard let root = (try? JSONDocument(json))?.root, root.kind == .object else { return nil }
        isSettledInGroup = root["cgrp"]?["join_state"]?.string == "steady"
        for (_, broker) in root["brokers"]?.members ?? [] {
            // Bootstrap addresses and the coordinator's connection have no id of their own.
            guard let id = broker["nodeid"]?.integer, id >= 0, broker["source"]?.string != "logical" else { continue }
            brokersKnown += 1
            if broker["state"]?.string == "UP" { brokersUp += 1 }
        }
        for (topic, value) in root["topics"]?.members ?? [] {
            for (_, partition) in value["partitions"]?.members ?? [] {
                // -1 gathers what has no partition yet.
                guard let id = partition["partition"]?.integer, id >= 0, partition["desired"]?.bool == true else {
                    continue
                }
                partitions.append(
                    Partition(
                        topic: topic, partition: Int32(clamping: id), handedOutTo: KafkaStatistics.end(partition),
                        prefetched: Int(partition["fetchq_cnt"]?.integer ?? 0)))
            }
        }
        partitions.sort { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }

    private static func end(_ partition: JSONElement) -> Int64? {
        guard partition["fetchq_cnt"]?.integer == 0, let next = partition["next_offset"]?.integer,
            let high = partition["hi_offset"]?.integer, high >= 0
        else { return nil }
        // What stands behind the last stable offset belongs to a transaction that is open: not to be read yet.
        return next >= high || next == partition["ls_offset"]?.integer ? high : nil
    }
}
