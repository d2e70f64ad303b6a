import ForwarderCore
import Glibc
import ForwarderHarness
import HTTPClient
import HTTPServer
import Synchronization
import Testing

extension HTTP {
    /// Peers that mean harm, or are far from what they claim to be.
    @Suite struct Hostile {
        /// Answers every request of every connection with these bytes and keeps the connection open.
        private func answering(_ text: String) -> RawServer.Script {
            { connection, _ in
                while !connection.readHead().isEmpty { connection.send(text) }
            }
        }

        @Test func `a connection closed as soon as it is accepted is a reset`() async throws {
            for resets in [false, true] {
                let script: RawServer.Script = { connection, _ in if resets { connection.resetWhenClosed() } }
                try await withRawServer(script: script) { _, url in
                    let completion = try await exchange(.post(url, Array(repeating: 65, count: 100_000)))
                    // What the kernel says depends on how far the two have come.
                    let faults = [TransportFault.reset, .connect].map(HTTPOutcome.noAnswer)
                    #expect(faults.contains(completion.outcome), "\(completion)")
                }
            }
        }

        @Test func `headers that drip end by the timeout`() async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                for byte in "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Slow: \(String(repeating: "x", count: 1000))"
                    .utf8
                {
                    guard connection.send([byte]) else { return }
                    usleep(20_000)
                }
            }
            try await withRawServer(script: script) { _, url in
                let completion = try await exchange(.get(url, timeout: .seconds(1)))
                expectFault(.timeout, completion)
                #expect(completion.elapsed < .seconds(5))
            }
        }

        @Test(arguments: ["ZZZ\r\nabc\r\n", "\r\n\r\n", "FFFFFFFFFFFFFFFFFFFF\r\nabc", "-5\r\nabc", "3\r\nabcdef\r\n"])
        func `a body in chunks that are none is a reset`(body: String) async throws {
            let script = answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(body)0\r\n\r\n")
            try await withRawServer(script: script) { _, url in
                let completion = try await exchange(.get(url))
                expectFault(.reset, completion)
                // The one hint that it is not the network.
                #expect(completion.faultDetail?.contains("chunked-encoding") == true)
            }
        }

        @Test(arguments: [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\u{0}\u{0}\u{6}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{3}\u{0}\u{0}\u{0}d\r\n\r\n",
            "HTTP/3 200\r\nContent-Length: 2\r\n\r\n{}", "ICY 200 OK\r\n\r\n", " HTTP/1.1 200 OK\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: nonsense\r\n\r\n0\r\n\r\n",
        ])
        func `another protocol, or nearly this one, is a violation of it`(answer: String) async throws {
            try await withRawServer(script: answering(answer)) { _, url in
                expectFault(.protocolViolation, try await exchange(.get(url)))
            }
        }

        @Test(arguments: ["3", "2\r\nContent-Length: 3", "99999999999999999999"])
        func `an answer that says it is longer than it is ends by the timeout`(length: String) async throws {
            let script = answering("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n{}")
            try await withRawServer(script: script) { _, url in
                expectFault(.timeout, try await exchange(.get(url, timeout: .seconds(1))))
            }
        }

        @Test func `what comes behind an answer is not the next one's`() async throws {
            let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
            for isLate in [false, true] {
                let isIdle = Atomic(false)
                let isForged = Atomic(false)
                let script: RawServer.Script = { connection, number in
                    _ = connection.readHead()
                    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
                    connection.send(number == 0 && !isLate ? answer + forged : answer)
                    if number == 0, isLate {
                        _ = waitUntil { isIdle.load(ordering: .sequentiallyConsistent) }
                        connection.send(forged)
                        isForged.store(true, ordering: .sequentiallyConsistent)
                    }
                    while !connection.readHead().isEmpty { connection.send(answer) }
                }
                try await withRawServer(script: script) { _, url in
                    let (first, second) = try await withClient { client in
                        let first = client.exchange(.get(url))
                        isIdle.store(true, ordering: .sequentiallyConsistent)
                        if isLate { _ = waitUntil { isForged.load(ordering: .sequentiallyConsistent) } }
                        return (first, client.exchange(.get(url)))
                    }
                    for end in [first, second] {
                        let answer = try expectAnswer(try #require(end))
                        #expect(answer.body == Array("{}".utf8))
                    }
                    #expect(second?.connectTime != nil, "late: \(isLate)")
                    #expect(second?.wasResent == false, "late: \(isLate)")
                }
            }
        }

        @Test func `what comes behind a redirect is not the next one's`() async throws {
            let isIdle = Atomic(false)
            let isForged = Atomic(false)
            try await withServer { _ in
                .text("there")
            } _: { _, elsewhere in
                let script: RawServer.Script = { connection, number in
                    _ = connection.readHead()
                    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
                    if number == 0 {
                        connection.send("HTTP/1.1 302 Found\r\nLocation: \(elsewhere)/\r\nContent-Length: 0\r\n\r\n")
                        _ = waitUntil { isIdle.load(ordering: .sequentiallyConsistent) }
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
                        isForged.store(true, ordering: .sequentiallyConsistent)
                    } else {
                        connection.send(answer)
                    }
                    while !connection.readHead().isEmpty { connection.send(answer) }
                }
                try await withRawServer(script: script) { _, url in
                    let (first, second) = try await withClient { client in
                        var request = HTTPRequest.get(url)
                        request.redirectLimit = 1
                        let first = client.exchange(request)
                        isIdle.store(true, ordering: .sequentiallyConsistent)
                        _ = waitUntil { isForged.load(ordering: .sequentiallyConsistent) }
                        return (first, client.exchange(.get(url)))
                    }
                    #expect(try expectAnswer(#require(first)).body == Array("there".utf8))
                    #expect(try expectAnswer(#require(second)).body == Array("{}".utf8))
                    #expect(second?.connectTime != nil)
                }
            }
        }

        @Test func `a connection on which nothing was said is used again, with TLS as well`() async throws {
            let certificates = try await onThread { try Certificates() }
            for tls in [nil, try certificates.identity()] {
                try await withServer(tls: tls) { _ in
                    .text("ok")
                } _: { _, url in
                    let options = HTTPClient.Options.forTests.with { $0.caFile = certificates.authority }
                    let connections = try await withClient(options) { client in
                        (0..<5).count { _ in
                            usleep(20_000)
                            return client.exchange(.get(url))?.connectTime != nil
                        }
                    }
                    #expect(connections == 1)
                }
            }
        }

        @Test func `compression that nobody asked for is left alone`() async throws {
            let script = answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\u{1F}ab\n")
            try await withRawServer(script: script) { _, url in
                let answer = try expectAnswer(try await exchange(.get(url)))
                #expect(answer.body.count == 4)
            }
        }

        @Test(arguments: [UInt8(0), 1, 2])
        func `TLS before 1.2 is refused`(minor: UInt8) async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.read()
                // A ServerHello of that version: random bytes, no session, ECDHE-ECDSA with AES-128-CBC and SHA-1.
                let hello = [3, minor] + [UInt8](repeating: 7, count: 32) + [0, 0xC0, 0x09, 0]
                let message = [2, 0, 0, UInt8(hello.count)] + hello
                connection.send([22, 3, minor, 0, UInt8(message.count)] + message)
                while connection.read() != nil {}
            }
            try await withRawServer(script: script) { server, _ in
                let completion = try await exchange(.get("https://127.0.0.1:\(server.port)/"))
                expectFault(.tls, completion)
                #expect(completion.faultDetail?.contains("protocol") == true, "\(completion)")
                #expect(completion.bytesSent == 0)
            }
        }
    }
}
