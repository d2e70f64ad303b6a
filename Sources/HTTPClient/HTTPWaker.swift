import CCurl
import Synchronization

/// Ends a client's wait from any thread. May outlive the client; then it does nothing.
public final class HTTPWaker: Sendable {
    /// @unchecked: the pointer is only given to curl_multi_wakeup, the one function libcurl allows on any thread, and
    /// only under the lock that `retire` takes before the multi handle is freed.
    private struct Multi: @unchecked Sendable {
        var handle: UnsafeMutableRawPointer
    }

    private let multi: Mutex<Multi?>
    /// Set by `wake`, taken by the client. Tells it why the wait ended, and saves a system call where it is set already.
    private let isWoken = Atomic(false)

    init(multi handle: UnsafeMutableRawPointer) {
        multi = Mutex(Multi(handle: handle))
    }

    /// Makes the wait that is going on return, or else the next one.
    public func wake() {
        guard !isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
        multi.withLock { multi in
            if let multi { curl_multi_wakeup(multi.handle) }
        }
    }

    func takeWake() -> Bool {
        isWoken.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// The multi handle is about to be freed.
    func retire() {
        multi.withLock { $0 = nil }
    }
}
