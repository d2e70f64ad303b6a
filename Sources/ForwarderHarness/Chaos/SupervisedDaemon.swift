import Forwarder
import ForwarderCore
import Glibc

/// A daemon with somebody who starts it again whenever it has ended, as a service manager does. Nothing here waits:
/// `tick` is called every few milliseconds.
final class SupervisedDaemon {
    private enum Phase {
        case off
        case running(DaemonProcess, since: Uptime)
        /// Told to end.
        case ending(DaemonProcess, since: Uptime, hard: Bool, isGrown: Bool, down: Duration)
        case down(until: Uptime)
    }

    /// How long after its start a daemon may not know its signals yet.
    private static let youth = Duration.seconds(1)
    /// From SIGTERM to its end, at most: the grace of the configuration and what ends after it.
    private static let patience = Duration.seconds(20)
    private static let pauseAfterFailure = Duration.milliseconds(500)

    let directory: DaemonDirectory
    private let binary: String
    private let environment: [String]
    private var phase = Phase.off
    private(set) var isWanted = false
    private(set) var kills = 0
    private(set) var hardKills = 0
    /// It may end by itself: it says why and is started again.
    var mayFail = false
    /// What a daemon must not do.
    private(set) var misdeeds: [String] = []

    init(_ binary: String, _ directory: DaemonDirectory, environment: [String]) {
        self.binary = binary
        self.directory = directory
        self.environment = environment
    }

    var isOff: Bool {
        if case .off = phase { return true }
        return false
    }

    /// Wants it to run from now on.
    func start() {
        isWanted = true
    }

    /// Wants it to end and stay away.
    func stop(hard: Bool, now: Uptime) {
        isWanted = false
        end(hard: hard, down: .zero, now)
    }

    /// Ends it and starts it again after `down`.
    func kill(hard: Bool, down: Duration, now: Uptime) {
        end(hard: hard, down: down, now)
    }

    /// Kills it, and sees it no more.
    func abandon() {
        isWanted = false
        phase = .off
    }

    func reload(now: Uptime) {
        if case .running(let process, let since) = phase, now - since > SupervisedDaemon.youth { process.send(SIGHUP) }
    }

    private func end(hard: Bool, down: Duration, _ now: Uptime) {
        guard case .running(let process, let since) = phase else { return }
        process.send(hard ? SIGKILL : SIGTERM)
        kills += 1
        if hard { hardKills += 1 }
        phase = .ending(process, since: now, hard: hard, isGrown: now - since > SupervisedDaemon.youth, down: down)
    }

    /// Looks whether it is as it should be.
    func tick(_ now: Uptime) throws(HarnessFailure) {
        switch phase {
        case .off:
            if isWanted {
                let process = try DaemonProcess(binary, directory, environment: environment, isBound: true)
                phase = .running(process, since: now)
            }
        case .running(let process, _):
            guard let code = process.exitCode(timeout: .zero) else { return }
            if !mayFail { misdeeds.append("\(directory.path): ended by itself with exit code \(code)") }
            phase = .down(until: now + SupervisedDaemon.pauseAfterFailure)
        case .ending(let process, let since, let hard, let isGrown, let down):
            if let code = process.exitCode(timeout: .zero) {
                if !hard, code != 0, isGrown, !mayFail {
                    misdeeds.append("\(directory.path): exit code \(code) after SIGTERM")
                }
                phase = .down(until: now + down)
            } else if now - since > SupervisedDaemon.patience {
                misdeeds.append("\(directory.path): still there \(SupervisedDaemon.patience) after SIGTERM")
                process.kill()
                hardKills += 1
                phase = .down(until: now)
            }
        case .down(let until):
            if now >= until { phase = .off }
        }
    }
}
