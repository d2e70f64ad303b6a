import FakeMicrosoft
import ForwarderCore
import Testing

/// A model with one tag and one account, and a clock that moves only when told to.
struct Bench {
    static let start = Timestamp(seconds: 1_786_000_000)
    static let emailHash = "ec81f3ac7b2b19675bab9d54cf416f9f18cff87c97da5cca82c0f0891bc40602"
    static let phoneHash = "c59475d96e9f01d7d18d06cfad84dd02333207f02c0c2c5663ef2782cda0390e"
    static let clickID = "dd4afcccb1c94a4cad9544dd7e5006ab"

    var model: MicrosoftModel
    var rng = SeededGenerator(seed: 7)
    var now = Bench.start

    init(plan: FaultPlan = .none, change: (inout MicrosoftSettings) -> Void = { _ in }) {
        var settings = Bench.settings
        change(&settings)
        model = MicrosoftModel(settings, plan: plan)
    }

    static var settings: MicrosoftSettings {
        MicrosoftSettings(
            tags: ["1": "token"],
            accounts: [
                OfflineAccount(
                    customerID: "10", accountID: "20",
                    goals: [
                        "Purchase": OfflineGoal(takesEnhancedConversions: true), "Plain": OfflineGoal(),
                        "External": OfflineGoal(isExternallyAttributed: true),
                        "Young": OfflineGoal(acceptsFrom: start + .seconds(7200)),
                    ])
            ])
    }

    // MARK: The Conversions API

    static func event(
        id: String = "e1", type: String = "custom", name: String? = "purchase", time: Timestamp = start,
        userData: String = #""anonymousId":"visitor""#, customData: String? = nil, more: String = ""
    ) -> String {
        var parts = [
            #""eventType":"\#(type)""#, #""eventTime":\#(time.seconds)"#, #""eventId":"\#(id)""#,
            #""userData":{\#(userData)}"#,
        ]
        if let name { parts.append(#""eventName":"\#(name)""#) }
        if let customData { parts.append(#""customData":{\#(customData)}"#) }
        if !more.isEmpty { parts.append(more) }
        return "{" + parts.joined(separator: ",") + "}"
    }

    static func capi(_ body: String, token: String? = "token", tag: String = "1") -> FakeRequest {
        var request = FakeRequest(
            method: "POST", path: "/v1/\(tag)/events", headers: ["content-type": "application/json"],
            body: Array(body.utf8))
        if let token { request.headers["authorization"] = "Bearer \(token)" }
        return request
    }

    static func capi(_ events: [String], continues: Bool = true) -> FakeRequest {
        capi(
            #"{"data":[\#(events.joined(separator: ","))],"continueOnValidationError":\#(continues),"#
                + #""dataProvider":"us"}"#
        )
    }

    mutating func send(_ events: [String], continues: Bool = true) throws -> Answer {
        try send(Bench.capi(events, continues: continues))
    }

    mutating func send(_ request: FakeRequest) throws -> Answer {
        try Answer(model.handle(request, now: now, using: &rng))
    }

    var capi: DestinationBooks { get throws { try #require(model.books(of: .capi(tag: "1"))) } }
    var offline: DestinationBooks { get throws { try #require(model.books(of: .offline(account: "20"))) } }

    // MARK: Offline conversions

    static func conversion(
        name: String = "Purchase", time: String = "2026-08-06T06:00:00Z", clickID: String? = clickID,
        more: String = ""
    ) -> String {
        var parts = [#""ConversionName":"\#(name)""#, #""ConversionTime":"\#(time)""#]
        if let clickID { parts.append(#""MicrosoftClickId":"\#(clickID)""#) }
        if !more.isEmpty { parts.append(more) }
        return "{" + parts.joined(separator: ",") + "}"
    }

    /// A request with an access token that was just got.
    mutating func apply(_ conversions: [String]) throws -> Answer {
        try apply(body: #"{"OfflineConversions":[\#(conversions.joined(separator: ","))]}"#)
    }

    mutating func apply(body: String) throws -> Answer {
        let token = try accessToken()
        return try send(Bench.offline(body, token: token))
    }

    static func offline(_ body: String, token: String) -> FakeRequest {
        FakeRequest(
            method: "POST", path: "/CampaignManagement/v13/OfflineConversions/Apply",
            headers: [
                "authorization": "Bearer \(token)", "developertoken": "developer-token", "customerid": "10",
                "customeraccountid": "20", "content-type": "application/json",
            ], body: Array(body.utf8))
    }

    // MARK: Tokens

    static func tokenRequest(_ refreshToken: String = "refresh-token", form: String? = nil) -> FakeRequest {
        let standard =
            "client_id=client-id&grant_type=refresh_token&refresh_token=\(refreshToken)"
            + "&scope=https%3A%2F%2Fads.microsoft.com%2Fmsads.manage+offline_access"
        return FakeRequest(
            method: "POST", path: "/common/oauth2/v2.0/token",
            headers: ["content-type": "application/x-www-form-urlencoded"], body: Array((form ?? standard).utf8))
    }

    mutating func accessToken() throws -> String {
        try #require(try send(Bench.tokenRequest()).json["access_token"]?.string)
    }
}

/// A reply with its body taken apart.
struct Answer {
    var reply: FakeReply
    /// `null` where the body is not JSON.
    var json: JSONElement

    init(_ reply: FakeReply) throws {
        self.reply = reply
        let body = (try? JSONDocument(reply.body)) ?? nil
        json = try body?.root ?? JSONDocument("null").root
    }

    var status: Int { reply.status }
    var eventsReceived: Int64? { json["eventsReceived"]?.integer }

    struct Detail: Equatable {
        var index: Int64?
        var property: String?
        var code: String?
        var isWarning: Bool?
    }

    /// CAPI's list of problems.
    var details: [Detail] {
        (json["error"]?["details"]?.elements ?? []).map {
            Detail(
                index: $0["index"]?.integer, property: $0["propertyName"]?.string, code: $0["errorCode"]?.string,
                isWarning: $0["isWarning"]?.bool)
        }
    }

    /// Campaign Management's partial errors, as index and code.
    var partialErrors: [[Int64?]] {
        (json["PartialErrors"]?.elements ?? []).map { [$0["Index"]?.integer, $0["Code"]?.integer] }
    }

    /// The code of a fault of the whole request.
    var faultCode: Int64? {
        let errors = json["Errors"] ?? json["OperationErrors"]
        return errors?.elements?.first?["Code"]?.integer
    }
}
