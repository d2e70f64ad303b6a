/// What may stay in memory, and for how long: independence needs it. A destination in trouble holds back neither offsets
/// nor other destinations.
extension DestinationLane {
    /// Up to this long a delivery whose time has not come waits in memory.
    static let earlyInMemory = Duration.seconds(10)

    /// Moves what may not stay in memory to the queue, oldest first: that is what holds the offsets back.
    mutating func spill(_ now: Moment) {
        guard isStoreWritable || isLeaving else { return }
        let isClosed = !isLive || gate.isClosed(now: now.uptime)
        if isClosed {
            release(due.removeAll())
            let waiting = parts
            parts = []
            for part in waiting { putBack(part, now) }
        }
        var bytes = bytesInMemoryOnly
        let waiting = early
        early = []
        for pending in waiting {
            let isFarOff = pending.dueAt - now.wall > DestinationLane.earlyInMemory
            if isFarOff || bytes > settings.buffer.maxBytes || !isLive {
                bytes -= pending.batch.byteCount
                enqueue(pending.batch, now, failure: nil)
            } else {
                early.append(pending)
            }
        }
        while let oldest = fresh.first, isClosed || bytes > settings.buffer.maxBytes || isOld(oldest, now) {
            _ = fresh.popFirst()
            bytes -= oldest.batch.byteCount
            enqueue(oldest.batch, now, failure: nil)
        }
    }

    /// A search, or a question that was to be asked again, is broken off.
    private mutating func putBack(_ part: PendingBatch, _ now: Moment) {
        closeSearch(part, isAbandoned: true)
        retryLater(part, Array(part.batch.deliveries.indices), dueAt: now.wall, reason: nil, now)
    }

    /// Writes what has been on its way for long to the queue, so that its partitions can go on.
    mutating func coverWhatIsSlow(_ now: Moment) {
        guard isStoreWritable else { return }
        for (request, attempt) in attempts.sorted(by: { $0.key < $1.key }) where isSlow(attempt.pending, now) {
            let covered = covered(attempt.pending, now)
            attempts[request]?.pending = covered
        }
        for index in parts.indices where isSlow(parts[index], now) { parts[index] = covered(parts[index], now) }
    }

    /// Offsets have waited for it long enough.
    private func isSlow(_ pending: PendingBatch, _ now: Moment) -> Bool {
        pending.isInMemoryOnly && isOld(pending, now)
    }

    private func isOld(_ pending: PendingBatch, _ now: Moment) -> Bool {
        pending.since + settings.buffer.maxAge <= now.uptime
    }

    private var bytesInMemoryOnly: Int {
        var bytes = 0
        for list in [fresh.elements, early, parts, attempts.values.map(\.pending), inquired.map(\.pending)] {
            for pending in list where pending.isInMemoryOnly { bytes += pending.batch.byteCount }
        }
        return bytes
    }

    /// When something in memory will have been there too long.
    func nextSpill() -> Uptime {
        guard isStoreWritable else { return .distantFuture }
        let waiting = fresh.elements.prefix(1) + parts + attempts.values.map(\.pending)
        return waiting.lazy.filter(\.isInMemoryOnly).map(\.since).min().map { $0 + settings.buffer.maxAge }
            ?? .distantFuture
    }
}
