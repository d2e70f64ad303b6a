import Glibc

/// A process started by this one.
public final class ChildProcess {
    public let id: pid_t
    private var status: Int32?

    /// Starts a program with its output going to a file; standard error stays ours.
    public init(
        _ path: String, _ arguments: [String], environment: [String], output: String, appends: Bool = false
    ) throws(HarnessFailure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | (appends ? O_APPEND : O_TRUNC), 0o600)
        var id: pid_t = 0
        let code = ChildProcess.withCStrings([path] + arguments) { argv in
            ChildProcess.withCStrings(environment) { envp in posix_spawn(&id, path, &actions, nil, argv, envp) }
        }
        guard code == 0 else { throw HarnessFailure("\(path) cannot be started: \(String(cString: strerror(code)))") }
        self.id = id
    }

    public func send(_ signal: Int32) {
        if status == nil { kill(id, signal) }
    }

    /// The exit code once it has ended; a process ended by a signal counts as 128 and the signal.
    public func exitCode(timeout: Duration) -> Int32? {
        var waited = Duration.zero
        while status == nil {
            var raw: Int32 = 0
            if waitpid(id, &raw, WNOHANG) == id {
                status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + raw & 0x7F
                break
            }
            if waited >= timeout { return nil }
            usleep(20_000)
            waited += .milliseconds(20)
        }
        return status
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { body(UnsafePointer($0.baseAddress!)) }
    }
}
