import ForwarderCore
import Glibc

/// Tells systemd how the service is (sd_notify(3)); silent where nobody listens. Belongs to the main thread.
final class ServiceNotifier {
    private let path: String?
    /// How often systemd wants to hear that the service lives; nil if it does not.
    private let watchdogTimeout: Duration?
    private var nextSign = Uptime.distantPast
    private var lastStatus = ""

    init() {
        path = getenv("NOTIFY_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        let isForUs = getenv("WATCHDOG_PID").map { String(cString: $0) == "\(getpid())" } ?? true
        let microseconds = getenv("WATCHDOG_USEC").flatMap { Int64(String(cString: $0)) }
        watchdogTimeout = isForUs ? microseconds.flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// Longest sleep with which `alive` is still called often enough.
    var longestSleep: Duration { min(.seconds(1), watchdogTimeout.map { $0 / 4 } ?? .seconds(1)) }

    func ready() { send("READY=1") }
    func stopping() { send("STOPPING=1") }

    /// Four times as often as systemd wants to hear it.
    func alive(_ now: Uptime) {
        guard let watchdogTimeout, nextSign <= now else { return }
        nextSign = now + watchdogTimeout / 4
        send("WATCHDOG=1")
    }

    func status(_ text: String) {
        guard text != lastStatus, send("STATUS=\(text)") else { return }
        lastStatus = text
    }

    func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        send("RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)")
    }

    /// - Returns: whether the service manager has it, or will.
    @discardableResult
    private func send(_ text: String) -> Bool {
        guard let path, var address = UnixSocket.address(path) else { return false }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // An abstract name begins with an @ for a zero byte.
        if path.hasPrefix("@") { address.value.sun_path.0 = 0 }
        let length = address.length
        return withUnsafePointer(to: &address.value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                // A service manager that does not read must not hold the service up.
                sendto(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), $0, length) >= 0
            }
        }
    }
}
