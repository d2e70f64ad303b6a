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
               forwarder-trial --throughput [--brokers HOST:PORT] [--topic NAME] [--offline] [options]

        The second form publishes everything first, then measures how fast the daemon empties the topic into a sink;
        without --brokers from a mock Kafka in this process.

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
        if let throughput = options.throughput { return try measure(throughput) }
        let report = try options.trial.run { StandardOutput.write($0) }
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

    private static func measure(_ trial: ThroughputTrial) throws -> Int32 {
        let report = try trial.run()
        func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }
        StandardOutput.write(
            """
            \(report.records) records in \(rounded(report.seconds)) s: \(Int(Double(report.records) / report.seconds)) events/s, \
            CPU \(rounded(report.userMicroseconds + report.systemMicroseconds)) us an event \
            (user \(rounded(report.userMicroseconds)), system \(rounded(report.systemMicroseconds))), \
            peak \(report.peakMegabytes) MiB, unaccounted \(report.unaccounted)
            """)
        return report.unaccounted == 0 ? ExitCode.done : ExitCode.failure
    }
}
