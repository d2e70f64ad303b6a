import FakeMicrosoft
import ForwarderCore
import Testing

@Suite struct FaultTests {
    private let events = (0..<20).map { Bench.event(id: "e\($0)") }

    private func bench(_ fault: Fault, _ targets: FaultTargets = .all) -> Bench {
        Bench(plan: FaultPlan([.init(fault, targets: targets)]))
    }

    // MARK: Without a look at the content

    @Test(arguments: [401, 403, 404, 408, 413, 429, 500, 502, 503, 504])
    func `a status is answered and nothing is processed`(status: Int) throws {
        var bench = bench(.status(status))
        let answer = try bench.send(events)
        #expect(answer.status == status)
        #expect(answer.reply.headers["Retry-After"] == nil)
        #expect(try bench.capi.received == 0)
        #expect(try bench.capi.judgedInvalid == 0)
        #expect(try bench.capi.traffic.requests == ["\(status)": 1])
        #expect(try bench.capi.traffic.faults.values.reduce(0, +) == 1)
    }

    @Test(arguments: [(401, 109), (403, 106), (429, 117), (500, 0)] as [(Int, Int64)])
    func `Campaign Management puts a fault body with its statuses`(status: Int, code: Int64) throws {
        var bench = bench(.status(status), .offline)
        let answer = try bench.apply([Bench.conversion()])
        #expect(answer.status == status)
        #expect(answer.faultCode == code)
        #expect(try bench.offline.received == 0)
    }

    @Test func `Retry-After comes in both forms`() throws {
        var seconds = bench(.status(429, retryAfter: .seconds(7)))
        #expect(try seconds.send(events).reply.headers["Retry-After"] == "7")
        var date = bench(.status(503, retryAfter: .date(inSeconds: 7)))
        #expect(try date.send(events).reply.headers["Retry-After"] == "Thu, 06 Aug 2026 07:06:47 GMT")
    }

    @Test func `a drop processes nothing`() throws {
        var bench = bench(.drop)
        #expect(try bench.send(events).reply.outcome == .noAnswer(.reset))
        #expect(try bench.capi.received == 0)
    }

    @Test func `a body limit stops only larger bodies`() throws {
        var bench = bench(.bodyLimit(1000))
        #expect(try bench.send(events).status == 413)
        #expect(try bench.send([events[0]]).status == 200)
        #expect(try bench.capi.traffic.faults == ["body_limit": 1])
    }

    @Test(
        arguments: [(.callRateExceeded, 429), (.internalError, 500), (.applyFailed, 500), (.userCompromised, 403)]
            as [(CampaignCode, Int)])
    func `Campaign Management faults as told`(code: CampaignCode, status: Int) throws {
        var bench = bench(.campaignFault(code))
        let answer = try bench.apply([Bench.conversion()])
        #expect(answer.status == status)
        #expect(answer.faultCode == Int64(code.rawValue))
        #expect(try bench.send(events).status == 200)
    }

    @Test func `the token endpoint errs as told`() throws {
        var bench = bench(.oauthError("invalid_grant", aadsts: 50_196))
        let loop = try bench.send(Bench.tokenRequest())
        #expect(loop.status == 400)
        #expect(loop.json["error"]?.string == "invalid_grant")
        #expect(loop.json["error_description"]?.string?.hasPrefix("AADSTS50196: ") == true)
        bench = self.bench(.oauthError("temporarily_unavailable", aadsts: 90_033))
        #expect(try bench.send(Bench.tokenRequest()).status == 503)
        bench = self.bench(.status(429, retryAfter: .seconds(3)), .oauth)
        let throttled = try bench.send(Bench.tokenRequest())
        #expect(throttled.status == 429)
        #expect(throttled.reply.headers["Retry-After"] == "3")
        #expect(bench.model.tokenRefreshes == 0)
    }

    // MARK: Processed, but answered wrong

    @Test func `a lost answer leaves the events accepted`() throws {
        var bench = Bench(plan: FaultPlan([.init(.answerLost, most: 1)]))
        #expect(try bench.send(events).reply.conduct == .dropped)
        #expect(try bench.capi.accepted == 20)
        #expect(try bench.send(events).eventsReceived == 20)
        #expect(try bench.capi.duplicates == 20)
        #expect(try bench.capi.traffic.requests == ["dropped": 1, "200": 1])
        #expect(try bench.capi.traffic.faults == ["answer_lost": 1])
    }

    @Test func `a lost token answer leaves the old refresh token good`() throws {
        var bench = Bench(plan: FaultPlan([.init(.answerLost, targets: .oauth, most: 1)]))
        #expect(try bench.send(Bench.tokenRequest()).reply.conduct == .dropped)
        #expect(bench.model.tokenRefreshes == 1)
        #expect(try bench.send(Bench.tokenRequest()).status == 200)
    }

    @Test func `spoiled answers come after the processing`() throws {
        let cases: [(Fault, (FakeReply) -> Bool)] = [
            (.answerCut, { $0.conduct == .cut(after: $0.body.count / 2) && $0.status == 200 }),
            (.slow(.seconds(9)), { $0.delay == .seconds(9) && $0.conduct == .whole }),
            (.emptyAnswer, { $0.status == 200 && $0.body.isEmpty }),
            (.pageAnswer, { $0.status == 200 && $0.body.starts(with: Array("<!DOCTYPE".utf8)) }),
        ]
        for (fault, isAsTold) in cases {
            var bench = bench(fault, .events)
            #expect(isAsTold(try bench.send(events).reply), "\(fault)")
            #expect(isAsTold(try bench.apply([Bench.conversion()]).reply), "\(fault)")
            #expect(try bench.capi.accepted == 20)
            #expect(try bench.offline.accepted == 1)
        }
    }

    @Test(arguments: [(-3, 17), (4, 24), (-100, 0)])
    func `a miscount changes the number and nothing else`(difference: Int, told: Int64) throws {
        var bench = bench(.miscount(difference))
        let answer = try bench.send(events)
        #expect(answer.eventsReceived == told)
        #expect(answer.json["error"] == nil)
        #expect(try bench.capi.accepted == 20)
    }

    // MARK: Refused for the plan's sake

    @Test func `refused events are always the same, and more than ten are not all listed`() throws {
        var bench = bench(.refuse(share: 0.5))
        let many = (0..<200).map { Bench.event(id: "many-\($0)") }
        let first = try bench.send(many)
        let refused = try bench.capi.refusedByPlan
        #expect((60...140).contains(refused))
        #expect(first.eventsReceived == Int64(200 - refused))
        #expect(first.details.count == 10)
        let again = try bench.send(many)
        #expect(again.details == first.details)
        #expect(try bench.capi.refusedByPlan == 2 * refused)
        #expect(try bench.capi.judgedInvalid == 0)

        let answer = try bench.send(many, continues: false)
        #expect(answer.status == 400)
        #expect(try bench.capi.unprocessed == 200 - refused)
        #expect(try bench.capi.duplicates == 200 - refused)
    }

    @Test func `refused events stand among the invalid ones in the order of the request`() throws {
        var bench = bench(.refuse(share: 1))
        let answer = try bench.send([events[0], Bench.event(id: "bad", userData: ""), events[1]])
        #expect(answer.details.map(\.index) == [0, 1, 2])
        #expect(answer.details.map(\.code) == ["Blocked", "NoIdentifier", "Blocked"])
        #expect(try bench.capi.invalid == 1)
        #expect(try bench.capi.refusedByPlan == 2)
        #expect(try bench.capi.judgedInvalid == 1)
    }

    @Test func `partial errors of the plan are no evidence`() throws {
        var bench = bench(.partialErrors(.applyFailed, share: 1))
        let answer = try bench.apply([Bench.conversion(), Bench.conversion(clickID: "x")])
        #expect(answer.partialErrors == [[0, 5612], [1, 5604]])
        #expect(try bench.offline.refusedByPlan == 1)
        #expect(try bench.offline.judgedInvalid == 1)
    }

    @Test func `a request that holds a culprit is refused without a word on who it was`() throws {
        var bench = bench(.refuseWhole(share: 0.5), .events)
        let many = (0..<40).map { "culprit-\($0)" }
        let all = many.map { Bench.event(id: $0) }
        let answer = try bench.send(all)
        #expect(answer.status == 400)
        #expect(answer.json["error"]?["details"] == nil)
        #expect(try bench.capi.unprocessed == 40)
        // In company it proves nothing against anybody.
        #expect(many.allSatisfy { bench.model.refusals(tag: "1", eventID: $0).isEmpty })
        let refused = try many.indices.filter { try bench.send([all[$0]]).status == 400 }
        #expect((8...32).contains(refused.count))
        for (index, id) in many.enumerated() {
            let isRefused = refused.contains(index)
            #expect(bench.model.refusals(tag: "1", eventID: id) == (isRefused ? [""] : []))
            #expect(bench.model.timesAccepted(tag: "1", eventID: id) == (isRefused ? 0 : 1))
        }
        #expect(try bench.capi.judgedInvalid == 0)
        let conversions = (10..<50).map { Bench.conversion(time: "2026-08-06T06:00:\($0)Z") }
        #expect(try bench.apply(conversions).faultCode == 113)
    }

    @Test func `the books know who was refused, and in which words`() throws {
        var bench = bench(.refuse(share: 1))
        _ = try bench.send([events[0], Bench.event(id: "bad", userData: "")])
        #expect(bench.model.refusals(tag: "1", eventID: "e0") == ["Blocked"])
        // That one was its own fault.
        #expect(bench.model.refusals(tag: "1", eventID: "bad") == [])
        bench = self.bench(.partialErrors(.applyFailed, share: 1))
        _ = try bench.apply([Bench.conversion()])
        let key = ConversionKey(name: "Purchase", time: "2026-08-06T06:00:00Z", clickID: Bench.clickID)
        #expect(bench.model.refusals(account: "20", key) == ["5612"])
    }

    @Test func `a page in place of a list names no index and may spare singles`() throws {
        for sparesSingles in [false, true] {
            var bench = bench(.badRequestPage(sparesSingles: sparesSingles))
            let answer = try bench.send(events)
            #expect(answer.status == 400)
            #expect(answer.json.isNull)
            #expect(try bench.capi.unprocessed == 20)
            #expect(try bench.send([events[0]]).status == (sparesSingles ? 200 : 400))
            #expect(try bench.capi.traffic.faults == ["bad_request_page": sparesSingles ? 1 : 2])
        }
    }

    @Test func `a poison event fails every request that holds it and no other`() throws {
        var bench = Bench(
            plan: FaultPlan([.init(.poison(id: "e7")), .init(.poison(id: Bench.clickID), targets: .offline)]))
        #expect(try bench.send(events).status == 500)
        #expect(try bench.send([events[7]]).status == 500)
        #expect(try bench.send(Array(events[0..<7])).status == 200)
        #expect(try bench.capi.unprocessed == 21)
        #expect(try bench.capi.traffic.faults == ["poison": 2])
        #expect(try bench.apply([Bench.conversion()]).faultCode == 0)
        #expect(try bench.apply([Bench.conversion(clickID: String(repeating: "b", count: 32))]).status == 200)
    }
}
