import FakeMicrosoft
import Forwarder
import ForwarderCore
import Glibc
import ScenarioKit
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
            "callRateExceeded", "partialErrors", "refuse(", "slow(", "refuse(share: 1.0", "resumeHalted",
            "refuseWhole(",
            "notAcceptedForGoal", "timeInFuture", "poison(", "revokeGrant", "handOutGrant", "badRequestPage",
            "nameInvalid",
            "applyFailed", "invalid_grant", "invalid_client", "status(401", "status(403", "bodyLimit", "date(inSeconds",
        ] {
            #expect(text.contains(word), "\(word)")
        }
    }

    @Test func `the shop is wrong in every way`() {
        var shop = ChaosShop(seed: 1, partitions: 4, requestTimeoutSeconds: 2, hasAged: true)
        let kinds = Set((0..<20_000).map { _ in shop.next(now: 1_786_000_000).kind })
        #expect(kinds.count == 21, "\(kinds.sorted())")
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a run that is told to end leaves no process, no disk and no file behind`(signal: Int32) async throws {
        try await onThread {
            let directory = try DaemonDirectory()
            defer { directory.remove() }
            let trial = try ChildProcess(
                builtBinary("forwarder-trial"), ["--chaos", "--seconds", "60"],
                environment: DaemonProcess.environment + ["TMPDIR=\(directory.path)"], output: .file("/dev/null"),
                error: .file("/dev/null"))
            defer { trial.send(SIGKILL) }
            var isStarted = false
            for _ in 0..<600 where !isStarted {
                isStarted = !ChaosTests.processes(of: directory).isEmpty
                if !isStarted { usleep(50_000) }
            }
            #expect(isStarted, "no daemon was started")
            trial.send(signal)
            #expect(trial.exitCode(timeout: .seconds(60)) == 128 + signal)
            #expect(ChaosTests.processes(of: directory) == [])
            #expect(DaemonDirectory.everything(below: directory.path) == [directory.path])
        }
    }

    /// Everybody whose command line names it.
    private static func processes(of directory: DaemonDirectory) -> [String] {
        guard let entries = opendir("/proc") else { return [] }
        defer { closedir(entries) }
        var found: [String] = []
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int32(name) != nil, let line = try? SmallFile.read("/proc/\(name)/cmdline", limit: 1 << 16) else {
                continue
            }
            if String(decoding: line, as: UTF8.self).contains(directory.path) { found.append(name) }
        }
        return found
    }

    // MARK: The oracle

    private static let place = TopicReader.Place(partition: 1, offset: 7)

    private static func event(_ capi: ChaosEvent.Fate, _ offline: ChaosEvent.Fate = .skipped) -> ChaosEvent {
        ChaosEvent(id: "e", value: nil, partition: 1, capi: capi, offline: offline, kind: "good")
    }

    private func differences(
        _ event: ChaosEvent, _ store: StoreView = StoreView(), refusing fault: Fault? = nil
    ) throws -> [String] {
        let microsoft = try Microsoft.start()
        defer { microsoft.stop() }
        if let fault { ask(microsoft, about: event.id, refusing: fault) }
        return ChaosOracle(events: [event], places: ["e": [ChaosTests.place]], store: store).differences(microsoft)
    }

    /// A request with this event alone, which the fault befalls.
    private func ask(_ microsoft: FakeMicrosoftServer, about id: String, refusing fault: Fault) {
        let now = Timestamp(seconds: 1_786_000_000)
        let body =
            #"{"data":[{"eventType":"pageLoad","eventId":"\#(id)","eventTime":\#(now.seconds),"#
            + #""eventSourceUrl":"https://shop.example/","userData":{"anonymousId":"a"}}],"#
            + #""continueOnValidationError":true,"dataProvider":"x"}"#
        let request = FakeRequest(
            method: "POST", path: "/v1/\(Microsoft.tag)/events",
            headers: ["authorization": "Bearer \(Microsoft.token)", "content-type": "application/json"],
            body: Array(body.utf8))
        microsoft.withModel { model in
            var random = SeededRandom(seed: 1)
            model.follow(FaultPlan([.init(fault, targets: .capi)]), from: now)
            _ = model.handle(request, now: now, using: &random)
        }
    }

    private func store(
        letter: String? = nil, reason: String = "expired", rejected: [String]? = nil, _ destination: String? = "capi"
    ) -> StoreView {
        var store = StoreView()
        let key = StoreView.Key(place: ChaosTests.place, destination: destination)
        if let letter { store.letters[key] = .init(reasonClass: letter, reason: reason) }
        if let rejected { store.rejects[key] = rejected }
        return store
    }

    @Test func `what is nowhere is lost`() throws {
        #expect(try differences(ChaosTests.event(.delivered)).first?.hasSuffix("capi: lost") == true)
        #expect(try differences(ChaosTests.event(.skipped, .delivered)).first?.hasSuffix("offline: lost") == true)
        #expect(try differences(ChaosTests.event(.skipped)) == [])
    }

    @Test func `a dead letter counts where Microsoft refused this event in these words`() throws {
        let event = ChaosTests.event(.delivered)
        let letter = store(letter: "refused", reason: "Blocked")
        #expect(try differences(event, letter, refusing: .refuse(share: 1)) == [])
        #expect(try differences(event, letter, refusing: .slow(.zero)).count == 1)
        #expect(try differences(event, letter, refusing: .refuseWhole(share: 1)).count == 1)
        let other = store(letter: "refused", reason: "http_400")
        #expect(try differences(event, other, refusing: .refuse(share: 1)).count == 1)
        #expect(try differences(event, other, refusing: .refuseWhole(share: 1)) == [])
        #expect(try differences(ChaosTests.event(.skipped), letter, refusing: .refuse(share: 1)).count == 1)
    }

    @Test func `a dead letter counts as expired where the time was over`() throws {
        #expect(try differences(ChaosTests.event(.deliveredOrExpired), store(letter: "expired")) == [])
        #expect(try differences(ChaosTests.event(.delivered), store(letter: "expired")).count == 1)
        let tried = store(letter: "expired", reason: "attempts_exhausted")
        #expect(try differences(ChaosTests.event(.deliveredOrExpired), tried).count == 1)
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
