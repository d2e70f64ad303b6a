import ForwarderCore

extension Command {
    static let sendTest = Command(
        name: "send-test", summary: "one test event to one destination, and Microsoft's answer in words",
        help: """
            Usage: conversion-forwarder send-test --destination NAME [--event NAME] [--msclkid ID] [--sspdata TOKEN]
                   [FILE or -] [--json]

            Sends one event and says what was sent (hashes and ids cut short), what the answer means, and where in
            Microsoft's pages to look next. Without a file it is a made-up one: its ids begin with `test-`, its
            e-mail is of example.com, its value is 0.01 USD. Microsoft has no place for tests: an accepted event counts
            as a conversion of the account. It is sent even if the destination is paused or in shadow mode, once, and
            stands in no count of the daemon. A running daemon sends it, by the configuration it runs with; else the
            command does. Exit code 0: accepted; 1: not.

              --destination NAME  where to
              --event NAME        what the made-up event is (default Purchase)
              --msclkid ID        a click id for it: Offline Conversions without enhanced conversions need a real one
              --sspdata TOKEN     the token of an auction: Invest pixels need a real one, with the period at its end
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words, options: [configurationOption, "--destination", "--event", "--msclkid", "--sspdata"],
            flags: ["--json"])
        guard let destination = arguments.value("--destination") else {
            throw Arguments.Wrong("--destination NAME says where to")
        }
        guard arguments.words.count <= 1 else { throw Arguments.Wrong("takes one file") }
        let event: [UInt8]
        if let file = arguments.words.first {
            guard ["--event", "--msclkid", "--sspdata"].allSatisfy({ arguments.value($0) == nil }) else {
                throw Arguments.Wrong("a file says itself what the event is")
            }
            event = try oneEvent(in: file)
        } else {
            event = TestEvent.json(
                arguments.value("--event") ?? "Purchase", clickID: arguments.value("--msclkid"),
                token: arguments.value("--sspdata"),
                now: SystemClock.now.wall, random: .random(in: .min ... .max))
        }
        var isWell = false
        let code = try test(TestRequest(destination: destination, content: .event(event)), arguments) { root in
            isWell = root["well"]?.bool ?? false
            return TestResult.text(root)
        }
        return code == ExitCode.done && !isWell ? ExitCode.failure : code
    }

    private static func oneEvent(in file: String) throws(Arguments.Wrong) -> [UInt8] {
        let input: [UInt8]
        do throws(SmallFile.Failure) {
            input = try SmallFile.read(file == "-" ? "/dev/stdin" : file, limit: 1 << 20)
        } catch {
            throw Arguments.Wrong("\(file): \(error.reason)")
        }
        let events = Explainer.events(in: input)
        guard let event = events.first, events.count == 1 else {
            throw Arguments.Wrong("\(file): holds \(events.count) events; one is sent")
        }
        return event
    }

    /// Has the daemon send it, or does so while none runs.
    private static func test(
        _ request: TestRequest, _ arguments: Arguments, text: (JSONElement) -> String
    ) throws(Arguments.Wrong) -> Int32 {
        let configuration = try configuration(arguments)
        return askDaemon(.test(request), configuration.state.directory, arguments, text: text) {
            do throws(DirectSession.Refused) {
                return show(try TestSender(configuration).send(request).json, arguments, text: text)
            } catch {
                StandardError.write(error.reason)
                return ExitCode.failure
            }
        }
    }
}
