import ForwarderCore
import Glibc
import HTTPClient
import HTTPServer
import Synchronization
import Testing

extension HTTP {
    @Suite struct Server {
        @Test func `a handler sees the request as it was sent`() async throws {
            let seen = Notes<ServerRequest>()
            let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) }
            try await withServer { request in
                seen.add(request)
                return .text("ok")
            } _: { _, url in
                var request = HTTPRequest.post("\(url)/a%2Fb/c%20d?x=%26&y", body)
                request.headers = [.init("X-Twice", "1"), .init("x-twice", "2")]
                _ = try expectAnswer(try await exchange(request))
            }
            let request = try #require(seen.all.first)
            #expect(request.method == "POST")
            #expect(request.path == "/a%2Fb/c%20d")
            #expect(request.query == "x=%26&y")
            #expect(request.headers["x-twice"] == "1, 2")
            #expect(request.body == body)
            #expect(request.peerAddress == "127.0.0.1")
        }

        @Test func `a body in pieces arrives as one`() async throws {
            let seen = Notes<ServerRequest>()
            // Longer than what libcurl asks for at once, and with nothing in one of them.
            let pieces = [Array("start".utf8), (0..<600_000).map { UInt8($0 % 251) }, [], Array("end".utf8)]
            try await withServer {
                seen.add($0)
                return .text("ok")
            } _: { _, url in
                var request = HTTPRequest.post(url, [])
                request.bodyPieces = pieces
                _ = try expectAnswer(try await exchange(request))
                #expect(request.body == Array(pieces.joined()))
            }
            let arrived = try #require(seen.all.first)
            #expect(arrived.body == Array(pieces.joined()))
        }

        @Test func `a chunked body arrives whole`() async throws {
            try await withServer {
                .text("\($0.body.count)")
            } _: { server, _ in
                let port = server.port
                let answer = try await onThread {
                    let connection = try RawConnection(toPort: port)
                    connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                    for _ in 0..<100 { connection.send("A\r\n0123456789\r\n") }
                    connection.send("0\r\n\r\n")
                    connection.finish()
                    return connection.readToEnd()
                }
                #expect(answer.hasSuffix("\r\n\r\n1000"))
            }
        }

        @Test(arguments: [11, 200_000])
        func `a body over the limit is answered 413 and the handler not called`(size: Int) async throws {
            let calls = Atomic(0)
            try await withServer(bodyLimit: 10) { _ in
                calls.add(1, ordering: .relaxed)
                return .text("ok")
            } _: { server, url in
                _ = try expectAnswer(try await exchange(.post(url, Array(repeating: 65, count: size))), status: 413)
                let port = server.port
                let chunked = try await onThread {
                    let connection = try RawConnection(toPort: port)
                    connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                    connection.send("\(String(size, radix: 16))\r\n")
                    connection.send(Array(repeating: 65, count: size) + Array("\r\n0\r\n\r\n".utf8))
                    return connection.readHead()
                }
                #expect(chunked.hasPrefix("HTTP/1.1 413 "))
            }
            #expect(calls.load(ordering: .relaxed) == 0)
        }

        @Test(arguments: ["Content-Length: 50000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2FAF080\r\n"])
        func `a body far over the limit is not read to its end`(framing: String) async throws {
            let calls = Atomic(0)
            try await withServer(bodyLimit: 10) { _ in
                calls.add(1, ordering: .relaxed)
                return .text("ok")
            } _: { server, _ in
                let port = server.port
                let wasTaken = try await onThread {
                    let connection = try RawConnection(toPort: port)
                    connection.send("POST / HTTP/1.1\r\nHost: a\r\n\(framing)")
                    return connection.send(Array(repeating: 65, count: 50_000_000))
                }
                #expect(!wasTaken)
            }
            #expect(calls.load(ordering: .relaxed) == 0)
        }

        @Test func `a body of just the limit is accepted`() async throws {
            try await withServer(bodyLimit: 10) {
                .text("\($0.body.count)")
            } _: { _, url in
                let answer = try expectAnswer(try await exchange(.post(url, Array(repeating: 65, count: 10))))
                #expect(answer.body == Array("10".utf8))
            }
        }

        @Test func `HEAD is answered with the length but without the body`() async throws {
            let text = try await talk("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(text.contains("Content-Length: 2\r\n"))
            #expect(text.hasSuffix("\r\n\r\n"))
        }

        @Test(arguments: [(3, "HTTP/1.1 100 "), (11, "HTTP/1.1 413 ")])
        func `a client that waits for 100 Continue gets it, or at once the refusal`(
            size: Int, reply: String
        ) async throws {
            try await withServer(bodyLimit: 10) {
                .text("\($0.body.count)")
            } _: { server, _ in
                let port = server.port
                let (first, answer) = try await onThread {
                    let connection = try RawConnection(toPort: port)
                    connection.send(
                        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\nExpect: 100-continue\r\n\r\n")
                    let first = connection.readHead()
                    connection.send(Array(repeating: 65, count: size))
                    connection.finish()
                    return (first, connection.readToEnd())
                }
                #expect(first.hasPrefix(reply))
                #expect(size > 10 || answer.hasPrefix("HTTP/1.1 200 "))
                #expect(size > 10 || answer.hasSuffix("\r\n\r\n3"))
            }
        }

        @Test(arguments: [
            "GARBAGE\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\na space: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nspace : b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: two\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nshort",
        ])
        func `a malformed request never reaches the handler`(request: String) async throws {
            let calls = Atomic(0)
            let answer = try await talk(request) { _ in calls.add(1, ordering: .relaxed) }
            #expect(calls.load(ordering: .relaxed) == 0)
            #expect(!answer.hasPrefix("HTTP/1.1 2"))
        }

        @Test func `a dropped connection has no answer and a truncated one half of it`() async throws {
            let body = Array(repeating: UInt8(ascii: "x"), count: 200_000)
            try await withServer { request in
                switch request.path {
                case "/drop": .dropConnection
                case "/whole": .truncated(ServerAnswer(status: 200, body: body), afterBytes: 200_000)
                case "/none": .truncated(ServerAnswer(status: 200, body: body), afterBytes: 0)
                default: .truncated(ServerAnswer(status: 200, body: body), afterBytes: 150_000)
                }
            } _: { server, url in
                expectFault(.reset, try await exchange(.get("\(url)/drop")))
                expectFault(.reset, try await exchange(.get("\(url)/none")))
                let port = server.port
                let (part, whole) = try await onThread {
                    var texts: [String] = []
                    for path in ["/part", "/whole"] {
                        let connection = try RawConnection(toPort: port)
                        connection.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                        connection.finish()
                        texts.append(connection.readToEnd())
                    }
                    return (texts[0], texts[1])
                }
                #expect(part.contains("Content-Length: 200000\r\n"))
                #expect(part.count { $0 == "x" } == 150_000)
                #expect(whole.count { $0 == "x" } == 200_000)
            }
        }

        /// Sends `request` and returns all that comes back.
        private func talk(
            _ request: String, _ handler: @escaping @Sendable (ServerRequest) -> Void = { _ in }
        ) async throws -> String {
            try await withServer { request in
                handler(request)
                return .text("ok")
            } _: { server, _ in
                let port = server.port
                return try await onThread {
                    let connection = try RawConnection(toPort: port)
                    connection.send(request)
                    connection.finish()
                    return connection.readToEnd()
                }
            }
        }
    }
}
