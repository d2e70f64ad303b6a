import Glibc

/// A thread of the operating system. Whatever calls into C and may block lives on one of these, never on Swift's
/// cooperative pool.
public struct Thread: Sendable {
    private let handle: pthread_t

    /// Starts `body` on a thread of that name (at most 15 bytes of it are kept, as `ps -L` shows it).
    public init(name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(name: String(name.utf8.prefix(15)) ?? "", body: body))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                nameThread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        // Only at start, and only when the system has no threads left to give: there is no daemon without them.
        precondition(
            code == 0,
            "the system has no thread to give (errno \(code)); raise the limit of threads (TasksMax, ulimit -u)")
        self.handle = handle
    }

    /// Waits until the thread has ended. Once only.
    public func join() {
        pthread_join(handle, nil)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

/// pthread_setname_np is GNU's, and not in Swift's Glibc module; the kernel takes the name by this file as well.
private func nameThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, name, name.utf8.count)
    close(file)
}
