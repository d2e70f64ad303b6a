import ForwarderCore
import ForwarderHarness
import Glibc
import HTTPClient
import HTTPServer
import Synchronization
import Testing

extension HTTP {
    @Suite struct ServerStart {
        private func start(_ host: String, _ port: UInt16 = 0, tls: TLSIdentity? = nil) throws -> HTTPServer {
            try HTTPServer(
                host: host, port: port, tls: tls, bodyLimit: 100, connectionLimit: 4, idleTimeout: .seconds(5)
            ) { _ in .text("ok") }
        }

        @Test func `a port in use is named with its host and reason`() throws {
            let first = try start("127.0.0.1")
            defer { first.stop() }
            let error = #expect(throws: HTTPServerError.self) { try start("127.0.0.1", first.port) }
            #expect(error?.description == "cannot listen on 127.0.0.1 port \(first.port): address in use")
        }

        @Test func `an address of another machine is named with its reason`() {
            let error = #expect(throws: HTTPServerError.self) { try start("192.0.2.1", 1) }
            #expect(
                error?.description == "cannot listen on 192.0.2.1 port 1: \(String(cString: strerror(EADDRNOTAVAIL)))")
        }

        @Test func `a key of another certificate is refused`() async throws {
            let (one, other) = try await onThread {
                let certificates = try Certificates()
                return (try certificates.identity(), try certificates.identity())
            }
            let mixed = TLSIdentity(certificateChain: one.certificateChain, privateKey: other.privateKey)
            #expect(throws: HTTPServerError.self) { try start("127.0.0.1", tls: mixed) }
        }

        @Test func `IPv6 is served`() async throws {
            let server = try start("::1")
            defer { server.stop() }
            _ = try expectAnswer(try await exchange(.get("http://[::1]:\(server.port)/")))
        }

        @Test func `a port can be used again at once`() async throws {
            // The kernel may give the port to somebody else in between, but not time and again.
            var second: HTTPServer?
            for _ in 0..<5 where second == nil {
                let first = try start("127.0.0.1")
                _ = try expectAnswer(try await exchange(.get("http://127.0.0.1:\(first.port)/")))
                first.stop()
                second = try? start("127.0.0.1", first.port)
            }
            let again = try #require(second)
            defer { again.stop() }
            _ = try expectAnswer(try await exchange(.get("http://127.0.0.1:\(again.port)/")))
        }

        @Test func `a handler that blocks holds up no other connection`() async throws {
            let inside = Atomic(0)
            try await withServer { _ in
                inside.add(1, ordering: .sequentiallyConsistent)
                // Only if both are in the handler at once does either of them get out of it in time.
                return .text(waitUntil { inside.load(ordering: .sequentiallyConsistent) == 2 } ? "together" : "alone")
            } _: { _, url in
                let completions = try await withClient { client in
                    client.start(.get(url, timeout: .seconds(20)), id: RequestID(1))
                    client.start(.get(url, timeout: .seconds(20)), id: RequestID(2))
                    return client.finish()
                }
                #expect(completions.count == 2)
                for completion in completions {
                    #expect(try expectAnswer(completion).body == Array("together".utf8))
                }
            }
        }

        @Test func `a connection over the limit is closed, and let in when another has gone`() async throws {
            try await withServer(connectionLimit: 1) { _ in
                .text("ok")
            } _: { server, _ in
                let port = server.port
                let (second, third) = try await onThread {
                    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                    let first = try RawConnection(toPort: port)
                    let second = try RawConnection(toPort: port).readToEnd()
                    first.send(request)
                    _ = first.readToEnd()
                    // The server frees the place some time after it has closed the connection.
                    var third = ""
                    _ = waitUntil {
                        guard let connection = try? RawConnection(toPort: port) else { return false }
                        connection.send(request)
                        third = connection.readToEnd()
                        return !third.isEmpty
                    }
                    return (second, third)
                }
                #expect(second.isEmpty)
                #expect(third.hasPrefix("HTTP/1.1 200 "))
            }
        }

        @Test func `a silent connection is closed, a slow handler is not cut off`() async throws {
            try await withServer(idleTimeout: .seconds(1)) { _ in
                sleep(2)
                return .text("late")
            } _: { server, url in
                let port = server.port
                let (slow, silence) = try await onThread {
                    let silent = try RawConnection(toPort: port)
                    let begun = ContinuousClock.now
                    let client = try HTTPClient(options: .forTests)
                    let slow = client.exchange(.get(url))
                    return (slow, silent.read() == nil ? ContinuousClock.now - begun : nil)
                }
                #expect(try expectAnswer(try #require(slow)).body == Array("late".utf8))
                #expect(try #require(silence) < .seconds(6))
            }
        }

        @Test func `stopping waits for a handler that runs, and may be repeated`() async throws {
            let isRunning = Atomic(false)
            let isThrough = Atomic(false)
            let server = try HTTPServer(
                host: "127.0.0.1", port: 0, bodyLimit: 0, connectionLimit: 4, idleTimeout: .seconds(5)
            ) { _ in
                isRunning.store(true, ordering: .sequentiallyConsistent)
                usleep(300_000)
                isThrough.store(true, ordering: .sequentiallyConsistent)
                return .text("ok")
            }
            let wasThrough = try await onThread {
                let connection = try RawConnection(toPort: server.port)
                connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                guard waitUntil({ isRunning.load(ordering: .sequentiallyConsistent) }) else { return false }
                server.stop()
                let wasThrough = isThrough.load(ordering: .sequentiallyConsistent)
                server.stop()
                return wasThrough
            }
            #expect(wasThrough)
        }
    }
}
