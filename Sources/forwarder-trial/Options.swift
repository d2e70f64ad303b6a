import FakeMicrosoft
import Forwarder
import ForwarderHarness
import Glibc

struct Options {
    var trial: KillTrial
    var throughput: ThroughputTrial?
    var chaos: Chaos?
    var soak: SoakTrial?

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
            flags: ["--throughput", "--offline", "--chaos", "--plan", "--soak"])
        if arguments.has("--throughput") {
            throughput = ThroughputTrial(
                binary: arguments.value("--binary") ?? Options.besides, brokers: arguments.value("--brokers"),
                topic: arguments.value("--topic") ?? "events",
                records: try arguments.number("--records", in: 1...100_000_000, default: 300_000),
                hasOffline: arguments.has("--offline"), seed: 1, properties: properties, producer: producer)
            trial = KillTrial(binary: "", brokers: "", topic: "", records: 0, seed: 0)
            return
        }
        if arguments.has("--soak") {
            soak = SoakTrial(
                binary: arguments.value("--binary") ?? Options.besides,
                seconds: try arguments.number("--seconds", in: 8...86_400, default: 360),
                rate: try arguments.number("--rate", in: 10...100_000, default: 10_000))
            trial = KillTrial(binary: "", brokers: "", topic: "", records: 0, seed: 0)
            return
        }
        if arguments.has("--chaos") {
            let kafka = arguments.value("--brokers").map { ($0, arguments.value("--topic") ?? "chaos") }
            let seconds = try arguments.number("--seconds", in: 3...86_400, default: 40)
            chaos = Chaos(
                binary: arguments.value("--binary") ?? Options.besides,
                plan: ChaosPlan(
                    seed: UInt64(try arguments.number("--seed", in: 0...(.max), default: 1)), length: .seconds(seconds)),
                kafka: kafka, clock: arguments.value("--clock"), showsPlan: arguments.has("--plan"))
            trial = KillTrial(binary: "", brokers: "", topic: "", records: 0, seed: 0)
            return
        }
        guard let brokers = arguments.value("--brokers"), let topic = arguments.value("--topic") else {
            throw Arguments.Wrong("--brokers and --topic are needed")
        }
        trial = KillTrial(
            binary: arguments.value("--binary") ?? Options.besides, brokers: brokers, topic: topic,
            records: try arguments.number("--records", in: 1...100_000_000, default: 200_000),
            seed: UInt64(try arguments.number("--seed", in: 0...(.max), default: 1)))
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
        if arguments.value("--faults") == "mixed" { trial.plan = .mixed(seed: trial.seed, length: .seconds(20)) }
        if !properties.isEmpty { trial.kafka = ["properties:"] + properties.map { "  " + $0 } }
        trial.producer = producer
    }

    private static var besides: String {
        var path = [CChar](repeating: 0, count: 4096)
        let length = max(0, readlink("/proc/self/exe", &path, path.count - 1))
        let own = String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (own.lastIndex(of: "/").map { String(own[...$0]) } ?? "") + "conversion-forwarder"
    }
}
