import ForwarderCore
import Synchronization

/// What each destination delivered and what waited for it during the last twenty minutes.
final class ThroughputHistory: Sendable {
    static let interval = Duration.seconds(10)
    static let capacity = 120

    private struct Sample {
        var at: Uptime
        var delivered: Int
        var pending: Int
    }

    /// Oldest first.
    struct Series: Sendable, Equatable {
        var deliveredPerSecond: [Double] = []
        var pending: [Double] = []
    }

    private let samples = Mutex<[String: [Sample]]>([:])
    private let takenAt = Mutex<Uptime?>(nil)

    /// Takes the numbers of this moment, if it is time.
    func take(_ metrics: Metrics, now: Uptime) {
        let isTime = takenAt.withLock { last in
            if let last, now - last < ThroughputHistory.interval { return false }
            last = now
            return true
        }
        guard isTime else { return }
        samples.withLock { samples in
            var kept: [String: [Sample]] = [:]
            for destination in metrics.destinations {
                let name = destination.lane.name
                let sample = Sample(
                    at: now, delivered: destination.lane.books.delivered, pending: destination.lane.pending)
                // One more than intervals are shown: a rate lies between two.
                kept[name] = (samples[name] ?? []).suffix(ThroughputHistory.capacity) + [sample]
            }
            samples = kept
        }
    }

    func series(of name: String) -> Series {
        let samples = samples.withLock { $0[name] } ?? []
        var series = Series()
        for (earlier, later) in zip(samples, samples.dropFirst()) {
            let seconds = max(0.001, Double((later.at - earlier.at).milliseconds) / 1000)
            series.deliveredPerSecond.append(Double(max(0, later.delivered - earlier.delivered)) / seconds)
            series.pending.append(Double(later.pending))
        }
        return series
    }
}
