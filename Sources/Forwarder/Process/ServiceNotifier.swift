import Glibc

/// Tells systemd how the service is (sd_notify(3)); silent where nobody listens.
struct ServiceNotifier: Sendable {
    private let path: String?
    /// How often systemd wants to hear that the service lives; nil if it does not.
    let watchdogInterval: Duration?

    init() {
        path = getenv("NOTIFY_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        let isForUs = getenv("WATCHDOG_PID").map { String(cString: $0) == "\(getpid())" } ?? true
        let microseconds = getenv("WATCHDOG_USEC").flatMap { Int64(String(cString: $0)) }
        watchdogInterval = isForUs ? microseconds.map { .microseconds($0) / 2 } : nil
    }

    func ready() { send("READY=1") }
    func stopping() { send("STOPPING=1") }
    func alive() { send("WATCHDOG=1") }
    func status(_ text: String) { send("STATUS=\(text)") }

    func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        send("RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)")
    }

    private func send(_ text: String) {
        guard let path else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard var address = UnixSocket.address(path) else { return }
        // An abstract name begins with an @ for a zero byte.
        if path.hasPrefix("@") { address.value.sun_path.0 = 0 }
        let length = address.length
        withUnsafePointer(to: &address.value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
