import DeliveryStore
import ForwarderCore
import Glibc

extension Command {
    private static let eraseOptions = ["--email", "--phone", "--external-id", "--anonymous-id", "--transaction-id"]

    static let erase = Command(
        name: "erase", summary: "delete what is kept of one person",
        help: """
            Usage: conversion-forwarder erase [--email ADDRESS|-] [--phone NUMBER|-] [--external-id ID|-]
                                              [--anonymous-id ID|-] [--transaction-id ID|-] [--dry-run]

            Deletes what waits, was given up or was put aside for any destination and has one of these on it, with the
            rejects of the same records and the entries of the delivery log for the same events. Of orders that were
            delivered (kept 90 days for refunds) only that they were is left: a refund of one is given up from then on.
            --dry-run only counts.
            E-mail and phone are normalised and hashed as for Microsoft; 64 hexadecimal digits are a hash already. With -
            the value is read from standard input, so that it stands in no shell history.

            What it cannot do: what was delivered is Microsoft's, and the delivery log has only event and transaction ids,
            so give --transaction-id for orders that were delivered. Kafka has its copy until its retention ends; records
            not yet committed, or rewound to, come again. What is in memory is not seen: run it again after a minute.
            Deleted bytes are overwritten in the database and its log; up to 64 MiB of free pages while a daemon runs, all
            without one (residue_bytes says what is left). Copies of the directory, and the disk below, are yours.

            Exit code 1: some of it is just being sent (in_flight): run it again.

              --dry-run       only count
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words, options: [configurationOption] + eraseOptions, flags: ["--json", "--dry-run"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        let configuration = try configuration(arguments)
        let request = EraseRequest(marks: try marks(arguments), isDryRun: arguments.has("--dry-run"))
        let directory = configuration.state.directory
        var inFlight: Int64 = 0
        func text(_ root: JSONElement) -> String {
            inFlight = root["in_flight"]?.integer ?? 0
            func number(_ name: String) -> String { root[name]?.rawText ?? "0" }
            let words = """
                \(number("queue")) waiting, \(number("dead_letters")) dead letters, \(number("quarantined")) put aside, \
                \(number("rejects")) rejects, \(number("ledger")) delivered orders, \
                \(number("delivery_log")) log entries \
                \(request.isDryRun ? "found" : "erased")
                """
            return inFlight > 0 ? words + "; \(inFlight) just being sent: run it again" : words
        }
        let code = erase(request, configuration, arguments, text: text)
        return code == ExitCode.done && inFlight > 0 ? ExitCode.failure : code
    }

    private static func marks(_ arguments: Arguments) throws(Arguments.Wrong) -> PersonMarks {
        var marks = PersonMarks()
        let given = eraseOptions.filter { arguments.value($0) != nil }
        guard !given.isEmpty else {
            throw Arguments.Wrong("wants to be told whose: \(eraseOptions.joined(separator: ", "))")
        }
        guard given.filter({ arguments.value($0) == "-" }).count <= 1 else {
            throw Arguments.Wrong("only one value can be read from standard input")
        }
        for option in given {
            guard let value = arguments.value(option) == "-" ? asked(option) : arguments.value(option), !value.isEmpty
            else { throw Arguments.Wrong("\(option) is empty") }
            switch option {
            case "--email":
                guard marks.add(email: value) else { throw Arguments.Wrong("--email: that is no e-mail address") }
            case "--phone":
                guard marks.add(phone: value) else {
                    throw Arguments.Wrong("--phone: that is no number with country code, such as +14255550100")
                }
            case "--external-id": marks.add(externalID: value)
            case "--anonymous-id": marks.add(anonymousID: value)
            default: marks.add(transactionID: value)
            }
        }
        return marks
    }

    private static func asked(_ option: String) -> String? {
        if isatty(STDIN_FILENO) == 1 { StandardError.write("\(option.dropFirst(2)), then Enter:") }
        return readLine(strippingNewline: true).map { line in
            String(decoding: Array(line.utf8).drop { $0 <= 0x20 }, as: UTF8.self)
        }
    }

    private static func erase(
        _ request: EraseRequest, _ configuration: Configuration, _ arguments: Arguments, text: (JSONElement) -> String
    ) -> Int32 {
        askDaemon(.erase(request), configuration.state.directory, arguments, text: text) {
            eraseAlone(request, configuration, arguments, text: text)
        }
    }

    private static func eraseAlone(
        _ request: EraseRequest, _ configuration: Configuration, _ arguments: Arguments, text: (JSONElement) -> String
    ) -> Int32 {
        let directory = configuration.state.directory
        do throws(StoreError) {
            let store = try openStore(directory, isReadOnly: request.isDryRun)
            var eraser = Eraser(request, isRunning: false)
            while !eraser.isDone { _ = try eraser.step(store, configuration.destinations) }
            eraser.eraseLog(stateDirectory: directory)
            try store.close()
            return show(eraser.answer, arguments, text: text)
        } catch {
            StandardError.write(error.description)
            return ExitCode.failure
        }
    }
}
