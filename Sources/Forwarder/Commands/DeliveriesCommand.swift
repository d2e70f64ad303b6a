import ForwarderCore

extension Command {
    static let deliveries = Command(
        name: "deliveries", summary: "the delivery log: what became of conversions",
        help: """
            Usage: conversion-forwarder deliveries [--destination NAME] [--status WORD] [--event NAME] [--goal NAME]
                                                   [--since WHEN] [--until WHEN] [--transaction-id ID] [--limit N]

            Lists what came to its end, newest first (100 unless --limit says otherwise): every offline conversion, the
            CAPI events named in delivery_log.events, and all that was given up in memory or refused. An event that
            is not there may still wait (`queue list`), have been too old when its turn came in the queue (`dead-letters
            list`), have been rejected (`rejects`) or skipped (`explain` says why), or be older than the log.

            STATUS  delivered              Microsoft accepted it
                    delivered_unconfirmed  answered with success, but not in so many words
                    dead_lettered          given up; CODE is Microsoft's, or why
                    verdict                no delivery: what Microsoft made of all conversions of GOAL that it
                                           processed on one day; CODE says it, `verdicts` explains it

            VALUE and CURRENCY are those of the event. The log holds nothing of the person. It is written behind the
            deliveries: a power failure may take its last moments, and a disk that is full or slow leaves gaps (counted
            in the metric delivery_log_dropped). Works beside a running daemon and without one.

              --destination NAME   only of this destination
              --status WORD        only with this status
              --event NAME         only of this event, by its name in the storefront
              --goal NAME          only of this goal of Offline Conversions
              --since, --until     only settled in this time: 2h, 7d (ago), or 2026-08-06T07:00:00Z
              --transaction-id ID  only of this transaction
              --limit N            at most so many
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words,
            options: [
                configurationOption, "--destination", "--status", "--event", "--goal", "--since", "--until",
                "--transaction-id", "--limit",
            ], flags: ["--json"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        var query = DeliveryLogQuery()
        query.destination = arguments.value("--destination")
        query.status = arguments.value("--status")
        if let status = query.status, !DeliveryLogQuery.statuses.contains(status) {
            throw Arguments.Wrong("--status takes \(DeliveryLogQuery.statuses.joined(separator: ", "))")
        }
        query.event = arguments.value("--event")
        query.goal = arguments.value("--goal")
        query.transactionID = arguments.value("--transaction-id")
        query.since = try time("--since", arguments)
        query.until = try time("--until", arguments)
        query.limit = try arguments.number("--limit", in: 1...100_000, default: DeliveryLogQuery.defaultLimit)
        let directory = try stateDirectory(arguments)
        func text(_ root: JSONElement) -> String {
            table(
                root["deliveries"],
                [
                    ("AT", "at"), ("DESTINATION", "destination"), ("EVENT", "event"), ("GOAL", "goal"),
                    ("VALUE", "value"), ("CURRENCY", "currency"), ("TRANSACTION", "transaction_id"),
                    ("STATUS", "status"), ("ATTEMPTS", "attempts"), ("CODE", "code"),
                ]
            ) { row, member in
                member == "code" && row["status"]?.string == "verdict" ? VerdictWords.summary(row) : nil
            }
        }
        switch ControlSocket.ask(directory: directory, ControlRequest.deliveries(query).json) {
        case .line(let answer): return show(answer, arguments, text: text)
        case .silent, .notRunning:
            return show(DeliveryLogReader(stateDirectory: directory).answer(query), arguments, text: text)
        }
    }
}
