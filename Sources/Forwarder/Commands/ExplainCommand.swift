import ForwarderCore
import Glibc

extension Command {
    static let explain = Command(
        name: "explain", summary: "dry run: what each destination would be sent of an event, or why not",
        help: """
            Usage: conversion-forwarder explain [FILE or -] [--config FILE] [--now UNIXSECONDS] [--json]

            Reads events (one JSON object a line, or one JSON array or object; from standard input if no file is given) and
            says for each what would become of it at
            each destination: the request, the fields that would be left out, or why nothing would be sent. Nothing is
            sent and no secret is read.

              --now SECONDS   judge the age of events as of this time
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(words, options: [configurationOption, "--now"], flags: ["--json"])
        guard arguments.words.count <= 1 else { throw Arguments.Wrong("takes one file") }
        let now = try arguments.number("--now", in: 0...99_999_999_999, default: Int(SystemClock.now.wall.seconds))
        let path = arguments.value(configurationOption) ?? defaultConfiguration
        let configuration: Configuration
        do throws(ConfigurationLoading.Refused) {
            configuration = try ConfigurationLoading.load(path).configuration
        } catch {
            for problem in error.problems { StandardError.write(problem) }
            return ExitCode.usage
        }
        let file = arguments.words.first ?? "-"
        let input: [UInt8]
        do throws(SmallFile.Failure) {
            input = try SmallFile.read(file == "-" ? "/dev/stdin" : file, limit: 1 << 30)
        } catch {
            throw Arguments.Wrong("\(file): \(error.reason)")
        }
        let explainer = Explainer(configuration, now: Timestamp(seconds: Int64(now)))
        for event in Explainer.events(in: input) {
            let explanation = explainer.explain(event)
            if arguments.has("--json") {
                StandardOutput.write(line: explanation.json)
            } else {
                StandardOutput.write(explanation.text)
            }
        }
        return ExitCode.done
    }
}
