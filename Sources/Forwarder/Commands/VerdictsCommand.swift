import ForwarderCore

extension Command {
    static let verdicts = Command(
        name: "verdicts", summary: "what Microsoft made of offline conversions, by goal and day",
        help: """
            Usage: conversion-forwarder verdicts --destination NAME [--since WHEN] [--config FILE] [--json]

            Asks Microsoft how many of the conversions it took were counted for a click on an ad, and why the others were
            not. An accepted upload is not yet an attributed one: that takes up to six hours, and may change for days. Only
            goals whose id is configured can be asked for: goals: {EVENT: {name: …, id: …}}. A running daemon asks, with
            the credential it has, or the command does. Exit code 0: all was read; 1: something was not.

            DAY           on which Microsoft processed the conversions (UTC); what was uploaded by hand is not in it
            ATTRIBUTED    counted for a click
            UNATTRIBUTED  counted for none. Some always are: who never saw an ad buys too

            Below the table stands what each reason means and what to do about it.

              --destination NAME  which destination of type offline_conversions
              --since WHEN        from then on (default 7d, at most 90d): 2d (ago), or 2026-08-06T07:00:00Z
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words, options: [configurationOption, "--destination", "--since"], flags: ["--json"])
        guard arguments.words.isEmpty else { throw Arguments.Wrong("takes only options") }
        guard let destination = arguments.value("--destination") else {
            throw Arguments.Wrong("--destination NAME says whose")
        }
        let since = try time("--since", arguments) ?? SystemClock.now.wall - .seconds(6 * 86_400)
        let request = VerdictRequest(destination: destination, since: since)
        let configuration = try configuration(arguments)
        var isWhole = false
        func text(_ root: JSONElement) -> String {
            isWhole = root["gaps"]?.elements?.isEmpty ?? false
            return VerdictWords.text(root)
        }
        let code = askDaemon(.verdicts(request), configuration.state.directory, arguments, text: text) {
            do throws(DirectSession.Refused) {
                return show(try TestSender(configuration).read(request).json, arguments, text: text)
            } catch {
                StandardError.write(error.reason)
                return ExitCode.failure
            }
        }
        return code == ExitCode.done && !isWhole ? ExitCode.failure : code
    }
}
