import ForwarderCore
import Glibc
import Testing

@testable import Forwarder

struct TelemetryTests {
    /// Metrics of one destination and one partition.
    private func metrics(
        consumed: Int = 0, lag: Int64? = 0, rebalances: Int = 1, brokersUp: Int = 1, isPaused: Bool = false,
        stopped: Int = 0, isWritable: Bool = true, isSettledInGroup: Bool = true, hasPartition: Bool = true
    ) -> Metrics {
        var intake = IntakeBooks()
        intake.consumed = consumed
        intake.skipped[0] = consumed
        let settings = DestinationSettings(
            name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("T"))))
        let now = Moment(wall: Timestamp(seconds: 0), uptime: Uptime(milliseconds: 0))
        let lane = DestinationLane(
            id: DestinationID(1), settings: settings, rows: RowIDs(after: .none), depth: QueueDepth(), heldGoals: [],
            state: .running, now: now, seed: 1
        ).snapshot(now: now)
        var kafka = Metrics.Kafka()
        kafka.rebalances = rebalances
        kafka.brokersUp = brokersUp
        kafka.isPaused = isPaused
        kafka.stopped = stopped
        kafka.isSettledInGroup = isSettledInGroup
        if hasPartition {
            kafka.partitions = [.init(topic: "t", partition: 0, position: 1, committed: 1, lag: lag)]
        }
        var store = Metrics.Store()
        store.isWritable = isWritable
        return Metrics(
            uptime: .zero,
            destinations: [
                .init(
                    type: "capi", intake: intake, gathering: 0, lane: lane, requestTime: Histogram(),
                    oldestPendingSeconds: nil)
            ], kafka: kafka, store: store, logLinesDropped: 0)
    }

    private func second(_ number: Int64) -> Uptime { Uptime(milliseconds: number * 1000) }

    @Test func `readiness has a reason for everything that is not well`() {
        let readiness = Readiness()
        #expect(readiness.reasons == ["starting"])
        readiness.judge(metrics(rebalances: 0), stalled: [], now: second(0))
        #expect(readiness.reasons == ["not_in_the_group"])
        readiness.judge(metrics(), stalled: [], now: second(1))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(stopped: 1, isWritable: false), stalled: ["store"], now: second(2))
        #expect(readiness.reasons == ["store_loop_stalled", "partition_stopped", "store_not_writable"])
    }

    @Test func `lag without progress makes it not ready after a minute; reading or committing is progress`() {
        let readiness = Readiness()
        readiness.judge(metrics(consumed: 1, lag: 50), stalled: [], now: second(0))
        readiness.judge(metrics(consumed: 1, lag: 50), stalled: [], now: second(60))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(consumed: 1, lag: 60), stalled: [], now: second(61))
        #expect(readiness.reasons == ["lag_without_progress"])
        readiness.judge(metrics(consumed: 2, lag: 70), stalled: [], now: second(62))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(consumed: 2, lag: 69), stalled: [], now: second(120))
        readiness.judge(metrics(consumed: 2, lag: 69), stalled: [], now: second(180))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(consumed: 2, lag: 69), stalled: [], now: second(181))
        #expect(readiness.reasons == ["lag_without_progress"])
        // A pause is told by other means, and no lag is nothing to do.
        readiness.judge(metrics(consumed: 2, lag: 69, isPaused: true), stalled: [], now: second(300))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(consumed: 2, lag: 0), stalled: [], now: second(999))
        #expect(readiness.reasons == [])
    }

    @Test func `a member without partitions is well if the group has it, and not if it does not take it back`() {
        let readiness = Readiness()
        readiness.judge(metrics(hasPartition: false), stalled: [], now: second(0))
        readiness.judge(metrics(hasPartition: false), stalled: [], now: second(500))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(isSettledInGroup: false), stalled: [], now: second(600))
        readiness.judge(metrics(isSettledInGroup: false), stalled: [], now: second(700))
        #expect(readiness.reasons == [])
        let gone = metrics(isSettledInGroup: false, hasPartition: false)
        readiness.judge(gone, stalled: [], now: second(760))
        #expect(readiness.reasons == [])
        readiness.judge(gone, stalled: [], now: second(761))
        #expect(readiness.reasons == ["not_in_the_group"])
        readiness.judge(metrics(), stalled: [], now: second(762))
        #expect(readiness.reasons == [])
    }

    @Test(arguments: [("steady", true), ("wait-join", false), ("init", false)])
    func `librdkafka's statistics tell whether the group has this member`(_ state: String, isSettled: Bool) {
        let json = "{\"cgrp\":{\"state\":\"up\",\"join_state\":\"\(state)\"}}"
        #expect(KafkaStatistics(json: Array(json.utf8))?.isSettledInGroup == isSettled)
    }

    @Test func `brokers may be away for half a minute`() {
        let readiness = Readiness()
        readiness.judge(metrics(brokersUp: 0), stalled: [], now: second(0))
        readiness.judge(metrics(brokersUp: 0), stalled: [], now: second(30))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(brokersUp: 0), stalled: [], now: second(31))
        #expect(readiness.reasons == ["kafka_unreachable"])
        readiness.judge(metrics(brokersUp: 2), stalled: [], now: second(32))
        #expect(readiness.reasons == [])
        readiness.judge(metrics(brokersUp: 0), stalled: [], now: second(62))
        #expect(readiness.reasons == [])
    }

    @Test func `a clock that is set is noticed, one that runs is not`() {
        func moment(_ wall: Int64, _ uptime: Int64) -> Moment {
            Moment(wall: Timestamp(milliseconds: wall), uptime: Uptime(milliseconds: uptime))
        }
        var watch = ClockWatch(moment(1000, 0))
        #expect(watch.step(moment(61_000, 60_000)) == nil)
        #expect(watch.step(moment(63_900, 61_000)) == nil)
        #expect(watch.step(moment(3_664_900, 62_000)) == .seconds(3600))
        #expect(watch.step(moment(64_900, 62_000)) == .seconds(-3600))
        #expect(watch.step(moment(65_900, 63_000)) == nil)
    }

    @Test func `what nobody reads in time is dropped and counted, and no line is torn`() {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        defer { close(reader) }
        let sink = LogSink(descriptor: writer)
        sink.start()
        // More than the pipe and the buffer hold together.
        let line = Array(String(repeating: "x", count: 99_999).utf8)
        for _ in 0..<100 { sink.write(line, .info) }
        #expect(sink.dropped > 0 && sink.dropped < 100)
        let took = ContinuousClock().measure { sink.close(timeout: .milliseconds(300)) }
        #expect(took < .seconds(2))
        // Somebody reads after all.
        var counts: [UInt8: Int] = [:]
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while counts[UInt8(ascii: "\n"), default: 0] + sink.dropped < 100 {
            let count = read(reader, &chunk, chunk.count)
            if count <= 0 { break }
            for byte in chunk[..<count] { counts[byte, default: 0] += 1 }
        }
        let lines = counts[UInt8(ascii: "\n"), default: 0]
        #expect(lines + sink.dropped == 100)
        #expect(counts[UInt8(ascii: "x"), default: 0] == lines * line.count)
        close(writer)
    }

    @Test func `a log whose reader is gone counts what it cannot write`() {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        signal(SIGPIPE, SIG_IGN)
        close(ends[0])
        let sink = LogSink(descriptor: ends[1])
        for _ in 0..<3 { sink.write(Array("line".utf8), .info) }
        sink.start()
        sink.close()
        #expect(sink.dropped == 3)
        close(ends[1])
    }

    @Test func `lines carry their priority where the journal reads them, and nowhere else`() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        defer { close(reader) }
        var status = stat()
        #expect(fstat(writer, &status) == 0)
        let own = "\(status.st_dev):\(status.st_ino)"
        #expect(JournalStream.isAt(writer, variable: own))
        for other in [nil, "", "8", "8:", "a:b", "\(status.st_dev):\(status.st_ino + 1)", "\(own):1"] {
            #expect(!JournalStream.isAt(writer, variable: other), "\(other ?? "nil")")
        }
        #expect(!JournalStream.isAt(-1, variable: own))

        for (variable, expected) in [
            (own, "<7>debug\n<6>info\n<4>warning\n<3>error\n"), ("1:1", "debug\ninfo\nwarning\nerror\n"),
        ] {
            let sink = LogSink(descriptor: writer, journalStream: variable)
            for level in LogSettings.Level.allCases { sink.write(Array(level.rawValue.utf8), level) }
            sink.start()
            sink.close()
            var bytes = [UInt8](repeating: 0, count: 1000)
            let count = read(reader, &bytes, bytes.count)
            #expect(String(decoding: bytes[..<max(0, count)], as: UTF8.self) == expected)
        }
        close(writer)
    }

    @Test(arguments: [(LogSettings.Format.json, 1), (.logfmt, 1), (.emf, 2)])
    func `the log is written in the format that was set last`(_ format: LogSettings.Format, lines: Int) throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let sink = LogSink(descriptor: ends[1], journalStream: nil)
        let telemetry = Telemetry(sink: sink, settings: LogSettings())
        var settings = LogSettings()
        settings.format = format
        telemetry.set(settings)
        telemetry.set(isReady: true)
        for _ in 0..<25 { telemetry.report(.gateOpened(destination: "capi")) }
        telemetry.publish(metrics(consumed: 3), isLogged: true)
        sink.start()
        sink.close()
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(ends[0], &bytes, bytes.count)
        close(ends[1])
        let text = String(decoding: bytes[..<max(0, count)], as: UTF8.self).split(separator: "\n")
        #expect(text.count == 20 + lines)
        #expect(text.first?.hasPrefix(format == .logfmt ? "ts=" : "{\"ts\":") == true)
        #expect(text.last?.contains(format == .emf ? "\"_aws\":{" : "consumed") == true)
        #expect(telemetry.metrics?.logLinesHeldBack == 5)
        #expect(telemetry.metrics?.isReady == true)
    }

    @Test func `the file system of a path is that of the mount it is below`() {
        let mounts = """
            22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
            30 22 0:26 / /run rw,nosuid shared:5 - tmpfs tmpfs rw
            41 30 0:40 / /run/state rw - nfs4 server:/x rw
            50 22 0:50 / /runner rw - overlay overlay rw
            """
        #expect(FileSystemKind.kind(of: "/", mounts: mounts) == "ext4")
        #expect(FileSystemKind.kind(of: "/var/lib", mounts: mounts) == "ext4")
        #expect(FileSystemKind.kind(of: "/run", mounts: mounts) == "tmpfs")
        #expect(FileSystemKind.kind(of: "/run/other", mounts: mounts) == "tmpfs")
        #expect(FileSystemKind.kind(of: "/run/state/a/b", mounts: mounts) == "nfs4")
        #expect(FileSystemKind.kind(of: "/runner/x", mounts: mounts) == "overlay")
        #expect(FileSystemKind.kind(of: "/run", mounts: "garbage\n1 2 3\n") == nil)
    }
}
