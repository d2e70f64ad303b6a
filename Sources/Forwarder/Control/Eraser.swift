import DeliveryStore
import ForwarderCore

/// What `erase` asks for. Raw addresses and numbers end in the command: what is handed on are hashes.
struct EraseRequest: Sendable, Equatable {
    var marks: PersonMarks
    var isDryRun = false
}

/// Carries an erasure out, slice by slice, beside a running daemon or without one.
struct Eraser: Sendable {
    /// So long rows that are being sent are looked for again.
    private static let patience = Duration.seconds(15)
    /// Rows looked at while others wait for the store.
    private static let slice = 500
    /// Most that is overwritten in one go while others wait for the store.
    private static let runningLimit: Int64 = 64 << 20

    let request: EraseRequest
    let isRunning: Bool
    private let finder: PersonMarks.Finder
    private var transactions: Set<TransactionKey>?
    private(set) var report = EraseReport()
    private(set) var eventIDs: Set<String> = []
    private var place: ErasePlace? = ErasePlace()
    private let deadline = SystemClock.now.uptime + patience
    private(set) var isDone = false
    /// What is being sent needs a moment before the next step.
    private(set) var mustWait = false

    init(_ request: EraseRequest, isRunning: Bool) {
        self.request = request
        self.isRunning = isRunning
        finder = request.marks.makeFinder()
    }

    /// Does the next slice. Returns what the lanes must hear of.
    /// - Parameter destinations: those of the configuration.
    mutating func step(
        _ store: DeliveryStore, _ destinations: [DestinationSettings]
    ) throws(StoreError) -> StoreEffects {
        mustWait = false
        let transactions = transactions ?? TransactionKey.all(of: request.marks.transactionIDs, destinations)
        self.transactions = transactions
        var effects = StoreEffects()
        guard let place else {
            report.residue = try store.overwriteFreePages(limit: isRunning ? Eraser.runningLimit : .max)
            isDone = true
            return effects
        }
        if place == ErasePlace() { report.inFlight = 0 }
        let slice = try store.erase(
            finder, transactions: transactions, from: place, isDryRun: request.isDryRun, limit: Eraser.slice)
        report.queue += slice.queue.values.reduce(0, +)
        report.deadLetters += slice.deadLetters
        report.quarantined += slice.quarantined
        report.rejects += slice.rejects
        report.ledger += slice.ledger
        report.inFlight += slice.claimed
        eventIDs.formUnion(slice.eventIDs)
        if !request.isDryRun { effects.erased = slice.queue }
        effects.depths = slice.depths
        self.place = slice.next
        guard slice.next == nil else { return effects }
        if request.isDryRun {
            isDone = true
        } else if report.inFlight > 0, isRunning, SystemClock.now.uptime < deadline {
            self.place = ErasePlace()
            mustWait = true
        }
        return effects
    }

    /// Behind the store: what the delivery log says of the same events. Its files must not be written to any more.
    mutating func eraseLog(stateDirectory: String) {
        report.logged = DeliveryLogEraser(
            stateDirectory: stateDirectory, eventIDs: eventIDs, transactionIDs: Set(request.marks.transactionIDs)
        ).erase(isDryRun: request.isDryRun)
    }

    var answer: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            report.write(&writer)
            writer.member("dry_run", request.isDryRun)
        }
        return writer.bytes
    }
}
