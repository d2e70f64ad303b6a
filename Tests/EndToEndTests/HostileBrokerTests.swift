import FakeMicrosoft
import ForwarderHarness
import KafkaClient
import MockKafka
import ScenarioKit
import Testing

/// Brokers that refuse what the daemon asks of them.
struct HostileBrokerTests {
    private static func codes(_ numbers: Int32...) -> [KafkaError.Code] {
        numbers.map(KafkaError.Code.init(rawValue:))
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-1: a refused commit is said, counted and made up for by the next`() async throws {
        try await onThread {
            let stage = try Stage(partitions: 1, hasOffline: false)
            let daemon = try stage.start()
            // Loading, not the coordinator, metadata too large, an old generation, the size, no right, unknown.
            let codes = HostileBrokerTests.codes(14, 16, 12, 22, 28, 30, -1)
            for (index, code) in codes.enumerated() {
                stage.kafka.failNext(.offsetCommit, [code])
                try stage.publish([Shop.purchase("refused-\(index)")])
                try eventually("event \(index)") { stage.missing(["refused-\(index)"]).isEmpty }
                try eventually("\(code) to be made up for") {
                    try stage.committed(partitions: 1)[0] == Int64(index + 1)
                }
            }
            // Of a coordinator that is elsewhere or not ready librdkafka asks again itself.
            let reasons = stage.directory.logLines("commit.refused").map { $0["reason"]?.string }
            for reason in ["OFFSET_METADATA_TOO_LARGE", "GROUP_AUTHORIZATION_FAILED", "UNKNOWN"] {
                try require(reasons.contains(reason), "\(reason) is not said: \(reasons)")
            }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).accepted, codes.count, "accepted")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a start whose questions are refused asks again and begins where it should`() async throws {
        try await onThread {
            let stage = try Stage(partitions: 1, hasOffline: false)
            var daemon = try stage.start()
            try stage.publish([Shop.purchase("first")])
            try eventually("a commit") { try stage.committed(partitions: 1)[0] == 1 }
            try daemon.stop()
            try stage.publish([Shop.purchase("second")])
            // No right, twice, then a coordinator that is only just starting.
            stage.kafka.failNext(.offsetFetch, HostileBrokerTests.codes(30, 30, 14))
            stage.kafka.failNext(.findCoordinator, HostileBrokerTests.codes(15, 15))
            stage.kafka.failNext(.joinGroup, HostileBrokerTests.codes(14, 16))
            stage.kafka.failNext(.metadata, HostileBrokerTests.codes(5))
            daemon = try stage.start()
            try eventually("the second") { stage.missing(["second"]).isEmpty }
            try requireEqual(try stage.said("kafka.faulted")["reason"]?.string, "GROUP_AUTHORIZATION_FAILED", "reason")
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            // Nothing was read twice.
            try requireEqual(try stage.books(Microsoft.capi).duplicates, 0, "repeats")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a group without offsets that cannot learn where the end is begins with what comes`() async throws {
        try await onThread {
            let stage = try Stage(partitions: 1, hasOffline: false)
            stage.settings.kafka += ["start_from: latest"]
            try stage.publish([Shop.purchase("before")])
            stage.kafka.failNext(.listOffsets, HostileBrokerTests.codes(29, 29, 29, 29))
            let daemon = try stage.start()
            // Whether the place is known is Kafka's to say; a record goes out until one arrives.
            var published = 0
            try eventually("an event of later") {
                published += 1
                try stage.publish([Shop.purchase("after-\(published)")])
                return stage.missing(Shop.ids("after", 1..<published + 1)).count < published
            }
            try requireEqual(stage.timesAccepted("before"), 0, "before it began")
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `refused fetches stop nothing for good`() async throws {
        try await onThread {
            let stage = try Stage(partitions: 1, hasOffline: false)
            let daemon = try stage.start()
            // Corrupt, unknown topic, not the leader, no right, a disk, a fenced leader, unknown.
            let codes = HostileBrokerTests.codes(2, 3, 6, 29, 56, 74, -1)
            for (index, code) in codes.enumerated() {
                stage.kafka.failNext(.fetch, [code, code])
                try stage.publish([Shop.purchase("fetch-\(index)")])
                try eventually("the event behind \(code)") { stage.missing(["fetch-\(index)"]).isEmpty }
            }
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).accepted, codes.count, "accepted")
            try stage.finish()
        }
    }
}
