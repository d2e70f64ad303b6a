import FakeMicrosoft
import ForwarderCore
import Testing

@testable import Forwarder

/// What `send-test` says of each way in which Microsoft may answer.
@Suite struct SendTestTests {
    static let now = Timestamp(seconds: 1_786_000_000)
    static let clickID = "dd4afcccb1c94a4cad9544dd7e5006ab"

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var destination = "offline"
        var fault: Fault?
        var goal = OfflineGoal()
        var isGoalThere = true
        var clickID: String? = SendTestTests.clickID
        var tagToken = "token"
        var meaning: TestResult.Meaning
        /// What the text says, in this order.
        var says: [String]

        var testDescription: String { name }
    }

    static let offline: [Case] = [
        Case(
            name: "accepted", meaning: .accepted,
            says: [
                "offline: accepted", "event test-0000000000000007", "HTTP 200",
                "sent, with hashes and ids cut short: POST https://campaign.example/CampaignManagement/v13/",
                #""ConversionName":"Order Paid""#, #""MicrosoftClickId":"dd4afccc…""#,
                #""HashedEmailAddress":"7db0e1b6…""#, "Conversion goals → Order Paid: it counts there",
            ]),
        Case(
            name: "no such goal", isGoalThere: false, meaning: .refused,
            says: [
                "offline: refused", "5606 OfflineConversionNameInvalid: the account has no offline goal of that name",
                "is there an offline goal Order Paid",
            ]),
        Case(
            name: "young goal", goal: OfflineGoal(acceptsFrom: now + .seconds(60)), meaning: .refused,
            says: ["5615 OfflineConversionNotAcceptedForGoal: the goal was made less than two hours ago"]),
        Case(
            name: "no click id", clickID: nil, meaning: .refused,
            says: ["99003 NotEligibleForEnhancedConversions: a conversion without a click id needs a goal with"]),
        Case(
            name: "throttled", fault: .campaignFault(.callRateExceeded), meaning: .throttled,
            says: ["offline: throttled", "campaign_117: too many calls within a minute"]),
        Case(
            name: "token", fault: .campaignFault(.authenticationTokenExpired), meaning: .credentialRefused,
            says: ["offline: the credential is not accepted", "campaign_109: the access token has expired"]),
        Case(
            name: "no right", fault: .campaignFault(.userIsNotAuthorized), meaning: .configurationRefused,
            says: ["campaign_106: the user who gave consent has no access", "see account 20?"]),
        Case(
            name: "account", fault: .campaignFault(.invalidAccountID), meaning: .configurationRefused,
            says: [
                "offline: refused for what is configured", "campaign_1102: there is no such account: account_id",
                "aid is account_id (20 here)",
            ]),
        Case(
            name: "internal", fault: .campaignFault(.internalError), meaning: .unavailable,
            says: ["offline: no useful answer", "campaign_0: Microsoft has trouble of its own"]),
        Case(
            name: "no answer", fault: .drop, meaning: .unavailable,
            says: ["offline: no useful answer", "reset: the connection broke", "sent, with hashes"]),
    ]

    static let capi: [Case] = [
        Case(
            name: "accepted", destination: "capi", meaning: .accepted,
            says: [
                "capi: accepted", "HTTP 200",
                "sent, with hashes and ids cut short: POST https://campaign.example/v1/12345678/events",
                #""anonymousId":"test-000…""#, #""em":"7db0e1b6…""#, #""msclkid":"dd4afccc…""#,
                "UET tag: tag 12345678 shows that it is active",
            ]),
        Case(
            name: "refused", destination: "capi", fault: .refuse(share: 1), meaning: .refused,
            says: ["capi: refused", "Blocked eventId", "nothing of it is to be seen at Microsoft"]),
        Case(
            name: "token", destination: "capi", tagToken: "another", meaning: .credentialRefused,
            says: ["capi: the credential is not accepted", "http_401: the token is not accepted", "Copy token"]),
        Case(
            name: "forbidden", destination: "capi", fault: .status(403), meaning: .configurationRefused,
            says: ["http_403: no right to do this", "is 12345678 a tag of this account?"]),
        Case(
            name: "throttled", destination: "capi", fault: .status(429), meaning: .throttled,
            says: ["capi: throttled", "http_429: too much at once"]),
        Case(
            name: "empty answer", destination: "capi", fault: .emptyAnswer, meaning: .unconfirmed,
            says: ["capi: answered well, but in words that prove nothing", "unreadable_200: 200 without a body"]),
        Case(
            name: "down", destination: "capi", fault: .status(503), meaning: .unavailable,
            says: ["capi: no useful answer", "http_503: Microsoft, or something on the way"]),
    ]

    @Test(arguments: offline + capi)
    func `the answer is told in words, with what was sent and where to look next`(sample: Case) throws {
        let result = try send(sample)
        #expect(result.answer?.meaning == sample.meaning)
        let text = try text(result)
        var rest = text[...]
        for part in sample.says {
            guard let range = rest.firstRange(of: part) else {
                Issue.record("'\(part)' is not there, or not behind the others:\n\(text)")
                return
            }
            rest = rest[range.upperBound...]
        }
        // Neither whole hashes nor ids of a person.
        let shown = String(decoding: result.json, as: UTF8.self)
        #expect(!shown.contains(SendTestTests.clickID))
        #expect(shown.split { !$0.isHexDigit }.allSatisfy { $0.count < 32 })
        #expect(!shown.contains("token\""))
    }

    @Test func `what is not sent is explained too`() throws {
        let configuration = SendTestTests.configuration
        let view = #"{"event":"PageView","event_id":"1","event_time":1785999990,"user":{}}"#
        func prepare(_ destination: String, _ event: String) -> PreparedTest {
            let request = TestRequest(destination: destination, content: .event(Array(event.utf8)))
            return PreparedTest(request, configuration, now: SendTestTests.now)
        }
        let skipped = try text(prepare("offline", view).result)
        #expect(skipped.hasPrefix("offline: nothing was sent\n  event 1\n"))
        #expect(skipped.contains("  skip: unmapped_event: this destination is not configured for events of this name"))
        let rejected = try text(prepare("capi", view).result)
        #expect(rejected.contains("  reject: no_identifier, url_missing: nothing in it says who it was"))
        #expect(rejected.contains("; a page load needs a url"))
        let dead = try text(prepare("capi", view).refused("credential: invalid_grant"))
        #expect(dead.contains("  credential: invalid_grant: the refresh token is not accepted"))
    }

    @Test func `a question sends no event, and shows none`() throws {
        let test = PreparedTest(
            TestRequest(destination: "capi", content: .nothing), SendTestTests.configuration, now: SendTestTests.now)
        let request = try #require(test.request(.init(token: "wrong")))
        var model = MicrosoftModel(MicrosoftSettings(tags: ["12345678": "token"]))
        var chance = SeededGenerator(seed: 1)
        let outcome = model.handle(FakeRequest(request), now: SendTestTests.now, using: &chance).outcome
        let text = try text(test.answered(outcome, elapsed: .milliseconds(5), now: SendTestTests.now))
        #expect(text.hasPrefix("capi: the credential is not accepted"))
        #expect(!text.contains("sent,"))
    }

    // MARK: Support

    private static var configuration: Configuration {
        var offline = OfflineSettings(
            goals: [.init(event: "Purchase", name: "Order Paid")], customerID: "10", accountID: "20",
            developerToken: .environment("TOKEN"),
            oauth: OAuthSettings(clientID: "id", refreshToken: .environment("TOKEN")))
        offline.enhancedConversions = true
        var destinations = [
            DestinationSettings(
                name: "capi", kind: .capi(CAPISettings(uetTagID: "12345678", token: .environment("TOKEN")))),
            DestinationSettings(name: "offline", kind: .offlineConversions(offline)),
        ]
        for index in destinations.indices { destinations[index].endpoint = "https://campaign.example" }
        return Configuration(
            kafka: KafkaSettings(brokers: ["localhost"], topics: ["events"]), destinations: destinations)
    }

    private func send(_ sample: Case) throws -> TestResult {
        let goals = sample.isGoalThere ? ["Order Paid": sample.goal] : [:]
        var model = MicrosoftModel(
            MicrosoftSettings(
                tags: ["12345678": "token"],
                accounts: [OfflineAccount(customerID: "10", accountID: "20", goals: goals)]))
        var chance = SeededGenerator(seed: 1)
        let granted = model.handle(SendTestTests.tokenRequest, now: SendTestTests.now, using: &chance)
        let access = try #require(try JSONDocument(granted.body).root["access_token"]?.string)
        if let fault = sample.fault {
            model.follow(FaultPlan([.init(fault, targets: .events)]), from: SendTestTests.now)
        }
        let event = TestEvent.json("Purchase", clickID: sample.clickID, now: SendTestTests.now, random: 7)
        let test = PreparedTest(
            TestRequest(destination: sample.destination, content: .event(event)), SendTestTests.configuration,
            now: SendTestTests.now)
        let credential = MicrosoftInterface.Credential(
            token: sample.destination == "capi" ? sample.tagToken : access, developerToken: "developer-token")
        let request = try #require(test.request(credential))
        let outcome = model.handle(FakeRequest(request), now: SendTestTests.now, using: &chance).outcome
        return test.answered(outcome, elapsed: .milliseconds(5), now: SendTestTests.now)
    }

    private func text(_ result: TestResult) throws -> String {
        TestResult.text(try JSONDocument(result.json).root)
    }

    private static let tokenRequest = FakeRequest(
        method: "POST", path: "/common/oauth2/v2.0/token",
        headers: ["content-type": "application/x-www-form-urlencoded"],
        body: Array(
            ("client_id=client-id&grant_type=refresh_token&refresh_token=refresh-token"
                + "&scope=https%3A%2F%2Fads.microsoft.com%2Fmsads.manage+offline_access").utf8))
}
