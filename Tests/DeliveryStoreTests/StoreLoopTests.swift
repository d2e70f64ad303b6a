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
                let event = RejectedEvent(
                    destination: nil, topic: "orders", partition: 0, offset: 9, reasons: ["malformed_json"], at: noon)
                mailboxes.store.put(.reject([event], []))
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
