import FakeMicrosoft
import ForwarderCore

/// Orders count once, and what was refunded does not count.
extension Simulation {
    /// Why an order may count twice for a destination.
    public enum Excuse: String, CaseIterable, Sendable {
        /// It was delivered while the disk was in trouble, and could not be noted.
        case notRemembered = "not remembered"
        /// Its partition was taken away while it was in memory only; nobody knows what became of it.
        case takenAway = "taken away"
        /// Microsoft took it, and the answer got lost; then it refused it, or its time ran out.
        case unheard = "taken unheard and dead"
    }

    /// Notes which order a lane knows by which key.
    mutating func learnOrders(of batch: DeliveryBatch) {
        for delivery in batch.deliveries where delivery.transaction != .none {
            orderOf[delivery.transaction] = record(of: delivery)?.fate.order
        }
    }

    mutating func takeAway(_ assignments: Set<AssignmentID>, _ index: Int) {
        let before = process?.lanes[index].openTransactions ?? []
        tell(index, .revoked(assignments))
        for key in before.subtracting(process?.lanes[index].openTransactions ?? []) {
            if let order = orderOf[key] { excused[index][order] = .takenAway }
        }
    }

    /// `names`: of a request some of whose transactions were not remembered.
    mutating func excuse(_ names: [String], _ index: Int) {
        for (number, order) in shop.orders.enumerated() {
            let isIn = index == 0 ? order.copies.contains { names.contains($0.eventID) } : names.contains(order.clickID)
            if isIn { excused[index][number] = .notRemembered }
        }
    }

    /// How many copies of an order count.
    private func timesCounted(_ order: SimulatedOrder, _ index: Int) -> Int {
        order.copies.count { timesAccepted($0.eventID, $0.conversion, index) > 0 }
    }

    /// Of these: those of which the daemon did not have to think in the end that they do not.
    private func timesBelieved(_ order: SimulatedOrder, _ index: Int) -> Int {
        order.copies.count { copy in
            timesAccepted(copy.eventID, copy.conversion, index) > 0
                && !store.deadLetters.contains { letter in
                    letter.row.destination == Simulation.ids[index]
                        && record(of: letter.row.delivery)?.fate.eventID == copy.eventID
                }
        }
    }

    // MARK: Refunds

    /// The ledger has it among what was refunded.
    func isResolved(_ fate: SimulatedShop.Fate) -> Bool {
        let entries = orderOf.lazy.filter { $0.value == fate.order }
            .compactMap { store.ledger[ModelStore.LedgerKey(destination: Simulation.ids[1], key: $0.key)] }
        return entries.contains { entry in
            let refunds = (try? JSONDocument(entry.refunds))?.root.elements ?? []
            return refunds.contains { $0["id"]?.string == fate.eventID }
        }
    }

    func isOfNobody(_ fate: SimulatedShop.Fate) -> Bool { fate.order.map { shop.orders[$0].copies.isEmpty } ?? false }

    /// An adjustment of a conversion that was believed to be delivered, and was not.
    func isOfBelieved(_ finding: Finding) -> Bool {
        guard finding.reason == "adjustment_without_original" else { return false }
        return shop.orders.contains { order in
            believed[1].contains(order.clickID)
                && order.copies.contains {
                    $0.conversion.time == finding.eventID && timesAccepted($0.eventID, $0.conversion, 1) == 0
                }
        }
    }

    /// A refund that is given up must have waited long enough, and be without a purchase that waits or counts.
    mutating func checkGivenUp(_ reason: String, _ origin: RecordOrigin) {
        let records = kafka.partitions[Int(origin.partition)].records
        guard let number = records.first(where: { $0.offset == origin.offset })?.fate.order else {
            return fail("offset \(origin.offset) of \(origin.partition) is given up, and is no refund")
        }
        let order = shop.orders[number]
        switch reason {
        case "purchase_unknown":
            if hasGivenUpTooSoon(origin) { fail("a refund of \(order.transactionID) did not wait for its purchase") }
            let isOpen = process?.lanes[1].openTransactions.contains { orderOf[$0] == number } ?? false
            if !isOpen, timesBelieved(order, 1) > 0, excused[1][number] == nil {
                fail("\(order.transactionID) counts, and its refund is given up: \(reason)")
            }
        case "refund_exceeds_purchase":
            if order.refunded <= order.value { fail("\(order.transactionID): \(reason), and does not") }
        default: fail("a refund of \(order.transactionID) is given up: \(reason)")
        }
    }

    private func hasGivenUpTooSoon(_ origin: RecordOrigin) -> Bool {
        guard case .adjustments(let adjustments) = settings[2].kind,
            let letter = store.deadLetters.last(where: { letter in
                letter.row.destination == Simulation.ids[2] && letter.row.recordOrigin == origin
            })
        else { return true }
        return now.wall - letter.row.queuedAt < adjustments.wait
            || store.rows.values.contains {
                $0.destination == Simulation.ids[1] && $0.delivery.transaction == letter.row.delivery.transaction
            }
    }

    // MARK: The end

    /// `dead`: refunds, by partition and offset.
    mutating func checkOrders(_ dead: [Int: [Int64: DeadLetterCause]]) {
        for (number, order) in shop.orders.enumerated() {
            report.orders += 1
            if order.copies.count > 1 { report.repeated += 1 }
            report.refunds += order.refunds.count
            for index in 0...1 where order.isOnce(index) && timesCounted(order, index) > 1 {
                if let excuse = timesBelieved(order, index) > 1 ? excused[index][number] : .unheard {
                    report.countedTwice[excuse, default: 0] += 1
                } else {
                    fail("\(order.transactionID) counts \(timesCounted(order, index)) times for \(index)")
                }
            }
            checkValue(order, number, dead)
        }
    }

    private mutating func checkValue(
        _ order: SimulatedOrder, _ number: Int, _ dead: [Int: [Int64: DeadLetterCause]]
    ) {
        let values = order.copies.compactMap { microsoft.countedValue(account: Simulation.account, $0.conversion) }
        // One that counts twice has its excuse.
        guard values.count == 1, let value = values.first, excused[1][number] == nil else { return }
        // Its refunds may have come before it did: the daemon believed that it was there, and sent it again after a crash.
        if believed[1].contains(order.clickID) { return }
        var certain: Int64 = 0
        var uncertain: [Int64] = []
        for refund in order.refunds {
            switch fate(of: refund, number, dead) {
            case .subtracted: certain += refund.amount
            case .uncertain: uncertain.append(refund.amount)
            case .none: break
            }
        }
        if believed[2].contains(order.clickID) {
            certain = 0
            uncertain = order.refunds.map(\.amount)
        }
        if !order.refunds.isEmpty, uncertain.isEmpty { report.exactlyRefunded += 1 }
        // Each of them may be in what was said last, or not.
        let possible = uncertain.reduce(into: [certain]) { sums, amount in sums += sums.map { $0 + amount } }
        if !possible.contains(where: { order.worth(refunded: $0) == value }) {
            fail("\(order.transactionID) of \(order.value) counts \(value): refunded \(certain) and \(uncertain)")
        }
    }

    private enum RefundFate {
        case subtracted, uncertain, none
    }

    /// What became of a refund, whose records may be several.
    private func fate(
        of refund: SimulatedOrder.Refund, _ number: Int, _ dead: [Int: [Int64: DeadLetterCause]]
    ) -> RefundFate {
        var fate = RefundFate.none
        for (partition, log) in kafka.partitions.enumerated() {
            for record in log.records where record.fate.order == number && record.fate.eventID == refund.id {
                let place = Place(partition: partition, offset: record.offset, destination: 2)
                guard let cause = dead[partition]?[record.offset] else {
                    // It may have been read again by a clock that is slow.
                    let isRejected = rejectedAtLast.contains(place) && !isResolved(record.fate)
                    if fate == .none, !isRejected { fate = .subtracted }
                    continue
                }
                // A part of what is said of the order later on, if anything is.
                if cause.reasonClass != .data { fate = .uncertain }
            }
        }
        return fate
    }

    private func record(of delivery: Delivery) -> ModelKafka.Record? {
        kafka.partitions[Int(delivery.partition)].records.first { $0.offset == delivery.offset }
    }
}

extension SimulatedOrder {
    /// Whether a destination counts it once.
    func isOnce(_ destination: Int) -> Bool {
        destination == 1 || destination == 3 || destination == 0 && goal == "Purchase"
    }
}
