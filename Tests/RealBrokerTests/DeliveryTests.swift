import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

extension RealBrokerTests {
    struct DeliveryTests {
        @Test(.timeLimit(.minutes(3)))
        func `what a shop publishes arrives`() async throws {
            try await onThread {
                let stage = try BrokerStage("plain")
                let daemon = try stage.start()
                try stage.publisher.publish(5000)
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), arguments: ["lz4", "zstd", "gzip", "snappy"])
        func `what a producer has compressed arrives`(codec: String) async throws {
            try await onThread {
                let stage = try BrokerStage(codec, producer: [("compression.type", codec)])
                let daemon = try stage.start()
                try stage.publisher.publish(3000)
                try stage.finish(daemon)
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.rebalance))
        func `a member that joins in the middle and leaves again loses nothing`() async throws {
            try await onThread {
                let stage = try BrokerStage("joins")
                let first = try stage.start()
                let directory = try DaemonDirectory()
                var second: DaemonProcess?
                try stage.publisher.publish(6000, rate: 2000) { done throws(HarnessFailure) in
                    guard done == 2000 else { return }
                    try stage.settings.write(to: directory)
                    second = try DaemonProcess(daemonBinary, directory)
                }
                try stage.waitUntilReading(2, in: directory)
                try stage.waitUntilReading(2)
                try stage.publisher.publish(6000, rate: 2000) { done throws(HarnessFailure) in
                    if done == 4000 { second?.send(SIGTERM) }
                }
                try requireEqual(second?.exitCode(timeout: .seconds(30)), 0, "exit code")
                try require(
                    directory.lastMetrics()?["destinations"]?["capi"]?["delivered"]?.integer ?? 0 > 500,
                    "the second had its share")
                try stage.waitUntilReading(4)
                // What the second wrote down at its end it delivers when it comes back.
                let again = try stage.launch(in: directory)
                try stage.arrive(stage.publisher.expectation.capi)
                try stage.waitUntilReading(2, in: directory)
                try again.stop()
                try stage.waitUntilReading(4)
                try stage.finish(first, others: [(directory, 0)])
            }
        }

        @Test(.timeLimit(.minutes(3)), .needs(.sessionTimeout))
        func `a member that is killed leaves nothing undone`() async throws {
            try await onThread {
                let stage = try BrokerStage("killed")
                let first = try stage.start()
                let directory = try DaemonDirectory()
                let second = try stage.launch(in: directory)
                try stage.waitUntilReading(2, in: directory)
                try stage.waitUntilReading(2)
                try stage.publisher.publish(6000, rate: 2000) { done throws(HarnessFailure) in
                    if done == 3000 { second.kill() }
                }
                try stage.waitUntilReading(4)
                try stage.finish(first, others: [(directory, 1)])
            }
        }

        @Test(
            .timeLimit(.minutes(3)),
            .enabled(if: Broker.restartCommand != nil, "FORWARDER_TEST_BROKER_RESTART says nothing"))
        func `the broker restarts in the middle`() async throws {
            try await onThread {
                let stage = try BrokerStage("restart")
                let daemon = try stage.start()
                try stage.publisher.publish(6000, rate: 1000) { done throws(HarnessFailure) in
                    guard done == 2000, let command = Broker.restartCommand else { return }
                    let restart = try ChildProcess("/bin/sh", ["-c", command], environment: DaemonProcess.environment)
                    guard restart.exitCode(timeout: .seconds(30)) == 0 else {
                        throw HarnessFailure("\(command) does not work")
                    }
                }
                try stage.finish(daemon)
                try require(
                    stage.directory.logLines("metrics").contains { $0["brokers_up"]?.integer == 0 },
                    "the broker was not away")
            }
        }
    }
}
