import ForwarderHarness
import ScenarioKit

/// Has calls that a daemon makes of its libraries and of the system fail, by Tests/Faults/faults.c, which is built here and
/// preloaded into it.
final class FailingCalls {
    private let directory: DaemonDirectory
    private var expected: [String: Int] = [:]
    private var earlier: [String: Int] = [:]

    init(_ directory: DaemonDirectory) throws {
        self.directory = directory
        let sources = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        let source = sources.joined(separator: "/") + "/Faults/faults.c"
        let compiler = try ChildProcess(
            "/usr/bin/env", ["cc", "-shared", "-fPIC", "-O1", "-o", library, source],
            environment: DaemonProcess.environment)
        try requireEqual(compiler.exitCode(timeout: .seconds(60)), 0, "exit code of the compiler")
        try set()
    }

    private var library: String { "\(directory.path)/faults.so" }

    /// For the daemon.
    var environment: [String] {
        ["FORWARDER_FAIL=\(directory.path)/fail", FailingCalls.preload(library)]
    }

    /// A sanitizer has a library of its own to be preloaded.
    static func preload(_ library: String) -> String {
        let others = DaemonProcess.environment.first { $0.hasPrefix("LD_PRELOAD=") }?.dropFirst(11) ?? ""
        return "LD_PRELOAD=\(library)" + (others.isEmpty ? "" : ":\(others)")
    }

    /// Counting begins anew, and these fail: each `FUNCTION FIRST [LAST [ERROR]]`.
    func set(_ rules: String...) throws {
        try set(rules)
    }

    func set(_ rules: [String]) throws {
        earlier = failures
        expected = [:]
        for rule in rules {
            let words = rule.split(separator: " ")
            let function = String(words[0].prefix { $0 != "@" })
            guard let first = Int(words[1]) else { throw Disappointment("no rule: \(rule)") }
            expected[function, default: 0] += (words.count > 2 ? Int(words[2]) ?? first : first) - first + 1
        }
        try directory.write(rules.joined(separator: "\n") + "\n", to: "fail")
    }

    /// Everything has failed that the rules say.
    var haveAllFailed: Bool {
        expected.allSatisfy { failed($0.key) >= $0.value }
    }

    /// How often a function has been made to fail since the rules were set.
    func failed(_ function: String) -> Int {
        failures[function, default: 0] - earlier[function, default: 0]
    }

    /// Waits until everything has failed that the rules say.
    func waitUntilFailed(line: Int = #line, file: String = #fileID) throws {
        for (function, count) in expected {
            try eventually("\(count) calls of \(function) to fail", line: line, file: file) {
                failed(function) >= count
            }
        }
    }

    /// All of them, by function.
    private var failures: [String: Int] {
        var counts: [String: Int] = [:]
        for line in directory.errorLines() where line.hasPrefix("made to fail: ") {
            counts[String(line.dropFirst(14).prefix { $0 != "," }), default: 0] += 1
        }
        return counts
    }
}

/// A daemon whose calls fail, between a Kafka and a Microsoft, and what was published to it.
final class FailingScene {
    static let partitions: Int32 = 4

    let stage: Stage
    let calls: FailingCalls
    /// By partition, in the order of offsets.
    private var ids: [[String]] = Array(repeating: [], count: Int(partitions))

    init(hasOffline: Bool = false, strategy: String = "cooperative-sticky") throws {
        stage = try Stage(partitions: FailingScene.partitions, hasOffline: hasOffline)
        stage.settings.kafka = [
            "commit_interval: 100ms",
            """
            properties: {session.timeout.ms: 3000, heartbeat.interval.ms: 500, \
            partition.assignment.strategy: "\(strategy)"}
            """,
        ]
        calls = try FailingCalls(stage.directory)
    }

    func launch() throws -> DaemonProcess {
        try stage.launch(environment: calls.environment)
    }

    func start() throws -> DaemonProcess {
        try stage.start(environment: calls.environment)
    }

    /// As many purchases, to all partitions in turn.
    func publish(_ count: Int = 8) throws {
        for partition in 0..<Int(FailingScene.partitions) {
            let first = ids[partition].count
            let more = Shop.ids("p\(partition)", first..<first + count / Int(FailingScene.partitions))
            ids[partition] += more
            try stage.publish(more.map { Shop.purchase($0) }, partition: Int32(partition))
        }
    }

    var published: [String] { ids.flatMap { $0 } }

    /// Waits until Microsoft has everything.
    func arrive(line: Int = #line, file: String = #fileID) throws {
        try eventually("everything to arrive; log: \(stage.directory.log)", line: line, file: file) {
            stage.missing(published).isEmpty
                && (!stage.settings.hasOffline || stage.acceptedOffline >= published.count)
        }
    }

    /// Waits until everything is committed.
    func commit(line: Int = #line, file: String = #fileID) throws {
        try eventually("everything to be committed; log: \(stage.directory.log)", line: line, file: file) {
            try stage.committedTotal() == Int64(published.count)
        }
    }

    /// I-1, where nothing has gone to disk: what is committed has been accepted.
    func checkCommits(line: Int = #line, file: String = #fileID) throws {
        for (partition, offset) in try stage.committed() {
            let covered = Array(ids[Int(partition)].prefix(Int(offset)))
            try requireEqual(stage.missing(covered), [], "committed and not delivered", line: line, file: file)
        }
    }

    /// A daemon whose calls do not fail puts everything right.
    func finish(_ running: DaemonProcess? = nil, kills: Int = 0, line: Int = #line, file: String = #fileID) throws {
        try calls.set()
        let daemon = try running ?? start()
        try publish()
        try arrive(line: line, file: file)
        try commit(line: line, file: file)
        try daemon.waitUntilSettled()
        try daemon.stop()
        try stage.finish(kills: kills)
    }
}
