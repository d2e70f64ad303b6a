import ForwarderCore
import Synchronization

/// Where every thread reports to: signals become lines of the log, numbers the metrics.
public final class Telemetry: Sendable {
    private let sink: LogSink
    private let settings: Mutex<LogSettings>
    private let floods = Mutex(FloodGuard())
    private let heldBack = Atomic(0)
    private let isReady = Atomic(false)
    /// The last numbers, for the admin port and for `status`.
    private let latest = Mutex<Metrics?>(nil)
    private let embedded = Mutex(EmbeddedMetrics())

    public init(sink: LogSink, settings: LogSettings) {
        self.sink = sink
        self.settings = Mutex(settings)
    }

    public func set(_ settings: LogSettings) {
        self.settings.withLock { $0 = settings }
    }

    /// What `/readyz` says, for the metrics.
    func set(isReady: Bool) {
        self.isReady.store(isReady, ordering: .relaxed)
    }

    public func report(_ signal: Signal) {
        let settings = self.settings.withLock { $0 }
        guard signal.level >= settings.level else { return }
        let now = SystemClock.now
        let verdict = floods.withLock { $0.admit(signal.floodKey, signal.floodLimit, now: now.uptime) }
        guard verdict.isAdmitted else {
            heldBack.add(1, ordering: .relaxed)
            return
        }
        let line = signal.line(at: now.wall, heldBack: verdict.heldBack)
        sink.write(line.bytes(settings.format), signal.level)
    }

    /// Takes the numbers of this moment; writes them to the log if it is time.
    public func publish(_ metrics: Metrics, isLogged: Bool) {
        var metrics = metrics
        metrics.logLinesDropped = sink.dropped
        metrics.logLinesHeldBack = heldBack.load(ordering: .relaxed)
        metrics.isReady = isReady.load(ordering: .relaxed)
        latest.withLock { [metrics] in $0 = metrics }
        let settings = self.settings.withLock { $0 }
        guard isLogged, Metrics.level >= settings.level else { return }
        let now = SystemClock.now.wall
        switch settings.format {
        case .json: sink.write(metrics.json(at: now), Metrics.level)
        case .logfmt: sink.write(metrics.logfmt(at: now), Metrics.level)
        case .emf:
            for line in embedded.withLock({ [metrics] in $0.lines(metrics, at: now) }) {
                sink.write(line, Metrics.level)
            }
        }
    }

    public var metrics: Metrics? { latest.withLock { $0 } }
}
