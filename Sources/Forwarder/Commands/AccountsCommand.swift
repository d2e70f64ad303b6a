import ForwarderCore

extension Command {
    static let accounts = Command(
        name: "accounts", summary: "the accounts that a consent reaches, with the ids for the configuration",
        help: """
            Usage: conversion-forwarder accounts --destination NAME [--config FILE] [--json]

            Asks Microsoft who consented for this destination and which accounts that person reaches, and prints their ids
            as the configuration wants them. Before the ids are known, write 0 for customer_id and account_id,
            and `mode: shadow`.

              --destination NAME  whose consent, or refresh token, is used
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(words, options: [configurationOption, "--destination"], flags: ["--json"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        guard let name = arguments.value("--destination") else {
            throw Arguments.Wrong("--destination NAME says whose consent is used")
        }
        let desk = AccountDesk(try configuration(arguments))
        return show(desk.answer(.accounts(of: name)), arguments, text: accountsText)
    }

    private static func accountsText(_ root: JSONElement) -> String {
        func words(_ element: JSONElement, _ name: String) -> String { element[name]?.string ?? "" }
        let accounts = root["accounts"]?.elements ?? []
        var lines = ["user \(words(root, "user_id")) \(words(root, "user_name")), \(accounts.count) accounts"]
        if root["complete"]?.bool == false { lines.append("there are more, which were not asked for") }
        guard !accounts.isEmpty else { return lines.joined(separator: "\n") }
        var table = TextTable(["ACCOUNT_ID", "CUSTOMER_ID", "NUMBER", "CURRENCY", "STATUS", "NAME"])
        for account in accounts {
            table.add(["account_id", "customer_id", "number", "currency", "status", "name"].map { words(account, $0) })
        }
        lines += [table.text, "", "For the configuration:", ""]
        for account in accounts {
            lines += [
                "    # \(words(account, "name"))", "    customer_id: \"\(words(account, "customer_id"))\"",
                "    account_id: \"\(words(account, "account_id"))\"",
            ]
        }
        return lines.joined(separator: "\n")
    }
}
