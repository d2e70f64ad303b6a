import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit

/// A Microsoft with a Conversion Pixel Service, and a directory for the commands that speak to it. No daemon.
final class PixelStage {
    static let password = "Hunter2-made-up-Password"

    let microsoft: FakeMicrosoftServer
    let directory: DaemonDirectory
    var settings: DaemonSettings

    init(_ change: (inout InvestSettings) -> Void = { _ in }) throws {
        microsoft = try Microsoft.start { settings in
            settings.invest = InvestSettings()
            settings.invest.password = PixelStage.password
            change(&settings.invest)
        }
        directory = try DaemonDirectory()
        settings = DaemonSettings(
            brokers: "127.0.0.1:1", topic: "events", endpoint: microsoft.endpoint, authority: microsoft.authority)
        try configure("advertiser_id: \"2\"")
    }

    deinit {
        microsoft.stop()
        directory.remove()
    }

    /// Writes the configuration, with this in the section `pixel_service` besides the user.
    func configure(_ more: String, endpoint: String? = nil) throws {
        try directory.write(PixelStage.password, to: "pixel-password")
        settings.other = [
            "pixel_service: {endpoint: \"\(endpoint ?? microsoft.endpoint)\", username: pixel-user, "
                + "password: {file: \(directory.path)/pixel-password}, \(more)}"
        ]
        try settings.write(to: directory)
    }

    /// Runs `pixels` to its end.
    func run(_ words: [String]) throws -> CommandRun {
        let run = try CommandRun(daemonBinary, ["pixels"] + words + ["--config", directory.configuration])
        try require(!(run.output + run.errors).contains(PixelStage.password), "the password is shown")
        try require(!(run.output + run.errors).contains("authn:"), "a token is shown")
        return run
    }

    /// What it prints; it must do what it is told.
    func printed(_ words: String..., line: Int = #line) throws -> String {
        let run = try run(words)
        try requireEqual(run.code, 0, "\(words): \(run.errors)", line: line)
        return run.output
    }

    /// What it says to people; the exit code must be this.
    func refused(_ code: Int32, _ words: String..., line: Int = #line) throws -> String {
        let run = try run(words)
        try requireEqual(run.code, code, "\(words): \(run.output)\(run.errors)", line: line)
        try requireEqual(run.output, "", "\(words): on standard output", line: line)
        return run.errors
    }

    /// The files of tokens.
    var tokenFiles: [String] {
        directory.files().filter { $0.hasPrefix("\(directory.state)/grants/pixels-") }
    }

    var signIns: Int { microsoft.withModel { $0.pixelTokens.given } }
    var pixels: [Int: FakePixel] { microsoft.withModel { $0.settings.invest.pixels } }

    func follow(_ fault: Fault, most: Int) {
        microsoft.withModel {
            $0.follow(FaultPlan([.init(fault, targets: .pixelService, most: most)]), from: SystemClock.now.wall)
        }
    }
}

/// `pixels` as a process, and somebody at its terminal.
final class TerminalRun {
    private let directory: DaemonDirectory
    private let process: ChildProcess
    /// Where somebody sits.
    private let terminal: Int32

    init(_ stage: PixelStage, _ words: String...) throws {
        directory = try DaemonDirectory()
        var (near, far): (Int32, Int32) = (-1, -1)
        try require(openpty(&near, &far, nil, nil, nil) == 0, "no terminal")
        for end in [near, far] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        terminal = near
        defer { close(far) }
        process = try ChildProcess(
            daemonBinary, ["pixels"] + words + ["--config", stage.directory.configuration],
            environment: DaemonProcess.environment, input: .descriptor(far),
            output: .file("\(directory.path)/out"), error: .file("\(directory.path)/err"))
    }

    deinit {
        if process.exitCode(timeout: .zero) == nil {
            process.send(SIGKILL)
            _ = process.exitCode(timeout: .seconds(10))
        }
        close(terminal)
        directory.remove()
    }

    private func text(_ name: String) -> String {
        String(decoding: (try? SmallFile.read("\(directory.path)/\(name)", limit: 1 << 20)) ?? [], as: UTF8.self)
    }

    /// Waits for a question that ends like this, and answers it.
    func answer(_ question: String, _ line: String) throws {
        try eventually("to be asked \(question)", within: .seconds(20)) { text("err").hasSuffix(question) }
        try type(line + "\n")
    }

    /// As Ctrl-D does.
    func endInput(after question: String) throws {
        try eventually("to be asked \(question)", within: .seconds(20)) { text("err").hasSuffix(question) }
        try type("\u{4}")
    }

    private func type(_ text: String) throws {
        let bytes = Array(text.utf8)
        try require(write(terminal, bytes, bytes.count) == bytes.count, "the terminal takes nothing")
    }

    func end() throws -> CommandRun {
        guard let code = process.exitCode(timeout: .seconds(60)) else { throw Disappointment("it does not end") }
        return CommandRun(code: code, output: text("out"), errors: text("err"))
    }
}
