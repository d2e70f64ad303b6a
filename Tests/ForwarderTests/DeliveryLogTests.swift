import ForwarderCore
import ForwarderHarness
import Glibc
import Testing

@testable import Forwarder

/// From the record to the answer of `deliveries`.
final class DeliveryLogTests {
    private static let noon = Timestamp(seconds: 1_786_000_000)
    private let directory: DaemonDirectory
    private var state: String { directory.path }
    private let capi = DestinationID(1)
    private let offline = DestinationID(2)

    init() throws {
        directory = try DaemonDirectory()
    }

    deinit {
        directory.remove()
    }

    private var segments: [DeliveryLogFiles.Segment] {
        DeliveryLogFiles.segments(in: DeliveryLogFiles.directory(of: state))
    }

    private func plan(_ change: (inout DeliveryLogSettings) -> Void = { _ in }) -> Plan {
        var capi = DestinationSettings(
            name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("TOKEN"))))
        change(&capi.deliveryLog)
        let offline = OfflineSettings(
            goals: [.init(event: "Purchase", name: "Order \"won\""), .init(event: "AddToCart", name: "Cart")],
            customerID: "1", accountID: "2", developerToken: .environment("TOKEN"),
            oauth: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")))
        let all = [capi, DestinationSettings(name: "offline", kind: .offlineConversions(offline))]
        var configuration = Configuration(kafka: KafkaSettings(brokers: [], topics: []), destinations: all)
        configuration.state.directory = state
        return Plan(
            configuration: configuration,
            destinations: all.enumerated().map { index, settings in
                PlannedDestination(
                    id: DestinationID(Int32(index + 1)), settings: settings, firstSeen: DeliveryLogTests.noon,
                    state: .running, depth: QueueDepth(), heldGoals: [])
            }, storeIdentity: "", detached: [:])
    }

    private static func event(_ name: String, _ id: String, user: String = "", properties: String = "") -> String {
        """
        {"event":"\(name)","event_id":"\(id)","event_time":\(noon.seconds),"user":{"email":"ada@mail.example",\
        "msclkid":"dd4afcccb1c94a4cad9544dd7e5006ab"\(user)},"properties":{"value":19.99,"currency":"eur"\(properties)}}
        """
    }

    /// The batches of each destination that come of these events.
    private func batches(_ plan: Plan, _ events: [String]) -> [DeliveryBatch] {
        let intake = plan.makeIntake()
        let topic = intake.index(ofTopic: "events")
        let now = Moment(wall: DeliveryLogTests.noon, uptime: Uptime(milliseconds: 0))
        for (offset, event) in events.enumerated() {
            let origin = Intake.Origin(
                topic: topic, partition: 0, offset: Int64(offset), assignment: AssignmentID(1),
                sequence: UInt64(offset))
            Array(event.utf8).withUnsafeBufferPointer { intake.accept($0, origin, now: now) }
        }
        return intake.destinations.compactMap { destination in
            let batches = destination.takeBatches(now: now.uptime, all: true)
            guard var whole = batches.first else { return nil }
            // What may count once only goes by itself; here all of it is one, in the order of the records.
            let deliveries = batches.flatMap { batch in batch.deliveries.map { (delivery: $0, batch: batch) } }
            whole = whole.picking([Int]())
            for one in deliveries.sorted(by: { $0.delivery.offset < $1.delivery.offset }) {
                whole.append(one.delivery, of: one.batch)
            }
            return whole
        }
    }

    private func settled(_ batch: DeliveryBatch, _ end: SettledDeliveries.End = .delivered) -> SettledDeliveries {
        SettledDeliveries(batch: batch, indices: Array(batch.deliveries.indices), end: end)
    }

    private func found(_ change: (inout DeliveryLogQuery) -> Void = { _ in }) throws -> [JSONElement] {
        var query = DeliveryLogQuery()
        change(&query)
        let answer = DeliveryLogReader(stateDirectory: state).answer(query)
        return try JSONDocument(answer).root["deliveries"]?.elements ?? []
    }

    private func ids(_ change: (inout DeliveryLogQuery) -> Void = { _ in }) throws -> [String] {
        try found(change).compactMap { $0["event_id"]?.string }
    }

    @Test func `an entry says what was delivered, and nothing of the person`() throws {
        let plan = plan()
        let log = DeliveryLog(plan)
        let batches = batches(
            plan,
            [
                DeliveryLogTests.event("Purchase", "e1", properties: ",\"transaction_id\":\"t\\\"1\""),
                DeliveryLogTests.event("AddToCart", "e2"),
                DeliveryLogTests.event("Purchase", "e3", properties: ",\"transaction_id\":\"ada@mail.example\""),
            ])
        #expect(batches.map { $0.deliveries.map { $0.noteLength > 0 } } == [[true, false, true], [true, true, true]])
        #expect(log.append(settled(batches[0]), of: capi, at: DeliveryLogTests.noon))
        #expect(log.append(settled(batches[1], .unconfirmed), of: offline, at: DeliveryLogTests.noon + .seconds(1)))
        #expect(
            try found().map { String(decoding: $0.json, as: UTF8.self) } == [
                """
                {"at":"2026-08-06T07:06:41.000Z","destination":"offline","status":"delivered_unconfirmed","attempts":0,\
                "event":"Purchase","event_id":"e1","event_time":1786000000,"goal":"Order \\"won\\"","value":19.99,\
                "currency":"EUR","transaction_id":"t\\"1"}
                """,
                """
                {"at":"2026-08-06T07:06:41.000Z","destination":"offline","status":"delivered_unconfirmed","attempts":0,\
                "event":"AddToCart","event_id":"e2","event_time":1786000000,"goal":"Cart","value":19.99,"currency":"EUR"}
                """,
                """
                {"at":"2026-08-06T07:06:41.000Z","destination":"offline","status":"delivered_unconfirmed","attempts":0,\
                "event":"Purchase","event_id":"e3","event_time":1786000000,"goal":"Order \\"won\\"","value":19.99,\
                "currency":"EUR"}
                """,
                """
                {"at":"2026-08-06T07:06:40.000Z","destination":"capi","status":"delivered","attempts":0,\
                "event":"Purchase","event_id":"e1","event_time":1786000000,"goal":"purchase","value":19.99,\
                "currency":"EUR","transaction_id":"t\\"1"}
                """,
                """
                {"at":"2026-08-06T07:06:40.000Z","destination":"capi","status":"delivered","attempts":0,\
                "event":"Purchase","event_id":"e3","event_time":1786000000,"goal":"purchase","value":19.99,"currency":"EUR"}
                """,
            ])
        let written = segments.flatMap { (try? SmallFile.read($0.path, limit: 1 << 20)) ?? [] }[...]
        for secret in ["ada", "mail", "dd4afccc", "@"] { #expect(!written.holds(Array(secret.utf8)), "\(secret)") }
        var status = stat()
        #expect(stat(segments[0].path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func `what comes from the disk is told as what is fresh, and of refusals all`() throws {
        let plan = plan()
        let log = DeliveryLog(plan)
        let fresh = batches(plan, [DeliveryLogTests.event("Purchase", "e1"), DeliveryLogTests.event("Search", "e2")])[0]
        let neutralizer = Neutralizer(plan.makeIntake())
        guard
            case .enqueue(_, let stored, _) = neutralizer.neutral(
                .enqueue(capi, fresh, QueueEntry(queuedAt: DeliveryLogTests.noon)))
        else { return }
        #expect(stored.deliveries.allSatisfy { $0.noteLength == 0 })
        #expect(log.append(settled(fresh), of: capi, at: DeliveryLogTests.noon))
        let before = try found().map(\.json)
        #expect(log.append(settled(stored), of: capi, at: DeliveryLogTests.noon))
        #expect(try found().map(\.json) == before + before)
        // Fresh or not.
        for batch in [fresh, stored] {
            let end = SettledDeliveries.End.deadLettered(DeadLetterCause(.refused, "InvalidEvent"))
            #expect(log.append(settled(batch, end), of: capi, at: DeliveryLogTests.noon))
        }
        let refused = try found { $0.status = "dead_lettered" }
        #expect(refused.compactMap { $0["event_id"]?.string }.sorted() == ["e1", "e1", "e2", "e2"])
        #expect(refused.allSatisfy { $0["code"]?.string == "InvalidEvent" && $0["class"]?.string == "refused" })
    }

    @Test func `entries are found by what is asked for, newest first`() throws {
        let plan = plan()
        let log = DeliveryLog(plan)
        for index in 0..<10 {
            let id = ",\"transaction_id\":\"t\(index)\""
            let events = [
                DeliveryLogTests.event("Purchase", "p\(index)", properties: id),
                DeliveryLogTests.event("Lead", "l\(index)", properties: id),
            ]
            let at = DeliveryLogTests.noon + .seconds(Int64(index))
            #expect(log.append(settled(batches(plan, events)[0]), of: capi, at: at))
            if index == 4 { log.rotate() }
        }
        #expect(segments.count == 2)
        #expect(try ids { $0.limit = 3 } == ["p9", "l9", "p8"])
        #expect(try ids { $0.transactionID = "t2" } == ["p2", "l2"])
        #expect(try ids { $0.transactionID = "t" } == [])
        #expect(try ids { $0.goal = "lead" } == (0..<10).reversed().map { "l\($0)" })
        #expect(
            try ids {
                $0.event = "Lead"
                $0.since = DeliveryLogTests.noon + .seconds(4)
                $0.until = DeliveryLogTests.noon + .seconds(6)
            } == ["l6", "l5", "l4"])
        #expect(try ids { $0.destination = "offline" } == [] && ids { $0.status = "dead_lettered" } == [])
        #expect(try ids { $0.destination = "capi" }.count == 20)
        // A daemon that died in the middle of a line.
        let file = open(segments[1].path, O_WRONLY | O_APPEND)
        #expect(write(file, "{\"at\":1786000099000,\"stat", 25) == 25)
        close(file)
        #expect(try ids().count == 20)
        let next = DeliveryLog(plan)
        #expect(
            next.append(
                settled(batches(plan, [DeliveryLogTests.event("Purchase", "after")])[0]), of: capi,
                at: DeliveryLogTests.noon + .seconds(100)))
        #expect(try ids { $0.limit = 2 } == ["after", "p9"])
    }

    @Test func `the log keeps to its bytes and its age, the oldest going first`() throws {
        let plan = plan { $0.maxBytes = 1 << 20 }
        let log = DeliveryLog(plan)
        let events = (0..<200).map { DeliveryLogTests.event("Purchase", "e\($0)") }
        let batch = batches(plan, events)[0]
        for index in 0..<100 {
            #expect(log.append(settled(batch), of: capi, at: DeliveryLogTests.noon + .seconds(Int64(index))))
        }
        let bytes = segments.reduce(0) { $0 + $1.bytes }
        #expect(bytes <= 1 << 20 && bytes > 800 << 10, "\(bytes)")
        #expect(segments[0].number > 1)
        let newest = try found { $0.limit = 1 }
        #expect(newest.first?["at"]?.string == "2026-08-06T07:08:19.000Z")
        // Age is by the file's own time.
        log.rotate()
        let now = SystemClock.now.wall
        log.purge(now: now + .seconds(29 * 86_400))
        #expect(!segments.isEmpty)
        log.purge(now: now + .seconds(31 * 86_400))
        #expect(segments.isEmpty)
    }

    @Test func `a log that is off writes nothing, and one that cannot write says so`() throws {
        let off = plan { $0.maxBytes = nil }
        let batch = batches(off, [DeliveryLogTests.event("Purchase", "e")])[0]
        #expect(batch.deliveries[0].noteLength == 0)
        #expect(DeliveryLog(off).append(settled(batch), of: capi, at: DeliveryLogTests.noon) && segments.isEmpty)
        let on = plan()
        let log = DeliveryLog(on)
        // Something else is in its place.
        close(open("\(state)/deliveries", O_CREAT | O_WRONLY, 0o600))
        let other = batches(on, [DeliveryLogTests.event("Purchase", "e")])[0]
        #expect(!log.append(settled(other), of: capi, at: DeliveryLogTests.noon))
        unlink("\(state)/deliveries")
        #expect(log.append(settled(other), of: capi, at: DeliveryLogTests.noon))
        #expect(try ids() == ["e"])
    }

    @Test func `entries are taken out of the files, and nothing else changes`() throws {
        let plan = plan()
        let log = DeliveryLog(plan)
        for index in 0..<3 {
            let events = (0..<3).map {
                DeliveryLogTests.event(
                    "Purchase", "e\(index)\($0)", properties: ",\"transaction_id\":\"t\(index)\($0)\"")
            }
            #expect(log.append(settled(batches(plan, events)[0]), of: capi, at: DeliveryLogTests.noon))
            log.rotate()
        }
        func eraser() -> DeliveryLogEraser {
            DeliveryLogEraser(stateDirectory: state, eventIDs: ["e00", "e20", "e21", "e2"], transactionIDs: ["t22"])
        }
        let before = try found()
        let untouched = segments[1]
        #expect(eraser().erase(isDryRun: true) == 4)
        #expect(try found().map(\.json) == before.map(\.json))
        let times = segments.map(\.changedAt)
        #expect(eraser().erase(isDryRun: false) == 4)
        #expect(
            try found().map(\.json)
                == before.filter { !["e00", "e20", "e21", "e22"].contains($0["event_id"]?.string) }.map(\.json))
        #expect(segments.map(\.changedAt) == times && segments[1].bytes == untouched.bytes && segments[2].bytes == 0)
        #expect(eraser().erase(isDryRun: false) == 0)
    }

    @Test func `a query survives its way through the socket`() {
        var query = DeliveryLogQuery()
        #expect(ControlRequest(json: ControlRequest.deliveries(query).json) == .deliveries(query))
        query.destination = "capi"
        query.status = "delivered"
        query.event = "Purchase"
        query.goal = "Order"
        query.transactionID = "t\"1"
        query.since = Timestamp(milliseconds: 3)
        query.until = Timestamp(milliseconds: 4)
        query.limit = 5
        #expect(ControlRequest(json: ControlRequest.deliveries(query).json) == .deliveries(query))
    }
}
