import CSpawn
import Glibc
import MockKafka

/// A process started by this one.
public final class ChildProcess {
    /// Where one of its streams leads.
    public enum Stream {
        case inherited
        case closed
        /// A file; what is in it stays if `appends`.
        case file(String, appends: Bool = false)
        /// An open file of this process.
        case descriptor(Int32)
    }

    /// What a process that has ended took, with the children that it waited for.
    public struct Usage: Sendable {
        public var userSeconds: Double
        public var systemSeconds: Double
        /// Up to the last signal that it was sent. Where none was, of the kernel's account at its end: that counts what this
        /// process had when it started the other one, too.
        public var peakKilobytes: Int
        /// What was handed to the disk, by the kernel's account.
        public var writtenBytes: Int

        fileprivate init(_ usage: rusage, notedPeak: Int) {
            func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
            userSeconds = seconds(usage.ru_utime)
            systemSeconds = seconds(usage.ru_stime)
            peakKilobytes = notedPeak > 0 ? notedPeak : usage.ru_maxrss
            writtenBytes = usage.ru_oublock * 512
        }
    }

    public let id: pid_t
    /// Nil until its end was noticed by `exitCode`.
    public private(set) var usage: Usage?
    private var status: Int32?
    private var notedPeak = 0

    public init(
        _ path: String, _ arguments: [String], environment: [String], input: Stream = .file("/dev/null"),
        output: Stream = .inherited, error: Stream = .inherited
    ) throws(HarnessFailure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in [(STDIN_FILENO, input), (STDOUT_FILENO, output), (STDERR_FILENO, error)] {
            switch stream {
            case .inherited: break
            case .closed: posix_spawn_file_actions_addclose(&actions, number)
            case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, number)
            case .file(let path, let appends):
                let flags =
                    number == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | (appends ? O_APPEND : O_TRUNC)
                posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o600)
            }
        }
        // Sockets that a library opened without close-on-exec, the mock Kafka's above all: a connection that it closes would
        // stay open for as long as the child holds it, and nobody would learn that it is closed.
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals as a service manager leaves them, whatever this process has done to its own.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigemptyset(&all)
        for signal in [SIGPIPE, SIGTERM, SIGINT, SIGHUP] { sigaddset(&all, signal) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var id: pid_t = 0
        let code = ChildProcess.withCStrings([path] + arguments) { argv in
            ChildProcess.withCStrings(environment) { envp in
                func spawn() -> Int32 {
                    MockCluster.whileNoneGoesDown { posix_spawn(&id, path, &actions, &attributes, argv, envp) }
                }
                var code = spawn()
                // A script that was just written: another thread's child holds it open until it is another program.
                for _ in 0..<100 where code == ETXTBSY {
                    usleep(20_000)
                    code = spawn()
                }
                return code
            }
        }
        guard code == 0 else { throw HarnessFailure("\(path) cannot be started: \(String(cString: strerror(code)))") }
        self.id = id
    }

    public func send(_ signal: Int32) {
        guard status == nil else { return }
        // A process that has ended has no memory to be asked about.
        notedPeak = max(notedPeak, ProcessUsage(id).peakKilobytes)
        kill(id, signal)
    }

    /// The exit code once it has ended; a process ended by a signal counts as 128 and the signal.
    public func exitCode(timeout: Duration) -> Int32? {
        var waited = Duration.zero
        while status == nil {
            var raw: Int32 = 0
            var used = rusage()
            if wait4(id, &raw, WNOHANG, &used) == id {
                usage = Usage(used, notedPeak: notedPeak)
                status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + raw & 0x7F
                break
            }
            if waited >= timeout { return nil }
            usleep(10_000)
            waited += .milliseconds(10)
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
