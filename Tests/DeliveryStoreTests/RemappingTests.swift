import ForwarderCore
import Testing

@testable import DeliveryStore

@Suite struct RemappingTests {
    let directory = TemporaryDirectory()
    let store: DeliveryStore
    let capi: DestinationID
    private let now = Moment(wall: noon, uptime: Uptime(milliseconds: 0))

    init() throws {
        store = try DeliveryStore(directory: directory.store)
        capi = try store.destination()
    }

    private static func event(_ name: String, _ id: Int64, at time: Int64) -> String {
        """
        {"event":"\(name)","event_id":"e\(id)","event_time":\(time),"user":{"anonymous_id":"a"},"properties":{"value":1.50}}
        """
    }

    private func bury(_ samples: [Sample]) throws {
        try store.enqueue(samples, capi)
        let ends = samples.map {
            RowEnd(row: RowID($0.row), cause: DeadLetterCause(.refused, "x"), attempts: 4, at: noon)
        }
        _ = try store.perform([.deadLetterRows(capi, ends)])
    }

    private func replay(_ settings: DestinationSettings?) throws -> ReplayResult {
        let remapper = settings.map { Remapper(capi, $0) }
        var row: Int64 = 100
        return try store.replayRemapped(
            DeadLetterFilter(), now: now,
            nextRow: {
                row += 1
                return RowID(row)
            }, remap: { _, event in remapper?.remap(event, now: now) })
    }

    @Test func `an event is mapped by the configuration of now, and keeps its id and its place`() throws {
        let time = noon.seconds - 60
        try bury([
            Sample(1).with {
                $0.event = RemappingTests.event("Purchase", 1, at: time)
                $0.partition = 3
                $0.payloadHash = 55
            },
            Sample(2).with { $0.event = RemappingTests.event("Search", 2, at: time) },
            Sample(3).with { $0.event = RemappingTests.event("Purchase", 3, at: time - 8 * 86_400) },
            Sample(4).with { $0.event = "{}" },
        ])
        var settings = CAPISettings(uetTagID: "1", token: .environment("T"))
        settings.events = [
            .init(event: "Purchase", target: .custom(name: "order")), .init(event: "Search", target: .skip),
        ]
        #expect(try replay(nil).notRemapped == ["not_configured": 4])
        let result = try replay(DestinationSettings(name: "capi", kind: .capi(settings)))
        #expect(result.moved == [capi: 1] && result.kept == 3 && result.selected == 4)
        #expect(result.notRemapped["unmapped_event"] == 1 && result.notRemapped["too_old"] == 1)
        #expect(result.notRemapped["event_missing"] == 1)
        #expect(try store.deadLetters(DeadLetterFilter()).map(\.delivery.offset) == [4, 3, 2])
        let claim = try store.claim(capi)
        #expect(claim.rows == [101] && claim.quarantined == 0)
        let content = String(decoding: claim.batch.contents, as: UTF8.self)
        #expect(content.hasPrefix(#"{"eventType":"custom","eventId":"e1","eventName":"order","#), "\(content)")
        let delivery = claim.batch.deliveries[0]
        #expect(delivery.partition == 3 && delivery.offset == 1 && delivery.payloadHash == 55)
        #expect(delivery.attempts == 4 && claim.batch.topics == ["orders"] && claim.batch.goals == ["order"])
        #expect(String(decoding: claim.batch.records, as: UTF8.self) == RemappingTests.event("Purchase", 1, at: time))
        #expect(try Counters.count(store.connection)[capi] == store.counters[capi])
    }

    @Test func `what waits already is not added a second time`() throws {
        let event = RemappingTests.event("Purchase", 1, at: noon.seconds - 60)
        try bury([Sample(1).with { $0.event = event }])
        try store.enqueue([Sample(2, offset: 1)], capi)
        let settings = DestinationSettings(
            name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("T"))))
        let result = try replay(settings)
        #expect(result.moved.isEmpty && result.alreadyQueued == [capi: 1] && store.depth(of: capi).rows == 1)
    }
}
