import ForwarderCore
import Glibc

extension Command {
    static let run = Command(
        name: "run", summary: "the daemon",
        help: """
            Usage: conversion-forwarder run [--config FILE]

            Reads events from Kafka and delivers them until it is told to stop. One JSON object per line goes to standard
            output.

              SIGTERM, SIGINT   finish what is in flight within shutdown.grace, commit, leave the group, exit 0;
                                a second one ends it at once (exit 1), and nothing is lost
              SIGHUP            read the configuration anew; a bad one is reported and the old one stays

            Exit codes: 0 stopped as told, 1 it could not go on (starting again may help), 2 wrong configuration
            (starting again does not).

              --config FILE   the configuration (default \(defaultConfiguration))
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(words, options: [configurationOption], flags: [])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes no words: \(arguments.words[0])") }
        // Not exit(): a thread that could not be ended in time may be inside a library that exit() takes down under it.
        _exit(Daemon.run(configurationPath: arguments.value(configurationOption) ?? defaultConfiguration))
    }

    static let version = Command(
        name: "version", summary: "what this is",
        help: """
            Usage: conversion-forwarder version [--json]

            Prints the version of this program and of librdkafka, which is loaded when it starts.
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(words, options: [configurationOption], flags: ["--json"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.object {
                $0.member("version", Version.text)
                $0.member("libraries", Version.libraries)
            }
            StandardOutput.write(line: writer.bytes)
        } else {
            StandardOutput.write("conversion-forwarder \(Version.text) (\(Version.libraries))")
        }
        return ExitCode.done
    }
}
