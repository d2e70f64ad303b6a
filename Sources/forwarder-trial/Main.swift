import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc

/// Plays a whole life of the daemon against a given Kafka: publish, kill -9 in the middle, go on, compare with what the
/// judging Microsoft has. `make broker-run` plays it against a real broker.
@main
struct Main {
    static let help = """
        Usage: forwarder-trial --brokers HOST:PORT --topic NAME [options]
               forwarder-trial --chaos [--brokers HOST:PORT --topic NAME] [--seed S] [--seconds N] [--clock FILE]
               forwarder-trial --soak [--seconds N] [--rate R]

        The second form lets everything go wrong for N seconds (default 40), by a plan made from the seed, and judges what
        became of every event; --clock is the library that sets the daemons' clocks, --plan shows the plan alone. `make
        chaos` plays it. The third publishes R events a second (default 10000) for N seconds (default 360), most of them
        with the second destination dead, and watches memory, file descriptors and the other's latency. `make soak` plays
        it.

          --binary FILE     the daemon (default: conversion-forwarder beside this program)
          --records N       how many records the shop publishes (default 200000)
          --rate R          how many a second (default: as fast as it goes)
          --seed S          everything that is left to chance (default 1)
          --kill-at SHARE   kill the daemon after this share of the records; none: not at all (default 0.5)
          --faults KIND     none or mixed: what Microsoft does (default none)
          --property N=V    a librdkafka property of the daemon; may be repeated
          --producer N=V    a librdkafka property of the publisher; may be repeated
        """

    static func main() {
        do {
            let arguments = try Options(Array(CommandLine.arguments.dropFirst()))
            exit(try run(arguments))
        } catch let wrong as Arguments.Wrong {
            StandardError.write("forwarder-trial: \(wrong.text)\n\n\(help)")
            exit(ExitCode.usage)
        } catch {
            StandardError.write("forwarder-trial: \(error)")
            exit(ExitCode.failure)
        }
    }

    private static func run(_ options: Options) throws -> Int32 {
        switch options {
        case .soak(let trial): return try soak(trial)
        case .chaos(let chaos): return try play(chaos)
        case .kill(let trial): return try kill(trial)
        }
    }

    private static func soak(_ trial: SoakTrial) throws -> Int32 {
        let report = try trial.run { StandardOutput.write($0) }
        StandardOutput.write(report.text)
        return report.unaccounted == 0 ? ExitCode.done : ExitCode.failure
    }

    private static func kill(_ trial: KillTrial) throws -> Int32 {
        let report = try trial.run { StandardOutput.write($0) }
        let rate = Int(Double(report.records) / report.secondsPublishing)
        StandardOutput.write(
            """
            published:       \(report.records) records in \(report.secondsPublishing) s (\(rate) a second)
            settled after:   \(report.secondsAfterKill) s
            CAPI:            \(report.accepted) accepted, \(report.repeats) repeats recognised
            offline:         \(report.acceptedOffline) accepted
            unaccounted:     \(report.unaccounted)
            differences:     \(report.differences.isEmpty ? "none" : report.differences.joined(separator: "; "))
            """)
        StandardOutput.write(report.isGood ? "The books balance." : "The books do NOT balance.")
        return report.isGood ? ExitCode.done : ExitCode.failure
    }

    private static func play(_ chaos: Options.Chaos) throws -> Int32 {
        if chaos.showsPlan {
            StandardOutput.write("\(chaos.plan)")
            return ExitCode.done
        }
        Interruption.watch()
        let report = try ChaosTrial(
            binary: chaos.binary, plan: chaos.plan, kafka: chaos.kafka, clockLibrary: chaos.clock
        ).run()
        if let signal = Interruption.signal {
            StandardError.write("forwarder-trial: given up, signal \(signal)")
            return 128 + signal
        }
        for left in report.leftOut { StandardOutput.write("left out: \(left)") }
        if report.isGood {
            StandardOutput.write("seed \(chaos.plan.seed): \(report.line)")
            return ExitCode.done
        }
        StandardOutput.write("\(chaos.plan)\n\(report.line)")
        for difference in report.differences.prefix(20) { StandardOutput.write("WRONG: \(difference)") }
        StandardOutput.write(
            "seed \(chaos.plan.seed): \(report.differences.count) differences; left behind: \(report.directory)")
        return ExitCode.failure
    }
}
