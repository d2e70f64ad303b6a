import ForwarderCore
import Glibc
import HTTPClient
import HTTPServer
import Synchronization
import Testing

extension HTTP {
    /// Many requests, one thread.
    @Suite struct Client {
        @Test func `a request that may not share a connection gets its own, closed afterwards`() async throws {
            try await withServer { _ in
                .text("ok")
            } _: { _, url in
                let ends = try await withClient { client in
                    var ends: [HTTPClient.Completion?] = []
                    for mayReuse in [false, true, false, true] {
                        var request = HTTPRequest.get(url)
                        request.mayReuseConnection = mayReuse
                        ends.append(client.exchange(request))
                    }
                    return ends
                }
                #expect(ends.map { $0?.connectTime != nil } == [true, true, true, false])
            }
        }

        @Test func `each method arrives as itself, also on a handle that another one has used`() async throws {
            try await withServer { request in
                .text("\(request.method) \(request.query) \(request.body.count)")
            } _: { _, url in
                let methods: [HTTPRequest.Method] = [.put, .get, .delete, .post, .put, .delete, .get]
                let bodies = try await withClient { client in
                    try methods.map { method in
                        let hasBody = method == .put || method == .post
                        let request = HTTPRequest(
                            method: method, url: "\(url)/a?id=1", body: hasBody ? Array("body".utf8) : [],
                            timeout: .seconds(10))
                        let answer = try expectAnswer(try #require(client.exchange(request)))
                        return String(decoding: answer.body, as: UTF8.self)
                    }
                }
                #expect(
                    bodies == [
                        "PUT id=1 4", "GET id=1 0", "DELETE id=1 0", "POST id=1 4", "PUT id=1 4", "DELETE id=1 0",
                        "GET id=1 0",
                    ])
            }
        }

        @Test(arguments: [1, 300_000])
        func `a dead connection costs a second sending, which is reported`(bodySize: Int) async throws {
            let bodies = Notes<Substring>()
            let script: RawServer.Script = { connection, number in
                func takeRequest() {
                    let text = connection.read(until: "!")
                    bodies.add(text[(text.firstRange(of: "\r\n\r\n")?.upperBound ?? text.endIndex)...])
                }
                takeRequest()
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(number)")
                // The first connection takes another request and hangs up without a word.
                if number == 0 { takeRequest() } else { _ = connection.read() }
            }
            let body = Array(repeating: UInt8(ascii: "x"), count: bodySize) + [UInt8(ascii: "!")]
            try await withRawServer(script: script) { _, url in
                let ends = try await withClient { client in
                    let request = HTTPRequest.post(url, body)
                    return [client.exchange(request), client.exchange(request)]
                }
                #expect(ends.map { $0?.wasResent } == [false, true])
                #expect(try expectAnswer(try #require(ends[1])).body == Array("1".utf8))
            }
            #expect(bodies.all.count == 3)
            #expect(bodies.all.allSatisfy { Array($0.utf8) == body })
        }

        @Test func `a request that may not share a connection is never sent twice`() async throws {
            let script: RawServer.Script = { connection, number in
                _ = connection.readHead()
                guard number == 0 else { return }
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                _ = connection.read()
            }
            try await withRawServer(script: script) { server, url in
                let second = try await withClient { client in
                    var request = HTTPRequest.get(url)
                    _ = client.exchange(request)
                    request.mayReuseConnection = false
                    return client.exchange(request)
                }
                expectFault(.reset, try #require(second))
                #expect(second?.wasResent == false)
                #expect(server.accepted == 2)
            }
        }

        @Test func `a connection that dies in an answer is not tried again`() async throws {
            let requests = Atomic(0)
            let script: RawServer.Script = { connection, _ in
                while !connection.readHead().isEmpty {
                    let number = requests.add(1, ordering: .relaxed).oldValue
                    if number == 1 {
                        connection.send("HTTP/1.1 200 OK\r\nContent-Le")
                        return
                    }
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                }
            }
            try await withRawServer(script: script) { _, url in
                let second = try await withClient { client in
                    _ = client.exchange(.get(url))
                    return client.exchange(.get(url))
                }
                expectFault(.reset, try #require(second))
                #expect(second?.wasResent == false)
            }
            #expect(requests.load(ordering: .relaxed) == 2)
        }

        @Test func `an idle connection that has grown old is not used again`() async throws {
            try await withServer { _ in
                .text("ok")
            } _: { _, url in
                let options = HTTPClient.Options.forTests.with { $0.idleConnectionAgeLimit = .seconds(3) }
                let ends = try await withClient(options) { client in
                    let first = [client.exchange(.get(url)), client.exchange(.get(url))]
                    usleep(4_100_000)
                    return first + [client.exchange(.get(url))]
                }
                #expect(ends.map { $0?.connectTime != nil } == [true, false, true])
                #expect(ends.allSatisfy { $0?.wasResent == false })
            }
        }

        @Test func `a silent host holds up nobody else`() async throws {
            try await withRawServer(script: { connection, _ in while connection.read() != nil {} }) { _, silent in
                try await withServer { _ in
                    .text("ok")
                } _: { _, url in
                    let ids = try await withClient { client in
                        client.start(.get(silent, timeout: .seconds(5)), id: RequestID(1))
                        var ids: [UInt64] = []
                        for id in 2..<52 {
                            client.start(.get(url), id: RequestID(UInt64(id)))
                            while client.inFlight > 1 { ids += client.run(timeout: .seconds(5)).map(\.id.rawValue) }
                        }
                        return ids + client.finish().map(\.id.rawValue)
                    }
                    #expect(ids == Array(2..<52) + [1])
                }
            }
        }

        @Test func `a cancelled request is not returned and its connection is closed`() async throws {
            let hasEnded = Atomic(false)
            let script: RawServer.Script = { connection, _ in
                while connection.read() != nil {}
                hasEnded.store(true, ordering: .sequentiallyConsistent)
            }
            try await withRawServer(script: script) { server, url in
                let (before, after, returned, isClosed) = try await withClient { client in
                    client.start(.get(url), id: RequestID(1))
                    client.start(.get("bad url"), id: RequestID(2))
                    let deadline = ContinuousClock.now + .seconds(5)
                    var returned: [HTTPClient.Completion] = []
                    while server.accepted == 0, ContinuousClock.now < deadline {
                        returned += client.run(timeout: .milliseconds(10))
                    }
                    let before = client.inFlight
                    client.start(.get("bad url"), id: RequestID(3))
                    client.cancel(RequestID(1))
                    client.cancel(RequestID(3))
                    client.cancel(RequestID(99))
                    let after = client.inFlight
                    returned += client.run(timeout: .milliseconds(50))
                    let isClosed = waitUntil { hasEnded.load(ordering: .sequentiallyConsistent) }
                    return (before, after, returned.map(\.id.rawValue), isClosed)
                }
                #expect(before == 1)
                #expect(after == 0)
                #expect(returned == [2])
                #expect(isClosed)
            }
        }

        @Test func `cancelling everything leaves a client that works`() async throws {
            try await withServer { _ in
                .text("ok")
            } _: { _, url in
                let (left, after) = try await withClient { client in
                    for id in 0..<10 { client.start(.get(url), id: RequestID(UInt64(id))) }
                    _ = client.run(timeout: .zero)
                    client.cancelAll()
                    return (client.inFlight, client.exchange(.get(url)))
                }
                #expect(left == 0)
                _ = try expectAnswer(try #require(after))
            }
        }

        @Test func `a wait ends by itself, by a wake from another thread, or by one from before`() async throws {
            let (byItself, byAnother, byOneBefore, afterwards) = try await withClient { client in
                func wait(_ timeout: Duration) -> Duration {
                    let begun = ContinuousClock.now
                    _ = client.run(timeout: timeout)
                    return ContinuousClock.now - begun
                }
                let byItself = wait(.milliseconds(200))
                let waker = client.waker
                let thread = startThread {
                    usleep(100_000)
                    waker.wake()
                }
                let byAnother = wait(.seconds(20))
                pthread_join(thread, nil)
                waker.wake()
                waker.wake()
                return (byItself, byAnother, wait(.seconds(20)), wait(.milliseconds(200)))
            }
            #expect((.milliseconds(199) ... .seconds(5)).contains(byItself))
            #expect(byAnother < .seconds(10))
            #expect(byOneBefore < .seconds(10))
            #expect(afterwards >= .milliseconds(199))
        }

        @Test func `a waker outlives its client`() async throws {
            let waker = try await withClient { $0.waker }
            waker.wake()
            waker.wake()
        }

        @Test func `wakes from many threads while clients come and go end every wait`() async throws {
            let waits = try await onThread {
                var waits = 0
                for _ in 0..<20 {
                    let client = try HTTPClient(options: .forTests)
                    let waker = client.waker
                    let threads = (0..<4).map { _ in startThread { for _ in 0..<200 { waker.wake() } } }
                    let begun = ContinuousClock.now
                    _ = client.run(timeout: .seconds(20))
                    if ContinuousClock.now - begun < .seconds(10) { waits += 1 }
                    threads.forEach { pthread_join($0, nil) }
                }
                return waits
            }
            #expect(waits == 20)
        }
    }
}
