import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

extension RealBrokerTests {
    struct TopicTests {
        @Test(.timeLimit(.minutes(3)))
        func `a topic that appears later than the daemon is read from its beginning`() async throws {
            try await onThread {
                let stage = try BrokerStage("late", hasTopic: false)
                let daemon = try stage.launch()
                try eventually("it to say why it is not ready") {
                    stage.directory.status()?["not_ready_because"]?.elements?.isEmpty == false
                }
                try requireEqual(stage.directory.status()?["assignments"]?.elements?.count, 0, "partitions")
                try stage.admin.createTopic(stage.topic, partitions: stage.partitions)
                try stage.publisher.publish(1000)
                try stage.waitUntilReading(4)
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.outOfRange))
        func `a topic made anew while nobody read: its offsets begin anew`() async throws {
            try await onThread {
                let stage = try BrokerStage("anew", hasOffline: false)
                var daemon = try stage.start()
                try stage.publisher.publish(2000)
                try stage.arrive(stage.publisher.expectation.capi)
                try daemon.waitUntilSettled(.seconds(30))
                try daemon.stop()
                try stage.admin.deleteTopic(stage.topic)
                try stage.admin.createTopic(stage.topic, partitions: stage.partitions)
                let ids = (0..<stage.partitions).map { BrokerStage.ids("anew-\($0)", 10) }
                for partition in 0..<stage.partitions { try stage.publish(ids[Int(partition)], partition: partition) }
                daemon = try stage.start()
                try stage.arrive(ids.joined())
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.outOfRange))
        func `a topic made anew under the daemon: its offsets begin anew`() async throws {
            try await onThread {
                let stage = try BrokerStage("under", hasOffline: false)
                let daemon = try stage.start()
                try stage.publisher.publish(2000)
                try stage.arrive(stage.publisher.expectation.capi)
                try daemon.waitUntilSettled(.seconds(30))
                try stage.admin.deleteTopic(stage.topic)
                try stage.admin.createTopic(stage.topic, partitions: stage.partitions)
                let ids = (0..<stage.partitions).map { BrokerStage.ids("under-\($0)", 10) }
                for partition in 0..<stage.partitions { try stage.publish(ids[Int(partition)], partition: partition) }
                try stage.arrive(ids.joined())
                try stage.waitUntilReading(4)
                try stage.finish(daemon)
            }
        }
    }
}
