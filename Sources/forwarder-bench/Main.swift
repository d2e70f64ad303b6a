import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import KafkaClient

/// Measures what an event costs, stage by stage and as a whole. Release builds only: a debug build is fifteen times slower.
@main
struct Main {
    static let usage = """
        Usage: forwarder-bench [--instructions] [--untimed] [--recorded FILE] [--record FILE] [SECTION…]
               forwarder-bench --list
               forwarder-bench --count SECTION ROUNDS
               forwarder-bench length [DELIVERIES…]
               forwarder-bench end-to-end|peers|scale [option…]

        Without a section, runs all of them, five times each. --instructions has valgrind count the instructions of each as
        well, --untimed does nothing else. --recorded shows beside them what a file says that they were, --record writes
        such a file. --count runs one section for so many rounds and nothing else.

        `length` fills a queue, and measures what one more costs with so many in it (default 10000 1000000 5000000).

        The others measure the daemon as a process, between the topics of a broker that was started for it and a sink;
        `make bench-e2e`, `make bench-peers` and `make bench-scale` start one. The exit code is 1 if a run has no result.

          --brokers HOST:PORT
                            without it, end-to-end uses a mock Kafka in this process (up to 300000 records)
          --records N       how many are published (default 300000)
          --rounds N        how often everything is run (default 3)
          end-to-end:
          --seconds N       how long a run by the clock takes; 0: there are none (default 20)
          --only TEXT       only what has this in its name, and no runs by the clock
          --floor FILE      the program that does nothing but read, and send what it has read
          peers:
          --peers FILE      the list of the others
          --compare FILE    the program that compares what two of them have sent

        """

    static func main() {
        ProcessMemory.keepFreed()
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "--help", "-h": print(usage, terminator: "")
        case "--list": for section in Section.all { print("\(section.name.padded(to: 16)) \(section.summary)") }
        case "--count": count(arguments.dropFirst())
        case "length": measureLengths(arguments.dropFirst())
        case "end-to-end", "peers", "scale": runWhole(arguments.first ?? "", arguments.dropFirst())
        default: measure(arguments)
        }
    }

    private static func count(_ arguments: ArraySlice<String>) {
        guard arguments.count == 2, let name = arguments.first, let section = Section.named(name),
            let rounds = arguments.last.flatMap({ Int($0) }), rounds > 0
        else { refuse("--count takes a section and a number of rounds") }
        let work = section.prepare()
        work(rounds)
    }

    private static func measure(_ words: ArraySlice<String>) {
        attempt {
            let arguments = try Arguments(
                words, options: ["--recorded", "--record"], flags: ["--instructions", "--untimed"])
            var sections: [Section] = []
            for name in arguments.words {
                guard let section = Section.named(name) else {
                    throw Arguments.Wrong("there is no section \(name); see --list")
                }
                sections.append(section)
            }
            if sections.isEmpty { sections = Section.all }
            let isTimed = !arguments.has("--untimed")
            let isAsked = arguments.has("--instructions") || !isTimed
            let isCounted = isAsked && Instructions.canBeCounted
            guard arguments.value("--record") == nil || isCounted else {
                throw Arguments.Wrong("--record takes --instructions or --untimed, and an installed valgrind")
            }
            StandardOutput.write("\(Machine.summary)\n\(Machine.versions)")
            if isAsked, !isCounted {
                StandardOutput.write("instructions are left out: valgrind is not installed (apt-get install valgrind)")
            }
            let instructions = try Instructions(recorded: arguments.value("--recorded"))
            let isCompared = isCounted && !instructions.recorded.isEmpty
            StandardOutput.write(
                "section".padded(to: 17) + "unit".padded(to: 9) + (isTimed ? "CPU ns: min   median      max" : "")
                    + (isCounted ? " instructions" : "") + (isCompared ? "     recorded" : ""))
            var counts: [String: Int] = [:]
            for section in sections {
                var line = section.name.padded(to: 17) + section.unit.padded(to: 9)
                if isTimed { line += Measurement(section).columns + "  " }
                if isCounted {
                    let count = try instructions.count(section)
                    line += instructions.columns(section, count)
                    counts[section.name] = count
                }
                StandardOutput.write(line)
            }
            if let path = arguments.value("--record") {
                try Instructions(recorded: access(path, R_OK) == 0 ? path : nil).write(counts, to: path)
            }
            return true
        }
    }

    private static func measureLengths(_ words: ArraySlice<String>) {
        let lengths = words.map { word in
            guard let length = Int(word), length >= 1000 else { refuse("\(word) is no number from 1000 on") }
            return length
        }
        StandardOutput.write("\(Machine.summary)\n\(Machine.versions)")
        LengthBench(lengths: lengths.isEmpty ? [10_000, 1_000_000, 5_000_000] : lengths.sorted()) {
            StandardOutput.write($0)
        }.run()
    }

    private static func runWhole(_ what: String, _ words: ArraySlice<String>) {
        attempt {
            let own: [String] =
                switch what {
                case "peers": ["--peers", "--compare"]
                case "scale": []
                default: ["--seconds", "--floor", "--only"]
                }
            let arguments = try Arguments(words, options: ["--brokers", "--records", "--rounds"] + own, flags: [])
            let brokers = arguments.value("--brokers")
            guard brokers != nil || what == "end-to-end" else { throw Arguments.Wrong("--brokers is needed") }
            let most = brokers == nil ? Ground.mockRecords : 100_000_000
            let records = try arguments.number("--records", in: 1000...most, default: Ground.mockRecords)
            let rounds = try arguments.number("--rounds", in: 1...100, default: 3)
            let ground = try Ground(brokers: brokers, binary: OwnProgram.besides("conversion-forwarder"))
            StandardOutput.write("\(Machine.summary)\n\(Machine.versions)")
            let say: (String) -> Void = { StandardOutput.write($0) }
            switch what {
            case "peers":
                guard let list = arguments.value("--peers"), let comparer = arguments.value("--compare") else {
                    throw Arguments.Wrong("--peers and --compare are needed")
                }
                return try PeersBench(
                    ground: ground, peers: try PeersBench.peers(list), comparer: comparer, records: records,
                    rounds: rounds, say: say
                ).run()
            case "scale": return try ScaleBench(ground: ground, records: records, rounds: rounds, say: say).run()
            default:
                return try EndToEndBench(
                    ground: ground, floor: arguments.value("--floor"), records: records, rounds: rounds,
                    seconds: try arguments.number("--seconds", in: 0...3600, default: 20),
                    only: arguments.value("--only") ?? "", say: say
                ).run()
            }
        }
    }

    private static func attempt(_ body: () throws -> Bool) {
        do {
            if try !body() { exit(ExitCode.failure) }
        } catch let wrong as Arguments.Wrong {
            refuse(wrong.text)
        } catch {
            fail("\(error)")
        }
    }
}
