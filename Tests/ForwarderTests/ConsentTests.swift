import ForwarderCore
import ForwarderHarness
import Glibc
import Testing

@testable import Forwarder

/// Codes on their way to a grant, by whoever owns it.
struct ConsentTests {
    private static let code = AuthorizationCode(code: "code", verifier: "verifier", redirectURI: "http://localhost:1")
    private static let granted = HTTPOutcome.answer(
        HTTPAnswer(
            status: 200, body: Array(#"{"access_token":"access","expires_in":3600,"refresh_token":"refresh"}"#.utf8)))

    /// Two destinations with one grant, another with one of its own.
    private static func plan(_ directory: DaemonDirectory, names: [String] = ["a", "b", "c"]) -> Plan {
        let destinations = names.enumerated().map { index, name in
            var oauth = OAuthSettings(clientID: "id", refreshToken: nil)
            if name == "c" { oauth.grant = "other" }
            let offline = OfflineSettings(
                goals: [], customerID: "1", accountID: "2", developerToken: .file("\(directory.path)/developer"),
                oauth: oauth)
            return PlannedDestination(
                id: DestinationID(Int32(index)),
                settings: DestinationSettings(name: name, kind: .offlineConversions(offline)), firstSeen: .distantPast,
                state: .running, depth: QueueDepth(), heldGoals: [])
        }
        var state = StateSettings()
        state.directory = directory.path
        return Plan(
            configuration: Configuration(
                kafka: KafkaSettings(brokers: ["a"], topics: ["b"]), state: state,
                destinations: destinations.map(\.settings)), destinations: destinations, storeIdentity: "",
            detached: [:])
    }

    private static func redemptions(_ actions: [Credentials.Action]) -> [DestinationID: OAuthGrant.Redemption] {
        var found: [DestinationID: OAuthGrant.Redemption] = [:]
        for case .redeemed(let id, let redemption) in actions { found[id] = redemption }
        return found
    }

    private static func requests(_ actions: [Credentials.Action]) -> [RequestID] {
        actions.compactMap { action in
            guard case .request(_, let id) = action else { return nil }
            return id
        }
    }

    private static func ready(_ actions: [Credentials.Action]) -> Set<DestinationID> {
        var found: Set<DestinationID> = []
        for case .credential(let id, isReady: true, generation: _) in actions { found.insert(id) }
        return found
    }

    @Test func `one code at a time is redeemed for a grant, and whoever gave one learns what came of it`() throws {
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        try directory.write("developer", to: "developer")
        let now = SystemClock.now
        let silent = Telemetry(sink: LogSink(descriptor: STDERR_FILENO), settings: LogSettings())
        let credentials = Credentials(Self.plan(directory), telemetry: silent)
        let (a, b, c) = (DestinationID(0), DestinationID(1), DestinationID(2))
        #expect(Self.requests(credentials.start(now)).isEmpty)
        #expect(credentials.problem(of: a) == "no_consent")

        let first = credentials.redeem(Self.code, for: a, now)
        let asked = try #require(Self.requests(first).first)
        // The same grant; and another, which has nothing to do with it.
        #expect(
            Self.redemptions(credentials.redeem(Self.code, for: b, now)) == [b: .refused(OAuthRefusal(reason: "busy"))])
        let other = try #require(Self.requests(credentials.redeem(Self.code, for: c, now)).first)
        let actions = try #require(credentials.answered(asked, Self.granted, now))
        #expect(Self.redemptions(actions) == [a: .granted(isSaved: true)])
        #expect(Self.ready(actions) == [a, b])
        #expect(credentials.sharing(a) == [b] && credentials.sharing(c).isEmpty)
        // The user is the grant's, whoever asked.
        _ = credentials.learned(MicrosoftUser(id: "7", name: "ada"), of: b, now)
        #expect(credentials.status(of: a, now)?.problem == nil)

        // It goes while the code is on its way: nobody waits for ever.
        let left = credentials.reload(Self.plan(directory, names: ["a", "b"]), now)
        #expect(Self.redemptions(left) == [c: .refused(OAuthRefusal(reason: "reconfigured"))])
        #expect(Self.redemptions(credentials.answered(other, Self.granted, now) ?? []).isEmpty)

        // What is kept is enough for another process.
        let next = Credentials(Self.plan(directory), telemetry: silent)
        #expect(Self.requests(next.start(now)).count == 1)
        #expect(next.problem(of: a) == nil && next.problem(of: c) == "no_consent")
    }

    @Test func `without a secret that the registration needs no code is redeemed`() throws {
        let directory = try DaemonDirectory()
        defer { directory.remove() }
        var plan = Self.plan(directory, names: ["a"])
        guard case .offlineConversions(var offline) = plan.destinations[0].settings.kind else { return }
        offline.oauth.clientSecret = .file("\(directory.path)/client-secret")
        plan.destinations[0].settings.kind = .offlineConversions(offline)
        let now = SystemClock.now
        let silent = Telemetry(sink: LogSink(descriptor: STDERR_FILENO), settings: LogSettings())
        let credentials = Credentials(plan, telemetry: silent)
        _ = credentials.start(now)
        let a = DestinationID(0)
        let refused = credentials.redeem(Self.code, for: a, now)
        #expect(Self.redemptions(refused) == [a: .refused(OAuthRefusal(reason: "unreadable"))])
        // It may be there only now.
        try directory.write("secret", to: "client-secret")
        let asked = credentials.redeem(Self.code, for: a, now)
        guard case .request(let request, _)? = asked.first(where: { Self.requests([$0]).count == 1 }) else {
            Issue.record("nothing is asked")
            return
        }
        #expect(String(decoding: request.body, as: UTF8.self).hasSuffix("&client_secret=secret"))
    }
}
