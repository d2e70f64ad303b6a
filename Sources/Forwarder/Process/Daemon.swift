import ForwarderCore
import Glibc
import HTTPClient
import Synchronization

/// The daemon from start to end. It only connects: what is decided about events is in the core, what is done with C
/// libraries in their wrappers.
///
/// Four threads do the work and tell each other by mailboxes: intake (Kafka), delivery (Microsoft), store (SQLite), log.
/// This one waits for signals.
public final class Daemon {
    let configurationPath: String
    var configuration: Configuration {
        didSet { running.current = configuration }
    }
    /// The same, for other threads.
    let running: RunningConfiguration
    let signals: ProcessSignals
    let notifier = ServiceNotifier()
    private let sink = LogSink()
    let telemetry: Telemetry
    let heartbeats = Heartbeats()
    let readiness = Readiness()
    let history = ThroughputHistory()
    let end = ProcessEnd()
    let pressure = Pressure()
    let intakeBell = Doorbell()
    let storeBell = Doorbell()
    let deliveryWaker = WakerSlot()
    let mailboxes: Mailboxes
    /// What the queues of this process were made for, by destination; also of those configured no longer.
    var fingerprints: [String: String]
    private var earlySignals = ProcessSignals.Early()
    private let startedAt = SystemClock.now

    /// Runs the daemon until it is told to stop. Returns the exit code of the process.
    static func run(configurationPath: String) -> Int32 {
        let loaded: ConfigurationLoading.Loaded
        do {
            loaded = try ConfigurationLoading.load(configurationPath)
        } catch {
            for problem in error.problems { StandardError.write(problem) }
            return ExitCode.usage
        }
        for warning in loaded.warnings { StandardError.write(warning) }
        return Daemon(configurationPath, loaded.configuration).run()
    }

    private init(_ path: String, _ configuration: Configuration) {
        configurationPath = path
        self.configuration = configuration
        running = RunningConfiguration(configuration)
        fingerprints = configuration.fingerprints
        signals = ProcessSignals()
        telemetry = Telemetry(sink: sink, settings: configuration.log)
        let (intakeBell, storeBell, deliveryWaker) = (intakeBell, storeBell, deliveryWaker)
        mailboxes = Mailboxes(
            intake: Mailbox { intakeBell.ring() }, delivery: Mailbox { deliveryWaker.wake() },
            store: Mailbox { storeBell.ring() })
    }

    /// Why it does not run.
    enum Refusal: Error {
        case failed(String, code: Int32)
        /// Told to stop before it had begun.
        case stopped
    }

    struct Loops {
        var store: LoopThread
        var delivery: LoopThread
        var intake: LoopThread
    }

    private func run() -> Int32 {
        // State, grants, control socket: nobody else's business.
        umask(0o077)
        sink.start()
        defer { sink.close() }
        telemetry.report(
            .daemonStarted(
                version: Version.text, libraries: Version.libraries, configuration: configuration.redacted))
        do {
            let started = try start()
            let code = serve(started.loops)
            started.control.stop()
            started.admin?.server.stop()
            return stopped(code)
        } catch {
            switch error {
            case .stopped:
                if let number = earlySignals.take() {
                    telemetry.report(.stopRequested(signal: ProcessSignals.name(number)))
                }
                return stopped(ExitCode.done)
            case .failed(let text, let code):
                StandardError.write(text)
                telemetry.report(.daemonRefused(reason: text))
                return code
            }
        }
    }

    private func stopped(_ code: Int32) -> Int32 {
        telemetry.report(
            .daemonStopped(isComplete: code == ExitCode.done, elapsed: SystemClock.now.uptime - startedAt.uptime))
        return code
    }

    // MARK: Running

    private func serve(_ loops: Loops) -> Int32 {
        notifier.ready()
        telemetry.report(.daemonReady)
        var watch = ClockWatch(SystemClock.now)
        while true {
            switch nextSignal(timeout: notifier.longestSleep) {
            case SIGHUP?: reload()
            case let number?:
                telemetry.report(.stopRequested(signal: ProcessSignals.name(number)))
                return stop(loops)
            case nil: break
            }
            let now = SystemClock.now
            if let step = watch.step(now) { telemetry.report(.clockStepped(by: step)) }
            look(now.uptime)
            switch end.manner {
            case nil: break
            case .orderly?:
                _ = stop(loops)
                return ExitCode.failure
            case .atOnce?: return ExitCode.failure
            }
        }
    }

    /// Whether everything goes round, and whether it leads anywhere.
    private func look(_ now: Uptime) {
        let stalled = heartbeats.stalled(at: now)
        for (loop, silence) in stalled { telemetry.report(.threadStalled(thread: loop.name, silence: silence)) }
        if stalled.isEmpty { notifier.alive(now) }
        guard let metrics = telemetry.metrics else { return }
        readiness.judge(metrics, stalled: stalled.map(\.loop.name), now: now)
        telemetry.set(isReady: readiness.reasons.isEmpty)
        history.take(metrics, now: now)
        notifier.status(metrics.summary)
    }

    // MARK: Waiting

    private func nextSignal(timeout: Duration) -> Int32? {
        earlySignals.take() ?? signals.wait(timeout: timeout)
    }

    /// The answer of a loop, or nil if there is none in time, or the process is told to stop in the meantime.
    func answer<Value>(_ reply: Reply<Value>, timeout: Duration) -> Value? {
        let deadline = SystemClock.now.uptime + timeout
        while SystemClock.now.uptime < deadline, !isToldToStop {
            if let value = reply.wait(timeout: .milliseconds(50)) { return value }
            // Also to reload: the file may have changed after it was read for what is being done now.
            if let number = signals.wait(timeout: .zero) { earlySignals.put(number) }
            notifier.alive(SystemClock.now.uptime)
        }
        return nil
    }

    var isToldToStop: Bool { earlySignals.isToldToStop }
}

/// The waker of a client that is made later, on its own thread.
final class WakerSlot: Sendable {
    private let waker = Mutex<HTTPWaker?>(nil)

    func fill(_ waker: HTTPWaker) { self.waker.withLock { $0 = waker } }
    func wake() { waker.withLock { $0 }?.wake() }
}

extension Configuration {
    var fingerprints: [String: String] {
        Dictionary(destinations.map { ($0.name, $0.fingerprint) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Metrics {
    /// One line for `systemctl status`.
    fileprivate var summary: String {
        let parts = destinations.map { destination in
            "\(destination.lane.name) \(destination.lane.gate), \(destination.lane.books.delivered) delivered, \(destination.lane.pending) pending"
        }
        return "\(kafka.partitions.count) partitions; " + parts.joined(separator: "; ")
    }
}
