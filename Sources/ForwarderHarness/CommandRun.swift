import Forwarder
import Glibc

/// One command of the command line, carried out to its end.
public struct CommandRun: Sendable {
    public var code: Int32
    public var output: String
    public var errors: String

    public init(code: Int32, output: String, errors: String) {
        self.code = code
        self.output = output
        self.errors = errors
    }

    /// Runs `binary` with these words, `input` on its standard input.
    public init(
        _ binary: String, _ words: [String], input: [UInt8] = [], environment: [String] = [],
        timeout: Duration = .seconds(60)
    ) throws(HarnessFailure) {
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        try directory.write(String(decoding: input, as: UTF8.self), to: "in")
        let process = try ChildProcess(
            binary, words, environment: DaemonProcess.environment + environment,
            input: .file("\(directory.path)/in"), output: .file("\(directory.path)/out"),
            error: .file("\(directory.path)/err"))
        guard let code = process.exitCode(timeout: timeout) else {
            process.send(SIGKILL)
            _ = process.exitCode(timeout: .seconds(10))
            throw HarnessFailure("\(words.joined(separator: " ")) did not end")
        }
        self.code = code
        output = CommandRun.text("\(directory.path)/out")
        errors = CommandRun.text("\(directory.path)/err")
    }

    private static func text(_ path: String) -> String {
        String(decoding: (try? SmallFile.read(path, limit: 1 << 28)) ?? [], as: UTF8.self)
    }
}
