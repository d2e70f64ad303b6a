import Testing

@testable import ForwarderCore

/// What a lane counts for the metrics.
struct LaneNumberTests {
    private static let now = SampleDeliveries.start

    private func lane(answeredBy outcome: HTTPOutcome, elapsed: Duration = .zero) -> LaneSnapshot {
        let settings = DestinationSettings(
            name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("TOKEN"))))
        var lane = DestinationLane(
            id: DestinationID(1), settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(), heldGoals: [],
            state: .running, now: Self.now, seed: 1)
        _ = lane.handle(.credential(isReady: true, generation: 1), now: Self.now)
        for case .send(let id, _, _) in lane.handle(.fresh(SampleDeliveries.batch(1..<3)), now: Self.now) {
            _ = lane.handle(.answered(id, outcome, elapsed: elapsed), now: Self.now)
        }
        return lane.snapshot(now: Self.now)
    }

    private func counted(_ snapshot: LaneSnapshot) -> [String] {
        RequestOutcome.allCases.filter { snapshot.books.outcomes[Int($0.rawValue)] > 0 }.map(\.name)
    }

    @Test func `a request is counted under what it came to, and a lack of an answer under its reason`() {
        #expect(counted(lane(answeredBy: SampleAnswers.processed(2))) == ["ok"])
        #expect(counted(lane(answeredBy: SampleAnswers.answer(503))) == ["retry"])
        #expect(counted(lane(answeredBy: SampleAnswers.answer(429))) == ["busy"])
        #expect(counted(lane(answeredBy: SampleAnswers.answer(401))) == ["credential_refused"])
        #expect(counted(lane(answeredBy: SampleAnswers.answer(403))) == ["parked"])
        for fault in TransportFault.allCases {
            let snapshot = lane(answeredBy: .noAnswer(fault))
            #expect(counted(snapshot) == ["no_answer"])
            #expect(snapshot.books.transportFaults == [fault: 1])
            #expect(snapshot.books.requestsWithoutAnswer == 1)
        }
    }

    @Test func `the clock is held against the date of an answer`() throws {
        var text = ""
        for second in [-3600, 0, 90] {
            let date = Self.now.wall + .seconds(second)
            // Of another day no test is made.
            text = HTTPDates.text(date)
            let answer = HTTPAnswer(status: 503, headers: ["date": text])
            let offset = try #require(lane(answeredBy: .answer(answer), elapsed: .seconds(2)).clockOffset)
            let error = offset - (.seconds(-second) - .seconds(1))
            #expect(abs(error.milliseconds) <= 500, "\(text): \(offset)")
        }
        for useless in [[:], ["date": "yesterday"], ["date": "120"]] {
            #expect(lane(answeredBy: .answer(HTTPAnswer(status: 503, headers: useless))).clockOffset == nil)
        }
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`; the day of the week is nobody's business.
private enum HTTPDates {
    static func text(_ time: Timestamp) -> String {
        let iso = Array(LogTime.text(time))
        func part(_ range: Range<Int>) -> String { String(iso[range]) }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "Sun, \(part(8..<10)) \(months[(Int(part(5..<7)) ?? 1) - 1]) \(part(0..<4)) \(part(11..<19)) GMT"
    }
}
