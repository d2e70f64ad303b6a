extension DestinationLane {
    /// The wall clock was set back. What was told to wait while it was ahead would wait for as long as it was ahead, and
    /// perhaps for ever: all that waits is due at once, but nothing before its event has happened. The price is that a few
    /// are tried earlier than they were to be; they are put off again.
    mutating func clockWasSetBack(_ now: Moment) {
        for pending in fresh.removeAll() { fresh.append(pending.hastened(now.wall)) }
        early = early.map { $0.hastened(now.wall) }
        parts = parts.map { $0.hastened(now.wall) }
        attempts = attempts.mapValues { attempt in
            var attempt = attempt
            attempt.pending = attempt.pending.hastened(now.wall)
            return attempt
        }
        lastAnsweredAt = min(lastAnsweredAt, now.wall)
        goals.hasten()
        nextDue = pendingRows > 0 ? .distantPast : nextDue
    }
}

extension PendingBatch {
    fileprivate func hastened(_ now: Timestamp) -> PendingBatch {
        guard dueAt > now else { return self }
        var pending = self
        for index in batch.deliveries.indices where batch.deliveries[index].dueAt > now {
            pending.batch.deliveries[index].dueAt = max(now, Timestamp(seconds: batch.deliveries[index].eventTime))
        }
        return pending
    }
}
