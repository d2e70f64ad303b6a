import ForwarderCore
import Synchronization

/// What the admin port tells of, and whom it asks. Everything here may be called from any thread.
struct AdminSources: Sendable {
    var metrics: @Sendable () -> Metrics?
    /// Why the daemon is not ready; empty when it is.
    var reasons: @Sendable () -> [String]
    /// Names of the loops that do not go round.
    var stalled: @Sendable () -> [String]
    var configuration: @Sendable () -> Configuration
    /// As the command line asks; may take as long as the store does.
    var ask: @Sendable (ControlRequest) -> [UInt8]
    var history: ThroughputHistory
    var now: @Sendable () -> Moment = { SystemClock.now }

    /// The answer as a value; an object with the one member `error` if there is none to be had.
    func answer(_ request: ControlRequest) -> JSONElement? {
        (try? JSONDocument(ask(request)))?.root
    }
}

/// The configuration by which the daemon runs, for threads that only read it.
final class RunningConfiguration: Sendable {
    private let value: Mutex<Configuration>

    init(_ configuration: Configuration) { value = Mutex(configuration) }

    var current: Configuration {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
