import FakeMicrosoft
import FaultProxy
import Forwarder
import ForwarderHarness
import HTTPServer
import ScenarioKit
import Testing

/// The connections to Microsoft fail, each exchange in each way, while events come in; all of them arrive.
struct CutMicrosoftTests {
    /// A way for an exchange to fail, and whether Microsoft may have carried it out.
    private struct Way {
        var kind: Disturbance.Kind
        var direction: Disturbance.Direction
        var afterBytes = 0
        var mayRepeat = false

        func turn(_ number: Int) -> Disturbance {
            Disturbance(kind, at: .turn(number, direction, afterBytes: afterBytes))
        }
    }

    /// Within the head of a request, within its body, before the answer, within its head.
    private static let ways: [Way] =
        [.reset, .close, .stall].flatMap { kind in
            [
                Way(kind: kind, direction: .toServer, afterBytes: 10),
                Way(kind: kind, direction: .toServer, afterBytes: 600),
                Way(kind: kind, direction: .toClient, mayRepeat: true),
                Way(kind: kind, direction: .toClient, afterBytes: 30, mayRepeat: true),
            ]
        } + [
            // On a slow machine they may outlast the request.
            Way(kind: .delay(milliseconds: 200), direction: .toServer, afterBytes: 100, mayRepeat: true),
            Way(kind: .delay(milliseconds: 200), direction: .toClient, afterBytes: 20, mayRepeat: true),
            Way(kind: .drip, direction: .toServer, mayRepeat: true),
            Way(kind: .drip, direction: .toClient, mayRepeat: true),
        ]

    /// A stage with a proxy before each of the three interfaces.
    private final class Cuts {
        let stage: Stage
        let daemon: DaemonProcess
        let capi: FaultProxy
        let offline: FaultProxy
        let grants: FaultProxy
        var published = 0

        init(_ certificates: Certificates? = nil) throws {
            stage = try Stage(partitions: 1, tls: try certificates?.identity())
            let port = stage.microsoft.port
            (capi, offline) = (try FaultProxy(toPort: port), try FaultProxy(toPort: port))
            grants = try FaultProxy(toPort: port)
            let scheme = certificates == nil ? "http" : "https"
            stage.settings.endpoint = "\(scheme)://127.0.0.1:\(capi.port)"
            stage.settings.offlineEndpoint = "\(scheme)://127.0.0.1:\(offline.port)"
            stage.settings.authority = "\(scheme)://127.0.0.1:\(grants.port)/common"
            if let certificates { stage.settings.other = ["http: {ca_file: \(certificates.authority)}"] }
            // Full batches, one after another: thirty events are three exchanges with each destination.
            let settings = [
                "retry: {base: 50ms, cap: 200ms}", "batch: {linger: 1s, max_events: 10}", "concurrency: 1",
                "request_timeout: 2s",
            ]
            (stage.settings.capi, stage.settings.offline) = (settings, settings)
            daemon = try stage.start()
        }

        deinit {
            for proxy in [capi, offline, grants] { proxy.stop() }
        }

        /// Thirty events, while something happens to these proxies.
        func round(_ what: String, _ disturbance: Disturbance, _ proxies: [FaultProxy]) throws {
            let ids = Shop.ids("cut", published..<published + 30)
            published += 30
            for proxy in proxies { proxy.disturb(disturbance) }
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("\(what): everything to arrive", within: .seconds(50)) {
                stage.missing(ids).isEmpty && stage.acceptedOffline == published
            }
            // Microsoft has taken the events before its answer comes to the proxy.
            try eventually("\(what): the disturbances", within: .seconds(20)) {
                proxies.allSatisfy { $0.happened == 1 }
            }
        }

        func repeats() throws -> Int {
            try stage.books(Microsoft.capi).duplicates + stage.books(Microsoft.offline).duplicates
        }

        /// Books that balance, in Microsoft's and in the daemon's eyes.
        func finish() throws {
            try daemon.waitUntilSettled(.seconds(20))
            for name in ["capi", "offline"] { try stage.expect(name, "delivered", published) }
            try daemon.stop()
            for destination in [Microsoft.capi, Microsoft.offline] {
                try requireEqual(try stage.books(destination).accepted, published, "\(destination.name) accepted")
            }
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-3: whichever exchange fails in whichever way, every event arrives, and repeats are the same`() async throws
    {
        try await onThread {
            let cuts = try Cuts()
            // The answer to what Microsoft has carried out can still be on its way when a round ends.
            for mayRepeat in [false, true] {
                for way in CutMicrosoftTests.ways where way.mayRepeat == mayRepeat {
                    for turn in 0..<3 {
                        try cuts.round("\(way), turn \(turn)", way.turn(turn), [cuts.capi, cuts.offline])
                    }
                }
                try requireEqual(try cuts.repeats() > 0, mayRepeat, "repeats")
            }
            try cuts.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `however the exchange for a token fails, there is a token in the end`() async throws {
        try await onThread {
            let cuts = try Cuts()
            // A request for a token has thirty seconds: one that stalls is enough.
            let ways =
                CutMicrosoftTests.ways.filter { $0.kind == .reset || $0.kind == .drip }
                + [Way(kind: .stall, direction: .toClient)]
            for way in ways {
                // It is short, too.
                var way = way
                way.afterBytes = min(way.afterBytes, 100)
                cuts.stage.microsoft.withModel { $0.expireAccessTokens(now: SystemClock.now.wall) }
                try cuts.round("\(way)", way.turn(0), [cuts.grants])
            }
            try cuts.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `cut in the handshake of TLS or behind it, every event arrives`() async throws {
        try await onThread {
            let certificates = try Certificates()
            let cuts = try Cuts(certificates)
            let ways: [(Disturbance.Kind, Disturbance.Direction)] = [
                (.reset, .toServer), (.close, .toClient), (.stall, .toClient), (.delay(milliseconds: 100), .toClient),
                (.drip, .toServer),
            ]
            for (kind, direction) in ways {
                // A connection of its own, so that the first turn is a greeting.
                try cuts.round("close", Disturbance(.close, at: .turn(0, .toServer)), [cuts.capi, cuts.offline])
                for turn in 0..<3 {
                    let disturbance = Disturbance(kind, at: .turn(turn, direction, afterBytes: 40))
                    try cuts.round("\(disturbance)", disturbance, [cuts.capi, cuts.offline])
                }
            }
            try cuts.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `connections that end as soon as they are made are no end of an event`() async throws {
        try await onThread {
            let cuts = try Cuts()
            for kind in [Disturbance.Kind.close, .reset, .stall, .delay(milliseconds: 300)] {
                for proxy in [cuts.capi, cuts.offline] {
                    // The open connection is lost first, so that there are new ones.
                    proxy.disturb(
                        Disturbance(.close, at: .turn(0, .toServer)), Disturbance(kind, at: .connection(0)),
                        Disturbance(kind, at: .connection(1)))
                }
                let ids = Shop.ids("cut", cuts.published..<cuts.published + 10)
                cuts.published += 10
                try cuts.stage.publish(ids.map { Shop.purchase($0) })
                try eventually("\(kind): everything to arrive", within: .seconds(20)) {
                    cuts.stage.missing(ids).isEmpty && cuts.stage.acceptedOffline == cuts.published
                }
                for proxy in [cuts.capi, cuts.offline] { try require(proxy.happened >= 2, "\(kind)") }
            }
            try requireEqual(try cuts.repeats(), 0, "repeats")
            try cuts.finish()
        }
    }
}
