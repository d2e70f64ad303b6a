import ForwarderCore
import Glibc

extension Daemon {
    /// How long each loop has to end, beyond the grace of the requests: what it waits for itself is shorter.
    private static let endTimeout = Duration.seconds(15)

    /// Stops reading; lets what is on its way arrive; writes down what would otherwise be sent twice; commits; leaves.
    /// Exit code 0 means that all of this was gone through, not that Kafka and disk were there for it: what could not be
    /// written or committed, Kafka repeats.
    func stop(_ loops: Loops) -> Int32 {
        notifier.stopping()
        pressure.setStopping()
        let grace = configuration.shutdown.grace
        mailboxes.intake.put(.drain)
        mailboxes.delivery.put(.drain(until: SystemClock.now.uptime + grace))
        var isComplete = true
        let steps: [(loop: LoopThread, timeout: Duration, next: () -> Void)] = [
            (loops.delivery, grace + Daemon.endTimeout, { [mailboxes] in mailboxes.intake.put(.finish) }),
            (loops.intake, Daemon.endTimeout, { [mailboxes] in mailboxes.store.put(.close) }),
            (loops.store, Daemon.endTimeout, {}),
        ]
        for step in steps {
            switch wait(for: step.loop, timeout: step.timeout) {
            case .ended: break
            // The next one can still do its part: commit what is settled, close the store.
            case .tookTooLong: isComplete = false
            case .forced: return ExitCode.failure
            }
            step.next()
        }
        return isComplete ? ExitCode.done : ExitCode.failure
    }

    private enum Ending {
        case ended, tookTooLong, forced
    }

    private func wait(for loop: LoopThread, timeout: Duration) -> Ending {
        let deadline = SystemClock.now.uptime + timeout
        while !loop.isFinished {
            switch signals.wait(timeout: .milliseconds(20)) {
            case SIGHUP?, nil: break
            case let number?:
                telemetry.report(.stopRequested(signal: ProcessSignals.name(number)))
                return .forced
            }
            let now = SystemClock.now.uptime
            if end.manner == .atOnce { return .forced }
            if now > deadline { return .tookTooLong }
            notifier.alive(now)
        }
        // The store may have ended because a sync failed.
        return end.manner == .atOnce ? .forced : .ended
    }
}
