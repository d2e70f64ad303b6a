import ForwarderHarness
import Glibc
import MockKafka
import ScenarioKit
import StorefrontEvents
import Testing

extension RealBrokerTests {
    /// Logs with holes in their offsets.
    struct LogTests {
        @Test(.timeLimit(.minutes(3)), .needs(.compaction))
        func `what compaction has left arrives`() async throws {
            try await onThread {
                let stage = try BrokerStage(
                    "compacted", hasOffline: false,
                    topicProperties: [
                        ("cleanup.policy", "compact"), ("segment.ms", "100"), ("segment.bytes", "2048"),
                        ("min.cleanable.dirty.ratio", "0.01"), ("max.compaction.lag.ms", "500"),
                    ])
                var last: [String] = []
                for round in 0..<20 {
                    last = []
                    for partition in 0..<stage.partitions {
                        // Some keys have their last record early.
                        for key in 0..<UInt8(round < 4 ? 8 : 4) {
                            let id = "p\(partition)-k\(key)-r\(round)"
                            try stage.publish([id], partition: partition, key: [key])
                            if key < 4 || round == 3 { last.append(id) }
                        }
                    }
                }
                try eventually("holes") { try stage.content().holes > 0 }
                let daemon = try stage.start()
                try stage.arrive(last)
                let content = try stage.content()
                try stage.arrive(content.eventIDs)
                try require(content.holes > 0, "no hole is left")
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.transactions))
        func `committed transactions arrive and aborted ones do not`() async throws {
            try await onThread {
                let stage = try BrokerStage("transactions", hasOffline: false)
                // Two, because of what noida-db does to one that has aborted; see Broker.swift.
                let committing = try TransactionalProducer(stage.brokers, id: "\(stage.topic)-c")
                let aborting = try TransactionalProducer(stage.brokers, id: "\(stage.topic)-a")
                var committed: [String] = []
                var aborted: [String] = []
                /// One that is committed and one that is aborted, at the same time.
                func transact(_ round: Int) throws {
                    try committing.begin()
                    try aborting.begin()
                    for partition in 0..<stage.partitions {
                        let good = BrokerStage.ids("good\(round)-p\(partition)", 10)
                        let bad = BrokerStage.ids("bad\(round)-p\(partition)", 10)
                        try committing.produce(stage.topic, partition: partition, good.map(BrokerStage.pageView))
                        try aborting.produce(stage.topic, partition: partition, bad.map(BrokerStage.pageView))
                        committed += good
                        aborted += bad
                    }
                    try committing.commit()
                    try aborting.abort()
                }
                for round in 0..<3 { try transact(round) }
                let daemon = try stage.start()
                for round in 3..<6 { try transact(round) }
                try stage.arrive(committed)

                // What stands behind an open transaction waits for it; the other partitions do not.
                try committing.begin()
                try committing.produce(stage.topic, partition: 0, [BrokerStage.pageView("open")])
                try stage.publish(["behind"], partition: 0)
                try stage.publish(["beside"], partition: 1)
                try stage.arrive(["beside"])
                try requireEqual(stage.missing(["open", "behind"]).count, 2, "read too early")
                try committing.commit()
                try stage.arrive(["open", "behind"])

                // Aborted records and marks at the end of the log are no lag.
                try transact(6)
                try stage.arrive(committed)
                try daemon.waitUntilSettled(.seconds(30))
                try requireEqual(stage.missing(aborted).count, aborted.count, "aborted")
                try require(try stage.content().holes >= 40 * 6, "the log has no holes")
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)))
        func `a record of 10 MB is rejected for its size, committed past, and what follows it is delivered`()
            async throws
        {
            try await onThread {
                let limit = (name: "message.max.bytes", value: "20000000")
                let stage = try BrokerStage(
                    "giant", partitions: 1, hasOffline: false, topicProperties: [("max.message.bytes", limit.value)])
                let producer = try KafkaProducer(properties: [("bootstrap.servers", stage.brokers), limit])
                let daemon = try stage.start()
                for round in 0..<3 {
                    try stage.publish(["before-\(round)"], partition: 0)
                    let giant = BrokerStage.pageView("giant") + Array(repeating: UInt8(ascii: " "), count: 10 << 20)
                    try producer.produce(stage.topic, partition: 0, value: giant)
                    try producer.flush(timeoutMilliseconds: 20_000)
                    try requireEqual(producer.delivered, round + 1, "records of 10 MB that the broker has taken")
                    try stage.publish(["after-\(round)"], partition: 0)
                    try stage.arrive(["before-\(round)", "after-\(round)"])
                }
                try eventually("the rejects to be said") {
                    let rejects = stage.directory.logLines("event.rejected")
                    return rejects.map { $0["offset"]?.integer } == [1, 4, 7]
                        && rejects.allSatisfy { $0["reasons"]?.elements?.map(\.string) == ["event_too_large"] }
                }
                try stage.finish(daemon)
                let metrics = stage.directory.lastMetrics()?["destinations"]?["capi"]
                try requireEqual(metrics?["rejected"]?.integer, 3, "counted")
                try requireEqual(stage.committed(), [0: 9], "committed")
            }
        }
    }
}
