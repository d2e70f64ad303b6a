import DeliveryStore
import Forwarder
import ForwarderCore
import ForwarderHarness

extension Section {
    /// What goes to the disk. Its time is the processor's: that of the disk is in the runs from end to end.
    static var storage: [Section] {
        [
            onDisk("enqueue", "put 1,000 deliveries into the queue, one transaction") { $0.enqueue() },
            onDisk("claim", "claim 1,000 of 20,000, and let go of them", filled: 20) { $0.claimAndRelease() },
            onDisk("remove", "claim 1,000 and remove them, one transaction", filled: 40) { $0.drain() },
            onDisk("remember", "ask for 1,000 orders, and remember them, one transaction") { $0.remember() },
        ]
    }

    /// - Parameter filled: so many thousands wait already.
    private static func onDisk(
        _ name: String, _ summary: String, filled: Int = 0, _ round: @escaping (StoreScene) -> Void
    ) -> Section {
        Section(name: name, summary: summary, unit: "1,000", rounds: 20, isFresh: true) {
            let scene = StoreScene()
            for _ in 0..<filled { scene.enqueue() }
            return { rounds in for _ in 0..<rounds { round(scene) } }
        }
    }
}

/// A store in a directory of its own, and deliveries for it. A benchmark has no use for a store that fails: it ends.
final class StoreScene {
    private let directory: DaemonDirectory
    private var store: DeliveryStore
    private let template: DeliveryBatch
    private var nextRow: Int64 = 0
    private var now = Timestamp(seconds: Samples.now)

    private static let id = DestinationID(1)

    init() {
        let raw = EventPath.batch(of: [Samples.purchase])
        let intake = Intake(
            InputSettings(), [IntakeDestination(StoreScene.id, Section.capi, firstSeen: .distantPast)])
        let entry = QueueEntry(queuedAt: now)
        guard case .enqueue(_, let neutral, _) = Neutralizer(intake).neutral(.enqueue(StoreScene.id, raw, entry))
        else { preconditionFailure("what is enqueued stays that") }
        template = neutral
        do {
            directory = try DaemonDirectory()
            store = try DeliveryStore(directory: directory.state)
        } catch {
            fail("the store cannot be made: \(error)")
        }
    }

    deinit {
        directory.remove()
    }

    /// A thousand deliveries more, due one after the other.
    func enqueue() {
        var batch = template
        for index in batch.deliveries.indices {
            nextRow += 1
            batch.deliveries[index].row = RowID(nextRow)
            batch.deliveries[index].offset = nextRow
            batch.deliveries[index].transaction = .none
            now = now + .milliseconds(1)
            batch.deliveries[index].dueAt = now
        }
        perform([.enqueue(StoreScene.id, batch, QueueEntry(queuedAt: now))])
    }

    /// Claims the thousand that have been due for longest, and removes them.
    func drain() {
        perform([.remove(StoreScene.id, claim())])
    }

    func claimAndRelease() {
        store.release(claim())
    }

    private func claim() -> [RowID] {
        do {
            let claim = try store.claim(
                ClaimRequest(
                    destination: StoreScene.id, hold: nil, now: now, urgentBefore: .distantPast,
                    maxEventsByStrikes: [template.count], maxBytes: 2 << 20))
            precondition(claim.batch.count == template.count, "as many come out as were asked for")
            return claim.batch.deliveries.map(\.row)
        } catch {
            fail("the store does not read: \(error)")
        }
    }

    /// Asks for a thousand orders that nobody has seen, and remembers them.
    func remember() {
        let transactions = template.deliveries.map { delivery in
            nextRow += 1
            // Spread like the hashes that they are otherwise.
            let key = Int64(bitPattern: UInt64(bitPattern: nextRow) &* 0x9E37_79B9_7F4A_7C15)
            let origin = RecordOrigin(topic: "events", partition: 0, offset: nextRow, payloadHash: key)
            return RememberedTransaction(
                key: TransactionKey(rawValue: key), origin: origin,
                conversion: [UInt8](repeating: UInt8(ascii: "x"), count: 120))
        }
        let entries = transactions.map { TransactionInquiry.Entry(key: $0.key, origin: $0.origin) }
        do {
            let answers = try store.identify(
                TransactionInquiry(destination: StoreScene.id, entries: entries, since: .distantPast))
            precondition(answers.allSatisfy { $0 == .first }, "they are new")
        } catch {
            fail("the store does not read: \(error)")
        }
        perform([.remember(StoreScene.id, transactions, at: now)])
    }

    /// Opens it anew.
    func reopen() {
        do {
            try store.close()
            store = try DeliveryStore(directory: directory.state)
        } catch {
            fail("the store does not open: \(error)")
        }
    }

    private func perform(_ works: [StoreWork]) {
        do {
            _ = try store.perform(works)
        } catch {
            fail("the store does not write: \(error)")
        }
    }
}
