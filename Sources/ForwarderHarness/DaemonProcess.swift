import Forwarder
import ForwarderCore
import Glibc

/// The real daemon as a process of its own.
public final class DaemonProcess {
    public let directory: DaemonDirectory
    private let process: ChildProcess

    /// Starts `binary run`. Its log goes behind what is in the directory's already, what it says to people into a file
    /// beside it. `environment`: `NAME=VALUE`, in addition to what the libraries need. `isBound`: the kernel kills it when
    /// the thread that started it ends, however that comes about.
    public init(
        _ binary: String, _ directory: DaemonDirectory, environment: [String] = [],
        output: ChildProcess.Stream? = nil, isBound: Bool = false
    ) throws(HarnessFailure) {
        self.directory = directory
        let words = isBound ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", binary] : [binary]
        process = try ChildProcess(
            words[0], words.dropFirst() + ["run", "--config", directory.configuration],
            environment: DaemonProcess.environment + environment,
            output: output ?? .file(directory.log, appends: true), error: .file(directory.errors, appends: true))
    }

    /// Never leaves a daemon behind.
    deinit {
        kill()
    }

    public var id: pid_t { process.id }

    /// What it took in all; nil until it has ended.
    public var usage: ChildProcess.Usage? { process.usage }

    /// What the libraries need; nothing else of this process's environment reaches the daemon.
    public static var environment: [String] {
        let names = [
            "PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "ASAN_OPTIONS", "TSAN_OPTIONS", "FAKETIME",
            "FAKETIME_TIMESTAMP_FILE",
        ]
        return names.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
    }

    /// Waits until a condition on its status holds. Throws if it ends, or takes longer.
    public func wait(
        _ timeout: Duration, for what: String, _ condition: (JSONElement) -> Bool
    ) throws(HarnessFailure) {
        let deadline = SystemClock.now.uptime + timeout
        var last: JSONElement?
        while SystemClock.now.uptime < deadline {
            if let status = directory.status() {
                if condition(status) { return }
                last = status
            }
            if let code = process.exitCode(timeout: .zero) {
                throw HarnessFailure("the daemon ended with exit code \(code) while waiting for \(what)")
            }
            usleep(50_000)
        }
        let text = last.map { String(decoding: $0.json, as: UTF8.self) } ?? "no answer"
        throw HarnessFailure(
            "\(timeout.milliseconds / 1000) s were not enough for: \(what); log: \(directory.log); status: \(text)")
    }

    /// Waits until it reads partitions.
    public func waitUntilReading(_ timeout: Duration = .seconds(30)) throws(HarnessFailure) {
        try wait(timeout, for: "partitions") { !($0["assignments"]?.elements ?? []).isEmpty }
    }

    /// Waits until nothing that was published is unsettled.
    public func waitUntilSettled(_ timeout: Duration = .seconds(30)) throws(HarnessFailure) {
        try wait(timeout, for: "everything to be settled") { status in
            let partitions = status["assignments"]?.elements ?? []
            let destinations = status["destinations"]?.elements ?? []
            return !partitions.isEmpty && partitions.allSatisfy { $0["lag"]?.integer == 0 }
                && destinations.allSatisfy { $0["pending"]?.integer == 0 && $0["in_flight"]?.integer ?? 0 == 0 }
        }
    }

    public func send(_ signal: Int32) {
        process.send(signal)
    }

    /// SIGTERM, and how it ended.
    public func stop(timeout: Duration = .seconds(60)) throws(HarnessFailure) {
        process.send(SIGTERM)
        guard let code = process.exitCode(timeout: timeout) else { throw HarnessFailure("the daemon did not stop") }
        guard code == 0 else { throw HarnessFailure("the daemon ended with exit code \(code); log: \(directory.log)") }
    }

    public func exitCode(timeout: Duration) -> Int32? {
        process.exitCode(timeout: timeout)
    }

    /// SIGKILL.
    public func kill() {
        guard process.exitCode(timeout: .zero) == nil else { return }
        process.send(SIGKILL)
        _ = process.exitCode(timeout: .seconds(10))
    }
}
