import FakeMicrosoft
import Testing

@testable import ForwarderHarness

/// What plays `make chaos`, without a daemon: the plan and the oracle.
struct ChaosTests {
    @Test func `a seed is a plan, and another seed another one`() {
        let plans = (0..<20).map { ChaosPlan(seed: $0, length: .seconds(30)) }
        for plan in plans {
            #expect(ChaosPlan(seed: plan.seed, length: .seconds(30)).description == plan.description)
            #expect(plan.faults.end <= plan.length && plan.steps.allSatisfy { $0.at <= plan.length })
        }
        #expect(Set(plans.map(\.description)).count == plans.count)
    }

    @Test func `every kind of trouble is in some plan`() {
        let text = (0..<40).map { ChaosPlan(seed: $0, length: .seconds(40)).description }.joined()
        for word in [
            "kill(", "reload(", "join", "leave(", "brokerDown(", "slowBroker(", "moveLeader(", "moveGroup(",
            "refuseRequests(", "fillDisk", "setClock(", "changeToken", "expireAccessTokens", "status(503", "status(429",
            "drop", "answerLost", "answerCut", "emptyAnswer", "pageAnswer", "miscount", "bodyLimit", "oauthError",
            "callRateExceeded", "partialErrors", "refuse(", "slow(",
        ] {
            #expect(text.contains(word), "\(word)")
        }
    }

    @Test func `the shop is wrong in every way`() {
        var shop = ChaosShop(seed: 1, partitions: 4, requestTimeoutSeconds: 2, hasAged: true)
        let kinds = Set((0..<20_000).map { _ in shop.next(now: 1_786_000_000).kind })
        #expect(kinds.count == 21, "\(kinds.sorted())")
    }

    // MARK: The oracle

    private static let place = TopicReader.Place(partition: 1, offset: 7)

    private static func event(_ capi: ChaosEvent.Fate, _ offline: ChaosEvent.Fate = .skipped) -> ChaosEvent {
        ChaosEvent(id: "e", value: nil, partition: 1, capi: capi, offline: offline, kind: "good")
    }

    private func differences(
        _ event: ChaosEvent, _ store: StoreView = StoreView(), refuses: Set<String> = []
    ) throws -> [String] {
        let microsoft = try Microsoft.start()
        defer { microsoft.stop() }
        return ChaosOracle(events: [event], places: ["e": [ChaosTests.place]], store: store, refuses: refuses)
            .differences(microsoft)
    }

    private func store(letter: String? = nil, rejected: [String]? = nil, _ destination: String? = "capi") -> StoreView {
        var store = StoreView()
        let key = StoreView.Key(place: ChaosTests.place, destination: destination)
        if let letter { store.letters[key] = .init(reasonClass: letter, reason: "why") }
        if let rejected { store.rejects[key] = rejected }
        return store
    }

    @Test func `what is nowhere is lost`() throws {
        #expect(try differences(ChaosTests.event(.delivered)).first?.hasSuffix("capi: lost") == true)
        #expect(try differences(ChaosTests.event(.skipped, .delivered)).first?.hasSuffix("offline: lost") == true)
        #expect(try differences(ChaosTests.event(.skipped)) == [])
    }

    @Test func `a dead letter counts where Microsoft was made to refuse, or the time was over`() throws {
        let event = ChaosTests.event(.delivered)
        #expect(try differences(event, store(letter: "refused"), refuses: ["capi"]) == [])
        #expect(try differences(event, store(letter: "refused"), refuses: ["offline"]).count == 1)
        #expect(try differences(event, store(letter: "expired"), refuses: ["capi"]).count == 1)
        #expect(try differences(ChaosTests.event(.deliveredOrExpired), store(letter: "expired")) == [])
        #expect(try differences(ChaosTests.event(.skipped), store(letter: "refused"), refuses: ["capi"]).count == 1)
    }

    @Test func `a reject counts with exactly its reasons, for its destination or for all`() throws {
        let event = ChaosTests.event(.rejected(["too_old"]))
        #expect(try differences(event).count == 1)
        #expect(try differences(event, store(rejected: ["too_old"])) == [])
        #expect(try differences(event, store(rejected: ["too_old"], nil)) == [])
        #expect(try differences(event, store(rejected: ["too_old"], "offline")).count == 2)
        #expect(try differences(event, store(rejected: ["too_old", "no_identifier"])).count == 1)
        #expect(try differences(ChaosTests.event(.delivered), store(rejected: ["too_old"])).count == 1)
    }
}
