import DeliveryStore
import ForwarderCore

extension Command {
    static let status = Command(
        name: "status", summary: "assignments, lag, each destination's gate, queue and credential",
        help: """
            Usage: conversion-forwarder status [--config FILE] [--json]

            Asks the running daemon; its numbers are at most a second old and count from its start, but for what waits. Exit
            code 0: it runs and is ready; 1: it does not run, or is not ready. Ready means that Kafka is read and the
            store can be written to: a destination in trouble does not change that, look at its gate.

            GATE        open: sends as it should      closed: waits before it tries again     half_open: about to try
                        parked: refused as a whole (token, rights, configuration), tries every retry.parked_probe
                        halted: half of what was sent was refused; goes on after `destinations resume`
                        paused: by `destinations pause`   detached: configured no longer
            PENDING     deliveries that wait for another try; OLDEST is the age of the oldest event among them
            CREDENTIAL  ready: there is one, which says nothing of whether Microsoft takes it; missing: nothing can be sent

            Below the table stands why a gate is parked, and what is wrong with a credential.

            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(words, options: [configurationOption], flags: ["--json"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        let directory = try stateDirectory(arguments)
        var isReady = false
        let code = askDaemon(ControlRequest.status, directory, arguments) { root in
            isReady = root["ready"]?.bool ?? false
            return text(root, isReady: isReady)
        }
        return code == ExitCode.done && !isReady ? ExitCode.failure : code
    }

    static let destinations = Command(
        name: "destinations", summary: "pause or resume one destination",
        help: """
            Usage: conversion-forwarder destinations pause|resume NAME [--config FILE] [--json]

            pause: nothing more is sent to it; its deliveries wait in its queue, Kafka is read on for the others. It stays
            paused over restarts. resume: ends a pause or a halt and reads the secrets anew; begins with one request, and
            goes on as usual once that is answered well. What waits for a later try is due at once.

            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(words, options: [configurationOption], flags: ["--json"])
        guard arguments.words.count == 2, ["pause", "resume"].contains(arguments.words[0]) else {
            throw Arguments.Wrong("takes `pause NAME` or `resume NAME`")
        }
        let name = arguments.words[1]
        let request: ControlRequest = arguments.words[0] == "pause" ? .pause(name) : .resume(name)
        let directory = try stateDirectory(arguments)
        return askDaemon(request, directory, arguments) { "\(name): \($0["state"]?.string ?? "")" }
    }

    // MARK: Shared by the commands that ask a daemon

    static func stateDirectory(_ arguments: Arguments) throws(Arguments.Wrong) -> String {
        try configuration(arguments).state.directory
    }

    static func configuration(_ arguments: Arguments) throws(Arguments.Wrong) -> Configuration {
        let path = arguments.value(configurationOption) ?? defaultConfiguration
        do throws(ConfigurationLoading.Refused) {
            return try ConfigurationLoading.load(path).configuration
        } catch {
            throw Arguments.Wrong(error.problems.joined(separator: "\n"))
        }
    }

    static func askDaemon(
        _ request: ControlRequest, _ directory: String, _ arguments: Arguments, text: (JSONElement) -> String
    ) -> Int32 {
        askDaemon(request, directory, arguments, text: text) {
            let path = ControlSocket.path(in: directory)
            StandardError.write("no daemon answers at \(path); does it run, and as this user?")
            return ExitCode.failure
        }
    }

    /// Asks the daemon; `without` does it while none runs.
    static func askDaemon(
        _ request: ControlRequest, _ directory: String, _ arguments: Arguments, text: (JSONElement) -> String,
        without: () -> Int32
    ) -> Int32 {
        switch ControlSocket.ask(directory: directory, request.json) {
        case .line(let answer): return show(answer, arguments, text: text)
        case .silent:
            StandardError.write("the daemon at \(ControlSocket.path(in: directory)) does not answer; look at its log")
            return ExitCode.failure
        case .notRunning: return without()
        }
    }

    /// The store of a daemon that does not run. Never makes one where there is none.
    static func openStore(_ directory: String, isReadOnly: Bool) throws(StoreError) -> DeliveryStore {
        let store = try DeliveryStore(directory: directory, access: .readOnly)
        if isReadOnly { return store }
        try store.close()
        return try DeliveryStore(directory: directory)
    }

    /// Prints an answer, or the problem it tells of.
    static func show(_ answer: [UInt8], _ arguments: Arguments, text: (JSONElement) -> String) -> Int32 {
        guard let root = (try? JSONDocument(answer))?.root else {
            StandardError.write("the answer is not JSON; are daemon and command of one version?")
            return ExitCode.failure
        }
        if let problem = root["error"]?.string {
            StandardError.write(problem)
            return ExitCode.failure
        }
        let words = text(root)
        if arguments.has("--json") {
            StandardOutput.write(line: answer)
        } else {
            StandardOutput.write(words)
        }
        return ExitCode.done
    }

    private static func text(_ root: JSONElement, isReady: Bool) -> String {
        let reasons = root["not_ready_because"]?.elements?.compactMap(\.string) ?? []
        var lines = [isReady ? "ready" : "not ready: \(reasons.joined(separator: ", "))"]
        let partitions = root["assignments"]?.elements ?? []
        let lag = partitions.reduce(0) { $0 + ($1["lag"]?.integer ?? 0) }
        lines.append("\(partitions.count) partitions, lag \(lag), unaccounted \(root["unaccounted"]?.integer ?? 0)")
        var table = TextTable([
            "DESTINATION", "GATE", "PENDING", "OLDEST", "IN FLIGHT", "DELIVERED", "REJECTED", "SKIPPED", "DEAD LETTERS",
            "CREDENTIAL",
        ])
        for destination in root["destinations"]?.elements ?? [] {
            func number(_ name: String) -> String { destination[name]?.rawText ?? "-" }
            table.add([
                destination["name"]?.string ?? "", destination["gate"]?.string ?? "", number("pending"),
                destination["oldest_pending_seconds"].map { "\($0.rawText) s" } ?? "-", number("in_flight"),
                number("delivered"), number("rejected"), number("skipped"), number("dead_lettered"),
                destination["credential"]?.string ?? "-",
            ])
        }
        lines.append(table.text)
        for destination in root["destinations"]?.elements ?? [] {
            let name = destination["name"]?.string ?? ""
            if let reason = destination["gate_reason"]?.string { lines.append("\(name): gate: \(reason)") }
            if let problem = destination["credential_problem"]?.string {
                lines.append("\(name): credential: \(problem)")
            }
        }
        return lines.joined(separator: "\n")
    }
}
