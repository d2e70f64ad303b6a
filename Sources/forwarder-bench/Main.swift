/// Measures what an event costs, stage by stage. Release builds only: a debug build is fifteen times slower.
@main
struct Main {
    static let usage = """
        Usage: forwarder-bench [--list] [SECTION…]
               forwarder-bench --count SECTION ROUNDS

        Without a section, runs all of them, five times each. --count runs one section for so many rounds and nothing
        else: run it with N and 2N rounds under `valgrind --tool=callgrind`; the difference is what N rounds cost, in
        instructions and to the last one.

        """

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "--help", "-h": print(usage, terminator: "")
        case "--list": for section in Section.all { print("\(section.name.padded(to: 16)) \(section.summary)") }
        case "--count": count(arguments.dropFirst())
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

    private static func measure(_ names: ArraySlice<String>) {
        var sections: [Section] = []
        for name in names {
            guard let section = Section.named(name) else { refuse("there is no section \(name); see --list") }
            sections.append(section)
        }
        print(Machine.summary)
        print("section           unit           min   median      max  ns of CPU time")
        for section in sections.isEmpty ? Section.all : sections { print(Measurement(section).line) }
    }
}
