import ForwarderCore
import Glibc
import HTTPClient
import HTTPServer
import Testing

extension HTTP {
    /// Which fault stands for which misfortune.
    @Suite struct Faults {
        @Test func `a name that does not exist is a fault of name resolution`() async throws {
            // Where there is no name server the look-up ends by the timeout instead, with the same fault.
            let options = HTTPClient.Options.forTests.with { $0.connectTimeout = .seconds(2) }
            expectFault(.nameResolution, try await exchange(.get("http://no-such-host.invalid/"), options))
        }

        @Test func `a port nobody listens on is a fault of connecting`() async throws {
            let port = try RawServer(nil).port
            expectFault(.connect, try await exchange(.get("http://127.0.0.1:\(port)/")))
        }

        @Test(arguments: [true, false])
        func `a host that does not take the connection is a fault of connecting`(
            byConnectTimeout: Bool
        ) async throws {
            // A full queue of connections that nobody accepts: the kernel drops what comes then.
            try await withRawServer(backlog: 0, script: nil) { server, url in
                let port = server.port
                let options = HTTPClient.Options.forTests.with { $0.connectTimeout = .milliseconds(300) }
                let completion = try await onThread {
                    let filler = try RawConnection(toPort: port)
                    let client = try HTTPClient(options: byConnectTimeout ? options : .forTests)
                    let request = HTTPRequest.get(url, timeout: byConnectTimeout ? .seconds(10) : .milliseconds(300))
                    return withExtendedLifetime(filler) { client.exchange(request) }
                }
                expectFault(.connect, try #require(completion))
                #expect((.milliseconds(290) ... .seconds(5)).contains(try #require(completion).elapsed))
            }
        }

        @Test(arguments: [
            "SSH-2.0-OpenSSH_9.2\r\n", "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\n\n", "<html>not found</html>\n",
            "HTTP/1.1 abc Hello\r\n\r\n", "HTTP/7.7 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX-Nul: a\u{0}b\r\n\r\n", "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
        ])
        func `an answer that is not HTTP is a violation of the protocol`(answer: String) async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send(answer)
                connection.finish()
                while connection.read() != nil {}
            }
            try await withRawServer(script: script) { _, url in
                expectFault(.protocolViolation, try await exchange(.get(url)))
            }
        }

        @Test(arguments: ["X-A: b\r\n", "aaaaaaaaaaaaaaaa", "HTTP/1.1 103 Early Hints\r\n\r\n"])
        func `headers without end are a violation of the protocol`(piece: String) async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send("HTTP/1.1 200 OK\r\n")
                if piece.hasPrefix("HTTP") { connection.send("\r\n") }
                let pieces = Array(String(repeating: piece, count: 1000).utf8)
                while connection.send(pieces) {}
            }
            // An interim answer before a final one, over and over.
            let interim: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                while connection.send(Array(String(repeating: piece, count: 1000).utf8)) {}
            }
            try await withRawServer(script: piece.hasPrefix("HTTP") ? interim : script) { _, url in
                expectFault(.protocolViolation, try await exchange(.get(url)))
            }
        }

        @Test(arguments: [
            "", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nhalf",
        ])
        func `a connection that breaks before the answer is whole is a reset`(answer: String) async throws {
            for resets in [true, false] {
                let script: RawServer.Script = { connection, _ in
                    _ = connection.readHead()
                    connection.send(answer)
                    if resets { connection.resetWhenClosed() }
                }
                try await withRawServer(script: script) { _, url in
                    let completion = try await exchange(.get(url))
                    expectFault(.reset, completion)
                    #expect(!completion.wasResent)
                }
            }
        }

        @Test func `a reset while the body is on its way is a reset`() async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.resetWhenClosed()
            }
            try await withRawServer(script: script) { _, url in
                expectFault(.reset, try await exchange(.post(url, Array(repeating: 65, count: 20_000_000))))
            }
        }

        @Test func `silence, a drip and a body nobody reads all end by the timeout`() async throws {
            let silent: RawServer.Script = { connection, _ in while connection.read() != nil {} }
            let dripping: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while connection.send("x") { usleep(20_000) }
            }
            let deaf: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                usleep(3_000_000)
            }
            for script in [silent, dripping, deaf] {
                try await withRawServer(script: script) { _, url in
                    let body = Array(repeating: UInt8(65), count: 20_000_000)
                    let completion = try await exchange(.post(url, body, timeout: .seconds(1)))
                    expectFault(.timeout, completion)
                    #expect((.milliseconds(990) ... .seconds(5)).contains(completion.elapsed))
                }
            }
        }

        @Test func `a stalled request is given up before its timeout`() async throws {
            let script: RawServer.Script = { connection, _ in while connection.read() != nil {} }
            let options = HTTPClient.Options.forTests.with { $0.stallTimeout = .seconds(1) }
            try await withRawServer(script: script) { _, url in
                let completion = try await exchange(.get(url, timeout: .seconds(20)), options)
                expectFault(.timeout, completion)
                #expect(completion.elapsed < .seconds(5))
            }
        }

        @Test func `a CA file that cannot be read is named`() async throws {
            let options = HTTPClient.Options.forTests.with { $0.caFile = "/nonexistent/ca.pem" }
            let error = await #expect(throws: HTTPClientError.self) { try await withClient(options) { _ in } }
            #expect(error?.description.contains("/nonexistent/ca.pem") == true)
        }
    }
}
