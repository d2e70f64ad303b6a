import ForwarderCore
import Testing

/// I-4: everything has a bound.
@Suite struct LaneLimitTests {
    private static let now = SampleDeliveries.start

    private func makeLane(_ change: (inout DestinationSettings) -> Void = { _ in }) -> DestinationLane {
        var settings = DestinationSettings(
            name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("TOKEN"))))
        change(&settings)
        var lane = DestinationLane(
            id: DestinationID(1), settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(), heldGoals: [],
            state: .running, now: LaneLimitTests.now, seed: 1)
        _ = lane.handle(.credential(isReady: true, generation: 1), now: LaneLimitTests.now)
        return lane
    }

    private func sends(_ actions: [LaneAction]) -> [(id: RequestID, numbers: [Int])] {
        actions.compactMap { action in
            guard case .send(let id, let contents, isStrict: _) = action else { return nil }
            return (id, SampleDeliveries.numbers(in: contents))
        }
    }

    @Test func `a search has a budget of requests, and goes on later with what is left`() {
        var lane = makeLane()
        var open = sends(lane.handle(.fresh(SampleDeliveries.batch(1..<1001)), now: LaneLimitTests.now)).map(\.id)
        var requests = open.count
        var dead = 0
        var queued = 0
        while !open.isEmpty {
            let request = open.removeFirst()
            let actions = lane.handle(
                .answered(request, SampleAnswers.answer(400), elapsed: .zero), now: LaneLimitTests.now)
            open += sends(actions).map(\.id)
            requests += sends(actions).count
            for case .store(_, let works) in actions {
                for work in works {
                    if case .enqueue(_, let batch, let entry) = work {
                        #expect(entry.failure == "search_budget_spent")
                        queued += batch.count
                    }
                    if case .deadLetter(_, let batch, _, at: _) = work { dead += batch.count }
                }
            }
        }
        #expect(requests == 65)
        #expect(queued + dead == 1000)
        #expect(lane.snapshot(now: LaneLimitTests.now).pending == queued)
    }

    @Test func `I-4: what is in memory only stays within the buffer, whatever it waits for`() {
        for seed in 0..<40 {
            var random = SeededRandom(seed: UInt64(seed))
            let limit = 20_000
            var lane = makeLane { settings in
                settings.buffer.maxBytes = limit
                settings.concurrency = 3
            }
            var open: [RequestID] = []
            var number = 1
            var batchBytes = 0
            for _ in 0..<200 {
                var form = SampleDeliveries.Form()
                form.bytes = 500
                if Bool.random(using: &random) { form.dueAt = LaneLimitTests.now.wall + .seconds(8) }
                let batch = SampleDeliveries.batch(number..<(number + 3), form)
                batchBytes = max(batchBytes, batch.byteCount)
                number += 3
                var actions = lane.handle(.fresh(batch), now: LaneLimitTests.now)
                if let request = open.first, Int.random(in: 0..<3, using: &random) == 0 {
                    open.removeFirst()
                    let body = Bool.random(using: &random) ? "" : #"{"eventsReceived":1}"#
                    let answer = SampleAnswers.answer(200, body)
                    actions += lane.handle(.answered(request, answer, elapsed: .zero), now: LaneLimitTests.now)
                }
                open += sends(actions).map(\.id)
                for case .store(let ticket, _) in actions {
                    _ = lane.handle(.stored(ticket, leftOut: []), now: LaneLimitTests.now)
                }
                // What is in flight cannot be taken back.
                #expect(lane.memoryBytes <= limit + 4 * batchBytes, "seed \(seed)")
            }
            #expect(!lane.isBackedUp)
        }
    }

    @Test func `a service that answers without words is asked slowly`() {
        var lane = makeLane { $0.concurrency = 4 }
        var open: [RequestID] = []
        var requests = 0
        for number in 1...400 {
            let actions = lane.handle(
                .fresh(SampleDeliveries.batch(number..<(number + 1))), now: LaneLimitTests.now)
            open += sends(actions).map(\.id)
            while let request = open.popLast() {
                requests += 1
                let actions = lane.handle(
                    .answered(request, SampleAnswers.answer(200), elapsed: .zero), now: LaneLimitTests.now)
                open += sends(actions).map(\.id)
            }
        }
        #expect(requests == 4)
    }

    @Test func `what has run out of time is scanned for until nothing is left`() {
        var lane = makeLane()
        _ = lane.handle(.replayed(count: 12_000), now: LaneLimitTests.now)
        func scans(_ actions: [LaneAction]) -> Int {
            actions.reduce(0) { count, action in
                guard case .store(_, let works) = action else { return count }
                return count + works.count { if case .expire = $0 { true } else { false } }
            }
        }
        let later = LaneLimitTests.now + .seconds(60)
        #expect(scans(lane.handle(.tick, now: later)) == 1)
        #expect(scans(lane.handle(.tick, now: later)) == 0)
        #expect(scans(lane.handle(.expired(count: 5000), now: later)) == 1)
        #expect(scans(lane.handle(.expired(count: 4999), now: later)) == 0)
        #expect(lane.snapshot(now: later).pending == 12_000 - 9999)
    }

    @Test func `without work nobody is woken`() {
        let lane = makeLane()
        #expect(lane.nextWake(now: LaneLimitTests.now) == .distantFuture)
    }

    @Test func `what is on its way is looked at in time, whatever came after it`() {
        var lane = makeLane { $0.concurrency = 1 }
        let start = LaneLimitTests.now
        let limit = lane.settings.buffer.maxAge
        #expect(sends(lane.handle(.fresh(SampleDeliveries.batch(1..<4)), now: start)).count == 1)
        let later = start + limit / 2
        #expect(sends(lane.handle(.fresh(SampleDeliveries.batch(4..<6)), now: later)).isEmpty)
        #expect(lane.nextWake(now: later) == start.uptime + limit)
    }

    @Test func `a memory that is full without a disk backs up, and no more than twice`() {
        var lane = makeLane { $0.buffer.maxBytes = 5000 }
        _ = lane.handle(.storeHealth(isWritable: false), now: LaneLimitTests.now)
        _ = lane.handle(.pause, now: LaneLimitTests.now)
        var number = 1
        while !lane.isBackedUp {
            var form = SampleDeliveries.Form()
            form.bytes = 500
            _ = lane.handle(.fresh(SampleDeliveries.batch(number..<(number + 1), form)), now: LaneLimitTests.now)
            number += 1
        }
        #expect(lane.memoryBytes > 10_000)
        #expect(lane.memoryBytes < 11_000)
    }
}
