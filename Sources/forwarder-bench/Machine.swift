import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc
import KafkaClient

/// What the numbers were measured on.
enum Machine {
    static var summary: String {
        var system = utsname()
        uname(&system)
        let kernel = withUnsafeBytes(of: &system.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return "\(processor), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors, Linux \(kernel), \(build)"
    }

    private static var build: String {
        #if DEBUG
            "DEBUG BUILD: these numbers say nothing"
        #else
            "release build"
        #endif
    }

    private static var processor: String {
        for line in text("/proc/cpuinfo").split(separator: "\n") where line.hasPrefix("model name") {
            if let colon = line.firstIndex(of: ":") { return String(line[colon...].dropFirst(2)) }
        }
        return "unknown processor"
    }

    /// What is installed of the libraries that do the work, and what this was built with.
    static var versions: String {
        let packages = ["librdkafka1", "libcurl4", "libssl3", "libsqlite3-0", "libmicrohttpd12"]
        let query = try? CommandRun("/usr/bin/dpkg-query", ["-W", "-f", "${Package} ${Version}, "] + packages)
        let installed = query.map { $0.code == 0 ? $0.output : "" } ?? ""
        return "\(installed)\(compiler); librdkafka \(KafkaConsumer.libraryVersionText) in use; \(date)"
    }

    private static var compiler: String {
        #if compiler(>=6.4)
            "Swift 6.4 or later"
        #elseif compiler(>=6.3)
            "Swift 6.3"
        #else
            "Swift 6.2"
        #endif
    }

    private static var date: String {
        let seconds = SystemClock.now.wall.seconds
        return CivilText.utc(seconds)
    }

    private static func text(_ path: String) -> String {
        String(decoding: (try? SmallFile.read(path, limit: 1 << 20)) ?? [], as: UTF8.self)
    }
}

/// Says what is wrong with the command line and ends.
func refuse(_ problem: String) -> Never {
    let text = Array("forwarder-bench: \(problem)\n\n\(Main.usage)".utf8)
    _ = write(STDERR_FILENO, text, text.count)
    exit(2)
}

/// Says why there is no number and ends.
func fail(_ problem: String) -> Never {
    StandardError.write("forwarder-bench: \(problem)")
    exit(ExitCode.failure)
}
