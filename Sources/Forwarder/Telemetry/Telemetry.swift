import ForwarderCore
import Synchronization

/// Where every thread reports to: signals become lines of the log, numbers the metrics.
public final class Telemetry: Sendable {
    private let sink: LogSink
    private let level: Mutex<LogSettings.Level>
    private let floods = Mutex(FloodGuard())
    /// The last numbers, for the admin port and for `status`.
    private let latest = Mutex<Metrics?>(nil)

    public init(sink: LogSink, level: LogSettings.Level) {
        self.sink = sink
        self.level = Mutex(level)
    }

    public func setLevel(_ level: LogSettings.Level) {
        self.level.withLock { $0 = level }
    }

    public func report(_ signal: Signal) {
        guard signal.level >= level.withLock({ $0 }) else { return }
        let now = SystemClock.now
        var heldBack = 0
        if let key = signal.floodKey {
            let verdict = floods.withLock { $0.admit(key, now: now.uptime) }
            guard verdict.isAdmitted else { return }
            heldBack = verdict.heldBack
        }
        sink.write(signal.line(at: now.wall, heldBack: heldBack))
    }

    /// Takes the numbers of this moment; writes them to the log if it is time.
    public func publish(_ metrics: Metrics, isLogged: Bool) {
        latest.withLock { $0 = metrics }
        guard isLogged, Metrics.level >= level.withLock({ $0 }) else { return }
        sink.write(metrics.line(at: SystemClock.now.wall))
    }

    public var metrics: Metrics? { latest.withLock { $0 } }
    public var linesDropped: Int { sink.dropped }
}
