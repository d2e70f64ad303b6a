import FakeMicrosoft
import ForwarderCore
import Testing

@Suite struct CredentialTests {
    @Test(
        arguments: [
            ("authorization", nil, 401, 105), ("authorization", "Bearer nothing", 401, 105),
            ("developertoken", nil, 401, 105), ("developertoken", "wrong", 401, 105),
            ("customerid", nil, 400, 1029), ("customerid", "11", 403, 106),
            ("customeraccountid", nil, 400, 1030), ("customeraccountid", "21", 400, 1102),
        ] as [(String, String?, Int, Int64)])
    func `each header is asked for`(header: String, value: String?, status: Int, code: Int64) throws {
        var bench = Bench()
        let token = try bench.accessToken()
        var request = Bench.offline(#"{"OfflineConversions":[\#(Bench.conversion())]}"#, token: token)
        #expect(try bench.send(request).status == 200)
        request.headers[header] = value
        let answer = try bench.send(request)
        #expect(answer.status == status)
        #expect(answer.faultCode == code)
        #expect(answer.json["Type"]?.string == (code < 1000 ? "AdApiFaultDetail" : "ApiFaultDetail"))
        #expect(answer.json["TrackingId"]?.string == answer.reply.headers["TrackingId"])
        #expect(try bench.offline.accepted == 1)
    }

    @Test func `a missing header is held against the client, a wrong one is not`() throws {
        var bench = Bench()
        let token = try bench.accessToken()
        var request = Bench.offline("{}", token: token)
        request.headers["developertoken"] = "wrong"
        _ = try bench.send(request)
        #expect(try bench.offline.judgedInvalid == 0)
        request.headers["developertoken"] = nil
        _ = try bench.send(request)
        #expect(try bench.offline.findings == [Finding(reason: "header_missing", property: "DeveloperToken")])
    }

    @Test func `an access token lives as long as it was told`() throws {
        var bench = Bench { $0.grant.accessTokenLifetime = .seconds(60) }
        let granted = try bench.send(Bench.tokenRequest())
        #expect(granted.json["expires_in"]?.integer == 60)
        #expect(granted.json["token_type"]?.string == "Bearer")
        let request = Bench.offline(
            #"{"OfflineConversions":[\#(Bench.conversion())]}"#,
            token: try #require(granted.json["access_token"]?.string))
        bench.now = Bench.start + .seconds(59)
        #expect(try bench.send(request).status == 200)
        bench.now = Bench.start + .seconds(60)
        #expect(try bench.send(request).faultCode == 109)
    }

    @Test func `an operator can let access tokens expire`() throws {
        var bench = Bench()
        let request = Bench.offline("{}", token: try bench.accessToken())
        #expect(try bench.send(request).faultCode == 5600)
        bench.model.expireAccessTokens(now: bench.now)
        #expect(try bench.send(request).faultCode == 109)
    }

    @Test func `a grant that is revoked is dead, and another consent is another grant`() throws {
        var bench = Bench()
        let token = try bench.accessToken()
        bench.model.consent(refreshToken: "second")
        #expect(try bench.send(Bench.tokenRequest()).status == 200)
        #expect(try bench.send(Bench.tokenRequest("second")).status == 200)
        bench.model.consent(refreshToken: "third", revoking: true)
        #expect(try bench.send(Bench.offline("{}", token: token)).status == 401)
        for old in ["refresh-token", "second"] {
            #expect(try bench.send(Bench.tokenRequest(old)).json["error"]?.string == "invalid_grant")
        }
        #expect(try bench.send(Bench.tokenRequest("third")).status == 200)
    }

    @Test func `every refresh gives a new refresh token, and the old one stays good for the grace`() throws {
        var bench = Bench { $0.grant.rotationGrace = .seconds(100) }
        let first = try bench.send(Bench.tokenRequest())
        let second = try #require(first.json["refresh_token"]?.string)
        #expect(second != "refresh-token")
        bench.now = Bench.start + .seconds(99)
        #expect(try bench.send(Bench.tokenRequest()).status == 200)
        bench.now = Bench.start + .seconds(100)
        let late = try bench.send(Bench.tokenRequest())
        #expect(late.status == 400)
        #expect(late.json["error"]?.string == "invalid_grant")
        #expect(late.json["error_codes"]?.elements?.first?.integer == 70_000)
        #expect(late.json["timestamp"]?.string == "2026-08-06 07:08:20Z")
        #expect(try bench.send(Bench.tokenRequest(second)).status == 200)
        #expect(bench.model.tokenRefreshes == 3)
    }

    @Test(arguments: [
        ("client_id=client-id&refresh_token=refresh-token&scope=SCOPE", 400, "invalid_request"),
        ("client_id=client-id&grant_type=refresh_token&scope=SCOPE", 400, "invalid_request"),
        (
            "client_id=client-id&grant_type=password&refresh_token=refresh-token&scope=SCOPE", 400,
            "unsupported_grant_type"
        ),
        (
            "client_id=other&grant_type=refresh_token&refresh_token=refresh-token&scope=SCOPE", 400,
            "unauthorized_client"
        ),
        (
            "client_id=client-id&grant_type=refresh_token&refresh_token=refresh-token&scope=bingads.manage", 400,
            "invalid_scope"
        ),
        ("client_id=client-id&grant_type=refresh_token&refresh_token=x&scope=SCOPE", 400, "invalid_grant"),
        (
            "client_id=client-id&client_secret=s&grant_type=refresh_token&refresh_token=refresh-token&scope=SCOPE", 400,
            "invalid_request"
        ),
    ])
    func `each parameter of a token request is asked for`(form: String, status: Int, error: String) throws {
        var bench = Bench()
        let scope = "https%3A%2F%2Fads.microsoft.com%2Fmsads.manage%20offline_access"
        let answer = try bench.send(Bench.tokenRequest(form: form.replacing("SCOPE", with: scope)))
        #expect(answer.status == status)
        #expect(answer.json["error"]?.string == error)
        #expect(bench.model.tokenRefreshes == 0)
    }

    @Test func `a confidential client has to know its secret`() throws {
        var bench = Bench { $0.grant.clientSecret = "s&cret" }
        let form = String(decoding: Bench.tokenRequest().body, as: UTF8.self)
        #expect(try bench.send(Bench.tokenRequest()).json["error"]?.string == "invalid_client")
        #expect(try bench.send(Bench.tokenRequest(form: form + "&client_secret=wrong")).status == 401)
        #expect(try bench.send(Bench.tokenRequest(form: form + "&client_secret=s%26cret")).status == 200)
    }

    @Test func `without offline_access there is no refresh token`() throws {
        var bench = Bench()
        let form = String(decoding: Bench.tokenRequest().body, as: UTF8.self).replacing("+offline_access", with: "")
        let answer = try bench.send(Bench.tokenRequest(form: form))
        #expect(answer.status == 200)
        #expect(answer.json["refresh_token"] == nil)
    }

    @Test func `a token request has to be a form`() throws {
        var bench = Bench()
        var request = Bench.tokenRequest()
        request.headers["content-type"] = "application/json"
        #expect(try bench.send(request).json["error"]?.string == "invalid_request")
    }
}
