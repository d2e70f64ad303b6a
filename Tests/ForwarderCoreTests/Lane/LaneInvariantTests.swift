import ForwarderCore
import ForwarderTestKit
import Testing

@Suite struct LaneInvariantTests {
    private static let start = SampleDeliveries.start

    private static func settings(isOffline: Bool) -> DestinationSettings {
        guard isOffline else {
            return DestinationSettings(
                name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("TOKEN"))))
        }
        let oauth = OAuthSettings(clientID: "client", refreshToken: .environment("SEED"))
        return DestinationSettings(
            name: "offline",
            kind: .offlineConversions(
                OfflineSettings(
                    goals: [], customerID: "1", accountID: "2", developerToken: .environment("TOKEN"), oauth: oauth)))
    }

    /// A lane with a store that works at once and a service that is a function; played until nothing is left to be done.
    private struct World {
        var lane: DestinationLane
        var store = ModelStore()
        var now = LaneInvariantTests.start
        var generation = 1
        /// Every request that was sent.
        var requests: [[UInt8]] = []
        private var answers: [(RequestID, HTTPOutcome)] = []

        init(_ settings: DestinationSettings) {
            lane = DestinationLane(
                id: DestinationID(1), settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(),
                heldGoals: [], state: .running, now: now, seed: 1)
        }

        mutating func play(_ first: DeliveryBatch, _ answer: (Int, [UInt8]) -> HTTPOutcome) {
            tell(.credential(isReady: true, generation: generation), answer)
            tell(.fresh(first), answer)
            for _ in 0..<2000 {
                if !answers.isEmpty {
                    let (id, outcome) = answers.removeFirst()
                    tell(.answered(id, outcome, elapsed: .zero), answer)
                } else if case let wake = lane.nextWake(now: now), wake < now.uptime + .seconds(86_400) {
                    now = now + (wake - now.uptime)
                    tell(.tick, answer)
                } else {
                    return
                }
            }
            Issue.record("it never comes to rest")
        }

        private mutating func tell(_ input: LaneInput, _ answer: (Int, [UInt8]) -> HTTPOutcome) {
            for action in lane.handle(input, now: now) {
                switch action {
                case .send(let id, let contents, isStrict: _):
                    requests.append(contents)
                    answers.append((id, answer(requests.count, contents)))
                case .store(let ticket, let works):
                    let outcome = store.perform(works)
                    tell(.stored(ticket, leftOut: outcome.leftOut[DestinationID(1)] ?? []), answer)
                    if let count = outcome.expired[DestinationID(1)] { tell(.expired(count: count), answer) }
                case .claim(let request): tell(.claimed(store.claim(request)), answer)
                case .inquire(let id, let inquiry): tell(.identified(id, store.identify(inquiry)), answer)
                case .review(let request):
                    let review = TransactionReview(lane.settings)
                    let result = store.review(request, original: nil) { [now] in review.decide($0, now: now.wall) }
                    tell(.reviewed(result), answer)
                case .release(let rows): store.release(rows)
                case .renewCredential:
                    generation += 1
                    tell(.credential(isReady: true, generation: generation), answer)
                case .settled, .rereadSecret, .throttleGrant, .signal, .log: break
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func `I-3: a delivery is the same bytes however often and in whatever company it is sent`(isOffline: Bool) {
        var world = World(LaneInvariantTests.settings(isOffline: isOffline))
        let batch = SampleDeliveries.batch(1..<41, .init(bytes: 7))
        var random = SeededRandom(seed: 7)
        world.play(batch) { number, contents in
            let count = SampleDeliveries.numbers(in: contents).count
            if number > 60 || count == 1 {
                return isOffline ? SampleAnswers.applied() : SampleAnswers.processed(count)
            }
            switch Int.random(in: 0..<5, using: &random) {
            case 0: return SampleAnswers.answer(400)
            case 1: return SampleAnswers.answer(503)
            case 2: return .noAnswer(.reset)
            case 3: return SampleAnswers.answer(200)
            default: return SampleAnswers.answer(413)
            }
        }
        #expect(world.requests.count > 20)
        var times: [Int: Int] = [:]
        for request in world.requests {
            for entry in String(decoding: request, as: UTF8.self).split(separator: "}") {
                let text = (entry.hasPrefix(",") ? entry.dropFirst() : entry) + "}"
                let number = SampleDeliveries.numbers(in: text.utf8)[0]
                let original = batch.contents[batch.deliveries[number - 1].content]
                #expect(Array(text.utf8) == Array(original))
                times[number, default: 0] += 1
            }
        }
        #expect(times.count == 40)
        #expect(times.values.contains { $0 > 3 })
        #expect(world.lane.snapshot(now: world.now).books.delivered == 40)
    }

    private static let faultsOfNobody: [(name: String, isOffline: Bool, outcome: HTTPOutcome)] = {
        var faults: [(String, Bool, HTTPOutcome)] = []
        for isOffline in [false, true] {
            for fault in TransportFault.allCases { faults.append((fault.rawValue, isOffline, .noAnswer(fault))) }
            for status in [301, 302, 307, 401, 403, 404, 405, 408, 415, 422, 425, 429, 451, 500, 502, 503, 504, 507] {
                faults.append(("\(status)", isOffline, SampleAnswers.answer(status, "<html>")))
            }
        }
        for code in [
            0, 105, 106, 108, 109, 116, 117, 120, 121, 122, 123, 124, 125, 126, 207, 1029, 1030, 1102, 5612, 5613,
        ] {
            faults.append(("fault \(code)", true, SampleAnswers.fault(400, code)))
            faults.append(("entry \(code)", true, SampleAnswers.applied([(0, code), (1, code)])))
        }
        for code in [5606, 5614, 5615] {
            faults.append(("fault \(code)", true, SampleAnswers.fault(400, code)))
            faults.append(("entry \(code)", true, SampleAnswers.applied([(0, code), (1, code)])))
        }
        return faults
    }()

    @Test func `I-7: no fault of a credential, a configuration or a network ends an event`() {
        for (name, isOffline, outcome) in LaneInvariantTests.faultsOfNobody {
            var world = World(LaneInvariantTests.settings(isOffline: isOffline))
            // Ten times it goes wrong, then all is well.
            world.play(SampleDeliveries.batch(1..<3)) { number, contents in
                let count = SampleDeliveries.numbers(in: contents).count
                if number <= 10 { return outcome }
                return isOffline ? SampleAnswers.applied() : SampleAnswers.processed(count)
            }
            let snapshot = world.lane.snapshot(now: world.now)
            #expect(world.store.deadLetters.isEmpty, "\(name)")
            #expect(snapshot.books.delivered == 2, "\(name)")
            #expect(snapshot.books.deliveredUnconfirmed == 0, "\(name)")
            #expect(snapshot.pending == 0, "\(name)")
        }
    }

    @Test func `I-8: what was given up is not settled any more, whatever its answer`() {
        let outcomes: [HTTPOutcome] = [
            SampleAnswers.processed(2), SampleAnswers.invalid([(0, "Empty")]), SampleAnswers.answer(400),
            SampleAnswers.answer(413), SampleAnswers.answer(503), SampleAnswers.answer(401), SampleAnswers.answer(200),
            SampleAnswers.processed(1), .noAnswer(.reset),
        ]
        for outcome in outcomes {
            var lane = World(LaneInvariantTests.settings(isOffline: false)).lane
            let now = LaneInvariantTests.start
            _ = lane.handle(.credential(isReady: true, generation: 1), now: now)
            guard
                case .send(let id, contents: _, isStrict: _)? = lane.handle(
                    .fresh(SampleDeliveries.batch(1..<3)), now: now
                ).first
            else {
                Issue.record("nothing is sent")
                continue
            }
            _ = lane.handle(.revoked([AssignmentID(1)]), now: now)
            for action in lane.handle(.answered(id, outcome, elapsed: .zero), now: now) {
                switch action {
                case .settled, .store, .send: Issue.record("\(outcome): \(action)")
                default: break
                }
            }
            #expect(lane.snapshot(now: now).books.released == 2)
            #expect(lane.snapshot(now: now).inFlight == 0)
            #expect(lane.isEmpty)
        }
    }
}
