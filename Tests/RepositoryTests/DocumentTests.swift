import Forwarder
import ForwarderCore
import Testing

struct DocumentTests {
    private let documents = Repository.files("", ".md")

    @Test func `every link of a document leads somewhere`() {
        #expect(documents.count >= 9)
        for document in documents {
            let folder =
                document.path.contains("/") ? String(document.path[..<document.path.lastIndex(of: "/")!]) + "/" : ""
            for part in document.text.split(separator: "](").dropFirst() {
                let target = part.prefix { $0 != ")" && $0 != "#" }
                if target.isEmpty || target.hasPrefix("http") || target.contains(" ") { continue }
                #expect(Repository.exists(folder + target), "\(document.path) links to \(target)")
            }
        }
    }

    @Test func `each invariant of the architecture is named by a test`() {
        let architecture = Repository.read("ARCHITECTURE.md")
        let tests = Repository.files("Tests", ".swift").map(\.text).joined()
        let invariants = architecture.split(separator: "\n").compactMap { line -> Substring? in
            guard line.hasPrefix("- **I-") else { return nil }
            return line.dropFirst(4).prefix { $0 != "*" }
        }
        #expect(invariants.count >= 10)
        for invariant in invariants {
            let isNamed = tests.contains("func `\(invariant): ")
            #expect(isNamed, "no test is named after \(invariant)")
        }
    }

    @Test func `each test that the architecture calls as a witness exists`() {
        let tests = Repository.files("Tests", ".swift").map(\.text).joined()
        let names = Repository.read("ARCHITECTURE.md").split(separator: "“").dropFirst().map { $0.prefix { $0 != "”" } }
        #expect(names.count > 20)
        for name in names { #expect(tests.contains("func `\(name)`"), "there is no test “\(name)”") }
    }

    @Test func `the changelog knows this version`() {
        #expect(Repository.read("CHANGELOG.md").contains("## \(Version.text) "))
    }

    @Test func `the README names every command`() {
        let readme = Repository.read("README.md")
        for command in Command.all { #expect(readme.contains("`\(command.name)`"), "\(command.name)") }
    }

    @Test func `the architecture names files that exist`() {
        let sources = Repository.files("Sources", ".swift").map(\.path)
        for part in Repository.read("ARCHITECTURE.md").split(separator: "`")
        where part.hasSuffix(".swift") && part.contains("/") {
            #expect(sources.contains { $0.hasSuffix("/" + part) }, "\(part)")
        }
    }

    @Test func `what documents tell to type is there`() {
        let program = "conversion-forwarder "
        var found = 0
        for document in documents {
            for line in document.text.split(separator: "\n") {
                for part in line.split(separator: "`") {
                    // A command line, not the program's name within a sentence or a path.
                    guard part.hasPrefix(program) else { continue }
                    let typed = part.split(separator: "#")[0].split(separator: " ").dropFirst().map(String.init)
                    guard let name = typed.first, !name.hasPrefix("-") else { continue }
                    found += 1
                    let command = Command.all.first { $0.name == name }
                    #expect(command != nil, "\(document.path): there is no command \(name)")
                    // The destinations' names in every example.
                    for word in typed.dropFirst() where !["capi", "offline"].contains(word) {
                        let isKnown = command?.help.contains(word) ?? false
                        if word.hasPrefix("--") || word.allSatisfy({ $0.isLowercase }) {
                            #expect(isKnown, "\(document.path): \(name) knows no \(word)")
                        }
                    }
                }
            }
        }
        #expect(found > 15)
    }

    @Test func `the architecture names types that exist`() {
        let sources = Repository.files("Sources", ".swift")
        let text = sources.map(\.text).joined()
        // What stands between fences is a picture.
        let prose = Repository.read("ARCHITECTURE.md").split(separator: "```").enumerated().filter { $0.0 % 2 == 0 }
        var found = 0
        for part in prose.flatMap({ $0.1.split(separator: "`").enumerated().filter { $0.0 % 2 == 1 }.map(\.1) }) {
            guard let first = part.first, first.isUppercase, !part.contains(" "), !part.contains("/") else { continue }
            let isFile = sources.contains { $0.path.hasSuffix("/\(part).swift") }
            if part.hasSuffix(".swift") || part.contains("-") { continue }
            found += 1
            #expect(isFile || text.contains(" \(part) ") || text.contains(" \(part):"), "\(part)")
        }
        #expect(found > 8)
    }

    /// Words in backticks of the form `noun.past_verb` are events of the log, unless they are files or keys.
    @Test func `runbooks name only events that the daemon logs`() {
        let names = Set(SignalName.allCases.map(\.rawValue))
        #expect(names.count > 40)
        for runbook in Repository.files("runbooks", ".md") {
            for part in runbook.text.split(separator: "`") {
                let words = part.split(separator: ".")
                guard words.count == 2, words.allSatisfy({ $0.allSatisfy { $0.isLowercase || $0 == "_" } }) else {
                    continue
                }
                let isKey =
                    [
                        "queue", "retry", "state", "shutdown", "batch", "buffer", "oauth", "log", "admin", "kafka",
                        "http", "input",
                    ]
                    .contains(String(words[0])) && !names.contains(String(part))
                #expect(
                    isKey || names.contains(String(part)) || part.hasSuffix(".sqlite") || part.hasSuffix(".sock"),
                    "\(runbook.path): \(part)")
            }
        }
    }
}
