import FakeMicrosoft
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// Two daemons of one group, each with a state directory of its own.
struct RebalanceTests {
    private static let partitions: Int32 = 4

    /// Publishes to all partitions in turn and knows the offset of each event.
    private final class Traffic {
        private let stage: Stage
        /// By partition, in the order of offsets.
        private(set) var ids: [[String]] = Array(repeating: [], count: Int(partitions))

        init(_ stage: Stage) {
            self.stage = stage
        }

        var all: [String] { ids.flatMap { $0 } }

        func publish(_ count: Int) throws {
            for partition in 0..<Int(partitions) {
                let first = ids[partition].count
                let more = (first..<first + count / Int(partitions)).map { "p\(partition)-\($0)" }
                ids[partition] += more
                try stage.publish(more.map { Shop.purchase($0) }, partition: Int32(partition))
            }
        }

        /// I-1: what is committed has been accepted. (Nothing has gone to disk: buffers may be old.)
        func checkCommits() throws {
            let committed = try stage.committed()
            for (partition, offset) in committed {
                let covered = Array(ids[Int(partition)].prefix(Int(offset)))
                try requireEqual(stage.missing(covered), [], "committed and not delivered, partition \(partition)")
            }
        }
    }

    private static func stage() throws -> Stage {
        let stage = try Stage(
            partitions: partitions, plan: FaultPlan([.init(.slow(.milliseconds(1500)), targets: .events)]),
            hasOffline: false)
        stage.settings.capi = [
            "batch: {linger: 50ms, max_events: 10}", "concurrency: 2", "buffer: {max_age: 10m}",
        ]
        return stage
    }

    private static func isReading(_ directory: DaemonDirectory, partitions: Int) -> Bool {
        directory.status()?["assignments"]?.elements?.count == partitions
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-1: a member that joins in the middle of slow requests and leaves again loses nothing`() async throws {
        try await onThread {
            let stage = try RebalanceTests.stage()
            let traffic = Traffic(stage)
            let first = try stage.start()
            try traffic.publish(120)
            try eventually("requests in flight") { stage.number("capi", "attempts") >= 20 }
            let directory = try DaemonDirectory()
            defer { directory.remove() }
            var second = try stage.launch(in: directory)
            while !RebalanceTests.isReading(directory, partitions: 2) {
                try traffic.checkCommits()
                try traffic.publish(8)
            }
            try eventually("the first to give two away") {
                RebalanceTests.isReading(stage.directory, partitions: 2)
            }
            try stage.said("partitions.revoked")
            try require(stage.number("capi", "released") > 0, "nothing was in flight when partitions were taken away")
            for _ in 0..<5 {
                try traffic.publish(20)
                try traffic.checkCommits()
            }
            try eventually("requests of the second") {
                stage.destination("capi", in: directory)?["attempts"]?.integer ?? 0 > 0
            }
            try second.stop()
            try eventually("the first to have them all") { RebalanceTests.isReading(stage.directory, partitions: 4) }
            stage.follow(.none)
            try first.waitUntilSettled(.seconds(30))
            // What the second wrote down at its end it delivers when it comes back.
            second = try stage.launch(in: directory)
            try eventually("it to be up") { directory.status() != nil }
            try eventually("everything to arrive") { stage.missing(traffic.all).isEmpty }
            try traffic.checkCommits()
            try second.stop()
            try first.stop()
            try requireEqual(try stage.committedTotal(), Int64(traffic.all.count), "committed")
            try require(LogCheck.problems(directory).isEmpty, "\(LogCheck.problems(directory).prefix(3))")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a member without a file descriptor to spare lives through a rebalance`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let first = try stage.start()
            try stage.publish([Shop.purchase("spare-1")])
            try eventually("it to arrive") { stage.missing(["spare-1"]).isEmpty }
            func limit(_ descriptors: Int) throws {
                let process = try ChildProcess(
                    "/usr/bin/prlimit", ["--pid", "\(first.id)", "--nofile=\(descriptors):"], environment: [])
                try requireEqual(process.exitCode(timeout: .seconds(5)), 0, "prlimit")
            }
            try limit(3)
            let directory = try DaemonDirectory()
            defer { directory.remove() }
            let second = try stage.launch(in: directory)
            try eventually("the second to have its share") { RebalanceTests.isReading(directory, partitions: 2) }
            try second.stop()
            try eventually("the first to be given all of them again") {
                try requireEqual(first.exitCode(timeout: .zero), nil, "exit code")
                let given = stage.directory.logLines("partitions.assigned").compactMap { $0["partitions"]?.elements }
                return given.count >= 2 && given.last?.isEmpty == false
            }
            try limit(1024)
            let ids = Shop.ids("spare", 2..<40)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try first.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a member that is killed leaves nothing undone`() async throws {
        try await onThread {
            let stage = try RebalanceTests.stage()
            let traffic = Traffic(stage)
            let first = try stage.start()
            let directory = try DaemonDirectory()
            defer { directory.remove() }
            let second = try stage.launch(in: directory)
            try eventually("two and two") {
                RebalanceTests.isReading(stage.directory, partitions: 2)
                    && RebalanceTests.isReading(directory, partitions: 2)
            }
            try traffic.publish(200)
            try eventually("requests of both") {
                stage.number("capi", "attempts") > 0
                    && stage.destination("capi", in: directory)?["attempts"]?.integer ?? 0 > 0
            }
            second.kill()
            stage.follow(.none)
            try eventually("the first to have them all", within: .seconds(30)) {
                try traffic.checkCommits()
                return RebalanceTests.isReading(stage.directory, partitions: 4)
            }
            try eventually("everything to arrive") { stage.missing(traffic.all).isEmpty }
            try first.waitUntilSettled(.seconds(20))
            try first.stop()
            try requireEqual(try stage.committedTotal(), Int64(traffic.all.count), "committed")
            try stage.finish()
        }
    }
}
