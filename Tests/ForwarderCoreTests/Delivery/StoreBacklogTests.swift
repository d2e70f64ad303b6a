import ForwarderTestKit
import Testing

@testable import ForwarderCore

@Suite struct StoreBacklogTests {
    private static let id = DestinationID(1)
    private static let now = Timestamp(seconds: 1_786_000_000)

    @Test func `orders and rejects are in no hurry, and anything else hurries them`() {
        var backlog = StoreBacklog()
        #expect(!backlog.isUnhurried, "there is nothing")
        backlog.append([.remember(Self.id, [], at: Self.now)], of: Self.id, StoreTicket(1))
        backlog.append(rejects: [], [])
        #expect(backlog.isUnhurried)
        let hurried: [StoreWork] = [
            .remove(Self.id, [RowID(1)]), .reschedule(Self.id, [], failure: nil, hold: nil),
            .deadLetterRows(Self.id, []), .expire(Self.id, at: Self.now, limit: 1), .setState(Self.id, .paused),
        ]
        for work in hurried {
            var mixed = backlog
            mixed.append([work], of: Self.id, StoreTicket(2))
            #expect(!mixed.isUnhurried, "\(work)")
        }
    }

    @Test func `what fills a transaction waits for nothing more`() {
        let reject = RejectedEvent(destination: nil, topic: "t", partition: 0, offset: 1, reasons: [], at: Self.now)
        var backlog = StoreBacklog()
        backlog.append(rejects: Array(repeating: reject, count: StoreBacklog.deliveriesPerTransaction - 1), [])
        #expect(backlog.isUnhurried)
        backlog.append(rejects: [reject], [])
        #expect(!backlog.isUnhurried)
    }
}
