import FakeMicrosoft
import ForwarderCore
import Testing

@Suite struct CAPIAnswerTests {
    private let bad = Bench.event(id: "bad", userData: "")

    private func good(_ count: Int) -> [String] {
        (0..<count).map { Bench.event(id: "good-\($0)") }
    }

    @Test func `without the flag one invalid event stops all`() throws {
        var bench = Bench()
        let answer = try bench.send(good(3) + [bad], continues: false)
        #expect(answer.status == 400)
        #expect(answer.eventsReceived == nil)
        #expect(answer.json["error"]?["code"]?.string == "ValidationError")
        #expect(
            answer.details == [.init(index: 3, property: "data[3].userData", code: "NoIdentifier", isWarning: false)])
        #expect(try bench.capi.accepted == 0)
        #expect(try bench.capi.unprocessed == 3)
        #expect(try bench.send(good(3), continues: false).eventsReceived == 3)
        #expect(try bench.capi.duplicates == 0)
    }

    @Test func `with the flag the valid ones are processed and counted`() throws {
        var bench = Bench()
        let answer = try bench.send([bad] + good(4))
        #expect(answer.status == 200)
        #expect(answer.eventsReceived == 4)
        #expect(answer.details.map(\.index) == [0])
        #expect(try bench.capi.accepted == 4)
    }

    @Test func `with the flag nothing but invalid events is a 400`() throws {
        var bench = Bench()
        #expect(try bench.send([bad, bad]).status == 400)
        #expect(try bench.capi.invalid == 2)
    }

    @Test(arguments: [true, false])
    func `warnings alone never stop an event`(continues: Bool) throws {
        var bench = Bench()
        let warned = Bench.event(id: "warned", more: #""referrerUrl":"x""#)
        let answer = try bench.send(good(1) + [warned], continues: continues)
        #expect(answer.status == 200)
        #expect(answer.eventsReceived == 2)
        #expect(answer.json["error"]?["code"]?.string == "ValidationWarning")
        #expect(
            answer.details == [.init(index: 1, property: "data[1].referrerUrl", code: "InvalidUrl", isWarning: true)])
        #expect(try bench.capi.accepted == 2)
        #expect(try bench.capi.judgedInvalid == 1)
    }

    @Test func `only the first ten problems are listed, but all count`() throws {
        var bench = Bench()
        let bad = (0..<25).map { Bench.event(id: "bad-\($0)", userData: "") }
        let answer = try bench.send(good(5) + bad)
        #expect(answer.eventsReceived == 5)
        #expect(answer.details.map(\.index) == Array(5..<15))
        #expect(
            answer.json["error"]?["message"]?.string
                == "One or multiple parameters did not pass validation checks, see details. "
                + "Note that only the first 10 errors and warnings are shown.")
        #expect(try bench.capi.invalid == 25)
    }

    @Test func `a detail repeats the value and words the rule`() throws {
        var bench = Bench()
        let answer = try bench.send([Bench.event(more: #""referrerUrl":"nowhere""#)])
        let detail = try #require(answer.json["error"]?["details"]?.elements?.first)
        #expect(detail["attemptedValue"]?.string == "nowhere")
        #expect(detail["errorMessage"]?.string == "'referrerUrl' must be a valid URL.")
    }

    @Test(arguments: [
        ("", "NotJson"), ("[]", "InvalidType"), ("{}", "Empty"), (#"{"data":{}}"#, "InvalidType"),
        (#"{"data":[{}],"continueOnValidationError":"true"}"#, "InvalidType"),
        (#"{"data":[{}],"dataProvider":7}"#, "InvalidType"), (#"{"data":[{}],"extra":1}"#, "UnknownProperty"),
    ])
    func `a request that cannot be taken apart is refused and held against the client`(
        body: String, code: String
    ) throws {
        var bench = Bench()
        let answer = try bench.send(Bench.capi(body))
        #expect(answer.status == 400)
        #expect(answer.details.map(\.code) == [code])
        #expect(try bench.capi.judgedInvalid == 1)
        #expect(try bench.capi.received == 0)
    }

    @Test func `a thousand events are taken, one more is not`() throws {
        var bench = Bench()
        #expect(try bench.send(good(1000)).eventsReceived == 1000)
        let answer = try bench.send(good(1001))
        #expect(answer.status == 400)
        #expect(answer.details.map(\.code) == ["TooManyEvents"])
        #expect(try bench.capi.received == 1000)
    }

    @Test func `an empty list asks about the token and is not held against the client`() throws {
        var bench = Bench()
        #expect(try bench.send(Bench.capi(#"{"data":[]}"#)).status == 400)
        #expect(try bench.send(Bench.capi(#"{"data":[]}"#, token: "wrong")).status == 401)
        #expect(try bench.capi.judgedInvalid == 0)
    }

    @Test(arguments: [("1", nil), ("1", "wrong"), ("2", "token")] as [(String, String?)])
    func `a token is good for its tag alone`(tag: String, token: String?) throws {
        var bench = Bench()
        let answer = try bench.send(Bench.capi(#"{"data":[\#(Bench.event())]}"#, token: token, tag: tag))
        #expect(answer.status == 401)
        #expect(
            String(decoding: answer.reply.body, as: UTF8.self)
                == #"{"error":{"code":"Unauthorized","message":"You are not authorized to access this resource."}}"#)
        #expect(try bench.capi.received == 0)
    }

    @Test func `a renewed token takes the place of the old`() throws {
        var bench = Bench()
        bench.model.setToken("new", ofTag: "1")
        let body = #"{"data":[\#(Bench.event())]}"#
        #expect(try bench.send(Bench.capi(body)).status == 401)
        #expect(try bench.send(Bench.capi(body, token: "new")).status == 200)
    }

    @Test func `method, content type and headers of another interface are looked at`() throws {
        var bench = Bench()
        var request = Bench.capi([Bench.event()])
        request.method = "GET"
        #expect(try bench.send(request).status == 405)
        request.method = "POST"
        request.headers["content-type"] = "text/plain"
        #expect(try bench.send(request).status == 415)
        request.headers["content-type"] = "application/json; charset=utf-8"
        request.headers["developertoken"] = "secret"
        request.headers["customerid"] = "1"
        request.headers["customeraccountid"] = "2"
        #expect(try bench.send(request).status == 200)
        #expect(
            try bench.capi.findings.map(\.reason)
                == [
                    "method_not_post", "content_type_not_json", "developer_token_sent_to_capi",
                    "customer_id_sent_to_capi", "account_id_sent_to_capi",
                ])
    }
}
