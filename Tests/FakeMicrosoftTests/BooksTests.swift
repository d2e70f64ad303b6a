import FakeMicrosoft
import ForwarderCore
import Testing

@Suite struct BooksTests {
    @Test func `an identical repeat is a duplicate, one with other bytes is evidence`() throws {
        var bench = Bench()
        let purchase = Bench.event(id: "ord-1", customData: #""value":5"#)
        #expect(try bench.send([purchase]).eventsReceived == 1)
        #expect(try bench.send([purchase, purchase]).eventsReceived == 2)
        #expect(try bench.capi.duplicates == 2)
        #expect(try bench.capi.judgedInvalid == 0)

        #expect(try bench.send([Bench.event(id: "ord-1", customData: #""value":6"#)]).status == 200)
        #expect(try bench.capi.changed == 1)
        #expect(try bench.capi.judgedInvalid == 1)
        #expect(
            try bench.capi.findings == [Finding(reason: "content_changed", index: 0, eventID: "ord-1")])
        #expect(bench.model.timesAccepted(tag: "1", eventID: "ord-1") == 3)
    }

    @Test func `the same id under another name is another event`() throws {
        var bench = Bench()
        _ = try bench.send([Bench.event(id: "x", name: "purchase"), Bench.event(id: "x", name: "lead")])
        #expect(try bench.capi.accepted == 2)
        #expect(bench.model.timesAccepted(tag: "1", eventID: "x") == 2)
        #expect(bench.model.timesAccepted(tag: "1", eventID: "y") == 0)
        #expect(bench.model.timesAccepted(tag: "9", eventID: "x") == 0)
    }

    @Test func `each tag has its own books`() throws {
        var bench = Bench { $0.tags["2"] = "other" }
        let body = #"{"data":[\#(Bench.event())]}"#
        _ = try bench.send(Bench.capi(body))
        _ = try bench.send(Bench.capi(body, token: "other", tag: "2"))
        #expect(try bench.capi.accepted == 1)
        #expect(bench.model.books(of: .capi(tag: "2"))?.accepted == 1)
        #expect(bench.model.books(of: .capi(tag: "2"))?.duplicates == 0)
    }

    @Test func `findings stop at their limit, counting does not`() throws {
        var bench = Bench { $0.findingLimit = 3 }
        for number in 0..<5 { _ = try bench.send([Bench.event(id: "\(number)", userData: "")]) }
        #expect(try bench.capi.findings.count == 3)
        #expect(try bench.capi.judgedInvalid == 5)
    }

    @Test func `a path that is no interface is a stray`() throws {
        var bench = Bench()
        for path in ["/", "/v1//events", "/v2/1/events", "/v1/1/events/", "/CampaignManagement/v13/Campaigns"] {
            #expect(try bench.send(FakeRequest(method: "POST", path: path)).status == 404)
        }
        #expect(bench.model.strayBooks.judgedInvalid == 5)
    }

    @Test func `whatever is sent, the report adds up`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var chance = SeededGenerator(seed: seed)
        var bench = Bench(plan: .mixed(seed: seed, length: .seconds(60)))
        let token = try bench.model.firstAccessToken(using: &bench.rng, now: bench.now)
        for step in 0..<400 {
            bench.now = Bench.start + .milliseconds(200 * step)
            let items = (0..<Int.random(in: 1...30, using: &chance)).map { _ in
                Int.random(in: 0..<400, using: &chance)
            }
            if Bool.random(using: &chance) {
                let events = items.map { Bench.event(id: "\($0)", userData: $0 % 20 == 0 ? "" : #""gaid":"g""#) }
                _ = try bench.send(events, continues: Bool.random(using: &chance))
            } else {
                let conversions = items.map {
                    Bench.conversion(name: $0 % 20 == 0 ? "No" : "Plain", more: "\"ConversionValue\":\($0)")
                }
                _ = try bench.send(
                    Bench.offline(#"{"OfflineConversions":[\#(conversions.joined(separator: ","))]}"#, token: token))
            }
        }
        for books in [try bench.capi, try bench.offline] {
            let fates = [
                books.accepted, books.duplicates, books.changed, books.invalid, books.refusedByPlan, books.unprocessed,
            ]
            #expect(fates.reduce(0, +) == books.received, "seed \(seed)")
            #expect(books.judgedInvalid == books.invalid + books.changed, "seed \(seed)")
            #expect(books.accepted > 0 && books.duplicates > 0 && books.invalid > 0, "seed \(seed)")
        }
        #expect(try bench.offline.changed > 0)
        let requests = [try bench.capi, try bench.offline].flatMap(\.traffic.requests.values).reduce(0, +)
        #expect(requests == 400, "seed \(seed)")

        let report = try JSONDocument(bench.model.report()).root
        let capi = try #require(report["destinations"]?["capi/1"])
        #expect(capi["accepted"]?.integer == Int64(try bench.capi.accepted))
        #expect(capi["judged_invalid"]?.integer == Int64(try bench.capi.judgedInvalid))
        #expect(report["destinations"]?["offline/20"]?["duplicates"]?.integer == Int64(try bench.offline.duplicates))
    }
}

extension MicrosoftModel {
    /// Asks until a fault no longer stands in the way.
    mutating func firstAccessToken(using rng: inout SeededGenerator, now: Timestamp) throws -> String {
        for _ in 0..<100 {
            let answer = try Answer(handle(Bench.tokenRequest(), now: now, using: &rng))
            if answer.reply.conduct == .whole, let token = answer.json["access_token"]?.string { return token }
        }
        throw NoToken()
    }

    struct NoToken: Error {}
}
