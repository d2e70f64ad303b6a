import ForwarderCore
import ForwarderHarness
import HTTPClient
import HTTPServer
import Glibc
import Synchronization
import Testing

extension HTTP {
    /// Requests that may be sent on elsewhere.
    @Suite struct Redirects {
        private static func request(_ url: String, limit: Int = 3) -> HTTPRequest {
            var request = HTTPRequest.get(url)
            request.redirectLimit = limit
            return request
        }

        private static func redirect(_ status: Int = 302, to location: String) -> ServerReply {
            .answer(ServerAnswer(status: status, headers: [("Location", location)], body: Array("elsewhere".utf8)))
        }

        /// Lends a server that sends `/a` on to `location` and answers everything else with what it was asked for.
        private func withSite<Value>(
            status: Int = 302, location: @escaping @Sendable (ServerRequest) -> String,
            _ body: (String) async throws -> Value
        ) async throws -> Value {
            try await withServer { request in
                request.path == "/a"
                    ? Redirects.redirect(status, to: location(request)) : .text("\(request.path)?\(request.query)")
            } _: { _, url in
                try await body(url)
            }
        }

        @Test(arguments: [301, 302, 303, 307, 308])
        func `the answer is that of the last place, and the query gets there byte for byte`(status: Int) async throws {
            let query = "id=37&x=%2b%2B+~._-&sspdata=ams1%24AA."
            try await withSite(status: status, location: { "/b/c?\($0.query)" }) { url in
                let answer = try expectAnswer(try await exchange(Redirects.request("\(url)/a?\(query)")))
                #expect(String(decoding: answer.body, as: UTF8.self) == "/b/c?\(query)")
                let host = String(url.dropFirst("http://".count))
                #expect(answer.redirect == HTTPAnswer.Redirect(count: 1, host: host))
                #expect(answer.headers["location"] == nil)
            }
        }

        @Test func `another host is gone to as well`() async throws {
            try await withSite(location: { _ in "" }) { elsewhere in
                try await withSite(location: { _ in "\(elsewhere)/there?a=1." }) { url in
                    let completion = try await exchange(Redirects.request("\(url)/a"))
                    let answer = try expectAnswer(completion)
                    #expect(String(decoding: answer.body, as: UTF8.self) == "/there?a=1.")
                    #expect(answer.redirect?.host == String(elsewhere.dropFirst("http://".count)))
                    #expect(!completion.wasResent)
                }
            }
        }

        @Test func `what was answered at once was not sent on`() async throws {
            try await withSite(location: { _ in "/b" }) { url in
                let answer = try expectAnswer(try await exchange(Redirects.request("\(url)/b")))
                #expect(answer.redirect == nil)
            }
        }

        @Test func `one redirect too many is an answer`() async throws {
            let asked = Atomic(0)
            try await withServer { _ in
                asked.add(1, ordering: .relaxed)
                return Redirects.redirect(to: "/again")
            } _: { _, url in
                let answer = try expectAnswer(try await exchange(Redirects.request("\(url)/")), status: 302)
                #expect(answer.redirect?.count == 3)
            }
            #expect(asked.load(ordering: .relaxed) == 4)
        }

        @Test(arguments: ["ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1/", "http://a b/", "http://"])
        func `where a redirect must not lead it is an answer, and nobody goes there`(location: String) async throws {
            try await withSite(location: { _ in location }) { url in
                let answer = try expectAnswer(try await exchange(Redirects.request("\(url)/a")), status: 302)
                #expect(answer.redirect == nil)
            }
        }

        @Test func `a redirect without a place is an answer`() async throws {
            try await withServer { _ in
                .answer(ServerAnswer(status: 302))
            } _: { _, url in
                _ = try expectAnswer(try await exchange(Redirects.request(url)), status: 302)
            }
        }

        @Test func `from https it goes on to https only`() async throws {
            let certificates = try await onThread { try Certificates() }
            let options = HTTPClient.Options.forTests.with { $0.caFile = certificates.authority }
            let identity = try certificates.identity()
            try await withSite(location: { _ in "" }) { plain in
                try await withServer(tls: identity) { request in
                    switch request.path {
                    case "/down": Redirects.redirect(to: "\(plain)/b?secret=1")
                    case "/on": Redirects.redirect(to: "/b?secret=1")
                    default: .text(request.query)
                    }
                } _: { _, url in
                    let down = try await exchange(Redirects.request("\(url)/down"), options)
                    _ = try expectAnswer(down, status: 302)
                    let on = try expectAnswer(try await exchange(Redirects.request("\(url)/on"), options))
                    #expect(String(decoding: on.body, as: UTF8.self) == "secret=1")
                }
            }
        }

        @Test func `a place that cannot be reached is a fault of connecting: nothing was sent there`() async throws {
            let port = try await withRawServer(script: nil) { server, _ in server.port }
            try await withSite(location: { _ in "http://127.0.0.1:\(port)/" }) { url in
                expectFault(.connect, try await exchange(Redirects.request("\(url)/a")))
            }
        }

        @Test func `a place that hangs up, or is silent, may have been told`() async throws {
            try await withRawServer(script: { connection, _ in _ = connection.readHead() }) { _, elsewhere in
                try await withSite(location: { _ in elsewhere }) { url in
                    expectFault(.reset, try await exchange(Redirects.request("\(url)/a")))
                }
            }
            try await withRawServer(script: { connection, _ in _ = connection.readToEnd() }) { _, elsewhere in
                try await withSite(location: { _ in elsewhere }) { url in
                    var request = Redirects.request("\(url)/a")
                    request.timeout = .seconds(1)
                    expectFault(.timeout, try await exchange(request))
                }
            }
        }

        @Test func `a place that does not get through its handshake was told nothing`() async throws {
            let certificates = try await onThread { try Certificates() }
            let options = HTTPClient.Options.forTests.with { $0.caFile = certificates.authority }
            let identity = try certificates.identity()
            try await withRawServer(script: { connection, _ in _ = connection.readToEnd() }) { server, _ in
                let elsewhere = "https://127.0.0.1:\(server.port)/"
                try await withServer(tls: identity) { _ in
                    Redirects.redirect(to: elsewhere)
                } _: { _, url in
                    var request = Redirects.request(url)
                    request.timeout = .seconds(2)
                    expectFault(.tls, try await exchange(request, options))
                }
            }
        }

        @Test func `where a repeat would count, each place gets a connection of its own, and is told once`()
            async throws
        {
            let told = Atomic(0)
            // Whoever comes twice by one connection gets no answer the second time, as when it had died in between.
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                told.add(1, ordering: .relaxed)
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                if connection.readHead().contains("GET") { told.add(1, ordering: .relaxed) }
            }
            try await withRawServer(script: script) { server, elsewhere in
                try await withSite(location: { _ in "\(elsewhere)/count" }) { url in
                    let ends = try await withClient { client in
                        // Leaves an open connection to the place that is sent on to.
                        let first = client.exchange(.get("\(elsewhere)/other"))
                        var request = Redirects.request("\(url)/a")
                        request.mayReuseConnection = false
                        return [first, client.exchange(request)]
                    }
                    for end in ends { _ = try expectAnswer(try #require(end)) }
                    #expect(ends.map { $0?.wasResent } == [false, false])
                    #expect(server.accepted == 2)
                }
            }
            #expect(told.load(ordering: .relaxed) == 2)
        }

        @Test func `all places together have the request's time`() async throws {
            try await withServer { request in
                if request.path != "/5" { usleep(150_000) }
                return Redirects.redirect(to: "/\((Int(request.path.dropFirst()) ?? 0) + 1)")
            } _: { _, url in
                var request = Redirects.request("\(url)/0", limit: 10)
                request.timeout = .milliseconds(400)
                let completion = try await exchange(request)
                expectFault(.timeout, completion)
                #expect(completion.elapsed < .milliseconds(1500))
            }
        }

        @Test func `a body that comes with a redirect is nobody's`() async throws {
            try await withSite(location: { _ in "/b" }) { url in
                let answer = try expectAnswer(try await exchange(Redirects.request("\(url)/a")))
                #expect(String(decoding: answer.body, as: UTF8.self) == "/b?")
            }
        }
    }
}
