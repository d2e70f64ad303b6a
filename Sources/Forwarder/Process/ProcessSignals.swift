import Glibc
import ForwarderCore

/// The signals the daemon obeys. They are blocked in every thread and waited for by one, so nothing runs inside of a
/// signal handler.
struct ProcessSignals {
    private var set = sigset_t()

    /// To be called before any other thread is started: threads inherit what is blocked.
    init() {
        signal(SIGPIPE, SIG_IGN)
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for one of them; nil if none comes within `timeout`.
    func wait(timeout: Duration) -> Int32? {
        var set = set
        let milliseconds = max(0, timeout.milliseconds)
        var time = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        let number = sigtimedwait(&set, nil, &time)
        return number > 0 ? number : nil
    }

    /// Signals that came while something else was waited for.
    struct Early {
        private var stop: Int32?
        private var isReloadDue = false

        var isToldToStop: Bool { stop != nil }

        mutating func put(_ number: Int32) {
            if number == SIGHUP { isReloadDue = true } else { stop = number }
        }

        /// What to do first; a stop makes a reload pointless.
        mutating func take() -> Int32? {
            defer { self = Early() }
            return stop ?? (isReloadDue ? SIGHUP : nil)
        }
    }

    static func name(_ number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGHUP: "SIGHUP"
        default: "signal \(number)"
        }
    }
}
