import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// What the runbooks tell somebody to type, typed. Each page names the situation it is for; its commands are run in order
/// against a real daemon in that situation, and must show what the page says they show.
struct RehearsalTests {
    @Test(.timeLimit(.minutes(15)), arguments: RunbookPage.Situation.allCases)
    func `the commands of a page do what it says`(_ situation: RunbookPage.Situation) async throws {
        // Alerts before procedures: those look, these change something.
        let pages = RunbookPage.all.filter { $0.situation == situation }
        // The mock lets nobody move a group that was ever used.
        for pages in situation == .stopped ? pages.map({ [$0] }) : [pages] where !pages.isEmpty {
            try await onThread {
                let rehearsal = try Rehearsal(situation)
                for page in pages { try rehearsal.run(page) }
                try rehearsal.finish()
            }
        }
    }

    @Test func `every page names a situation that can be rehearsed, and something to type`() {
        #expect(RunbookPage.all.count > 12)
        for page in RunbookPage.all {
            #expect(page.situation != nil, "\(page): its front matter names no situation that can be rehearsed")
            #expect(!page.commands.isEmpty, "\(page): nothing to type")
        }
    }
}

/// A page below `runbooks/` that has front matter.
struct RunbookPage: Sendable, CustomTestStringConvertible {
    struct Command: Sendable {
        var words: [String]
        /// Of what is typed in front of a `|`.
        var input: String
        /// What must come out.
        var shows: String?
        var line: Int
    }

    enum Situation: String, CaseIterable {
        /// Twenty purchases are delivered.
        case running
        /// As before, then killed.
        case dead
        /// Nobody publishes.
        case quiet
        /// What is published is stamped in milliseconds.
        case rejecting
        /// A queue has reached its limit, and nothing is read.
        case stalled
        /// What is written to the store fails.
        case faulted
        /// This machine's clock is 90 seconds ahead.
        case skewed
        /// Microsoft asks to be left alone for a while.
        case throttled
        /// The token is refused.
        case unauthorized
        /// The access token works, and is not renewed.
        case unrenewed
        /// Nobody has consented yet, and what is published for Offline Conversions waits.
        case unconnected
        /// Nobody knows who signed Microsoft's certificate.
        case untrusted
        /// The state directory's file system is full, and Microsoft is down.
        case full
        /// Microsoft has refused some.
        case refused
        /// The account has not the goal that is configured.
        case goalless
        /// Microsoft takes conversions and counts them for no click.
        case unattributed
        /// The first conversions cannot be delivered, for Microsoft is down.
        case down
        /// Answers of Invest's pixels get lost.
        case uncertain
        /// Published, and no daemon was ever there.
        case stopped
    }

    var path: String
    var situation: Situation?
    var commands: [Command] = []

    var testDescription: String { path }

    static let all: [RunbookPage] = {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return DaemonDirectory.everything(below: "\(root)/runbooks").sorted { left, right in
            let areDeeds = [left.contains("/procedures/"), right.contains("/procedures/")]
            return areDeeds[0] == areDeeds[1] ? left < right : areDeeds[1]
        }
        .filter { $0.hasSuffix(".md") }.compactMap { RunbookPage($0, below: root) }
        // Mounting a small file system takes root.
        .filter { $0.situation != .full || getuid() == 0 }
    }()

    init?(_ file: String, below root: String) {
        path = String(file.dropFirst(root.utf8.count + 1))
        let text = String(decoding: (try? SmallFile.read(file, limit: 1 << 20)) ?? [], as: UTF8.self)
        guard text.hasPrefix("---\n") else { return nil }
        var isShell = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("situation: ") {
                situation = Situation(rawValue: String(line.dropFirst(11).prefix { $0 != " " }))
            } else if line.hasPrefix("```") || line.hasSuffix("```sh") {
                isShell = line.hasSuffix("```sh")
            } else if isShell, let command = Command(line, index + 1) {
                commands.append(command)
            }
        }
    }
}

extension RunbookPage.Command {
    /// Of the many things in a page only what can be typed here: the daemon's own commands, and starting and stopping it.
    init?(_ text: Substring, _ line: Int) {
        self.line = line
        let parts = text.split(separator: "#", maxSplits: 1)
        if parts.count == 2, let mark = parts[1].range(ofWord: "shows: ") {
            shows = String(parts[1][mark...]).trimmed
        }
        let pipe = parts.first?.split(separator: "|").map { String($0).trimmed } ?? []
        input = pipe.count == 2 && pipe[0].hasPrefix("echo ") ? pipe[0].dropFirst(5) + "\n" : ""
        words = (pipe.last ?? "").split(separator: " ").map(String.init)
        guard let first = words.first, ["conversion-forwarder", "systemctl"].contains(first) else { return nil }
        // Told with a placeholder, for a person.
        guard !words.contains(where: { $0 == "FILE" || $0 == "ID" || $0 == "NAME" }) else { return nil }
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    fileprivate func range(ofWord word: String) -> Index? {
        indices.first { self[$0...].hasPrefix(word) }.map { index($0, offsetBy: word.count) }
    }
}

/// One situation, with a daemon to try its pages on.
private final class Rehearsal {
    private let stage: Stage
    private let certificates: Certificates?
    private var disk: SmallDisk?
    private var environment: [String] = []
    private var daemon: DaemonProcess?

    init(_ situation: RunbookPage.Situation) throws {
        certificates = situation == .untrusted ? try Certificates() : nil
        stage = try Stage(tls: try certificates?.identity()) { settings in
            if situation == .unattributed {
                settings.accounts[0].goals["Purchase"] = OfflineGoal(
                    takesEnhancedConversions: true, id: "4711", unattributedReason: "NoMatchingClickFound")
            }
            if situation == .unrenewed { settings.grant.accessTokenLifetime = .seconds(8) }
            if situation == .goalless { settings.accounts[0].goals["Purchase"] = nil }
        }
        stage.settings.other = [
            "log: {metrics_interval: 1s, level: debug}",
            "pixel_service: {endpoint: \"\(stage.microsoft.endpoint)\", username: \(InvestSettings().username), "
                + "password: {file: \(stage.directory.path)/pixel-password}, advertiser_id: 2}",
        ]
        try stage.directory.write(InvestSettings().password, to: "pixel-password")
        try begin(situation)
    }

    /// Brings the daemon into the situation.
    private func begin(_ situation: RunbookPage.Situation) throws {
        switch situation {
        case .running: try deliver()
        case .dead:
            try deliver()
            daemon?.kill()
            daemon = nil
        case .quiet: try start()
        case .rejecting:
            try start()
            try stage.publish(ids.map { Shop.purchase($0, secondsAgo: -1_786_000_000_000) })
            try eventually("them to be rejected") { stage.number("capi", "rejected") == 20 }
        case .refused: try wait(under: .refuse(share: 0.3)) { stage.number("capi", "dead_lettered") > 1 }
        case .goalless: try wait(under: nil) { stage.number("offline", "pending") == 20 }
        case .down: try wait(under: .status(503)) { stage.number("capi", "pending") == 20 }
        case .stalled:
            stage.settings.hasOffline = false
            stage.settings.capi.append("queue: {max_bytes: 1MiB}")
            stage.follow(.status(503))
            try start()
            try stage.publish(Shop.ids("full", 0..<4000).map { Shop.purchase($0) })
            try stage.said("intake.paused")
        case .faulted:
            let calls = try FailingCalls(stage.directory)
            environment = calls.environment
            try start()
            stage.follow(.status(503))
            try calls.set("pwrite64@-wal 1 1000000 \(EIO)")
            try stage.publish(ids.map { Shop.purchase($0) })
            try stage.said("store.faulted")
        case .skewed:
            environment = try clockAhead(seconds: 90)
            try deliver()
            let name = "conversion_forwarder_clock_offset_seconds{destination=\"capi\"} "
            let address = try stage.said("admin.opened")["address"]?.string ?? ""
            try eventually("the difference to be known") {
                let line = try WebPage(address, "/metrics").body.split(separator: "\n").first { $0.hasPrefix(name) }
                return (line.flatMap { Double($0.dropFirst(name.utf8.count)) } ?? 0) > 30
            }
        case .throttled:
            try wait(under: .status(429, retryAfter: .seconds(60))) { stage.number("capi", "pending") == 20 }
        case .unauthorized:
            stage.settings.capi = ["retry: {parked_probe: 60s}"]
            try wait(under: .status(401)) { stage.destination("capi")?["gate"]?.string == "parked" }
        case .unrenewed:
            try deliver()
            stage.follow(.oauthError("invalid_grant", aadsts: 70000), .oauth)
            try stage.said("credential.refused")
        case .unconnected:
            stage.settings.hasSeed = false
            try start()
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("it to say so") {
                stage.destination("offline")?["credential_problem"]?.string == "no_consent"
            }
        case .untrusted:
            try wait(under: nil) { stage.destination("capi")?["gate"]?.string == "closed" }
        case .full:
            disk = try SmallDisk(stage.directory.state, megabytes: 48)
            stage.settings.ballast = "1MiB"
            try deliver()
            try disk?.fill()
            stage.follow(.status(503))
            try stage.publish(Shop.ids("full", 0..<500).map { Shop.purchase($0) })
            try stage.said("store.filled")
        case .unattributed:
            stage.settings.goals = "{Purchase: {name: Purchase, id: 4711}}"
            try deliver()
            // At a start it is time to ask.
            try daemon?.stop()
            daemon = nil
            try start()
            try stage.said("verdict.read")
        case .uncertain:
            stage.settings.hasInvest = true
            stage.follow(FaultPlan([.init(.answerLost, targets: .pixels, rate: 0.5)]))
            try start()
            try stage.publish((0..<20).map { Shop.auctioned($0) })
            try eventually("some to be given up") { stage.number("invest", "dead_lettered") > 1 }
            stage.follow(.none)
            try daemon?.waitUntilSettled(.seconds(30))
        case .stopped:
            try stage.settings.write(to: stage.directory)
            try stage.publish(ids.map { Shop.purchase($0) })
        }
    }

    private let ids = Shop.ids("run", 0..<20)

    private func deliver() throws {
        try start()
        try stage.publish(ids.map { Shop.purchase($0) })
        try eventually("them to arrive") { stage.missing(ids).isEmpty && stage.acceptedOffline == 20 }
        try daemon?.waitUntilSettled()
    }

    private func wait(under fault: Fault?, until condition: () -> Bool) throws {
        if let fault { stage.follow(fault) }
        try start()
        try stage.publish(ids.map { Shop.purchase($0) })
        try eventually("the situation", condition)
    }

    private func start() throws {
        guard daemon == nil else { return }
        daemon = try stage.start(environment: environment)
    }

    /// By Tests/Chaos/clock.c, which is built here.
    private func clockAhead(seconds: Int64) throws -> [String] {
        let (library, offset) = ("\(stage.directory.path)/clock.so", "\(stage.directory.path)/clock")
        let source = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
            separator: "/")
        let compiler = try ChildProcess(
            "/usr/bin/env", ["cc", "-shared", "-fPIC", "-O1", "-o", library, "\(source)/Chaos/clock.c"],
            environment: DaemonProcess.environment)
        try requireEqual(compiler.exitCode(timeout: .seconds(60)), 0, "exit code of the compiler")
        let bytes = withUnsafeBytes(of: seconds * 1000, Array.init)
        // Of no text that a file of this harness could hold.
        let file = open(offset, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        try requireEqual(write(file, bytes, bytes.count), 8, "bytes of the clock's file")
        return ["CHAOS_CLOCK=\(offset)", FailingCalls.preload(library)]
    }

    /// What ends with the daemon stopped is followed by one that needs it.
    func run(_ page: RunbookPage) throws {
        if page.situation != .dead, page.situation != .stopped { try start() }
        for command in page.commands { try run(command, of: page) }
    }

    private func run(_ command: RunbookPage.Command, of page: RunbookPage) throws {
        let place = "\(page.path):\(command.line): \(command.words.joined(separator: " "))"
        if command.words[0] == "systemctl" {
            switch command.words[1] {
            case "start": return try start()
            case "stop":
                try daemon?.stop()
                daemon = nil
            case "restart":
                try daemon?.stop()
                daemon = nil
                try start()
            case "reload": daemon?.send(SIGHUP)
            // Systemd's own words.
            case "status": return
            default: throw Disappointment("\(place): unknown")
            }
            return
        }
        if command.words.contains("login") { return try logIn(command, place) }
        let words = Array(command.words.dropFirst()) + ["--config", stage.directory.configuration]
        // What only looks may have to wait until it is so.
        let isRead = ["--dry-run", "status", "list", "stats", "deliveries", "rejects"].contains {
            command.words.contains($0)
        }
        var last: CommandRun?
        func once() throws -> Bool {
            let run = try CommandRun(daemonBinary, words, input: Array(command.input.utf8))
            last = run
            return run.code != ExitCode.usage
                && command.shows.map { run.output.contains($0) || run.errors.contains($0) } ?? true
        }
        let deadline = ContinuousClock.now + .seconds(isRead ? 60 : 0)
        while try !once() {
            try require(
                ContinuousClock.now < deadline,
                "\(place) does not show \(command.shows ?? "") but \(last?.output ?? "")\(last?.errors ?? "")")
            usleep(100_000)
        }
    }

    /// Somebody is at the browser.
    private func logIn(_ command: RunbookPage.Command, _ place: String) throws {
        let login = try LoginRun(stage, words: Array(command.words.dropFirst(5)), destination: command.words[4])
        if command.words.contains("--paste") { try login.type(try login.consent()) } else { try login.browse() }
        let end = try login.end()
        try require(end.output.contains(command.shows ?? ""), "\(place): \(end.output)\(end.errors)")
    }

    func finish() throws {
        disk?.free()
        stage.follow(.none)
        try daemon?.stop()
        stage.directory.remove()
    }
}
