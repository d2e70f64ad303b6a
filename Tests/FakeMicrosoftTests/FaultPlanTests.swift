import FakeMicrosoft
import ForwarderCore
import Testing

@Suite struct FaultPlanTests {
    @Test func `a phase strikes within its window, at its target, as often as it may`() throws {
        let window = Duration.seconds(10)..<Duration.seconds(20)
        var bench = Bench(plan: FaultPlan([.init(.status(503), targets: .capi, window: window, most: 2)]))
        var seen: [Int] = []
        for second in [0, 9, 10, 15, 19, 25] {
            bench.now = Bench.start + .seconds(second)
            #expect(try bench.send(Bench.tokenRequest()).status == 200)
            seen.append(try bench.send([Bench.event()]).status)
        }
        #expect(seen == [200, 200, 503, 503, 200, 200])
    }

    @Test func `the first phase that hits wins`() throws {
        var bench = Bench(
            plan: FaultPlan([.init(.status(503), targets: .offline), .init(.status(502)), .init(.status(500))]))
        #expect(try bench.send([Bench.event()]).status == 502)
    }

    @Test func `a rate is the share of requests`() throws {
        var bench = Bench(plan: FaultPlan([.init(.status(500), rate: 0.25)]))
        var struck = 0
        for _ in 0..<2000 where try bench.send([Bench.event()]).status == 500 { struck += 1 }
        #expect((400...600).contains(struck))
    }

    @Test func `a plan that takes over starts its own time`() throws {
        var bench = Bench()
        #expect(try bench.send([Bench.event()]).status == 200)
        bench.now = Bench.start + .seconds(1000)
        bench.model.follow(FaultPlan([.init(.status(503), window: .zero..<Duration.seconds(5))]), from: bench.now)
        #expect(try bench.send([Bench.event()]).status == 503)
        bench.now = Bench.start + .seconds(1005)
        #expect(try bench.send([Bench.event()]).status == 200)
    }

    @Test func `the same seed and the same requests give the same replies`() throws {
        func replies(seed: UInt64) throws -> [FakeReply] {
            var bench = Bench(plan: .mixed(seed: seed, length: .seconds(700)))
            bench.rng = SeededGenerator(seed: seed)
            var replies: [FakeReply] = []
            for step in 0..<500 {
                bench.now = Bench.start + .seconds(step)
                replies.append(try bench.send(Bench.tokenRequest()).reply)
                replies.append(try bench.send((0..<20).map { Bench.event(id: "\(step)-\($0)") }).reply)
                let body = #"{"OfflineConversions":[\#(Bench.conversion())]}"#
                replies.append(try bench.send(Bench.offline(body, token: "none")).reply)
            }
            return replies
        }
        let first = try replies(seed: 11)
        #expect(try replies(seed: 11) == first)
        #expect(try replies(seed: 12) != first)
        #expect(FaultPlan.mixed(seed: 3).phases == FaultPlan.mixed(seed: 3).phases)
        #expect(FaultPlan.mixed(seed: 3).phases != FaultPlan.mixed(seed: 4).phases)
    }

    @Test func `faults that cost a client minutes are in long mixed plans only`() {
        func names(_ length: Duration) -> Set<String> {
            Set(FaultPlan.mixed(seed: 1, length: length).phases.map(\.fault.name))
        }
        let slow: Set = ["unauthorized", "status_403", "campaign_fault_117", "oauth_invalid_grant_50196"]
        #expect(names(.seconds(30)).isDisjoint(with: slow))
        #expect(names(.seconds(600)).isSuperset(of: slow))
        #expect(FaultPlan.mixed(seed: 1, length: .seconds(30)).end <= .seconds(30))
    }

    /// A client that repeats whatever is not surely done gets everything through.
    @Test func `under a mixed plan nothing is refused for good`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var bench = Bench(plan: .mixed(seed: seed, length: .seconds(60)))
        bench.rng = SeededGenerator(seed: seed)
        for batch in 0..<100 {
            let events = (0..<10).map { Bench.event(id: "\(batch)-\($0)") }
            for _ in 0..<1000 {
                bench.now = bench.now + .milliseconds(100)
                let answer = try bench.send(events)
                if answer.reply.conduct == .whole, answer.eventsReceived == 10 { break }
                #expect(answer.details.isEmpty, "seed \(seed)")
            }
        }
        #expect(try bench.capi.accepted == 1000, "seed \(seed)")
        #expect(try bench.capi.judgedInvalid == 0, "seed \(seed)")
        #expect(try bench.capi.refusedByPlan == 0, "seed \(seed)")
        #expect(try bench.capi.traffic.faults.count > 3, "seed \(seed)")
    }

    @Test func `every named plan exists and ends in time`() throws {
        for name in FaultPlan.names {
            let plan = try #require(FaultPlan.named(name, seed: 1, length: .seconds(5)))
            #expect(plan.end <= .seconds(5))
        }
        #expect(FaultPlan.named("chaos", seed: 1, length: .seconds(5)) == nil)
    }
}
