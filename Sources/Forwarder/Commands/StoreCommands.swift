import DeliveryStore
import ForwarderCore

extension Command {
    private static let selectionHelp = """
          --destination NAME   only of this destination
          --reason WORD        only with this reason (in the queue: with this last failure)
          --since WHEN         only from this time on: 2h, 7d (ago), or 2026-08-06T07:00:00Z
          --limit N            at most so many
        """

    static let queue = Command(
        name: "queue", summary: "what waits to be sent: stats, list, move, discard",
        help: """
            Usage: conversion-forwarder queue stats [--config FILE] [--json]
                   conversion-forwarder queue list [--destination NAME] [--reason WORD] [--since WHEN] [--limit N]
                   conversion-forwarder queue move --from NAME --to NAME [--may-repeat] [--to-other-account]
                   conversion-forwarder queue discard --destination NAME --all|--limit N

            stats counts by destination; list shows deliveries (100 unless --limit says otherwise). move gives what waits for
            a destination that is configured no longer, or paused, to another one of the same type: unchanged, and due at
            once. In the books it is discarded there and replayed here. It refuses what could reach Microsoft twice, or
            another account, unless the option says so. discard deletes what waits for good. What is just being sent
            stays where it is. All work beside a running daemon and without one.

              --all                discard everything that waits for the destination
              --may-repeat         move although the same events may go out twice
              --to-other-account   move although tag or account are not the same
            \(selectionHelp)
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try storeArguments(
            words, ["--from", "--to"], flags: ["--all", "--may-repeat", "--to-other-account"])
        if arguments.words == ["move"] {
            guard let from = arguments.value("--from"), let to = arguments.value("--to") else {
                throw Arguments.Wrong("move wants to be told what and where: --from NAME --to NAME")
            }
            let move = QueueMove(
                from: from, to: to, mayRepeat: arguments.has("--may-repeat"),
                isToOtherAccount: arguments.has("--to-other-account"))
            return try ask(.queueMove(move), arguments) { root in
                """
                \(root["moved"]?.rawText ?? "0") moved, \(root["already_there"]?.rawText ?? "0") left because \(to) has or \
                had them, \(root["in_flight"]?.rawText ?? "0") left because they are being sent
                """
            }
        }
        if arguments.words == ["discard"] {
            guard arguments.value("--reason") == nil, arguments.value("--since") == nil else {
                throw Arguments.Wrong("discard takes only --destination, and --limit or --all")
            }
            guard let name = arguments.value("--destination") else {
                throw Arguments.Wrong("discard wants to be told which: --destination NAME")
            }
            guard arguments.has("--all") != (arguments.value("--limit") != nil) else {
                throw Arguments.Wrong(
                    "discard deletes what waits for \(name) for good: say --all, or with --limit N how many")
            }
            return try ask(.queueDiscard(try selection(arguments)), arguments, text: discardedText)
        }
        switch arguments.words {
        case ["stats"], []: return try ask(.queueStats, arguments, text: statsText)
        case ["list"]:
            return try ask(.queueList(try selection(arguments)), arguments) { root in
                table(root["deliveries"], deliveryColumns + [("DUE", "due_at"), ("LAST FAILURE", "last_failure")])
            }
        default: throw Arguments.Wrong("takes `stats`, `list`, `move` or `discard`")
        }
    }

    static let deadLetters = Command(
        name: "dead-letters", summary: "what was given up: list, show, replay, discard",
        help: """
            Usage: conversion-forwarder dead-letters list [--destination NAME] [--reason WORD] [--since WHEN] [--limit N]
                   conversion-forwarder dead-letters show ID
                   conversion-forwarder dead-letters replay ID [--remap]
                   conversion-forwarder dead-letters replay --destination NAME [--remap] [--reason WORD] [--since WHEN]
                                                            [--limit N]
                   conversion-forwarder dead-letters discard ID
                   conversion-forwarder dead-letters discard --destination NAME [--reason WORD] [--since WHEN] [--limit N]

            list shows 100 unless --limit says otherwise; show prints one with its content, e-mail and phone as hashes. The
            reason may also be a class: data, refused, expired, unclear. replay puts dead letters back into the queue of their
            destination, as they were; those whose time has passed stay (Microsoft would refuse them). With --remap they
            are mapped anew, by the configuration of now, under the same event id; what that skips or rejects stays. Match
            rules can judge only fields that are kept. discard deletes
            them for good; both take all that fit unless --limit says otherwise. All work beside a running daemon and
            without one.

              --id ID              the same as ID alone
              --remap              map them anew, after the configuration was repaired
            \(selectionHelp)
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try storeArguments(words, ["--id"], flags: ["--remap"])
        var selection = try selection(arguments)
        switch arguments.words.first {
        case "list" where arguments.words.count == 1:
            return try ask(.deadLettersList(selection), arguments) { root in
                table(
                    root["dead_letters"],
                    [("ID", "id")] + deliveryColumns + [("CLASS", "class"), ("REASON", "reason"), ("DIED", "dead_at")])
            }
        case "show":
            guard arguments.words.count == 2, let id = Int64(arguments.words[1]) else {
                throw Arguments.Wrong("show takes the id of one dead letter")
            }
            return try ask(.deadLettersShow(id), arguments) { root in
                (root.members ?? []).map { "\($0.name): \($0.value.string ?? $0.value.rawText)" }.joined(
                    separator: "\n")
            }
        case "replay", "discard":
            if arguments.words.count > 1 {
                // A word that is no id must not be overlooked: without it the selection is wider than was meant.
                guard arguments.words.count == 2, selection.id == nil, let id = Int64(arguments.words[1]) else {
                    throw Arguments.Wrong("\(arguments.words[0]) takes the id of one dead letter, or options")
                }
                selection.id = id
            }
            guard selection.destination != nil || selection.id != nil else {
                throw Arguments.Wrong("\(arguments.words[0]) wants to be told which: --destination NAME, or --id ID")
            }
            selection.isRemapped = arguments.has("--remap")
            if selection.isRemapped, arguments.words[0] == "discard" {
                throw Arguments.Wrong("--remap goes with replay")
            }
            if arguments.words[0] == "replay" {
                return try ask(.deadLettersReplay(selection), arguments) { root in
                    """
                    \(root["moved"]?.rawText ?? "0") put back into the queue, \
                    \(root["refused_expired"]?.rawText ?? "0") too old to be sent, \
                    \(root["already_queued"]?.rawText ?? "0") in the queue already\(notRemapped(root))
                    """
                }
            }
            return try ask(.deadLettersDiscard(selection), arguments, text: discardedText)
        default: throw Arguments.Wrong("takes `list`, `show ID`, `replay` or `discard`")
        }
    }

    static let rejects = Command(
        name: "rejects", summary: "records that could not be taken, by position and reasons",
        help: """
            Usage: conversion-forwarder rejects [--destination NAME] [--reason WORD] [--since WHEN] [--limit N]

            Lists 100 unless --limit says otherwise. Nothing of a record is kept but its place: Kafka still holds the record
            itself, as long as its retention lets it. A record that no destination can take has no DESTINATION.

            \(selectionHelp)
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try storeArguments(words)
        guard arguments.words.isEmpty || arguments.words == ["list"] else {
            throw Arguments.Wrong("takes only options")
        }
        return try ask(.rejectsList(try selection(arguments)), arguments) { root in
            table(
                root["rejects"],
                [
                    ("TOPIC", "topic"), ("PARTITION", "partition"), ("OFFSET", "offset"),
                    ("DESTINATION", "destination"),
                    ("REASONS", "reasons"), ("AT", "at"),
                ])
        }
    }

    // MARK: Asking

    private static func storeArguments(
        _ words: [String], _ more: [String] = [], flags: [String] = []
    ) throws(Arguments.Wrong) -> Arguments {
        try Arguments(
            words, options: [configurationOption, "--destination", "--reason", "--since", "--limit"] + more,
            flags: ["--json"] + flags)
    }

    private static func notRemapped(_ root: JSONElement) -> String {
        guard let kept = root["kept"]?.integer, kept > 0 else { return "" }
        let reasons = (root["reasons"]?.members ?? []).map { "\($0.name) \($0.value.rawText)" }
        return ", \(kept) not to be sent by this configuration (\(reasons.joined(separator: ", ")))"
    }

    private static func selection(_ arguments: Arguments) throws(Arguments.Wrong) -> StoreSelection {
        var selection = StoreSelection()
        selection.destination = arguments.value("--destination")
        selection.reason = arguments.value("--reason")
        selection.since = try time("--since", arguments)
        if let text = arguments.value("--id") {
            guard let id = Int64(text) else { throw Arguments.Wrong("--id takes a number") }
            selection.id = id
        }
        if arguments.value("--limit") != nil {
            // A longer list would not fit an answer.
            selection.limit = try arguments.number("--limit", in: 1...100_000, default: 100)
        }
        return selection
    }

    static func time(_ option: String, _ arguments: Arguments) throws(Arguments.Wrong) -> Timestamp? {
        guard let text = arguments.value(option) else { return nil }
        guard let time = PastTime.parse(text, now: SystemClock.now.wall) else {
            throw Arguments.Wrong("\(option) takes a time like 2h, 7d or 2026-08-06T07:00:00Z")
        }
        return time
    }

    /// Asks the daemon, or looks itself while none runs.
    private static func ask(
        _ command: StoreCommand, _ arguments: Arguments, text: (JSONElement) -> String
    ) throws(Arguments.Wrong) -> Int32 {
        let configuration = try configuration(arguments)
        return askDaemon(.store(command), configuration.state.directory, arguments, text: text) {
            carryOut(command, configuration, arguments, text: text)
        }
    }

    private static func carryOut(
        _ command: StoreCommand, _ configuration: Configuration, _ arguments: Arguments, text: (JSONElement) -> String
    ) -> Int32 {
        do throws(StoreError) {
            let store = try openStore(configuration.state.directory, isReadOnly: command.isReadOnly)
            let rows = RowIDs(after: try store.highestRow())
            var progress = StoreProgress()
            while true {
                let context = StoreContext(
                    now: SystemClock.now, destinations: configuration.running, isRunning: false,
                    nextRow: rows.next)
                let step = command.step(store, progress, context)
                switch step.next {
                case .done(let json): return show(json, arguments, text: text)
                case .more(let next): progress = next
                }
            }
        } catch {
            StandardError.write(error.description)
            return ExitCode.failure
        }
    }

    // MARK: Text

    private static let deliveryColumns = [
        ("DESTINATION", "destination"), ("GOAL", "goal"), ("TOPIC", "topic"), ("PARTITION", "partition"),
        ("OFFSET", "offset"), ("ATTEMPTS", "attempts"),
    ]

    /// `special` may have its own words for a cell.
    static func table(
        _ list: JSONElement?, _ columns: [(title: String, member: String)],
        special: (JSONElement, String) -> String? = { _, _ in nil }
    ) -> String {
        let rows = list?.elements ?? []
        guard !rows.isEmpty else { return "none" }
        var table = TextTable(columns.map(\.title))
        for row in rows {
            table.add(
                columns.map { column in
                    if let text = special(row, column.member) { return text }
                    guard let value = row[column.member] else { return "-" }
                    return value.elements?.compactMap(\.string).joined(separator: ",") ?? value.string ?? value.rawText
                })
        }
        return table.text
    }

    private static func discardedText(_ root: JSONElement) -> String {
        "\(root["discarded"]?.rawText ?? "0") discarded"
    }

    private static func statsText(_ root: JSONElement) -> String {
        table(
            root["destinations"],
            [
                ("DESTINATION", "name"), ("STATE", "state"), ("PENDING", "pending"), ("BYTES", "bytes"),
                ("OLDEST (S)", "oldest_pending_seconds"), ("NEXT DUE", "next_due"), ("HELD", "held"),
                ("FAILURES", "failures"), ("DEAD LETTERS", "dead_letters"),
            ])
    }
}
