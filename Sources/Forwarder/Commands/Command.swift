import Glibc

/// One command of the command line.
public struct Command: Sendable {
    public var name: String
    /// Half a line for the list of commands.
    public var summary: String
    /// What `--help` shows.
    public var help: String
    public var run: @Sendable ([String]) throws(Arguments.Wrong) -> Int32

    public init(
        name: String, summary: String, help: String,
        run: @escaping @Sendable ([String]) throws(Arguments.Wrong) -> Int32
    ) {
        self.name = name
        self.summary = summary
        self.help = help
        self.run = run
    }

    static let configurationOption = "--config"
    static let defaultConfiguration = "/etc/conversion-forwarder/config.yaml"
    static let commonHelp = """
          --config FILE   the configuration (default \(defaultConfiguration))
          --json          print JSON instead of text
          --help          this text
        """

    /// Everything but `demo`, which brings a Kafka and a Microsoft of its own.
    public static let all: [Command] = [
        .run, .check, .explain, .auth, .accounts, .sendTest, .status, .deliveries, .verdicts, .queue, .deadLetters,
        .rejects, .erase, .destinations,
        .rewind, .pixels, .version,
    ]
}

/// Chooses the command and runs it.
public enum CommandLineProgram {
    public static func run(_ arguments: [String], commands: [Command]) -> Int32 {
        StandardDescriptors.reserve()
        // Tokens are in memory.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        guard let name = arguments.first, !["--help", "-h", "help"].contains(name) else {
            StandardOutput.write(overview(commands))
            return arguments.isEmpty ? ExitCode.usage : ExitCode.done
        }
        if name == "--version" { return run(["version"] + arguments.dropFirst(), commands: commands) }
        guard let command = commands.first(where: { $0.name == name }) else {
            StandardError.write("unknown command \(name); `conversion-forwarder --help` lists what there is")
            return ExitCode.usage
        }
        let rest = Array(arguments.dropFirst())
        if rest.contains("--help") || rest.contains("-h") {
            StandardOutput.write(command.help)
            return ExitCode.done
        }
        do throws(Arguments.Wrong) {
            return try command.run(rest)
        } catch {
            StandardError.write("\(name): \(error.text)\n`conversion-forwarder \(name) --help` says more")
            return ExitCode.usage
        }
    }

    private static func overview(_ commands: [Command]) -> String {
        let width = commands.map(\.name.count).max() ?? 0
        let list = commands.map { command in
            "  \(command.name)\(String(repeating: " ", count: width - command.name.count))  \(command.summary)"
        }
        return """
            conversion-forwarder \(Version.text): storefront events from Kafka to Microsoft Advertising

            Usage: conversion-forwarder COMMAND [--config FILE] [--json] [options]

            \(list.joined(separator: "\n"))

            `conversion-forwarder COMMAND --help` explains a command. Exit codes: 0 done, 1 what was checked or asked
            for is not well, 2 wrong usage or configuration.
            """
    }
}
