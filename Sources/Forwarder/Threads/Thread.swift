import Glibc

/// Threads of the operating system. Whatever calls into C and may block lives on one of these, never on Swift's
/// cooperative pool. Nobody waits for one to end: it says so itself if somebody wants to know.
public enum Thread {
    /// Starts `body` on a thread of that name (at most 15 bytes of it are kept, as `ps -L` shows it). For what the process
    /// cannot be without: it ends if the system has no thread to give.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let code = create(name, body)
        precondition(
            code == 0,
            "the system has no thread to give (errno \(code)); raise the limit of threads (TasksMax, ulimit -u)")
    }

    /// Starts `body` unless the system has no thread to give. Returns whether it had.
    static func startIfPossible(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        create(name, body) == 0
    }

    private static func create(_ name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
        let start = Unmanaged.passRetained(Start(name: String(name.utf8.prefix(15)) ?? "", body: body))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                // Else the system would keep its stack until somebody joins it.
                pthread_detach(pthread_self())
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                nameThread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        if code != 0 { start.release() }
        return code
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
