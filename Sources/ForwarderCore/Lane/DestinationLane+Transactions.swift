/// What may count once only: the store is asked before it is sent, and told when it was delivered.
extension DestinationLane {
    // MARK: Before it is sent

    /// Sends on what has no transaction. Refunds wait in the queue, until it is known what they come to; of all others the
    /// store is asked.
    mutating func identify(_ pending: PendingBatch, _ now: Moment) {
        let deliveries = pending.batch.deliveries
        guard deliveries.contains(where: { $0.transaction != .none }) else { return flow(pending, now) }
        if case .adjustments = settings.kind {
            return enqueue(pending.batch, now, failure: nil, hold: TransactionKey.hold)
        }
        guard let window = settings.dedupe.window else { return flow(pending, now) }
        let entries = deliveries.lazy.filter { $0.transaction != .none }.map {
            TransactionInquiry.Entry(key: $0.transaction, origin: pending.batch.origin($0))
        }
        let id = InquiryID(newID())
        inquired.append((id, pending))
        actions.append(
            .inquire(id, TransactionInquiry(destination: self.id, entries: Array(entries), since: now.wall - window)))
    }

    private mutating func flow(_ pending: PendingBatch, _ now: Moment) {
        if let flowing = holdingBack(pending, now) { early.append(flowing) }
    }

    /// `answers` are for those with a transaction, of which some may have been given up in the meantime. A store that
    /// cannot read holds up nothing: then a duplicate may pass.
    mutating func identified(_ inquiry: InquiryID, _ answers: [TransactionInquiry.Answer]?, _ now: Moment) {
        guard let place = inquired.firstIndex(where: { $0.id == inquiry }) else { return }
        let pending = inquired.remove(at: place).pending
        let batch = pending.batch
        if answers == nil { books.notRemembered += batch.deliveries.count { $0.transaction != .none } }
        var answer = (answers ?? []).makeIterator()
        var flowing: [Int] = []
        var duplicates: [Int] = []
        var behind: [Int] = []
        for (index, delivery) in batch.deliveries.enumerated() {
            guard delivery.transaction != .none else {
                if !delivery.isOrphan { flowing.append(index) }
                continue
            }
            let said = answer.next() ?? .first
            if delivery.isOrphan { continue }
            switch said {
            case .duplicate: duplicates.append(index)
            case .behind: behind.append(index)
            case .first:
                if openTransactions.insert(delivery.transaction).inserted {
                    flowing.append(index)
                } else {
                    behind.append(index)
                }
            }
        }
        if !duplicates.isEmpty {
            settle(duplicates.lazy.map { batch.deliveries[$0] })
            skippedDuplicates(duplicates.count)
        }
        if !behind.isEmpty { enqueue(batch.picking(behind), now, failure: nil, hold: TransactionKey.hold) }
        if let rest = pending.picking(flowing) { flow(rest, now) }
    }

    private mutating func skippedDuplicates(_ count: Int) {
        books.skippedDuplicate += count
        actions.append(.signal(.duplicatesSkipped(destination: settings.name, count: count)))
    }

    /// They are known to the store now, or are somebody else's.
    mutating func forgetTransactions(_ keys: some Sequence<TransactionKey>) {
        for key in keys { openTransactions.remove(key) }
    }

    mutating func forgetTransactions(_ deliveries: some Sequence<Delivery>) {
        for delivery in deliveries where delivery.transaction != .none {
            openTransactions.remove(delivery.transaction)
        }
    }

    // MARK: When it was delivered

    /// Whether a delivered transaction goes to the ledger. A disk in trouble does not hold up a healthy destination: what
    /// cannot be written there may count twice.
    mutating func remember(_ delivery: Delivery) -> Bool {
        let isLedgerKept = settings.remembering != .nothing
        if isLedgerKept, isStoreWritable { return true }
        openTransactions.remove(delivery.transaction)
        if isLedgerKept { books.notRemembered += 1 }
        return false
    }

    mutating func remember(_ batch: DeliveryBatch, _ indices: [Int], _ now: Moment) {
        let goal = settings.remembering == .conversion ? settings.purchaseGoal : nil
        let transactions = indices.map { index in
            let delivery = batch.deliveries[index]
            let isRefundable = goal != nil && batch.goals[Int(delivery.goal)] == goal
            return RememberedTransaction(
                key: delivery.transaction, origin: batch.origin(delivery),
                conversion: isRefundable ? conversion(Array(batch.contents[delivery.content])) : [])
        }
        handOver.works.append(.remember(id, transactions, at: now.wall))
        handOver.transactions += transactions.map(\.key)
        handOver.bytes += transactions.reduce(0) { $0 + $1.conversion.count }
    }

    /// Given up while they were on their way, with their partition or their row: but if Microsoft took them, they count.
    mutating func rememberOrphans(_ batch: DeliveryBatch, taken: [Int], _ now: Moment) {
        let orphans = batch.deliveries.indices.filter {
            batch.deliveries[$0].isOrphan && batch.deliveries[$0].transaction != .none
        }
        guard !orphans.isEmpty else { return }
        let remembered = orphans.filter { taken.contains($0) && remember(batch.deliveries[$0]) }
        if !remembered.isEmpty { remember(batch, remembered, now) }
        for index in orphans where !remembered.contains(index) {
            openTransactions.remove(batch.deliveries[index].transaction)
        }
    }

    private func conversion(_ content: [UInt8]) -> [UInt8] {
        if case .capi = settings.kind { SentConversion.ofCAPI(content) } else { content }
    }

    // MARK: What waits

    /// Most rows of one review.
    static let reviewRows = 500

    /// Has the store look through what waits, every now and then.
    mutating func review(_ now: Moment) {
        guard isLive, isStoreWritable, reviews.isDue(now.uptime) else { return }
        reviews.begun()
        actions.append(
            .review(
                ReviewRequest(
                    destination: id, open: openTransactions, above: reviews.leftAlone(now.uptime), upTo: rows.highest,
                    after: reviews.place, now: now.wall, limit: DestinationLane.reviewRows)))
    }

    mutating func reviewed(_ result: ReviewResult?, _ now: Moment) {
        reviews.ended(result, at: now.uptime)
        guard let result else { return }
        // A row that cannot be read flows too: the claim that finds it puts it aside.
        if result.released + result.damaged > 0 { nextDue = .distantPast }
        let ended = result.duplicates + result.givenUp.count
        pendingRows -= ended
        if result.duplicates > 0 { skippedDuplicates(result.duplicates) }
        for (reason, origin) in result.givenUp {
            books.countDeadLetter(.data)
            let report = DeadLetterReport(
                destination: settings.name, reasonClass: .data, reason: reason, topic: origin.topic,
                partition: origin.partition, offset: origin.offset, attempts: 0)
            actions.append(.signal(.deadLettered(report)))
        }
    }
}

/// When what waits behind other deliveries of its transaction is looked through.
struct Reviews: Sendable {
    static let shortest = Duration.seconds(1)
    /// Nothing has changed for a while.
    static let longest = Duration.seconds(15)
    /// What was being sent when the last process died comes again from Kafka. It must be here before those behind it are
    /// taken for the first.
    static let afterStart = Duration.seconds(60)

    /// When the next one is due; `.distantFuture` while nothing waits, or an answer is awaited.
    var next: Uptime { isUnderWay ? .distantFuture : due }

    private var due = Uptime.distantFuture
    private(set) var place: ReviewRequest.Place?
    /// Rows that were there before the start, and until when they are left alone.
    private var old = RowID.none
    private var earliest = Uptime.distantPast
    /// When the last pass was over.
    private var lastPass = Uptime.distantPast
    private var isUnderWay = false
    private var wait = shortest
    private var found = false

    /// Rows up to `highest` have waited since before the start: they are left alone until records are read, and a while more.
    mutating func start(highest: RowID) {
        old = highest
        earliest = .distantFuture
    }

    /// Records are being read.
    mutating func reading(at now: Uptime) {
        guard earliest == .distantFuture else { return }
        earliest = now + Reviews.afterStart
        due = min(due, earliest)
    }

    func leftAlone(_ now: Uptime) -> RowID { now < earliest ? old : .none }

    /// Something waits, or may. What comes all the time does not have everything looked through all the time.
    mutating func begin(at now: Uptime) {
        due = min(due, max(now, lastPass + wait))
    }

    func isDue(_ now: Uptime) -> Bool { next <= now }

    mutating func begun() {
        isUnderWay = true
        due = .distantFuture
    }

    /// nil: the store could not do it.
    mutating func ended(_ result: ReviewResult?, at now: Uptime) {
        isUnderWay = false
        guard let result else { return due = min(due, now + Reviews.shortest) }
        place = result.next
        found = found || result.waiting > 0
        if result.hasChanged { wait = Reviews.shortest }
        if place != nil { return due = now }
        lastPass = now
        if earliest < .distantFuture, now < earliest { due = min(due, earliest) }
        if found {
            due = min(due, now + wait)
            wait = min(wait * 2, Reviews.longest)
        }
        found = false
    }
}
