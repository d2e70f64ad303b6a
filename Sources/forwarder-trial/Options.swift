import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc

/// Which trial the command line asks for.
enum Options {
    case kill(KillTrial)
    case chaos(Chaos)
    case soak(SoakTrial)

    struct Chaos {
        var binary: String
        var plan: ChaosPlan
        var kafka: (brokers: String, topic: String)?
        var clock: String?
        var showsPlan: Bool
    }

    init(_ words: [String]) throws(Arguments.Wrong) {
        var properties: [String] = []
        var producer: [(name: String, value: String)] = []
        var rest: [String] = []
        var index = 0
        while index < words.count {
            if ["--property", "--producer"].contains(words[index]), index + 1 < words.count {
                let parts = words[index + 1].split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw Arguments.Wrong("\(words[index]) takes NAME=VALUE") }
                if words[index] == "--property" {
                    properties.append("\(parts[0]): \"\(parts[1])\"")
                } else {
                    producer.append((parts[0], parts[1]))
                }
                index += 2
            } else {
                rest.append(words[index])
                index += 1
            }
        }
        let arguments = try Arguments(
            rest,
            options: [
                "--brokers", "--topic", "--binary", "--records", "--rate", "--seed", "--kill-at", "--faults",
                "--seconds", "--clock",
            ],
            flags: ["--chaos", "--plan", "--soak"])
        let binary = arguments.value("--binary") ?? OwnProgram.besides("conversion-forwarder")
        if arguments.has("--soak") {
            self = .soak(
                SoakTrial(
                    binary: binary, seconds: try arguments.number("--seconds", in: 8...86_400, default: 360),
                    rate: try arguments.number("--rate", in: 10...100_000, default: 10_000)))
        } else if arguments.has("--chaos") {
            let seconds = try arguments.number("--seconds", in: 3...86_400, default: 40)
            self = .chaos(
                Chaos(
                    binary: binary,
                    plan: ChaosPlan(seed: try Options.seed(arguments), length: .seconds(seconds)),
                    kafka: arguments.value("--brokers").map { ($0, arguments.value("--topic") ?? "chaos") },
                    clock: arguments.value("--clock"), showsPlan: arguments.has("--plan")))
        } else {
            self = .kill(try Options.killTrial(arguments, binary, properties, producer))
        }
    }

    private static func killTrial(
        _ arguments: Arguments, _ binary: String, _ properties: [String], _ producer: [(name: String, value: String)]
    ) throws(Arguments.Wrong) -> KillTrial {
        guard let brokers = arguments.value("--brokers"), let topic = arguments.value("--topic") else {
            throw Arguments.Wrong("--brokers and --topic are needed")
        }
        var trial = KillTrial(
            binary: binary, brokers: brokers, topic: topic,
            records: try arguments.number("--records", in: 1...100_000_000, default: 200_000),
            seed: try seed(arguments))
        if arguments.value("--rate") != nil {
            trial.rate = try arguments.number("--rate", in: 1...10_000_000, default: 1)
        }
        switch arguments.value("--kill-at") {
        case nil: break
        case "none"?: trial.killAt = nil
        case let text?:
            guard let share = Double(text), 0...1 ~= share else {
                throw Arguments.Wrong("--kill-at takes 0 to 1, or none")
            }
            trial.killAt = share
        }
        switch arguments.value("--faults") {
        case nil, "none"?: break
        case "mixed"?: trial.plan = .mixed(seed: trial.seed, length: .seconds(20))
        case _?: throw Arguments.Wrong("--faults takes none or mixed")
        }
        if !properties.isEmpty { trial.kafka = ["properties:"] + properties.map { "  " + $0 } }
        trial.producer = producer
        return trial
    }

    private static func seed(_ arguments: Arguments) throws(Arguments.Wrong) -> UInt64 {
        UInt64(try arguments.number("--seed", in: 0...(.max), default: 1))
    }
}
