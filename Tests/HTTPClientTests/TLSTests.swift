import ForwarderCore
import ForwarderHarness
import HTTPClient
import HTTPServer
import Testing

extension HTTP {
    @Suite struct TLS {
        let certificates: Certificates

        init() async throws {
            certificates = try await onThread { try Certificates() }
        }

        private var trusting: HTTPClient.Options {
            HTTPClient.Options.forTests.with { $0.caFile = certificates.authority }
        }

        private func exchange(
            identity: TLSIdentity, _ options: HTTPClient.Options
        ) async throws -> HTTPClient.Completion {
            try await withServer(tls: identity) {
                .text("\($0.body.count)")
            } _: { _, url in
                try await HTTPClientTests.exchange(.post(url, Array(repeating: 65, count: 530_000)), options)
            }
        }

        @Test func `a server of the right name and authority is talked to`() async throws {
            let completion = try await exchange(identity: try certificates.identity(), trusting)
            #expect(try expectAnswer(completion).body == Array("530000".utf8))
        }

        @Test func `a certificate for another name is refused`() async throws {
            let completion = try await exchange(
                identity: try certificates.identity(name: "DNS:elsewhere.test"), trusting)
            expectFault(.tls, completion)
            #expect(completion.bytesSent == 0)
        }

        @Test func `an expired certificate is refused, and the detail says so`() async throws {
            let completion = try await exchange(identity: try certificates.identity(days: -1), trusting)
            expectFault(.tls, completion)
            #expect(completion.faultDetail?.contains("expired") == true)
            #expect(completion.bytesSent == 0)
        }

        @Test func `an authority the system does not know is refused`() async throws {
            let completion = try await exchange(identity: try certificates.identity(), .forTests)
            expectFault(.tls, completion)
            #expect(completion.bytesSent == 0)
        }

        @Test func `a CA file replaces the authorities, it does not add to them`() async throws {
            let others = try await onThread { try Certificates() }
            let completion = try await exchange(identity: try others.identity(), trusting)
            expectFault(.tls, completion)
        }

        @Test func `a CA file without a certificate is a fault of TLS`() async throws {
            let options = HTTPClient.Options.forTests.with { $0.caFile = "/etc/hostname" }
            expectFault(.tls, try await exchange(identity: try certificates.identity(), options))
        }

        @Test func `a server that speaks no TLS, or hangs up, is a fault of TLS`() async throws {
            let plain: RawServer.Script = { connection, _ in
                connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                connection.finish()
                while connection.read() != nil {}
            }
            let closing: RawServer.Script = { connection, _ in _ = connection.read() }
            for script in [plain, closing] {
                try await withRawServer(script: script) { server, _ in
                    let request = HTTPRequest.get("https://127.0.0.1:\(server.port)/")
                    expectFault(.tls, try await HTTPClientTests.exchange(request, trusting))
                }
            }
        }

        @Test func `a handshake that never ends is a fault of TLS`() async throws {
            let script: RawServer.Script = { connection, _ in while connection.read() != nil {} }
            let options = trusting.with { $0.connectTimeout = .seconds(1) }
            try await withRawServer(script: script) { server, _ in
                let request = HTTPRequest.get("https://127.0.0.1:\(server.port)/")
                let completion = try await HTTPClientTests.exchange(request, options)
                expectFault(.tls, completion)
                #expect(completion.elapsed < .seconds(5))
            }
        }

        @Test func `a connection that breaks after the handshake is a reset`() async throws {
            try await withServer(tls: try certificates.identity()) { _ in
                .dropConnection
            } _: { _, url in
                expectFault(.reset, try await HTTPClientTests.exchange(.get(url), trusting))
            }
        }
    }
}
