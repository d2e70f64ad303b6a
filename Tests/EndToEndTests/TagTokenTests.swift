import FakeMicrosoft
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// `token: {from: offline}`: the tag's token is asked of Campaign Management.
@Suite(.serialized)
struct TagTokenTests {
    private static func stage() throws -> Stage {
        let stage = try Stage()
        stage.settings.token = "{from: offline}"
        return stage
    }

    private static func questions(_ stage: Stage) -> Int { stage.microsoft.withModel { $0.tagTokenQuestions } }

    private static func deliver(_ stage: Stage, _ name: String) throws {
        let ids = Shop.ids(name, 0..<10)
        try stage.publish(ids.map { Shop.purchase($0) })
        try eventually("\(name) to arrive") { stage.missing(ids).isEmpty }
    }

    /// Neither what the daemon wrote to its log nor what a command says may hold it.
    private static func requireSilence(_ stage: Stage, of tokens: String..., runs: [CommandRun]) throws {
        let log = String(decoding: stage.directory.logBytes(), as: UTF8.self)
        for token in tokens {
            try require(!log.contains(token), "the token is in the log")
            for run in runs {
                try require(!run.output.contains(token) && !run.errors.contains(token), "the token is in \(run.output)")
            }
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `the token of a tag is asked for once, kept for the next start, and asked for anew when it is refused`()
        async throws
    {
        try await onThread {
            let stage = try Self.stage()
            var daemon = try stage.start()
            try Self.deliver(stage, "first")
            try requireEqual(Self.questions(stage), 1, "questions for the token")
            let renewed = stage.directory.logLines("credential.renewed")
            try require(renewed.contains { $0["grant"]?.string == "capi" }, "\(renewed.map(\.rawText))")
            try daemon.stop()

            let files = DaemonDirectory.everything(below: stage.directory.state).filter { $0.contains("/grants/tag-") }
            try requireEqual(files.count, 1, "saved tokens")
            var info = stat()
            try requireEqual(lstat(files[0], &info), 0, "stat of \(files[0])")
            try requireEqual(info.st_mode & 0o777, 0o600, "mode of \(files[0])")

            // The next start has it, even without Campaign Management.
            stage.follow(.status(503), .reports)
            daemon = try stage.start()
            try Self.deliver(stage, "second")
            try requireEqual(Self.questions(stage), 1, "questions for the token")

            // Somebody replaces it.
            stage.follow(.none)
            stage.microsoft.withModel { $0.setToken("made-up-new-token", ofTag: Microsoft.tag) }
            try Self.deliver(stage, "third")
            try requireEqual(Self.questions(stage), 2, "questions for the token")
            try requireEqual(stage.directory.logLines("gate.parked").count, 0, "times it was parked")

            let online = try stage.command("check", "--online")
            try requireEqual(online.code, 0, "\(online.output)\(online.errors)")
            try require(online.output.contains("destination capi: reached, "), online.output)
            try require(online.output.contains("the tag's token that offline was given"), online.output)
            let status = try stage.command("status", "--json")
            try daemon.stop()
            let alone = try stage.command("send-test", "--destination", "capi")
            try require(alone.output.contains("capi: accepted"), "\(alone.output)\(alone.errors)")
            try Self.requireSilence(stage, of: Microsoft.token, "made-up-new-token", runs: [online, status, alone])
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `before the first start, check asks for the token by itself`() async throws {
        try await onThread {
            let stage = try Self.stage()
            defer { stage.directory.remove() }
            try stage.settings.write(to: stage.directory)
            let well = try stage.command("check", "--online")
            try requireEqual(well.code, 0, "\(well.output)\(well.errors)")
            try requireEqual(Self.questions(stage), 1, "questions for the token")
            stage.follow(.status(503), .reports)
            let down = try stage.command("check", "--online")
            try requireEqual(down.code, 1, down.output)
            try require(down.output.contains("trouble: destination capi: "), down.output)
            try require(down.output.contains("credential: http_503"), down.output)
            try Self.requireSilence(stage, of: Microsoft.token, runs: [well, down])
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a token that stays refused is asked for no more often than is sensible, and nothing is lost`() async throws {
        try await onThread {
            let stage = try Self.stage()
            let daemon = try stage.start()
            try Self.deliver(stage, "first")
            // The Conversions API takes no token, Campaign Management gives out the one it has.
            stage.follow(.status(401), .capi)
            let ids = Shop.ids("held", 0..<10)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the gate to be parked") { stage.destination("capi")?["gate"]?.string == "parked" }
            try eventually("the reason to be told") {
                stage.destination("capi")?["credential_problem"]?.string == "refused"
            }
            usleep(3_000_000)
            try require(Self.questions(stage) <= 2, "\(Self.questions(stage)) questions for the token")
            stage.follow(.none)
            let run = try stage.command("destinations", "resume", "capi")
            try requireEqual(run.code, 0, run.errors)
            try eventually("them to arrive") { stage.missing(ids).isEmpty }
            try requireEqual(Self.questions(stage), 3, "questions for the token")
            try daemon.stop()
            try Self.requireSilence(stage, of: Microsoft.token, runs: [run])
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `without a grant the status says whose credential is missing, and all arrives once there is one`() async throws
    {
        try await onThread {
            let stage = try Self.stage()
            stage.follow(.oauthError("invalid_client", aadsts: 7_000_215), .oauth)
            let daemon = try stage.launch()
            try eventually("the status to say so") {
                stage.destination("capi")?["credential_problem"]?.string == "offline: invalid_client"
            }
            let ids = Shop.ids("held", 0..<10)
            try stage.publish(ids.map { Shop.purchase($0) })
            try requireEqual(Self.questions(stage), 0, "questions for the token")
            stage.follow(.none)
            try stage.directory.write("made-up-second-token", to: "refresh-token")
            stage.microsoft.withModel { $0.consent(refreshToken: "made-up-second-token") }
            daemon.send(SIGHUP)
            try eventually("them to arrive") { stage.missing(ids).isEmpty }
            try requireEqual(Self.questions(stage), 1, "questions for the token")
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a tag that the account does not have is said, and the other destination goes on`() async throws {
        try await onThread {
            let stage = try Self.stage()
            stage.follow(FaultPlan([.init(.campaignFault(.userIsNotAuthorized), targets: .reports)]))
            let daemon = try stage.start()
            try eventually("it to be refused") {
                stage.directory.logLines("credential.refused").contains {
                    $0["grant"]?.string == "capi" && $0["reason"]?.string == "campaign_106"
                }
            }
            try stage.publish(Shop.ids("held", 0..<5).map { Shop.purchase($0) })
            try eventually("the other destination to go on") { stage.acceptedOffline == 5 }
            try requireEqual(stage.destination("capi")?["credential"]?.string, "missing", "credential")
            stage.follow(.none)
            _ = try stage.command("destinations", "resume", "capi")
            try eventually("them to arrive") { stage.missing(Shop.ids("held", 0..<5)).isEmpty }
            try daemon.stop()
            try Self.requireSilence(stage, of: Microsoft.token, runs: [])
            try stage.finish()
        }
    }
}
