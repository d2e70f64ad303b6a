import FaultProxy
import FakeMicrosoft
import ForwarderHarness
import ScenarioKit
import Testing

/// The connections to Kafka fail while the daemon starts, reads and commits.
struct CutKafkaTests {
    /// A stage whose Kafka the daemon reaches only through a proxy.
    private static func stage() throws -> (stage: Stage, proxy: FaultProxy) {
        let stage = try Stage(hasOffline: false)
        guard let port = stage.kafka.bootstrapServers.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Disappointment("no port in \(stage.kafka.bootstrapServers)")
        }
        let proxy = try FaultProxy(toPort: port, isKafka: true)
        stage.settings.brokers = "127.0.0.1:\(proxy.port)"
        // The last: so long, and three seconds more, librdkafka waits for the answer to a join.
        stage.settings.kafka = [
            """
            properties: {session.timeout.ms: 3000, heartbeat.interval.ms: 500, reconnect.backoff.ms: 50, \
            reconnect.backoff.max.ms: 200, max.poll.interval.ms: 5000}
            """
        ]
        return (stage, proxy)
    }

    private static let kinds: [Disturbance.Kind] = [.reset, .close, .delay(milliseconds: 300), .drip]

    @Test(.timeLimit(.minutes(15)))
    func `a start during which Kafka's connections break again and again reads all the same`() async throws {
        try await onThread {
            let (stage, proxy) = try CutKafkaTests.stage()
            defer { proxy.stop() }
            let ids = Shop.ids("start", 0..<30)
            try stage.publish(ids.map { Shop.purchase($0) })
            // Every other exchange from the first on: versions, metadata, the group, positions, records.
            let disturbances = (0..<16).map { number in
                Disturbance(
                    CutKafkaTests.kinds[number % 4],
                    at: .turn(2 * number, number % 3 == 0 ? .toServer : .toClient, afterBytes: number % 5))
            }
            proxy.disturb(disturbances)
            let daemon = try stage.launch()
            try daemon.waitUntilReading(.seconds(90))
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 30 }
            try eventually("the disturbances") { proxy.happened == disturbances.count }
            try daemon.waitUntilSettled(.seconds(30))
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).accepted, 30, "accepted")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `whichever exchange with Kafka breaks while events come in, all of them arrive and are committed`()
        async throws
    {
        try await onThread {
            let (stage, proxy) = try CutKafkaTests.stage()
            defer { proxy.stop() }
            let daemon = try stage.start()
            var published = 0
            for kind in CutKafkaTests.kinds {
                for turn in 0..<6 {
                    let direction = turn % 2 == 0 ? Disturbance.Direction.toClient : .toServer
                    proxy.disturb(Disturbance(kind, at: .turn(turn, direction, afterBytes: 6)))
                    let ids = Shop.ids("cut", published..<published + 10)
                    published += 10
                    try stage.publish(ids.map { Shop.purchase($0) })
                    try eventually("\(kind), turn \(turn) \(direction)") {
                        stage.missing(ids).isEmpty && proxy.happened == 1
                    }
                }
            }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == published }
            try daemon.waitUntilSettled(.seconds(30))
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).accepted, published, "accepted")
            try requireEqual(stage.directory.lastMetrics()?["unaccounted"]?.integer, 0, "unaccounted")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a broker that falls silent is left for a new connection`() async throws {
        try await onThread {
            let (stage, proxy) = try CutKafkaTests.stage()
            defer { proxy.stop() }
            // Else librdkafka would wait for an answer for a minute.
            stage.settings.kafka = [
                "properties: {session.timeout.ms: 6000, heartbeat.interval.ms: 500, socket.timeout.ms: 2000}"
            ]
            let daemon = try stage.start()
            for (round, turn) in [0, 1, 2].enumerated() {
                proxy.disturb(Disturbance(.stall, at: .turn(turn, .toClient)))
                let ids = Shop.ids("silent-\(round)", 0..<10)
                try stage.publish(ids.map { Shop.purchase($0) })
                try eventually("round \(round)") { stage.missing(ids).isEmpty && proxy.happened == 1 }
            }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 30 }
            try daemon.waitUntilSettled(.seconds(30))
            try daemon.stop()
            try stage.finish()
        }
    }
}
