import ForwarderCore
import KafkaClient

extension Command {
    static let rewind = Command(
        name: "rewind", summary: "move the group in Kafka, back or ahead; every daemon stopped",
        help: """
            Usage: conversion-forwarder rewind --to WHERE [--topic NAME [--partition N]] [--repeat] [--leave-out] [--dry-run]

            Changes where the consumer group goes on reading. Kafka allows it only while the group has no member: stop every
            replica first; one that was killed is missed after `session.timeout.ms` (45 s). Going back sends again what
            was delivered: the Conversions API recognises it by its event id, Offline Conversions count it twice. Going
            ahead leaves out what nobody has delivered. Neither happens unless it is said in words.

              --to WHERE      earliest, latest, 2h (ago), a time like 2026-08-06T07:00:00Z, or an offset with --partition
              --topic NAME    only this topic (default: all that are configured)
              --partition N   only this partition
              --repeat        records that are settled may be sent again
              --leave-out     records that are not settled may be left out
              --dry-run       only say what would be done
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words, options: [configurationOption, "--to", "--topic", "--partition"],
            flags: ["--json", "--repeat", "--leave-out", "--dry-run"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        let rewind = try Rewind(arguments, try configuration(arguments))
        do throws(Rewind.Refused) {
            return try rewind.run(arguments)
        } catch {
            StandardError.write(error.reason)
            return ExitCode.failure
        }
    }
}

/// One move of the group.
private struct Rewind {
    struct Refused: Error {
        var reason: String
    }

    private struct Step {
        var partition: TopicPartition
        var committed: PartitionResult
        var move: GroupMove
    }

    private static let timeoutMilliseconds: Int32 = 10_000

    private let configuration: Configuration
    private let target: GroupMove.Target
    private let topics: [String]
    private let partition: Int32?

    init(_ arguments: Arguments, _ configuration: Configuration) throws(Arguments.Wrong) {
        self.configuration = configuration
        guard let text = arguments.value("--to"), let target = GroupMove.Target(text, now: SystemClock.now.wall) else {
            throw Arguments.Wrong("--to takes earliest, latest, an offset, or a time like 2h or 2026-08-06T07:00:00Z")
        }
        self.target = target
        if let topic = arguments.value("--topic") {
            guard configuration.kafka.topics.contains(topic) else {
                throw Arguments.Wrong("topic \(topic) is not configured")
            }
            topics = [topic]
        } else {
            topics = configuration.kafka.topics
        }
        if arguments.value("--partition") != nil {
            guard topics.count == 1 else { throw Arguments.Wrong("--partition wants to know the --topic") }
            partition = Int32(try arguments.number("--partition", in: 0...Int(Int32.max), default: 0))
        } else {
            partition = nil
        }
        if case .offset = target, partition == nil {
            throw Arguments.Wrong("an offset is one of a partition: say --partition")
        }
    }

    func run(_ arguments: Arguments) throws(Refused) -> Int32 {
        guard case .notRunning = ControlSocket.ask(directory: configuration.state.directory, ControlRequest.status.json)
        else { throw Refused(reason: "the daemon runs; stop it, and every other replica of the group, first") }
        do {
            let consumer = try KafkaConsumer(properties: try KafkaProperties.all(configuration.kafka))
            defer { _ = consumer.close(timeoutMilliseconds: 1000) { _ in } }
            let steps = try plan(consumer)
            let changes = steps.filter { $0.committed.offset != $0.move.offset }
            let isDryRun = arguments.has("--dry-run")
            let missing = isDryRun ? nil : missingWord(changes, arguments)
            if !isDryRun, missing == nil { try commit(changes, consumer) }
            show(steps, isMoved: !isDryRun && missing == nil, arguments)
            if let missing { throw Refused(reason: missing) }
            return ExitCode.done
        } catch let error as KafkaError {
            throw Refused(reason: Rewind.words(error))
        } catch let error as Secrets.Unreadable {
            throw Refused(reason: "kafka.properties: \(error.reason)")
        } catch let error as Refused {
            throw error
        } catch {
            throw Refused(reason: "\(error)")
        }
    }

    private func plan(_ consumer: KafkaConsumer) throws -> [Step] {
        var partitions: [TopicPartition] = []
        let known = try consumer.metadata(topics: topics, timeoutMilliseconds: Rewind.timeoutMilliseconds)
        for topic in known.topics {
            if let error = topic.error { throw error }
            for number in 0..<Int32(clamping: topic.partitionCount) where partition == nil || number == partition {
                partitions.append(TopicPartition(topic.name, number))
            }
        }
        guard !partitions.isEmpty else { throw Refused(reason: "there is no such partition") }
        var found: [TopicPartition: Int64] = [:]
        if case .time(let time) = target {
            for result in try consumer.offsets(
                of: partitions, since: time.milliseconds, timeoutMilliseconds: Rewind.timeoutMilliseconds)
            {
                if let error = result.error { throw error }
                found[result.partition] = result.offset
            }
        }
        return try consumer.committed(partitions, timeoutMilliseconds: Rewind.timeoutMilliseconds).map { committed in
            if let error = committed.error { throw error }
            let ends = try consumer.queryWatermarks(
                committed.partition, timeoutMilliseconds: Rewind.timeoutMilliseconds)
            return Step(
                partition: committed.partition, committed: committed,
                move: GroupMove(
                    to: target, low: ends.low, high: ends.high, committed: committed.offset,
                    found: found[committed.partition]))
        }
    }

    /// What was not allowed in words.
    private func missingWord(_ steps: [Step], _ arguments: Arguments) -> String? {
        let repeated = steps.reduce(0) { $0 + $1.move.repeated }
        let leftOut = steps.reduce(0) { $0 + $1.move.leftOut }
        if repeated > 0, !arguments.has("--repeat") {
            return "up to \(repeated) settled records would be sent again; if that is meant, say --repeat"
        }
        if leftOut > 0, !arguments.has("--leave-out") {
            return "up to \(leftOut) records would never be sent; if that is meant, say --leave-out"
        }
        return nil
    }

    private func commit(_ steps: [Step], _ consumer: KafkaConsumer) throws {
        // What a replica has written beside its offset stays: it tells a lost store from a new one.
        let offsets = steps.map { OffsetToCommit($0.partition, $0.move.offset, metadata: $0.committed.metadata) }
        let results = try consumer.commit(offsets, timeoutMilliseconds: Rewind.timeoutMilliseconds)
        let failures = results.filter { $0.error != nil }
        guard let error = failures.first?.error else { return }
        let names = failures.map { "\($0.partition)" }.joined(separator: ", ")
        throw Refused(reason: "\(names): \(Rewind.words(error))")
    }

    private static func words(_ error: KafkaError) -> String {
        switch error.code {
        case .unknownMember, .illegalGeneration, .rebalanceInProgress:
            "the group has members; stop every replica, and wait for those that were killed (session.timeout.ms)"
        default: "\(error.name): \(error.text)"
        }
    }

    private func show(_ steps: [Step], isMoved: Bool, _ arguments: Arguments) {
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("moved", isMoved)
                writer.name("partitions")
                writer.array { writer in
                    for step in steps {
                        writer.object { writer in
                            writer.member("topic", step.partition.topic)
                            writer.member("partition", Int64(step.partition.partition))
                            if let offset = step.committed.offset { writer.member("committed", offset) }
                            writer.member("to", step.move.offset)
                            writer.member("repeated", step.move.repeated)
                            writer.member("left_out", step.move.leftOut)
                        }
                    }
                }
            }
            return StandardOutput.write(line: writer.bytes)
        }
        var table = TextTable(["TOPIC", "PARTITION", "COMMITTED", "TO", "REPEATED", "LEFT OUT"])
        for step in steps {
            table.add([
                step.partition.topic, "\(step.partition.partition)", step.committed.offset.map { "\($0)" } ?? "-",
                "\(step.move.offset)", "\(step.move.repeated)", "\(step.move.leftOut)",
            ])
        }
        StandardOutput.write(table.text)
        StandardOutput.write(isMoved ? "moved" : "nothing was moved")
    }
}
