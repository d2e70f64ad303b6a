import FakeMicrosoft
import Glibc
import HTTPServer

@main
struct FakeMicrosoftMain {
    static func main() {
        let arguments: Arguments
        do throws(UsageError) {
            arguments = try Arguments(CommandLine.arguments.dropFirst())
        } catch {
            say("fake-microsoft: \(error.message)\nTry --help.", to: STDERR_FILENO)
            exit(2)
        }
        if arguments.wantsHelp {
            say(Arguments.help, to: STDOUT_FILENO)
            exit(0)
        }
        // Blocked before any thread is made, so that they reach no thread but the one that waits for them.
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let server: FakeMicrosoftServer
        do throws(HTTPServerError) {
            server = try FakeMicrosoftServer(
                arguments.settings, plan: arguments.plan, seed: arguments.seed, mode: arguments.mode,
                host: arguments.host, port: arguments.port, tls: arguments.tls)
        } catch {
            say("fake-microsoft: \(error)", to: STDERR_FILENO)
            exit(1)
        }
        say("listening on \(server.endpoint)", to: STDOUT_FILENO)
        var received: Int32 = 0
        sigwait(&signals, &received)
        server.stop()
        say(String(decoding: server.report(), as: UTF8.self), to: STDOUT_FILENO)
    }

    /// Writes at once: whoever reads this waits for the line.
    private static func say(_ text: String, to descriptor: Int32) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            // Nobody reads any more: nothing left to say it to.
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
