import ForwarderCore

extension Command {
    static let auth = Command(
        name: "auth", summary: "consent of a person to Offline Conversions: give it, look at it",
        help: """
            Usage: conversion-forwarder auth login --destination NAME [--port N | --paste] [--redirect-uri URL]
                                                   [--timeout SECONDS] [--json]
                   conversion-forwarder auth status [--destination NAME] [--json]

            login: prints a page to open in a browser. Whoever signs in there, somebody who may manage the account, lets the
            destination send in their name, for as long as they do not revoke it. Destinations with the same `oauth` section
            share it. A running daemon takes it over at once; else it is there for the next start. What was there before is
            replaced only when the new consent is good.

            The browser comes back to http://localhost:PORT of this machine. A browser of another machine cannot: its address
            bar then holds an address that begins with http://localhost, paste that here. The registration of the
            application must know the address it comes back to:

              mobile and desktop   http://localhost, or with --paste \(ConsentRequest.nativePage)
              web, with a secret   http://localhost, or what --redirect-uri says

            status: until when the access token lives, for whom, when the refresh token was last replaced and would go stale,
            and what was refused last. Exit code 0: all is well; 1: it is not, for one at least.

              --destination NAME   whose consent
              --port N             where the browser comes back to (default: any free one)
              --paste              wait only for an address that is pasted
              --redirect-uri URL   where the browser is sent, for a web registration that knows no localhost; implies --paste
              --timeout SECONDS    how long to wait (default 600)
            \(commonHelp)
            """
    ) { words throws(Arguments.Wrong) in
        let arguments = try Arguments(
            words, options: [configurationOption, "--destination", "--port", "--redirect-uri", "--timeout"],
            flags: ["--json", "--paste"])
        switch arguments.words {
        case ["login"]: return try login(arguments)
        case ["status"]: return try grantStatus(arguments)
        default: throw Arguments.Wrong("takes `login` or `status`")
        }
    }

    private static func grantStatus(_ arguments: Arguments) throws(Arguments.Wrong) -> Int32 {
        for option in ["--port", "--redirect-uri", "--timeout"] where arguments.value(option) != nil {
            throw Arguments.Wrong("\(option) belongs to `login`")
        }
        let desk = AccountDesk(try configuration(arguments))
        var isWell = false
        let code = show(desk.answer(.grants(of: arguments.value("--destination"))), arguments) { root in
            isWell =
                root["grants"]?.elements?.allSatisfy { $0["problem"] == nil && $0["consent"]?.bool == true } ?? false
            return GrantStatus.text(root)
        }
        return code == ExitCode.done && !isWell ? ExitCode.failure : code
    }

    // MARK: Login

    private static func login(_ arguments: Arguments) throws(Arguments.Wrong) -> Int32 {
        guard let name = arguments.value("--destination") else {
            throw Arguments.Wrong("--destination NAME says whose consent")
        }
        let port = try arguments.number("--port", in: 0...65_535, default: 0)
        let patience = try arguments.number("--timeout", in: 1...3600, default: 600)
        let isPasted = arguments.has("--paste") || arguments.value("--redirect-uri") != nil
        if isPasted, arguments.value("--port") != nil { throw Arguments.Wrong("--paste needs no port") }
        let configuration = try configuration(arguments)
        let desk = AccountDesk(configuration)
        let oauth: OAuthSettings
        switch configuration.grantOwner(name) {
        case .success(let owner): oauth = owner.oauth
        case .failure(let obstacle): return failure(obstacle.reason)
        }
        // Nobody is to sign in for nothing.
        if let obstacle = desk.obstacle(toLogin: name) { return failure("\(name): \(obstacle)") }
        let watch: AnswerWatch
        do throws(AnswerWatch.Unavailable) {
            watch = try AnswerWatch(port: isPasted ? nil : UInt16(port))
        } catch {
            return failure(error.reason)
        }
        let pastePage = oauth.clientSecret == nil ? ConsentRequest.nativePage : "http://localhost"
        let redirectURI =
            isPasted ? arguments.value("--redirect-uri") ?? pastePage : "http://localhost:\(watch.port)"
        let consent = ConsentRequest(
            oauth, redirectURI: redirectURI, entropy: Secrets.random(ConsentRequest.entropyByteCount))
        let invitation = """
            Open this page in a browser, and sign in as somebody who may manage the account:

            \(consent.url)

            The browser comes back to \(redirectURI). \(isPasted ? "Paste" : "If it runs elsewhere, paste") its address here:
            Waiting for \(patience) s.
            """
        if arguments.has("--json") { StandardError.write(invitation) } else { StandardOutput.write(invitation) }
        switch watch.wait(for: consent, until: SystemClock.now.uptime + .seconds(Int64(patience))) {
        case .code(let code): return finish(name, code, desk, arguments)
        case .refused(let refusal): return failure("\(name): \(refusal.words)")
        case .tooLate: return failure("\(name): nobody has consented within \(patience) s; begin again")
        case .inputEnded: return failure("\(name): the input ended, and no address was pasted")
        }
    }

    private static func failure(_ text: String) -> Int32 {
        StandardError.write(text)
        return ExitCode.failure
    }

    /// A code lives for minutes: it is redeemed at once.
    private static func finish(
        _ name: String, _ code: AuthorizationCode, _ desk: AccountDesk, _ arguments: Arguments
    ) -> Int32 {
        let redeemed = desk.answer(.redeem(code, for: name))
        guard let root = (try? JSONDocument(redeemed))?.root, let isSaved = root["saved"]?.bool else {
            return show(redeemed, arguments) { _ in "" }
        }
        let list = (try? JSONDocument(desk.answer(.accounts(of: name))))?.root
        var writer = JSONWriter()
        writer.object {
            $0.member("destination", name)
            $0.member("saved", isSaved)
            if let problem = list?["error"]?.string { $0.member("accounts_problem", problem) }
            if let user = list?["user_id"]?.string { $0.member("user_id", user) }
            if let user = list?["user_name"]?.string { $0.member("user_name", user) }
            if let accounts = list?["accounts"]?.elements { $0.member("accounts", accounts.count) }
        }
        let code = show(writer.bytes, arguments, text: loginText)
        return code == ExitCode.done && !isSaved ? ExitCode.failure : code
    }

    private static func loginText(_ root: JSONElement) -> String {
        let name = root["destination"]?.string ?? ""
        let isSaved = root["saved"]?.bool ?? false
        var lines = ["\(name): consent is given\(isSaved ? " and kept" : "")"]
        if !isSaved { lines.append("  it could not be written down: a restart would lose it; look at the log") }
        if let user = root["user_id"]?.string { lines.append("  by user \(user) \(root["user_name"]?.string ?? "")") }
        if let count = root["accounts"]?.integer {
            lines.append("  \(count) accounts; `conversion-forwarder accounts --destination \(name)` lists them")
        }
        if let problem = root["accounts_problem"]?.string { lines.append("  not asked for accounts: \(problem)") }
        return lines.joined(separator: "\n")
    }
}
