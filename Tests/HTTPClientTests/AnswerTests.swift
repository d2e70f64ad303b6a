import ForwarderCore
import HTTPClient
import HTTPServer
import Synchronization
import Testing

extension HTTP {
    /// What is sent and what is made of an answer.
    @Suite struct Answers {
        @Test func `an answer keeps status, headers in lower case and body`() async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send(
                    "HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\nX-A: 1\r\nX-a: 2\r\nContent-Length: 3\r\n\r\nabc")
            }
            try await withRawServer(script: script) { _, url in
                let completion = try await exchange(.get(url))
                let answer = try expectAnswer(completion, status: 429)
                #expect(answer.headers == ["retry-after": "7", "x-a": "2", "content-length": "3"])
                #expect(answer.body == Array("abc".utf8))
                #expect(!answer.isTruncated)
                #expect(completion.faultDetail == nil)
                #expect(!completion.wasResent)
                #expect(try #require(completion.connectTime) <= completion.elapsed)
                #expect(completion.bytesReceived == 77)
            }
        }

        @Test func `a request carries what it was given and nothing that was not asked for`() async throws {
            let heads = Notes<String>()
            let script: RawServer.Script = { connection, _ in
                heads.add(connection.read(until: "{}"))
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
            try await withRawServer(script: script) { server, url in
                var request = HTTPRequest.post("\(url)/v1/1/events?a=b", Array("{}".utf8))
                request.headers = [
                    .init("Authorization", "Bearer secret"), .init("Content-Type", "application/json"),
                    .init("X-Empty", ""),
                ]
                let completion = try await exchange(request)
                let head = try #require(heads.all.first)
                #expect(
                    head == """
                        POST /v1/1/events?a=b HTTP/1.1\r
                        Host: 127.0.0.1:\(server.port)\r
                        User-Agent: tests/1\r
                        Accept: */*\r
                        Authorization: Bearer secret\r
                        Content-Type: application/json\r
                        X-Empty:\r
                        Content-Length: 2\r
                        \r
                        {}
                        """)
                #expect(completion.bytesSent == head.utf8.count)
            }
        }

        @Test func `a body of any size is sent without Expect or a guessed type`() async throws {
            let seen = Notes<ServerRequest>()
            try await withServer { request in
                seen.add(request)
                return .text("\(request.body.count)")
            } _: { _, url in
                for size in [0, 1, 65_535, 65_536, 530_000, 2_097_152] {
                    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13 ^ ($0 >> 9)) }
                    let answer = try expectAnswer(try await exchange(.post(url, body)))
                    #expect(answer.body == Array("\(size)".utf8))
                    #expect(seen.all.last?.body == body)
                }
            }
            for request in seen.all {
                #expect(request.headers["expect"] == nil)
                #expect(request.headers["content-type"] == nil)
                #expect(request.headers["accept-encoding"] == nil)
                #expect(request.headers["cookie"] == nil)
            }
        }

        @Test(arguments: [301, 302, 303, 307, 308])
        func `a redirect is returned, not followed`(status: Int) async throws {
            let others = Atomic(0)
            try await withServer { _ in
                others.add(1, ordering: .relaxed)
                return .text("ok")
            } _: { _, elsewhere in
                try await withServer { _ in
                    .answer(ServerAnswer(status: status, headers: [("Location", elsewhere), ("Set-Cookie", "a=b")]))
                } _: { _, url in
                    var request = HTTPRequest.get(url)
                    request.headers = [.init("Authorization", "Bearer secret")]
                    let answer = try expectAnswer(try await exchange(request), status: status)
                    #expect(answer.headers["location"] == elsewhere)
                }
            }
            #expect(others.load(ordering: .relaxed) == 0)
        }

        @Test func `a body of the limit is whole, one byte more is cut and closes the connection`() async throws {
            try await withServer { request in
                let size = request.path == "/more" ? HTTPAnswer.bodyLimit + 1 : HTTPAnswer.bodyLimit
                return .answer(ServerAnswer(status: 200, body: Array(repeating: 65, count: size)))
            } _: { _, url in
                let (limit, more, after) = try await withClient { client in
                    let paths = ["/limit", "/more", "/limit"]
                    let ends = paths.map { client.exchange(.get(url + $0)) }
                    return (ends[0], ends[1], ends[2])
                }
                let whole = try expectAnswer(try #require(limit))
                #expect(whole.body.count == HTTPAnswer.bodyLimit)
                #expect(!whole.isTruncated)
                let cut = try expectAnswer(try #require(more))
                #expect(cut.body == whole.body)
                #expect(cut.isTruncated)
                #expect(more?.connectTime == nil)
                #expect(after?.connectTime != nil)
            }
        }

        @Test(arguments: ["Content-Length: 100000000", "Transfer-Encoding: chunked", "X-Until: close"])
        func `of a hundred megabytes only the beginning is read`(framing: String) async throws {
            let sent = Atomic(0)
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n")
                let isChunked = framing.hasSuffix("chunked")
                let piece = Array((isChunked ? "10000\r\n" : "").utf8) + Array(repeating: UInt8(65), count: 65536)
                for _ in 0..<1600 {
                    guard connection.send(piece + Array((isChunked ? "\r\n" : "").utf8)) else { return }
                    sent.add(65536, ordering: .relaxed)
                }
            }
            try await withRawServer(script: script) { _, url in
                let answer = try expectAnswer(try await exchange(.get(url)))
                #expect(answer.isTruncated)
                #expect(answer.body.count == HTTPAnswer.bodyLimit)
            }
            // What the two socket buffers hold was sent, but not more.
            #expect(sent.load(ordering: .relaxed) < 20_000_000)
        }

        @Test func `interim answers and trailers leave the headers alone`() async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send("HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\nX-Hint: 1\r\n\r\n")
                connection.send("HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nTransfer-Encoding: chunked\r\n\r\n")
                connection.send("3\r\nabc\r\n0\r\nRetry-After: 3\r\nX-Trailer: 1\r\n\r\n")
            }
            try await withRawServer(script: script) { _, url in
                let answer = try expectAnswer(try await exchange(.get(url)), status: 503)
                #expect(answer.headers == ["retry-after": "2", "transfer-encoding": "chunked"])
                #expect(answer.body == Array("abc".utf8))
            }
        }

        @Test func `an answer before the whole body was taken is an answer`() async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                connection.finish()
                while connection.read() != nil {}
            }
            try await withRawServer(script: script) { _, url in
                let completion = try await exchange(.post(url, Array(repeating: 65, count: 20_000_000)))
                #expect(try expectAnswer(completion, status: 413).body == Array("{}".utf8))
            }
        }

        @Test(arguments: [
            HTTPRequest.Header("X-A", "b\r\nX-Injected: 1"), .init("X-A", "b\nX-Injected: 1"), .init("X-A", "b\rc"),
            .init("X-A", "b\u{0}c"), .init("X-A\r\nX-Injected", "1"), .init("X-A: 1\r\nX-Injected", "1"),
            .init("", "1"),
            .init("X A", "1"), .init("X-A:", "1"),
        ])
        func `a header that would inject another is refused before anything is sent`(
            header: HTTPRequest.Header
        ) async throws {
            try await withRawServer(script: nil) { _, url in
                var request = HTTPRequest.get(url, timeout: .seconds(1))
                request.headers = [header]
                let completion = try await exchange(request)
                expectFault(.local, completion)
                #expect(completion.faultDetail?.contains("Injected") == false)
                #expect(completion.bytesSent == 0)
            }
        }

        @Test(arguments: [
            "", "http://127.0.0.1/\r\nX-Injected: 1", "http://127.0.0.1/a b", "http://127.0.0.1/\u{0}",
            "file:///etc/hosts",
            "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://", "no url at all",
        ])
        func `a URL that is none, or of another scheme, is refused`(url: String) async throws {
            let completion = try await exchange(.get(url, timeout: .seconds(1)))
            expectFault(.local, completion)
            #expect(completion.faultDetail?.contains("Injected") == false)
            #expect(completion.bytesSent == 0)
        }
    }
}
