import Testing

/// What the compiler cannot see.
struct SourceTests {
    private let sources = Repository.files("Sources", ".swift")

    @Test func `I-9: the core imports nothing that does IO`() {
        let allowed: Set<Substring> = ["CCrypto", "Glibc", "Synchronization"]
        let core = sources.filter { $0.path.hasPrefix("Sources/ForwarderCore/") }
        #expect(core.count > 40)
        // What Glibc is there for: comparing memory and reading addresses.
        let forbidden = [
            "clock_gettime", "gettimeofday", "time(nil)", "open(", "fopen", "socket(", "getenv", "pthread_", "usleep",
            ".random(in: .min", "SystemRandomNumberGenerator", "Task {", "async ", "actor ",
        ]
        for file in core {
            for line in file.lines {
                if line.hasPrefix("import ") {
                    #expect(allowed.contains(line.dropFirst(7)), "\(file.path): \(line)")
                }
                let code = line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false)[0]
                for word in forbidden where code.contains(word) {
                    // Methods of the core's own may be called open.
                    if word == "open(",
                        code.contains("func open(") || code.contains(" open(") || code.contains(".open(")
                    {
                        continue
                    }
                    Issue.record("\(file.path): \(word)")
                }
            }
        }
    }

    @Test func `Foundation is imported nowhere`() {
        for file in sources where file.text.contains("import Foundation") { Issue.record("\(file.path)") }
    }

    @Test func `wrappers import no other wrapper`() {
        let wrappers = ["KafkaClient", "DeliveryStore", "HTTPClient", "HTTPServer", "ConfigFile"]
        for wrapper in wrappers {
            for file in sources where file.path.hasPrefix("Sources/\(wrapper)/") {
                for other in wrappers where other != wrapper && file.text.contains("import \(other)\n") {
                    Issue.record("\(file.path) imports \(other)")
                }
            }
        }
    }

    @Test func `no file is longer than a newcomer reads`() {
        for file in sources where file.lines.count > 400 { Issue.record("\(file.path): \(file.lines.count) lines") }
    }

    @Test func `nothing ends the process because of data`() {
        for file in sources {
            for word in ["try!", "fatalError(", " as! "] where file.text.contains(word) {
                Issue.record("\(file.path): \(word)")
            }
        }
    }

    @Test func `every @unchecked Sendable is known and gives its reason`() {
        let known: Set<String> = [
            "Sources/ForwarderCore/Basics/ByteBuffer.swift", "Sources/ForwarderCore/Basics/NameTable.swift",
            "Sources/Forwarder/Threads/Reply.swift", "Sources/HTTPClient/HTTPWaker.swift",
            "Sources/MockKafka/MockCluster.swift",
        ]
        let found = sources.filter { file in
            file.lines.contains { $0.contains("@unchecked Sendable") && !$0.contains("//") }
        }
        #expect(Set(found.map(\.path)).isSubset(of: known), "\(Set(found.map(\.path)).subtracting(known))")
        for file in found { #expect(file.text.contains("@unchecked: "), "\(file.path) gives no reason") }
    }

    @Test func `nothing is left to be done later without saying so elsewhere`() {
        for file in sources {
            for word in ["TODO", "FIXME", "HACK"] where file.text.contains(word) {
                Issue.record("\(file.path): \(word)")
            }
        }
    }
}
