import FakeMicrosoft
import FaultProxy
import ForwarderCore
import ForwarderHarness
import Glibc
import HTTPServer
import Synchronization
import ScenarioKit
import Testing

/// Whatever stands where Microsoft should, the daemon keeps the events, says why, and delivers when Microsoft is back.
struct HostilePeerTests {
    private struct Peer {
        /// Also of the destination that it stands in for.
        var name: String
        /// In the log, of every attempt.
        var outcome: String
        /// Somebody has to look; else the gate just backs off.
        var parks = false
        var script: LoopbackServer.Script

        /// Says this to every request.
        static func saying(_ text: String, _ name: String, _ outcome: String, parks: Bool = false) -> Peer {
            Peer(name: name, outcome: outcome, parks: parks) { connection in
                while !connection.readHead().isEmpty { connection.send(text.utf8) }
            }
        }

        /// Takes the head of a request and does not come to an end.
        static func endless(_ beginning: String, _ piece: String, _ name: String, _ outcome: String) -> Peer {
            Peer(name: name, outcome: outcome) { connection in
                _ = connection.readHead()
                connection.send(beginning.utf8)
                let pieces = Array(String(repeating: piece, count: 1000).utf8)
                while connection.send(pieces) {}
            }
        }
    }

    private static func peers(redirectingTo url: String) -> [Peer] {
        [
            Peer(name: "closing", outcome: "reset") { _ in },
            Peer(name: "resetting", outcome: "reset") { connection in
                _ = connection.readHead()
                connection.resetWhenClosed()
            },
            Peer(name: "silent", outcome: "timeout") { $0.readToEnd() },
            Peer(name: "dripping", outcome: "timeout") { connection in
                _ = connection.readHead()
                for byte in "HTTP/1.1 200 OK\r\nX-Slow: \(String(repeating: "x", count: 1000))".utf8 {
                    guard connection.send([byte]) else { return }
                    usleep(50_000)
                }
            },
            .saying("SSH-2.0-OpenSSH_9.2\r\n\r\n", "ssh", "protocol"),
            .saying("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "short", "timeout"),
            .saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "chunks", "reset"),
            .endless("HTTP/1.1 200 OK\r\n", "X-A: b\r\n", "headers", "protocol"),
            .endless("", "HTTP/1.1 103 Early Hints\r\n\r\n", "interim", "protocol"),
            .endless("HTTP/1.1 503 Busy\r\nContent-Length: 100000000\r\n\r\n", "0123456789", "giant", "http_503"),
            .saying("HTTP/1.1 511 Log in\r\nContent-Length: 6\r\n\r\n<html>", "portal", "http_511"),
            .saying(
                "HTTP/1.1 302 Found\r\nLocation: \(url)\r\nContent-Length: 0\r\n\r\n", "redirecting", "http_302",
                parks: true),
            .saying("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "stranger", "http_404", parks: true),
            Peer(name: "hasty", outcome: "http_403", parks: true) { connection in
                connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
                connection.readToEnd()
            },
        ]
    }

    /// A destination for each of the peers, ten events for all; then Microsoft takes every peer's place.
    private static func play(_ peers: [Peer], _ certificates: Certificates? = nil) throws {
        let stage = try Stage(hasOffline: false, tls: try certificates?.identity()) { settings in
            for index in peers.indices { settings.tags["\(1000 + index)"] = Microsoft.token }
        }
        let isOver = Atomic(false)
        let proxy = try FaultProxy(toPort: stage.microsoft.port)
        defer { proxy.stop() }
        var servers: [LoopbackServer] = []
        defer { for server in servers { server.stop() } }
        let scheme = certificates == nil ? "http" : "https"
        if let certificates { stage.settings.other = ["http: {ca_file: \(certificates.authority)}"] }
        for (index, peer) in peers.enumerated() {
            let server = try LoopbackServer { connection in
                if isOver.load(ordering: .sequentiallyConsistent) {
                    proxy.relay(connection)
                } else {
                    peer.script(connection)
                }
            }
            servers.append(server)
            stage.settings.more += [
                """
                  - {name: \(peer.name), type: capi, endpoint: "\(scheme)://127.0.0.1:\(server.port)", \
                uet_tag_id: "\(1000 + index)", token: {file: \(stage.directory.path)/capi-token}, \
                request_timeout: 3s, batch: {linger: 50ms}, retry: {base: 200ms, cap: 1s, parked_probe: 1s}}
                """
            ]
        }
        let daemon = try stage.start()
        let ids = Shop.ids("hostile", 0..<10)
        try stage.publish(ids.map { Shop.purchase($0) })
        for peer in peers {
            try eventually("\(peer.name): all to be on disk", within: .seconds(20)) {
                let gate = stage.destination(peer.name)?["gate"]?.string
                return stage.number(peer.name, "pending") == 10 && (gate == "parked") == peer.parks
            }
        }
        try eventually("Microsoft itself to have them") { stage.missing(ids).isEmpty }
        try eventually("Kafka to be committed on") { try stage.committedTotal() == 10 }
        let attempts = stage.directory.logLines("delivery.attempted")
        for peer in peers {
            let outcomes = attempts.filter { $0["destination"]?.string == peer.name }.map { $0["outcome"]?.string }
            try requireEqual(Set(outcomes), [peer.outcome], peer.name)
        }
        isOver.store(true, ordering: .sequentiallyConsistent)
        for (index, peer) in peers.enumerated() {
            try stage.expect(peer.name, "delivered", 10)
            let times = stage.microsoft.withModel { model in
                ids.map { model.timesAccepted(tag: "\(1000 + index)", eventID: $0) }
            }
            try requireEqual(times, ids.map { _ in 1 }, peer.name)
        }
        try daemon.waitUntilSettled(.seconds(20))
        try daemon.stop()
        try stage.finish()
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-7: whoever answers in Microsoft's place, nothing is lost and no token goes astray`() async throws {
        try await onThread {
            let connections = Atomic(0)
            let elsewhere = try LoopbackServer { _ in connections.add(1, ordering: .relaxed) }
            defer { elsewhere.stop() }
            try HostilePeerTests.play(
                HostilePeerTests.peers(redirectingTo: "http://127.0.0.1:\(elsewhere.port)/v1/1/events"))
            try requireEqual(connections.load(ordering: .relaxed), 0, "connections to where the redirect led")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-7: a server that cannot prove its name gets nothing, and nothing is lost`() async throws {
        try await onThread {
            let certificates = try Certificates()
            // Sees whatever gets through.
            let requests = Atomic(0)
            var servers: [HTTPServer] = []
            defer { for server in servers { server.stop() } }
            func impostor(_ name: String, _ identity: TLSIdentity) throws -> Peer {
                let server = try HTTPServer(
                    host: "127.0.0.1", port: 0, tls: identity, bodyLimit: 1 << 20, connectionLimit: 16,
                    idleTimeout: .seconds(20)
                ) { _ in
                    requests.add(1, ordering: .relaxed)
                    return .dropConnection
                }
                servers.append(server)
                let proxy = try FaultProxy(toPort: server.port)
                return Peer(name: name, outcome: "tls") { proxy.relay($0) }
            }
            try HostilePeerTests.play(
                [
                    try impostor("other-name", try certificates.identity(name: "DNS:elsewhere.test")),
                    try impostor("expired", try certificates.identity(days: -1)),
                    try impostor("other-authority", try Certificates().identity()),
                    Peer(name: "plain", outcome: "tls") { connection in
                        connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8)
                        connection.readToEnd()
                    },
                    Peer(name: "mute", outcome: "tls") { $0.readToEnd() },
                    Peer(name: "old", outcome: "tls") { connection in
                        _ = connection.read()
                        // A ServerHello of TLS 1.0.
                        let hello = [3, 1] + [UInt8](repeating: 7, count: 32) + [0, 0xC0, 0x09, 0]
                        let message = [2, 0, 0, UInt8(hello.count)] + hello
                        connection.send([22, 3, 1, 0, UInt8(message.count)] + message)
                        connection.readToEnd()
                    },
                ], certificates)
            try requireEqual(requests.load(ordering: .relaxed), 0, "requests that impostors got to see")
        }
    }
}
