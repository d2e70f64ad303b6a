import ForwarderCore

/// Transactions that were delivered, and what waits behind others.
extension ModelStore {
    mutating func remember(
        _ transaction: RememberedTransaction, of destination: DestinationID, at now: Timestamp
    ) {
        let key = LedgerKey(destination: destination, key: transaction.key)
        let known = ledger[key]
        if known?.origin == transaction.origin { return }
        ledger[key] = LedgerEntry(
            origin: transaction.origin, deliveredAt: now, conversion: transaction.conversion,
            refunds: known?.refunds ?? [])
    }

    public func identify(_ inquiry: TransactionInquiry) -> [TransactionInquiry.Answer] {
        inquiry.entries.map { entry in
            let known = ledger[LedgerKey(destination: inquiry.destination, key: entry.key)]
            if known?.isDuplicate(entry.origin, since: inquiry.since) == true { return .duplicate }
            return isQueued(entry.key, of: inquiry.destination) ? .behind : .first
        }
    }

    private func isQueued(_ key: TransactionKey, of destination: DestinationID) -> Bool {
        key != .none && rows.values.contains { $0.destination == destination && $0.delivery.transaction == key }
    }

    /// As the store's.
    public mutating func review(
        _ request: ReviewRequest, original: DestinationID?, decide: (WaitingRow) -> WaitingDecision
    ) -> ReviewResult {
        var result = ReviewResult()
        let waiting = rows.filter {
            $0.value.destination == request.destination && $0.value.hold == TransactionKey.hold
                && $0.key <= request.upTo && $0.key > request.above
        }
        .map { ReviewRequest.Place(dueAt: $0.value.dueAt, strikes: Int64($0.value.strikes), row: $0.key) }
        .filter { place in request.after.map { $0.isBefore(place) } ?? true }
        .sorted { $0.isBefore($1) }
        let slice = waiting.prefix(request.limit)
        if slice.count == request.limit { result.next = slice.last }
        let held = slice.compactMap { place in rows[place.row].map { (place.row, $0) } }
        for (id, row) in held {
            let key = row.delivery.transaction
            let isBehind =
                request.open.contains(key)
                || key != .none
                    && rows.contains { other, candidate in
                        candidate.destination == request.destination && candidate.delivery.transaction == key
                            && other != id
                            && (candidate.hold != TransactionKey.hold || candidate.isBefore(row, other, id))
                    }
            let ledgerKey = LedgerKey(destination: original ?? request.destination, key: key)
            var waitingRow = WaitingRow(
                origin: row.recordOrigin, queuedAt: row.queuedAt, event: row.record, isBehind: isBehind,
                entry: ledger[ledgerKey])
            if let original { waitingRow.isOriginalWaiting = isQueued(key, of: original) }
            waitingRow.hasDeadLetter =
                key != .none
                && deadLetters.contains {
                    $0.row.destination == request.destination && $0.row.delivery.transaction == key
                }
            switch decide(waitingRow) {
            case .wait: result.waiting += 1
            case .duplicate:
                _ = take(id, of: request.destination)
                result.duplicates += 1
            case .send:
                release(id, at: request.now)
                result.released += 1
            case .adjust(let content, let conversion, let refunds, let earliest):
                ledger[ledgerKey] = LedgerEntry(
                    origin: waitingRow.entry?.origin, deliveredAt: waitingRow.entry?.deliveredAt ?? request.now,
                    conversion: conversion, refunds: refunds)
                rows[id]?.content = content
                release(id, at: max(request.now, earliest))
                result.released += 1
            case .giveUp(let reason):
                guard let row = take(id, of: request.destination) else { continue }
                bury(DeadLetter(row: row, cause: DeadLetterCause(.data, reason), at: request.now))
                result.givenUp.append((reason, waitingRow.origin))
            }
        }
        result.depth = depth(of: request.destination)
        return result
    }

    private mutating func release(_ id: RowID, at time: Timestamp) {
        guard let row = rows[id] else { return }
        rows[id]?.hold = nil
        rows[id]?.dueAt = max(time, Timestamp(seconds: row.delivery.eventTime))
    }
}

extension ReviewRequest.Place {
    fileprivate func isBefore(_ other: ReviewRequest.Place) -> Bool {
        (dueAt, strikes, row) < (other.dueAt, other.strikes, other.row)
    }
}

extension ModelStore.Row {
    /// By their places in Kafka.
    fileprivate func isBefore(_ other: ModelStore.Row, _ id: RowID, _ otherID: RowID) -> Bool {
        (delivery.partition, delivery.offset, id) < (other.delivery.partition, other.delivery.offset, otherID)
    }
}
