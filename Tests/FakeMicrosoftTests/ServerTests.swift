import FakeMicrosoft
import ForwarderCore
import Glibc
import Testing

@Suite(.serialized) struct ServerTests {
    private static let capiHeaders = ["Authorization": "Bearer token", "Content-Type": "application/json"]

    /// Runs a server for the time of the call.
    private func withServer(
        plan: FaultPlan = .none, mode: FakeMicrosoftServer.Mode = .judging,
        _ body: (FakeMicrosoftServer) async throws -> Void
    ) async throws {
        let server = try FakeMicrosoftServer(Bench.settings, plan: plan, mode: mode)
        do {
            try await body(server)
        } catch {
            await onThread { server.stop() }
            throw error
        }
        await onThread { server.stop() }
    }

    private func send(
        _ ids: [String], to server: FakeMicrosoftServer, customData: String? = nil
    ) async -> RawAnswer {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let events = ids.map {
            Bench.event(id: $0, time: Timestamp(seconds: Int64(time.tv_sec) - 10), customData: customData)
        }
        return await exchange(
            port: server.port, "POST", "/v1/1/events", headers: ServerTests.capiHeaders,
            body: #"{"data":[\#(events.joined(separator: ","))]}"#)
    }

    private func books(_ server: FakeMicrosoftServer) throws -> DestinationBooks {
        try #require(server.withModel { $0.books(of: .capi(tag: "1")) })
    }

    private func plan(_ fault: Fault, _ targets: FaultTargets = .capi, most: Int? = 1) -> FaultPlan {
        FaultPlan([.init(fault, targets: targets, most: most)])
    }

    @Test func `an event is accepted over a socket`() async throws {
        try await withServer { server in
            let answer = await send(["a", "b"], to: server)
            #expect(answer.status == 200)
            #expect(answer.body == #"{"eventsReceived":2}"#)
            #expect(answer.text.contains("x-ms-request-id: "))
            let times = await exchange(port: server.port, "GET", "/_fake/events?tag=1&id=%61")
            #expect(times.body == "{\"accepted\":1}\n")
            let report = await exchange(port: server.port, "GET", "/_fake/report")
            let accepted = try JSONDocument(report.body).root["destinations"]?["capi/1"]?["accepted"]?.integer
            #expect(accepted == 2)
        }
    }

    @Test func `a token is got and used`() async throws {
        try await withServer { server in
            let granted = await exchange(
                port: server.port, "POST", "/common/oauth2/v2.0/token",
                headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: String(decoding: Bench.tokenRequest().body, as: UTF8.self))
            let token = try #require(try JSONDocument(granted.body).root["access_token"]?.string)
            let request = Bench.offline(#"{"OfflineConversions":[]}"#, token: token)
            let answer = await exchange(
                port: server.port, "POST", request.path, headers: request.headers,
                body: String(decoding: request.body, as: UTF8.self))
            #expect(answer.status == 400)
            #expect(answer.text.contains("TrackingId: "))
            let expired = await exchange(port: server.port, "POST", "/_fake/token?expire=access")
            #expect(expired.status == 200)
            let late = await exchange(
                port: server.port, "POST", request.path, headers: request.headers,
                body: String(decoding: request.body, as: UTF8.self))
            #expect(late.status == 401)
        }
    }

    @Test func `a drop sends nothing and accepts nothing`() async throws {
        try await withServer(plan: plan(.drop)) { server in
            #expect(await send(["a"], to: server).text.isEmpty)
            let received = try books(server).received
            #expect(received == 0)
            #expect(await send(["a"], to: server).status == 200)
        }
    }

    @Test func `a lost answer sends nothing but accepts the events`() async throws {
        try await withServer(plan: plan(.answerLost)) { server in
            #expect(await send(["a"], to: server).text.isEmpty)
            let accepted = try books(server).accepted
            #expect(accepted == 1)
        }
    }

    @Test func `a cut answer stops short of the length it announced`() async throws {
        try await withServer(plan: plan(.answerCut)) { server in
            let answer = await send(["a"], to: server)
            #expect(answer.status == 200)
            #expect(answer.announcedLength == 20)
            #expect(answer.body == #"{"eventsRe"#)
            let accepted = try books(server).accepted
            #expect(accepted == 1)
        }
    }

    @Test func `a slow answer is late and whole`() async throws {
        try await withServer(plan: plan(.slow(.milliseconds(300)))) { server in
            let clock = ContinuousClock()
            let start = clock.now
            let answer = await send(["a"], to: server)
            #expect(answer.status == 200)
            #expect(clock.now - start >= .milliseconds(300))
        }
    }

    @Test func `a server stops while an answer is slow`() async throws {
        let server = try FakeMicrosoftServer(Bench.settings, plan: plan(.slow(.seconds(3600))))
        async let answer = send(["a"], to: server)
        while try books(server).accepted == 0 { await Task.yield() }
        await onThread { server.stop() }
        _ = await answer
    }

    @Test(
        arguments: [
            (.status(429, retryAfter: .seconds(5)), 429, "Retry-After: 5"), (.status(503), 503, "text/html"),
            (.emptyAnswer, 200, "Content-Length: 0"), (.pageAnswer, 200, "<html>"),
            (.miscount(2), 200, #"{"eventsReceived":3}"#),
            (.badRequestPage(sparesSingles: false), 400, "<html>"), (.refuse(share: 1), 400, "Blocked"),
            (.poison(id: "a"), 500, "InternalServerError"), (.bodyLimit(10), 413, "text/html"),
            (.status(401), 401, "Unauthorized"),
        ] as [(Fault, Int, String)])
    func `answers of faults arrive as they are`(fault: Fault, status: Int, part: String) async throws {
        try await withServer(plan: plan(fault, most: nil)) { server in
            let answer = await send(["a"], to: server)
            #expect(answer.status == status)
            #expect(answer.text.contains(part))
        }
    }

    @Test func `what counts for a transaction or a conversion is told`() async throws {
        try await withServer { server in
            let order = #""transactionId":"ord 1","value":19.990,"currency":"EUR""#
            #expect(await send(["a"], to: server, customData: order).status == 200)
            let told = await exchange(port: server.port, "GET", "/_fake/value?tag=1&transaction=ord+1&goal=Purchase")
            #expect(told.body == "{\"counted\":\"19.99\",\"currency\":\"EUR\"}\n")
            let nothing = await exchange(port: server.port, "GET", "/_fake/value?account=20&name=Purchase&time=x")
            #expect(nothing.body == "{\"counted\":\"nothing\"}\n")
        }
    }

    @Test func `the plan and a token are changed while it runs`() async throws {
        try await withServer { server in
            #expect(await exchange(port: server.port, "POST", "/_fake/plan?name=outage&seconds=3600").status == 200)
            #expect(await send(["a"], to: server).status == 503)
            #expect(await exchange(port: server.port, "POST", "/_fake/plan?name=poison&id=a").status == 200)
            #expect(await send(["a"], to: server).status == 500)
            #expect(await exchange(port: server.port, "POST", "/_fake/plan?name=none").status == 200)
            #expect(await exchange(port: server.port, "POST", "/_fake/token?tag=1&token=new").status == 200)
            #expect(await send(["a"], to: server).status == 401)
        }
    }

    @Test(arguments: [
        ("GET", "/_fake/plan", 404), ("POST", "/_fake/plan?name=chaos", 400),
        ("POST", "/_fake/plan?name=mixed&seed=x", 400),
        ("POST", "/_fake/token?tag=1", 400), ("GET", "/_fake/events?tag=1", 400), ("GET", "/_fake/value?tag=1", 400),
        ("GET", "/_fake/nothing", 404),
    ])
    func `a string pulled wrongly says what is wanted`(method: String, target: String, status: Int) async throws {
        try await withServer { server in
            let answer = await exchange(port: server.port, method, target)
            #expect(answer.status == status)
            #expect(answer.body.hasPrefix(#"{"problem":""#))
        }
    }

    @Test func `many connections at once are all in the books`() async throws {
        try await withServer { server in
            await withTaskGroup(of: Int?.self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        var last: Int?
                        for round in 0..<10 {
                            last = await send((0..<20).map { "\(sender)-\(round)-\($0)" }, to: server).status
                        }
                        return last
                    }
                }
                for await status in group { #expect(status == 200) }
            }
            let accepted = try books(server).accepted
            #expect(accepted == 1600)
            let traffic = try books(server).traffic
            #expect(traffic.requests == ["200": 80])
        }
    }

    @Test func `a sink counts and judges nothing`() async throws {
        try await withServer(mode: .sink()) { server in
            let answer = await send(["a", "a", "b"], to: server)
            #expect(answer.body == "{\"eventsReceived\":3}\n")
            let nonsense = await exchange(
                port: server.port, "POST", "/CampaignManagement/v13/OfflineConversions/Apply",
                body: #"[{"ConversionName":1},{"ConversionName":2,"x":"NN"}]"#)
            #expect(nonsense.body == "{\"PartialErrors\":[]}\n")
            // Records as they are, from programs that pass them on.
            let raw = await exchange(
                port: server.port, "POST", "/_bulk", body: #"{"event_id":"a"}\n{"event_id": "b"}\n{"event":"_id"}"#)
            #expect(raw.body == #"{"took":1,"errors":false,"items":[]}"# + "\n")
            #expect(server.sinkCounts.requests == 3)
            #expect(server.sinkCounts.events == 7)
            let paths = ["/v1/1/events": 3, "/CampaignManagement/v13/OfflineConversions/Apply": 2, "/_bulk": 2]
            #expect(server.sinkCounts.eventsByPath == paths)
            let ids = ["a", "a", "b", "a", "b"].reduce(0 as UInt64) { $0 &+ SinkCounts.hash($1.utf8) }
            #expect(server.sinkCounts.idSum == ids)
            #expect(SinkCounts.hash("ab".utf8) != SinkCounts.hash("ba".utf8))
            let token = await exchange(port: server.port, "POST", "/common/oauth2/v2.0/token")
            #expect(token.status == 400)
            let received = try books(server).received
            #expect(received == 0)
            let report = await exchange(port: server.port, "GET", "/_fake/report")
            let events = try JSONDocument(report.body).root["sink"]?["events"]?.integer
            #expect(events == 7)
        }
    }
}
