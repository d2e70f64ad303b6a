import Forwarder
import ForwarderCore
import ForwarderHarness

extension Command {
    static let demo = Command(
        name: "demo", summary: "the whole thing on this machine: a Kafka, a Microsoft, a shop",
        help: """
            Usage: conversion-forwarder demo [--events N] [--rate R] [--faults none|mixed] [--seed S] [--json] [--keep]

            Starts a mock Kafka and a fake Microsoft on loopback, lets a make-believe shop publish events, runs the real
            daemon in between as a process of its own, and adds everything up at the end. Nothing leaves this machine.
            Exit code 1 if the sums do not agree.

              --events N      how many records the shop publishes (default 20000)
              --rate R        how many a second (default 4000)
              --faults KIND   mixed: Microsoft throttles, fails, answers in part, drops connections (default none)
              --seed S        everything that is left to chance (default 1)
              --json          one line of JSON at the end and nothing else
              --keep          leave the demo's directory behind, with configuration, state and log
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words, options: ["--events", "--rate", "--faults", "--seed"], flags: ["--json", "--keep"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        let faults = arguments.value("--faults") ?? "none"
        guard ["none", "mixed"].contains(faults) else { throw Arguments.Wrong("--faults is none or mixed") }
        let demo = Demo(
            events: try arguments.number("--events", in: 1...1_000_000, default: 20_000),
            rate: try arguments.number("--rate", in: 1...20_000, default: 4000), hasFaults: faults == "mixed",
            seed: UInt64(try arguments.number("--seed", in: 0...(.max), default: 1)),
            isQuiet: arguments.has("--json"), keepsDirectory: arguments.has("--keep"))
        do throws(HarnessFailure) {
            let summary = try demo.run()
            if arguments.has("--json") {
                StandardOutput.write(line: summary.json)
            } else {
                StandardOutput.write(summary.text)
            }
            return summary.isBalanced ? ExitCode.done : ExitCode.failure
        } catch {
            StandardError.write("demo: \(error.reason)")
            return ExitCode.failure
        }
    }
}
