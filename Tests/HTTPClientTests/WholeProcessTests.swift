import ForwarderCore
import Glibc
import HTTPClient
import HTTPServer
import Testing

extension HTTP {
    /// What touches the descriptors or the environment of the whole process. Each test runs in a process of its own,
    /// because the tests of all other parts run at the same time in this one.
    @Suite struct WholeProcess {
        @Test func `a thousand requests go through four connections and leave no socket behind`() async throws {
            await #expect(processExitsWith: .success) {
                try await withServer {
                    .text($0.path)
                } _: { _, url in
                    let (right, connections, growth) = try await onThread {
                        let client = try HTTPClient(options: .forTests)
                        var (next, right, connections) = (0, 0, 0)
                        var before = 0
                        func startOne() {
                            client.start(.post("\(url)/\(next)", [65]), id: RequestID(UInt64(next)))
                            next += 1
                        }
                        for _ in 0..<4 { startOne() }
                        while client.inFlight > 0 {
                            for completion in client.run(timeout: .seconds(10)) {
                                guard case .answer(let answer) = completion.outcome else { continue }
                                if answer.body == Array("/\(completion.id.rawValue)".utf8) { right += 1 }
                                if completion.connectTime != nil { connections += 1 }
                                if right == 100 { before = openSockets() }
                                if next < 1000 { startOne() }
                            }
                        }
                        return (right, connections, openSockets() - before)
                    }
                    #expect(right == 1000)
                    #expect(connections == 4)
                    #expect(growth == 0)
                }
            }
        }

        @Test func `sockets are closed with the client`() async throws {
            await #expect(processExitsWith: .success) {
                try await withRawServer(script: { connection, _ in while connection.read() != nil {} }) { _, url in
                    let before = openSockets()
                    _ = try await withClient { client in
                        for id in 0..<5 { client.start(.get(url), id: RequestID(UInt64(id))) }
                        _ = client.run(timeout: .milliseconds(50))
                    }
                    #expect(try await onThread { waitUntil { openSockets() <= before } })
                }
            }
        }

        @Test func `connections beyond the limit are closed when they become idle`() async throws {
            await #expect(processExitsWith: .success) {
                try await withServer { _ in
                    .text("ok")
                } _: { _, url in
                    let options = HTTPClient.Options.forTests.with { $0.connectionLimit = 2 }
                    let areClosed = try await withClient(options) { client in
                        let before = openSockets()
                        for id in 0..<20 { client.start(.get(url), id: RequestID(UInt64(id))) }
                        // The server has its half of each in the same process, and closes it a little later.
                        return client.finish().count == 20 && waitUntil { openSockets() <= before + 4 }
                    }
                    #expect(areClosed)
                }
            }
        }

        @Test func `a lack of descriptors is this side's own trouble`() async throws {
            await #expect(processExitsWith: .success) {
                try await withServer { _ in
                    .text("ok")
                } _: { _, url in
                    let (without, with) = try await withClient { client in
                        client.start(.get(url), id: RequestID(1))
                        var taken: [Int32] = []
                        var limit = rlimit()
                        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                        var low = limit
                        low.rlim_cur = 200
                        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &low)
                        while case let descriptor = dup(0), descriptor >= 0 { taken.append(descriptor) }
                        let without = client.finish().first
                        taken.forEach { close($0) }
                        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                        return (without, client.exchange(.get(url)))
                    }
                    expectFault(.local, try #require(without))
                    _ = try expectAnswer(try #require(with))
                }
            }
        }

        @Test func `the proxy variables of the environment do not count, one way or the other`() async throws {
            await #expect(processExitsWith: .success) {
                for name in ["http_proxy", "all_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:1", 1) }
                try await withServer { _ in
                    .text("ok")
                } _: { _, url in
                    _ = try expectAnswer(try await exchange(.get(url)))
                }
                for name in ["no_proxy", "NO_PROXY"] { setenv(name, "*", 1) }
                try await withServer {
                    .text($0.headers["host"] ?? "")
                } _: { _, proxy in
                    let answer = try expectAnswer(
                        try await exchange(
                            .get("http://capi.test/"), HTTPClient.Options.forTests.with { $0.proxy = proxy }))
                    #expect(answer.body == Array("capi.test".utf8))
                }
            }
        }

        @Test func `a certificate that is none is refused, and no socket is left behind`() async throws {
            await #expect(processExitsWith: .success) {
                let before = openSockets()
                let identity = TLSIdentity(certificateChain: "no PEM", privateKey: "no PEM")
                let error = #expect(throws: HTTPServerError.self) {
                    try HTTPServer(
                        host: "127.0.0.1", port: 0, tls: identity, bodyLimit: 100, connectionLimit: 4,
                        idleTimeout: .seconds(5)
                    ) { _ in .text("ok") }
                }
                #expect(error?.description.contains("certificate") == true)
                #expect(openSockets() == before)
            }
        }
    }
}
