import FakeMicrosoft
import ForwarderCore
import Testing

/// The token of a tag: GetUetTagAuthKey.
@Suite struct TagTokenContractTests {
    private func ask(
        _ bench: inout Bench, _ body: String, change: (inout FakeRequest) -> Void = { _ in }
    ) throws -> Answer {
        var request = Bench.offline(body, token: try bench.accessToken())
        request.path = "/CampaignManagement/v13/UetTagAuthKey/Query"
        change(&request)
        return try bench.send(request)
    }

    @Test func `whoever may manage the tag gets its token, the same each time`() throws {
        var bench = Bench()
        for _ in 0..<2 {
            let answer = try ask(&bench, #"{"UetTagId":"1"}"#)
            #expect(answer.status == 200 && answer.json["UetTagAuthKey"]?.string == "token")
        }
        bench.model.setToken("another", ofTag: "1")
        let answer = try ask(&bench, #"{"UetTagId":"1"}"#)
        #expect(answer.json["UetTagAuthKey"]?.string == "another")
        #expect(bench.model.tagTokenQuestions == 3)
    }

    @Test func `an unknown tag is a partial error`() throws {
        var bench = Bench()
        let answer = try ask(&bench, #"{"UetTagId":"9"}"#)
        #expect(answer.status == 200 && answer.json["UetTagAuthKey"]?.isNull == true)
        #expect(answer.partialErrors == [[0, 99_105]])
    }

    @Test(arguments: [#"{"UetTagId":1}"#, #"{"TagId":"1"}"#, #"{"UetTagId":"1","More":1}"#, "{}", "", "[]"])
    func `a question in other words than the reference's is refused`(body: String) throws {
        var bench = Bench()
        let answer = try ask(&bench, body)
        #expect(answer.status == 400 && answer.faultCode == 100)
        #expect(try bench.offline.judgedInvalid == 1)
    }

    @Test func `whoever is not let in gets no token`() throws {
        var bench = Bench()
        let names = ["authorization", "developertoken", "customerid", "customeraccountid"]
        for name in names {
            let answer = try ask(&bench, #"{"UetTagId":"1"}"#) { $0.headers[name] = nil }
            #expect(answer.status != 200 && answer.faultCode != nil, "\(name)")
        }
    }
}
