import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

struct ServiceTests {
    @Test(.timeLimit(.minutes(15)))
    func `systemd is told of start, life, reload and end`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let manager = try ServiceManager("\(stage.directory.path)/notify")
            let daemon = try stage.launch(
                environment: ["NOTIFY_SOCKET=\(stage.directory.path)/notify", "WATCHDOG_USEC=1000000"])
            try eventually("READY") { manager.received().contains("READY=1") }
            try eventually("a status line") {
                manager.received().contains { $0.hasPrefix("STATUS=4 partitions; capi open, 0 delivered, 0 pending") }
            }
            let signs = manager.received().filter { $0 == "WATCHDOG=1" }.count
            let took = ContinuousClock().measure { usleep(2_000_000) }
            let more = manager.received().filter { $0 == "WATCHDOG=1" }.count - signs
            let most = Int(took / .milliseconds(250)) + 4
            try require((4...most).contains(more), "\(more) signs of life in \(took) of a one-second watchdog")
            // What it does not take, because it reads nothing for a while, it is told again.
            try manager.fill()
            try stage.publish([Shop.purchase("told-1")])
            try stage.expect("capi", "delivered", 1)
            usleep(500_000)
            try eventually("the status of that while") {
                manager.received().contains { $0.hasPrefix("STATUS=4 partitions; capi open, 1 delivered, 0 pending") }
            }
            daemon.send(SIGHUP)
            try eventually("RELOADING, and READY again") {
                let lines = manager.received()
                guard let index = lines.lastIndex(where: { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") }) else {
                    return false
                }
                return lines[index...].contains("READY=1")
            }
            try daemon.stop()
            try require(manager.received().contains("STOPPING=1"), "STOPPING was not said")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a second process on one directory refuses to start and harms nothing`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let first = try stage.start()
            let second = try CommandRun(
                daemonBinary, ["run", "--config", stage.directory.configuration], timeout: .seconds(20))
            try requireEqual(second.code, 1, "exit code")
            try require(second.errors.contains("in use by process \(first.id)"), second.errors)
            try require(second.output.contains("\"event\":\"daemon.refused\""), second.output)
            try require(stage.directory.status() != nil, "the first one answers no longer")
            try stage.publish([Shop.purchase("two-1")])
            try eventually("it to arrive") { stage.missing(["two-1"]).isEmpty }
            try first.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a reader of the log that stops reading stops nothing`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            stage.settings.other = ["log: {metrics_interval: 1s, level: debug}"]
            stage.settings.kafka = ["properties: {debug: all, session.timeout.ms: 3000}"]
            var ends: [Int32] = [-1, -1]
            try require(pipe(&ends) == 0, "no pipe")
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            defer { close(ends[0]) }
            let daemon = try stage.launch(output: .descriptor(ends[1]))
            close(ends[1])
            try daemon.waitUntilReading()
            for round in 0..<5 {
                let ids = Shop.ids("unread\(round)", 0..<20)
                try stage.publish(ids.map { Shop.purchase($0) })
                try eventually("events to arrive") { stage.missing(ids).isEmpty }
            }
            // The daemon had more to say than the pipe takes.
            var unread: Int32 = 0
            _ = ioctl(ends[0], UInt(FIONREAD), &unread)
            usleep(300_000)
            var later: Int32 = 0
            _ = ioctl(ends[0], UInt(FIONREAD), &later)
            try require(unread > 40_000 && later == unread, "the pipe is not full: \(unread), then \(later) bytes")
            let elapsed = try ContinuousClock().measure { try daemon.stop() }
            try require(elapsed < .seconds(20), "stopping took \(elapsed)")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `with standard output closed, or its reader gone, it works all the same`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            var daemon = try stage.launch(output: .closed)
            try daemon.waitUntilReading()
            try stage.publish([Shop.purchase("closed-1")])
            try eventually("it to arrive") { stage.missing(["closed-1"]).isEmpty }
            try daemon.stop()

            var ends: [Int32] = [-1, -1]
            try require(pipe(&ends) == 0, "no pipe")
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            daemon = try stage.launch(output: .descriptor(ends[1]))
            close(ends[0])
            close(ends[1])
            try daemon.waitUntilReading()
            try stage.publish([Shop.purchase("closed-2")])
            try eventually("it to arrive") { stage.missing(["closed-2"]).isEmpty }
            try daemon.stop()
            // Nothing else took the number of the closed descriptor.
            let check = try stage.command("queue", "stats")
            try requireEqual(check.code, 0, "\(check.errors)")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `an admin port that is taken, and one that is there`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let other = try Stage(hasOffline: false)
            let port = stage.microsoft.port
            other.settings.other = ["admin: {listen: \"127.0.0.1:\(port)\"}"]
            let without = try other.start()
            let reason = other.directory.logLines("admin.refused").last?["reason"]?.string ?? ""
            try require(reason.contains("\(port)"), "reason: \(reason)")
            try without.stop()
            try other.finish()

            // Kafka is away when it starts, comes, and goes.
            try stage.kafka.takeDown()
            let daemon = try stage.launch()
            try eventually("its port") { !stage.directory.logLines("admin.opened").isEmpty }
            guard let address = stage.directory.logLines("admin.opened").last?["address"]?.string else {
                throw Disappointment("no address")
            }
            try requireEqual(try WebPage(address, "/livez").status, 200, "/livez")
            try eventually("a reason") { try WebPage(address, "/readyz").body == "not_in_the_group\n" }
            try requireEqual(try WebPage(address, "/readyz").status, 503, "/readyz without Kafka")
            try stage.kafka.bringUp()
            try eventually("ready") { try WebPage(address, "/readyz").status == 200 }
            try eventually("its statistics") {
                try WebPage(address, "/metrics").body.contains("conversion_forwarder_brokers_up 1\n")
            }
            let metrics = try WebPage(address, "/metrics")
            try requireEqual(metrics.status, 200, "/metrics")
            for line in metrics.body.split(separator: "\n") where !line.hasPrefix("#") {
                let words = line.split(separator: " ")
                try require(words.count == 2 && Double(words[1]) != nil, "not Prometheus text: \(line)")
                try require(words[0].hasPrefix("conversion_forwarder_"), "not Prometheus text: \(line)")
            }
            try requireEqual(try WebPage(address, "/else").status, 404, "/else")
            try requireEqual(try WebPage(address, "/metrics", method: "POST").status, 405, "POST")
            try stage.kafka.takeDown()
            try eventually("no broker any more", within: .seconds(20)) {
                try WebPage(address, "/metrics").body.contains("conversion_forwarder_brokers_up 0\n")
            }
            try eventually("not ready any more", within: .seconds(50)) {
                try WebPage(address, "/readyz").body == "kafka_unreachable\n"
            }
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `an idle daemon costs next to nothing`() async throws {
        try await onThread {
            let stage = try Stage()
            let daemon = try stage.start()
            try stage.publish(Shop.ids("idle", 0..<10).map { Shop.purchase($0) })
            for name in ["capi", "offline"] { try stage.expect(name, "delivered", 10) }
            try daemon.waitUntilSettled()
            let before = Self.processorTicks(daemon.id)
            usleep(6_000_000)
            let ticks = Self.processorTicks(daemon.id) - before
            // In hundredths of a second: 2 % of a core, in a build without optimisation.
            try require(ticks <= 12, "\(ticks) ticks in six seconds")
            try daemon.stop()
            try stage.finish()
        }
    }

    private static func processorTicks(_ id: pid_t) -> Int {
        let text = String(decoding: (try? SmallFile.read("/proc/\(id)/stat", limit: 1 << 16)) ?? [], as: UTF8.self)
        // Behind the name in brackets.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
    }

    @Test(.timeLimit(.minutes(15)))
    func `a state directory that is too deep, or cannot be, is a configuration error or says what to do`() async throws
    {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            try stage.settings.write(to: stage.directory)
            let deep = "\(stage.directory.path)/\(String(repeating: "d", count: 100))"
            func run(_ state: String) throws -> (run: CommandRun, check: CommandRun) {
                let configuration = String(
                    decoding: try SmallFile.read(stage.directory.configuration, limit: 1 << 20), as: UTF8.self)
                let changed = configuration.split(separator: "\n").map {
                    $0.hasPrefix("state:") ? "state: {directory: \(state)}" : String($0)
                }
                try stage.directory.write(changed.joined(separator: "\n") + "\n", to: "other.yaml")
                let words = ["--config", "\(stage.directory.path)/other.yaml"]
                return (
                    try CommandRun(daemonBinary, ["run"] + words), try CommandRun(daemonBinary, ["check"] + words)
                )
            }
            let (long, longCheck) = try run(deep)
            try requireEqual(long.code, 2, "exit code")
            try require(long.errors.contains("too long for a socket; choose a shorter directory"), long.errors)
            try requireEqual(longCheck.code, 2, "exit code of check")
            try require(longCheck.output.contains("too long for a socket"), longCheck.output)
            let (missing, missingCheck) = try run("/nowhere/at/all")
            try requireEqual(missing.code, 1, "exit code")
            try require(missing.errors.contains("/nowhere/at/all"), missing.errors)
            try requireEqual(missingCheck.code, 2, "exit code of check")
            try stage.finish()
        }
    }
}

/// The socket on which systemd hears of a service.
private final class ServiceManager {
    private let path: String
    private let descriptor: Int32
    private var messages: [String] = []

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard UnixSocket.bind(descriptor, path) else { throw Disappointment("\(path) cannot be bound") }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(descriptor)
    }

    /// Nobody can say anything more to it until it reads.
    func fill() throws {
        let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(sender) }
        try require(UnixSocket.connect(sender, path), "no connection to \(path): \(errno)")
        while send(sender, "X", 1, Int32(MSG_DONTWAIT)) == 1 {}
        try require(errno == EAGAIN, "not full: \(errno)")
    }

    /// Everything so far.
    func received() -> [String] {
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 { return messages }
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }
}
