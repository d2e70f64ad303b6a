import Forwarder
import ForwarderHarness
import Glibc
import ScenarioKit

/// `auth login` as a process, somebody at its keyboard, and a browser.
final class LoginRun {
    private let directory: DaemonDirectory
    private let process: ChildProcess
    /// Where somebody types.
    private var keyboard: Int32

    convenience init(_ stage: Stage, _ words: String..., destination: String = "offline") throws {
        try self.init(stage, words: words, destination: destination)
    }

    init(_ stage: Stage, words: [String], destination: String = "offline") throws {
        directory = try DaemonDirectory()
        var ends: [Int32] = [-1, -1]
        try require(pipe(&ends) == 0, "no pipe")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        keyboard = ends[1]
        defer { close(ends[0]) }
        process = try ChildProcess(
            daemonBinary,
            ["auth", "login", "--destination", destination, "--config", stage.directory.configuration] + words,
            environment: DaemonProcess.environment, input: .descriptor(ends[0]),
            output: .file("\(directory.path)/out"), error: .file("\(directory.path)/err"))
    }

    deinit {
        if process.exitCode(timeout: .zero) == nil {
            process.send(SIGKILL)
            _ = process.exitCode(timeout: .seconds(10))
        }
        closeKeyboard()
        directory.remove()
    }

    private func text(_ name: String) -> String {
        String(decoding: (try? SmallFile.read("\(directory.path)/\(name)", limit: 1 << 20)) ?? [], as: UTF8.self)
    }

    var said: String { text("out") + text("err") }

    /// The page that it says is to be opened.
    func page() throws -> String {
        var url = ""
        try eventually("a page to open: \(said)", within: .seconds(20)) {
            let text = said
            guard text.contains("Waiting for "),
                let line = text.split(separator: "\n").first(where: { $0.contains("/authorize?") })
            else { return process.exitCode(timeout: .zero) != nil }
            url = String(line)
            return true
        }
        try require(!url.isEmpty, "no page to open: \(said)")
        return url
    }

    /// Opens the page as a browser does, and says where it is sent from there.
    func consent() throws -> String {
        let answer = try LoginRun.open(try page())
        try require(answer.status == 302, "the page answers \(answer.status): \(answer.body)")
        return answer["Location"] ?? ""
    }

    /// As a browser on this machine: follows where it is sent.
    @discardableResult
    func browse() throws -> WebPage {
        try LoginRun.open(try consent())
    }

    static func open(_ url: String) throws -> WebPage {
        let rest = url.dropFirst("http://".count)
        let address = rest.prefix { $0 != "/" }.split(separator: ":")
        try require(address.count == 2, "no address of this machine: \(url)")
        return try WebPage("127.0.0.1:\(address[1])", String(rest.drop { $0 != "/" }))
    }

    func type(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        try require(write(keyboard, bytes, bytes.count) == bytes.count, "the pipe takes nothing")
    }

    func closeKeyboard() {
        if keyboard >= 0 { close(keyboard) }
        keyboard = -1
    }

    /// Waits for its end.
    func end() throws -> CommandRun {
        guard let code = process.exitCode(timeout: .seconds(60)) else { throw Disappointment("login does not end") }
        return CommandRun(code: code, output: text("out"), errors: text("err"))
    }
}

extension Stage {
    /// The files of the grants that are kept.
    var grantFiles: [String] {
        directory.files().filter { $0.hasPrefix("\(directory.state)/grants/") }
    }

    /// Somebody consents in a browser of this machine.
    func logIn(_ words: String...) throws {
        let login = try LoginRun(self, words: words)
        try login.browse()
        let end = try login.end()
        try requireEqual(end.code, 0, "\(end.output)\(end.errors)")
    }
}
