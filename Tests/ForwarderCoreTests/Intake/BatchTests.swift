import Testing

@testable import ForwarderCore

@Suite struct BatchTests {
    /// An intake that gathers, with the batches taken only when a test says so.
    private final class Gatherer {
        let intake: Intake
        var destination: IntakeDestination { intake.destinations[0] }
        var sequence: UInt64 = 0

        init(_ settings: DestinationSettings) {
            intake = Intake(InputSettings(), [IntakeDestination(DestinationID(1), settings, firstSeen: .distantPast)])
            _ = intake.index(ofTopic: "events")
        }

        func publish(_ json: String, at uptime: Int64 = 0, assignment: UInt32 = 1) {
            let origin = Intake.Origin(
                topic: 0, partition: 3, offset: Int64(sequence) + 100, assignment: AssignmentID(assignment),
                sequence: sequence)
            sequence += 1
            let now = Moment(wall: Timestamp(seconds: Shop.now), uptime: Uptime(milliseconds: uptime))
            Array(json.utf8).withUnsafeBufferPointer { intake.accept($0, origin, now: now) }
        }

        func take(at uptime: Int64 = 0, all: Bool = false) -> [DeliveryBatch] {
            destination.takeBatches(now: Uptime(milliseconds: uptime), all: all)
        }
    }

    private func capi(pageValue: Bool = false, _ change: (inout BatchSettings) -> Void) -> DestinationSettings {
        .capi({ $0.pageValue = pageValue }) { change(&$0.batch) }
    }

    @Test func `a batch is full at its number of events`() {
        let gatherer = Gatherer(capi { $0.maxEvents = 3 })
        for count in 1...7 {
            gatherer.publish(event())
            #expect(gatherer.destination.hasReady == (count >= 3))
        }
        #expect(gatherer.destination.gatheredCount == 7)
        #expect(gatherer.take().map(\.count) == [3, 3])
        #expect(gatherer.destination.gatheredCount == 1)
        #expect(gatherer.take().isEmpty)
        #expect(gatherer.take(all: true).map(\.count) == [1])
        #expect(gatherer.take(all: true).isEmpty)
    }

    @Test func `a batch tells where each delivery comes from and what it is`() throws {
        let gatherer = Gatherer(capi { $0.maxEvents = 2 })
        let records = [event(), event(#""Lead""#, id: #""e-2""#)]
        for record in records { gatherer.publish(record) }
        let batch = try #require(gatherer.take().first)
        #expect(batch.deliveries.map(\.offset) == [100, 101])
        #expect(batch.deliveries.map(\.sequence) == [0, 1])
        #expect(
            batch.deliveries.allSatisfy { $0.partition == 3 && $0.assignment == AssignmentID(1) && $0.itemCount == 1 })
        #expect(batch.topics == ["events"])
        #expect(batch.deliveries.map { batch.goals[Int($0.goal)] } == ["purchase", "lead"])
        #expect(batch.recordForm == .raw)
        #expect(batch.deliveries.map { String(decoding: batch.records[$0.record], as: UTF8.self) } == records)
        #expect(
            batch.deliveries.map { value("eventId", in: String(decoding: batch.contents[$0.content], as: UTF8.self)) }
                == ["e-1", "e-2"])
        let list = String(decoding: Array("[".utf8) + batch.contents + Array("]".utf8), as: UTF8.self)
        #expect(value("0", "eventId", in: list) == "e-1" && value("1", "eventId", in: list) == "e-2")
        #expect(batch.itemCount == 2)
    }

    @Test func `a batch stays below its number of bytes, an event that alone is larger goes alone`() {
        let limit = 8 << 10
        let gatherer = Gatherer(capi { $0.maxBytes = limit })
        var published: [String] = []
        for index in 0..<40 {
            let size = index % 10 == 5 ? 20_000 : 500 + index * 37
            published.append("e-\(index)")
            gatherer.publish(
                event(id: #""e-\#(index)""#, properties: #""label":"\#(String(repeating: "x", count: size))""#))
        }
        let batches = gatherer.take(all: true)
        var sent: [String?] = []
        for batch in batches {
            #expect(batch.contents.count + 1024 <= limit || batch.count == 1)
            let list = Array("[".utf8) + batch.contents + Array("]".utf8)
            guard case .array(let values)? = JSONValue(parsing: list) else {
                Issue.record("a batch is no JSON list"); continue
            }
            #expect(values.count == batch.count)
            sent += batch.deliveries.map {
                value("eventId", in: String(decoding: batch.contents[$0.content], as: UTF8.self))
            }
            #expect(
                batch.deliveries.map {
                    value("event_id", in: String(decoding: batch.records[$0.record], as: UTF8.self))
                } == sent.suffix(batch.count))
        }
        #expect(sent == published)
        // Full, not merely small: two neighbours would not have fitted together.
        for (left, right) in zip(batches, batches.dropFirst()) {
            #expect(left.contents.count + right.contents.count + 1025 > limit)
        }
    }

    @Test func `large records that make small contents do not fill the memory`() {
        let gatherer = Gatherer(capi { $0.maxEvents = 1000 })
        let record = event(properties: nil, #""unknown":"\#(String(repeating: "x", count: 200_000))""#)
        for _ in 0..<100 { gatherer.publish(record) }
        let batches = gatherer.take(all: true)
        #expect(batches.map(\.count).reduce(0, +) == 100)
        #expect(batches.allSatisfy { $0.records.count <= 8 << 20 })
    }

    @Test func `a delivery of two entries counts as two and is never torn apart`() {
        let gatherer = Gatherer(capi(pageValue: true) { $0.maxEvents = 5 })
        let page = event(#""PageView""#, properties: #""value":5"#, #""url":"https://shop.example/""#)
        for _ in 0..<4 { gatherer.publish(page) }
        #expect(gatherer.take(all: true).map { [$0.count, $0.itemCount] } == [[2, 4], [2, 4]])
        // One entry fits where two might not: the batch closes while there is still room for any delivery.
        for _ in 0..<5 { gatherer.publish(event()) }
        #expect(gatherer.take(all: true).map(\.itemCount) == [4, 1])
    }

    @Test func `whatever comes and whenever it is taken, batches hold all of it once, in order and within the limits`()
    {
        for seed in UInt64(0)..<200 {
            var random = SeededRandom(seed: seed)
            var limits = BatchSettings()
            limits.maxEvents = Int.random(in: 2...12, using: &random)
            limits.maxBytes = Int.random(in: (3 << 10)...(12 << 10), using: &random)
            let gatherer = Gatherer(capi(pageValue: true) { $0 = limits })
            var batches: [DeliveryBatch] = []
            var uptime: Int64 = 0
            for _ in 0..<60 {
                uptime += Int64.random(in: 0...100, using: &random)
                let label = String(repeating: "x", count: Int.random(in: 0...3000, using: &random))
                // A page with a value is two entries.
                let name = Bool.random(using: &random) ? #""PageView""# : #""Purchase""#
                let properties = #""value":5,"label":"\#(label)""#
                gatherer.publish(
                    event(name, properties: properties, #""url":"https://shop.example/""#), at: uptime)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    batches += gatherer.take(at: uptime)
                    let hasLingered = gatherer.destination.lingersUntil.map { $0 <= Uptime(milliseconds: uptime) }
                    #expect(hasLingered != true && !gatherer.destination.hasReady, "seed \(seed)")
                }
            }
            batches += gatherer.take(at: uptime, all: true)
            #expect(batches.flatMap { $0.deliveries.map(\.sequence) } == Array(0..<60), "seed \(seed)")
            for batch in batches {
                let isWithin = batch.itemCount <= limits.maxEvents && batch.contents.count + 1024 <= limits.maxBytes
                #expect(isWithin || batch.count == 1, "seed \(seed)")
                let list = Array("[".utf8) + batch.contents + Array("]".utf8)
                let entries = if case .array(let values)? = JSONValue(parsing: list) { values.count } else { -1 }
                #expect(entries == batch.itemCount, "seed \(seed)")
                #expect(entries == batch.deliveries.reduce(0) { $0 + Int($1.itemCount) }, "seed \(seed)")
            }
        }
    }

    @Test func `a batch that is not full goes out when it has lingered`() {
        let gatherer = Gatherer(capi { $0.linger = .milliseconds(200) })
        #expect(gatherer.destination.lingersUntil == nil)
        gatherer.publish(event(), at: 1000)
        gatherer.publish(event(), at: 1150)
        #expect(gatherer.destination.lingersUntil == Uptime(milliseconds: 1200))
        #expect(gatherer.take(at: 1199).isEmpty)
        #expect(gatherer.take(at: 1200).map(\.count) == [2])
        #expect(gatherer.destination.lingersUntil == nil)
        gatherer.publish(event(), at: 1300)
        #expect(gatherer.destination.lingersUntil == Uptime(milliseconds: 1500))
    }

    @Test func `deliveries ahead of their time have a batch of their own`() {
        let gatherer = Gatherer(capi { $0.maxEvents = 2 })
        gatherer.publish(event(), at: 5)
        gatherer.publish(event(time: "\(Shop.now + 20)"), at: 3)
        #expect(gatherer.destination.lingersUntil == Uptime(milliseconds: 203))
        #expect(gatherer.destination.gatheredCount == 2)
        gatherer.publish(event(time: "\(Shop.now + 10)"), at: 9)
        let early = gatherer.take()
        #expect(
            early.map { $0.deliveries.map(\.dueAt) } == [
                [Timestamp(seconds: Shop.now + 20), Timestamp(seconds: Shop.now + 10)]
            ])
        #expect(gatherer.take(all: true).map { $0.deliveries.map(\.dueAt) } == [[Timestamp(milliseconds: 0)]])
    }

    @Test func `deliveries of an assignment that is gone are dropped and counted, the others stay whole`() throws {
        let gatherer = Gatherer(capi { $0.maxEvents = 3 })
        for index in 0..<8 {
            let ahead = index == 7 ? Shop.now + 20 : 1_786_000_000
            gatherer.publish(event(id: #""e-\#(index)""#, time: "\(ahead)"), assignment: index % 2 == 0 ? 1 : 2)
        }
        gatherer.destination.release([AssignmentID(2), AssignmentID(9)])
        #expect(gatherer.destination.books.released == 4)
        #expect(gatherer.destination.gatheredCount == 4)
        let batches = gatherer.take(all: true)
        let ids = batches.flatMap { batch in
            batch.deliveries.map { value("eventId", in: String(decoding: batch.contents[$0.content], as: UTF8.self)) }
        }
        #expect(ids == ["e-0", "e-2", "e-4", "e-6"])
        #expect(batches.allSatisfy { JSONValue(parsing: Array("[".utf8) + $0.contents + Array("]".utf8)) != nil })
        #expect(gatherer.destination.books.owed == 8)
    }

    @Test func `topics are named by their order, also by batches that were begun before`() {
        let gatherer = Gatherer(capi { $0.maxEvents = 10 })
        gatherer.publish(event())
        #expect(gatherer.intake.index(ofTopic: "returns") == 1)
        #expect(gatherer.intake.index(ofTopic: "events") == 0)
        #expect(gatherer.take(all: true).first?.topics == ["events", "returns"])
    }
}
