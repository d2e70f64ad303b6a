import ForwarderCore
import ForwarderTestKit
import Glibc
import Testing

@testable import DeliveryStore
@testable import Forwarder

/// The loop that owns the store, on a disk whose sync fails.
@Suite struct StoreLoopTests {
    enum Cause: CaseIterable {
        case reject, operatorCommand, damagedRow, close
    }

    @Test(arguments: Cause.allCases)
    func `whoever waits for a sync that fails, the process ends at once and nothing is settled`(
        cause: Cause
    ) async throws {
        let (manner, settled) = try await onThread { () throws -> (ProcessEnd.Manner?, Int) in
            let directory = TemporaryDirectory(isInMemory: true)
            let disk = ModelDisk()
            let store = try DeliveryStore(
                directory: directory.store, access: .readWrite, steps: Schema.steps, vfs: disk.name)
            let capi = try store.destination()
            try store.enqueue([Sample(1)], capi)
            if cause == .damagedRow { try store.connection.execute("UPDATE queue SET checksum = 0") }
            let mailboxes = Mailboxes(intake: Mailbox {}, delivery: Mailbox {}, store: Mailbox {})
            switch cause {
            case .reject:
                mailboxes.store.put(.reject([StoreLoopTests.reject], []))
            case .operatorCommand: mailboxes.store.put(.inspect { store, _ in _ = try? store.discardQueue(of: capi) })
            case .damagedRow:
                let request = ClaimRequest(
                    destination: capi, now: noon, urgentBefore: noon, maxEventsByStrikes: [9], maxBytes: 1000)
                mailboxes.store.put(.claim(capi, request))
            case .close: mailboxes.store.put(.close)
            }
            // One that does not give up goes round once more, and ends in peace.
            mailboxes.store.put(.inspect { _, _ in mailboxes.store.put(.close) })
            disk.fault = ModelDisk.Fault(
                call: .sync, number: disk.calls[.sync, default: 0] + 1, code: SQLiteFault.sync)
            let end = ProcessEnd()
            makeLoop(store, mailboxes, end).run()
            #expect(disk.hasFailed)
            return (end.manner, mailboxes.intake.takeAll().count)
        }
        #expect(manner == .atOnce && settled == 0)
    }

    // MARK: What nobody is in a hurry for

    private static let order = TransactionKey(rawValue: 77)
    private static let origin = RecordOrigin(topic: "orders", partition: 0, offset: 1, payloadHash: 5)

    private static func remember(_ id: DestinationID) -> StoreOrder {
        let remembered = RememberedTransaction(key: order, origin: origin)
        return .work(id, StoreTicket(1), [.remember(id, [remembered], at: noon)])
    }

    @Test func `an order is written a moment later, with what comes meanwhile, and its offset waits for that`()
        async throws
    {
        let directory = TemporaryDirectory(isInMemory: true)
        let mailboxes = Mailboxes(intake: Mailbox {}, delivery: Mailbox {}, store: Mailbox {})
        async let settled = onThread { () throws -> Int in
            let store = try DeliveryStore(directory: directory.store)
            let capi = try store.destination()
            let another = TransactionInquiry.Entry(key: TransactionKey(rawValue: 78), origin: StoreLoopTests.origin)
            mailboxes.store.put(StoreLoopTests.remember(capi))
            mailboxes.store.put(.reject([Self.reject], [Settlement(assignment: AssignmentID(1), sequence: 3)]))
            mailboxes.store.put(
                .inquire(InquiryID(1), TransactionInquiry(destination: capi, entries: [another], since: noon)))
            makeLoop(store, mailboxes, ProcessEnd()).run()
            let reopened = try DeliveryStore(directory: directory.store)
            let entry = try reopened.ledgerEntry(of: StoreLoopTests.order, of: capi)
            #expect(entry?.origin == StoreLoopTests.origin)
            return mailboxes.intake.takeAll().count
        }
        // The loop has been where it writes when it answers, and the answer came first.
        var said: [String] = []
        while !said.contains("stored") {
            for order in mailboxes.delivery.takeAll() {
                switch order {
                case .identified: said.append("identified")
                case .stored: said.append("stored")
                default: break
                }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        mailboxes.store.put(.close)
        #expect(said == ["identified", "stored"])
        let count = try await settled
        #expect(count == 1, "the reject went with it")
    }

    @Test func `whoever looks into the store sees what was handed over before`() async throws {
        let directory = TemporaryDirectory(isInMemory: true)
        let isSeen = try await onThread { () throws -> Bool in
            let store = try DeliveryStore(directory: directory.store)
            let capi = try store.destination()
            let mailboxes = Mailboxes(intake: Mailbox {}, delivery: Mailbox {}, store: Mailbox {})
            let seen = Reply<Bool>()
            mailboxes.store.put(StoreLoopTests.remember(capi))
            mailboxes.store.put(
                .inspect { store, _ in
                    seen.send((try? store.ledgerEntry(of: StoreLoopTests.order, of: capi)) != nil)
                    mailboxes.store.put(.close)
                })
            makeLoop(store, mailboxes, ProcessEnd()).run()
            return seen.wait(timeout: .seconds(1)) ?? false
        }
        #expect(isSeen)
    }

    private static let reject = RejectedEvent(
        destination: nil, topic: "orders", partition: 0, offset: 9, reasons: ["malformed_json"], at: noon)
}

private func makeLoop(_ store: DeliveryStore, _ mailboxes: Mailboxes, _ end: ProcessEnd) -> StoreLoop {
    var configuration = Configuration(kafka: KafkaSettings(brokers: [], topics: []), destinations: [])
    configuration.state.ballastBytes = 0
    let plan = Plan(configuration: configuration, destinations: [], storeIdentity: store.identity, detached: [:])
    let telemetry = Telemetry(
        sink: LogSink(descriptor: open("/dev/null", O_WRONLY | O_CLOEXEC)), settings: LogSettings())
    return StoreLoop(
        store, plan, mailboxes: mailboxes, doorbell: Doorbell(), pressure: Pressure(), telemetry: telemetry,
        heartbeats: Heartbeats(), end: end)
}
