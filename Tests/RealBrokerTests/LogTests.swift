import ForwarderHarness
import Glibc
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
                try daemon.waitUntilSettled()
                try requireEqual(stage.missing(aborted).count, aborted.count, "aborted")
                try require(try stage.content().holes >= 40 * 6, "the log has no holes")
                try stage.finish(daemon)
            }
        }
    }
}
