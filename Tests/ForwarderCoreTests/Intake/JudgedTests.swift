import FakeMicrosoft
import Testing

@testable import ForwarderCore

/// Whatever a shop publishes: what is owed is judged by eyes that share no code with those that wrote it.
@Suite struct JudgedTests {
    @Test func `whatever a storefront publishes, what is sent keeps the contract`() throws {
        let settings = [
            DestinationSettings.capi({ $0.pageValue = true }) {
                $0.unmapped = .forward
                $0.consent.denied = .send
            },
            .offline(goals: [.init(event: "Purchase", name: "Sale"), .init(event: "Lead", name: "Form")]),
        ]
        let shop = Shop(settings[0], settings[1])
        var service = Service()
        for seed in UInt64(0)..<4000 {
            var random = SeededRandom(seed: seed)
            let outcomes = shop.publish(RandomEvent().make(using: &random).text)
            for (settings, outcome) in zip(settings, outcomes) {
                guard let content = outcome.content else { continue }
                let findings = service.findings(in: content, for: settings)
                if !findings.isEmpty { Issue.record("seed \(seed): \(findings) in \(content)") }
            }
        }
    }
}

/// Microsoft's side, asked about one delivery at a time.
private struct Service {
    private var random = SeededRandom(seed: 1)

    mutating func findings(in content: String, for destination: DestinationSettings) -> [Finding] {
        var settings = MicrosoftSettings(tags: ["1": "token"])
        let goal = OfflineGoal(takesEnhancedConversions: true)
        settings.accounts = [OfflineAccount(customerID: "1", accountID: "2", goals: ["Sale": goal, "Form": goal])]
        var model = MicrosoftModel(settings)
        let now = Timestamp(seconds: Shop.now)
        let grant = HTTPRequest(
            method: .post, url: "https://login.example/common/oauth2/v2.0/token",
            headers: [.init("Content-Type", "application/x-www-form-urlencoded")],
            body: FormEncoding.encode([
                ("grant_type", "refresh_token"), ("client_id", settings.grant.clientID),
                ("refresh_token", settings.grant.refreshToken), ("scope", settings.grant.scope),
            ]), timeout: .seconds(1))
        let reply = model.handle(FakeRequest(grant), now: now, using: &random)
        let access = (try? JSONDocument(reply.body))?.root["access_token"]?.string ?? ""
        let isOffline = destination.kind.type == "offline_conversions"
        let request = MicrosoftInterface(destination).request(
            Array(content.utf8), isStrict: true,
            .init(token: isOffline ? access : "token", developerToken: settings.developerToken))
        _ = model.handle(FakeRequest(request), now: now, using: &random)
        let books = model.books(of: isOffline ? .offline(account: "2") : .capi(tag: "1"))
        return books.map { $0.accepted > 0 ? $0.findings : $0.findings + [Finding(reason: "not accepted")] } ?? []
    }
}
