import ForwarderCore
import Glibc
import HTTPClient
import HTTPServer
import Testing

extension HTTP {
    @Suite struct Proxy {
        private func options(_ proxy: String) -> HTTPClient.Options {
            HTTPClient.Options.forTests.with { $0.proxy = proxy }
        }

        @Test func `plain HTTP is asked of the proxy with the whole URL`() async throws {
            let heads = Notes<String>()
            let script: RawServer.Script = { connection, _ in
                heads.add(connection.readHead())
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
            try await withRawServer(script: script) { _, proxy in
                let completion = try await exchange(.get("http://capi.test/v1?a=b"), options(proxy))
                _ = try expectAnswer(completion)
            }
            let head = try #require(heads.all.first)
            #expect(head.hasPrefix("GET http://capi.test/v1?a=b HTTP/1.1\r\nHost: capi.test\r\n"))
        }

        @Test func `TLS goes through a tunnel whose proxy never sees the token`() async throws {
            let heads = Notes<String>()
            let script: RawServer.Script = { connection, _ in
                heads.add(connection.readHead())
                connection.send("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
            }
            try await withRawServer(script: script) { _, proxy in
                var request = HTTPRequest.get("https://capi.test/v1")
                request.headers = [.init("Authorization", "Bearer secret")]
                let completion = try await exchange(request, options(proxy))
                expectFault(.proxy, completion)
                #expect(completion.faultDetail?.contains("407") == true)
            }
            let head = try #require(heads.all.first)
            #expect(head.hasPrefix("CONNECT capi.test:443 HTTP/1.1\r\n"))
            #expect(!head.contains("secret"))
        }

        @Test func `what goes wrong behind an open tunnel is not the proxy's fault`() async throws {
            let script: RawServer.Script = { connection, _ in
                _ = connection.readHead()
                connection.send("HTTP/1.1 200 Connected\r\n\r\n")
                _ = connection.read()
            }
            try await withRawServer(script: script) { _, proxy in
                expectFault(.tls, try await exchange(.get("https://capi.test/"), options(proxy)))
            }
        }

        @Test func `a proxy that is not there, hangs up or says nothing is the proxy's fault`() async throws {
            let port = try RawServer(nil).port
            expectFault(.proxy, try await exchange(.get("http://capi.test/"), options("http://127.0.0.1:\(port)")))
            expectFault(
                .proxy,
                try await exchange(
                    .get("http://capi.test/"),
                    options("http://no-such-proxy.invalid:3128").with { $0.connectTimeout = .seconds(2) }))
            let closing: RawServer.Script = { connection, _ in _ = connection.readHead() }
            let silent: RawServer.Script = { connection, _ in while connection.read() != nil {} }
            for script in [closing, silent] {
                try await withRawServer(script: script) { _, proxy in
                    let options = options(proxy).with { $0.connectTimeout = .milliseconds(500) }
                    expectFault(.proxy, try await exchange(.get("https://capi.test/"), options))
                }
            }
        }

        @Test(arguments: ["", "http://127.0.0.1:3128\r\n", "http://a b"])
        func `a proxy that is no URL is refused`(proxy: String) async throws {
            await #expect(throws: HTTPClientError.self) { try await withClient(options(proxy)) { _ in } }
        }
    }
}
