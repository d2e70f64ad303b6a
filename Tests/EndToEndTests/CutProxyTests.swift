import Glibc
import ScenarioKit
import Testing

@testable import FaultProxy

/// The proxy itself: what it does to whom, and when.
struct CutProxyTests {
    private func plan(_ disturbances: Disturbance...) -> ProxyPlan {
        var plan = ProxyPlan()
        plan.follow(disturbances)
        return plan
    }

    @Test func `a turn begins when the client speaks after the server`() {
        var plan = plan()
        var (first, second) = (Course(), Course())
        for (direction, turns) in [(Disturbance.Direction.toServer, 1), (.toServer, 1), (.toClient, 1), (.toServer, 2)]
        {
            #expect(first.take(10, direction, plan: &plan) == [.pass(10)])
            #expect(plan.turns == turns)
        }
        _ = second.take(10, .toServer, plan: &plan)
        #expect(plan.turns == 3)
    }

    @Test func `a disturbance comes at its byte, once, in its direction and its turn`() {
        var plan = plan(Disturbance(.reset, at: .turn(1, .toClient, afterBytes: 15)))
        var course = Course()
        for _ in 0..<2 { #expect(course.take(20, .toServer, plan: &plan) == [.pass(20)]) }
        #expect(course.take(20, .toClient, plan: &plan) == [.pass(20)])
        #expect(course.take(20, .toServer, plan: &plan) == [.pass(20)])
        #expect(course.take(10, .toClient, plan: &plan) == [.pass(10)])
        #expect(plan.happened == 0)
        #expect(course.take(10, .toClient, plan: &plan) == [.pass(5), .act(.reset)])
        #expect(plan.happened == 1)
    }

    @Test func `a turn from before a new plan is none of its own`() {
        var plan = plan()
        var course = Course()
        _ = course.take(1, .toServer, plan: &plan)
        plan.follow([Disturbance(.close, at: .turn(0, .toClient))])
        #expect(course.take(9, .toClient, plan: &plan) == [.pass(9)])
        #expect(course.take(9, .toServer, plan: &plan) == [.pass(9)])
        #expect(course.take(9, .toClient, plan: &plan) == [.act(.close)])
    }

    @Test func `a drip lasts until its turn is over, a delay does not`() {
        var plan = plan(
            Disturbance(.drip, at: .turn(0, .toClient, afterBytes: 2)),
            Disturbance(.delay(milliseconds: 5), at: .turn(0, .toClient, afterBytes: 4)))
        var course = Course()
        _ = course.take(1, .toServer, plan: &plan)
        #expect(
            course.take(6, .toClient, plan: &plan) == [.pass(2), .drip(2), .act(.delay(milliseconds: 5)), .drip(2)])
        #expect(course.take(3, .toClient, plan: &plan) == [.drip(3)])
        _ = course.take(1, .toServer, plan: &plan)
        #expect(course.take(3, .toClient, plan: &plan) == [.pass(3)])
    }

    @Test func `a broker's port is replaced, however the answer is cut`() {
        let answer = [0, 0, 0, 19, 9] + Array("127.0.0.1".utf8) + [0, 0, 0x12, 0x34, 7, 7, 7, 7, 7]
        let expected = [0, 0, 0, 19, 9] + Array("127.0.0.1".utf8) + [0, 0, 0x43, 0x21, 7, 7, 7, 7, 7]
        for cut in 0...answer.count {
            var address = KafkaAddress(port: 0x1234, replacedBy: 0x4321)
            #expect(address.take(Array(answer[..<cut])) + address.take(Array(answer[cut...])) == expected)
        }
    }

    /// An echo, a proxy before it and a client: what comes back of "0123456789" and how the connection ends.
    private static func echo(_ disturbance: Disturbance) throws -> (text: String, isReset: Bool) {
        let echo = try LoopbackServer { connection in
            while let bytes = connection.read() { connection.send(bytes) }
        }
        defer { echo.stop() }
        let proxy = try FaultProxy(toPort: echo.port)
        defer { proxy.stop() }
        proxy.disturb(disturbance)
        guard let client = Connection(toPort: proxy.port) else { throw Disappointment("no connection") }
        // What stalls is waited for in vain; the rest comes, however slow the machine is.
        var limit = timeval(tv_sec: disturbance.kind == .stall ? 2 : 30, tv_usec: 0)
        setsockopt(client.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        client.send("0123456789".utf8)
        var text = ""
        errno = 0
        while text.utf8.count < 10, let more = client.read() { text += String(decoding: more, as: UTF8.self) }
        let isReset = errno == ECONNRESET
        try requireEqual(proxy.happened, 1, "disturbances")
        return (text, isReset)
    }

    @Test func `bytes pass, drip, come late, stop, end or are reset`() async throws {
        try await onThread {
            let cases: [(Disturbance.Kind, text: String, isReset: Bool)] = [
                (.delay(milliseconds: 50), "0123456789", false), (.drip, "0123456789", false),
                (.stall, "0123", false), (.close, "0123", false), (.reset, "0123", true),
            ]
            for (kind, text, isReset) in cases {
                let end = try CutProxyTests.echo(Disturbance(kind, at: .turn(0, .toClient, afterBytes: 4)))
                // What was on its way may be lost with a reset.
                try require(isReset ? text.hasPrefix(end.text) : end.text == text, "\(kind): \(end)")
                try requireEqual(end.isReset, isReset, "\(kind)")
            }
            let end = try CutProxyTests.echo(Disturbance(.close, at: .connection(0)))
            try requireEqual(end.text, "", "closed when accepted")
        }
    }
}
