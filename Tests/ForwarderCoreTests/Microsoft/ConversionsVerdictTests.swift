import ForwarderCore
import Testing

@Suite struct ConversionsVerdictTests {
    private static let now = SampleDeliveries.wallStart

    private func verdict(_ outcome: HTTPOutcome, of count: Int = 3) -> Verdict {
        ConversionsAPI.verdict(outcome, entryCount: count, now: ConversionsVerdictTests.now)
    }

    private func refused(_ indexes: Int...) -> [Verdict.Entry] {
        indexes.map { .init(index: $0, fate: .refused, code: "Empty") }
    }

    private func problems(_ indexes: some Sequence<Int>) -> [(index: Int, code: String)] {
        indexes.map { ($0, "Empty") }
    }

    // MARK: The table of the contract

    @Test func `all valid`() {
        #expect(verdict(SampleAnswers.processed(3)) == Verdict(.delivered, reason: "ok"))
    }

    @Test func `only warnings: taken, and counted`() {
        let body = """
            {"eventsReceived":3,"error":{"code":"ValidationWarning","details":[
            {"index":0,"propertyName":"data[0].userData.em","errorCode":"InvalidSha256","isWarning":true},
            {"index":0,"propertyName":"data[0].referrerUrl","errorCode":"InvalidUrl","isWarning":true},
            {"index":2,"propertyName":"data[2].customData.currency","errorCode":"InvalidEnumValue","isWarning":true}]}}
            """
        let verdict = verdict(SampleAnswers.answer(200, body))
        #expect(verdict.others == .delivered)
        #expect(verdict.entries.isEmpty)
        #expect(verdict.warnings == 2)
        #expect(
            verdict.problems
                == ["InvalidSha256 userData.em", "InvalidUrl referrerUrl", "InvalidEnumValue customData.currency"])
    }

    @Test func `one invalid and strict: nothing processed`() {
        let verdict = verdict(SampleAnswers.invalid(problems([1])))
        #expect(verdict.others == .notProcessed)
        #expect(verdict.entries == refused(1))
        #expect(verdict.reason == "http_400")
    }

    @Test func `some invalid: the others are taken`() {
        let verdict = verdict(SampleAnswers.processed(1, problems([0, 2])))
        #expect(verdict.others == .delivered)
        #expect(verdict.entries == refused(0, 2))
    }

    @Test func `an error and a warning about one entry refuse it once`() {
        let details =
            #"{"index":1,"errorCode":"InvalidUrl","isWarning":true},{"index":1,"errorCode":"Empty","isWarning":false},"#
            + #"{"index":1,"errorCode":"InvalidEnumValue","isWarning":false}"#
        let verdict = verdict(SampleAnswers.answer(200, #"{"eventsReceived":2,"error":{"details":[\#(details)]}}"#))
        #expect(verdict.others == .delivered)
        #expect(verdict.entries == refused(1))
        #expect(verdict.warnings == 0)
    }

    @Test func `ten of many: the count says that more were skipped`() {
        let verdict = verdict(SampleAnswers.processed(50, problems(0..<10)), of: 100)
        #expect(verdict.others == .unexplained)
        #expect(verdict.entries.count == 10)
        #expect(verdict.problems.count == 10)
    }

    @Test(arguments: [
        (3, Verdict.Others.delivered), (4, .delivered), (2, .unexplained), (0, .unexplained), (-5, .unexplained),
    ])
    func `the count`(received: Int, others: Verdict.Others) {
        #expect(verdict(SampleAnswers.processed(received)).others == others)
    }

    @Test func `a count that is too high explains what is listed all the same`() {
        let verdict = verdict(SampleAnswers.processed(3, problems([1])))
        #expect(verdict.others == .delivered)
        #expect(verdict.entries == refused(1))
    }

    @Test func `without a count a short list is believed, a full one may be cut`() {
        func body(_ count: Int) -> HTTPOutcome {
            SampleAnswers.answer(200, #"{"error":{"details":[\#(SampleAnswers.details(problems(0..<count)))]}}"#)
        }
        #expect(verdict(body(9), of: 20).others == .delivered)
        #expect(verdict(body(10), of: 20).others == .unexplained)
        #expect(verdict(body(10), of: 20).entries.count == 10)
    }

    @Test func `older answers do not say what is a warning: then the count does`() {
        let details =
            #"{"index":0,"propertyName":"data[0].userData.em"},{"index":2,"propertyName":"data[2].eventTime"}"#
        func verdict(_ status: Int, received: Int?) -> Verdict {
            let count = received.map { "\"eventsReceived\":\($0)," } ?? ""
            return self.verdict(SampleAnswers.answer(status, "{\(count)\"error\":{\"details\":[\(details)]}}"))
        }
        #expect(verdict(200, received: 3).entries.isEmpty)
        #expect(verdict(200, received: 3).others == .delivered)
        #expect(verdict(200, received: 1).entries.map(\.index) == [0, 2])
        #expect(verdict(200, received: 1).others == .delivered)
        #expect(verdict(400, received: nil).entries.map(\.code) == ["ValidationError", "ValidationError"])
        #expect(verdict(400, received: nil).others == .notProcessed)
    }

    @Test(arguments: [400, 200])
    func `an index that no entry has is nobody's`(status: Int) {
        for index in ["-1", "3", "9223372036854775807", "-9223372036854775808", "1e3", "1.5", "\"1\"", "null", "[]"] {
            let body =
                #"{"eventsReceived":2,"error":{"details":[{"index":\#(index),"errorCode":"Empty","isWarning":false}]}}"#
            let verdict = verdict(SampleAnswers.answer(status, body))
            #expect(verdict.entries.isEmpty, "\(index)")
            #expect(verdict.others == (status == 200 ? .unexplained : .refusedWhole), "\(index)")
        }
    }

    @Test(arguments: ["", "null", "{}", "[]", "<html>", "{\"eventsReceived\":\"3\"}", "{\"eventsReceived\":null}", "{"])
    func `a 200 that says nothing proves nothing`(body: String) {
        #expect(verdict(SampleAnswers.answer(200, body)) == Verdict(.unconfirmed, reason: "unreadable_200"))
    }

    @Test(arguments: [
        "", "{}", "<html>", "[]", "{\"error\":{\"details\":[]}}", "{\"error\":\"x\"}", "{\"error\":{\"details\":7}}",
    ])
    func `a 400 without indexes condemns somebody`(body: String) {
        #expect(verdict(SampleAnswers.answer(400, body)).others == .refusedWhole)
    }

    @Test func `a 400 with warnings only condemns somebody`() {
        let body = #"{"error":{"details":[{"index":0,"errorCode":"InvalidUrl","isWarning":true}]}}"#
        #expect(verdict(SampleAnswers.answer(400, body)).others == .refusedWhole)
    }

    @Test func `what is too long to be read is asked about in parts`() {
        let answer = HTTPAnswer(status: 200, body: Array(#"{"eventsReceived":3}"#.utf8), isTruncated: true)
        #expect(verdict(.answer(answer)).others == .tooLarge)
        #expect(verdict(.answer(answer), of: 1).others == .unconfirmed)
    }

    // MARK: Transport and status

    @Test(arguments: TransportFault.allCases)
    func `no answer: again`(fault: TransportFault) {
        #expect(verdict(.noAnswer(fault)) == Verdict(.retry(after: nil), reason: fault.rawValue))
    }

    @Test(arguments: [
        (401, Verdict.Others.credentialRefused), (403, .parked), (404, .parked), (405, .parked), (415, .parked),
        (422, .parked), (301, .parked), (302, .parked), (307, .parked), (308, .parked), (409, .parked), (100, .parked),
        (999, .parked), (408, .busy(after: nil)), (425, .busy(after: nil)), (429, .busy(after: nil)),
        (413, .tooLarge), (500, .retry(after: nil)), (501, .retry(after: nil)), (502, .retry(after: nil)),
        (503, .retry(after: nil)), (504, .retry(after: nil)), (599, .retry(after: nil)), (202, .unconfirmed),
        (204, .unconfirmed),
    ])
    func `what a status means`(status: Int, others: Verdict.Others) {
        #expect(verdict(SampleAnswers.answer(status)) == Verdict(others, reason: "http_\(status)"))
    }

    @Test func `a Retry-After is taken along`() {
        #expect(verdict(SampleAnswers.answer(429, after: "7")).others == .busy(after: .seconds(7)))
        #expect(verdict(SampleAnswers.answer(503, after: "7")).others == .retry(after: .seconds(7)))
        #expect(verdict(SampleAnswers.answer(503, after: "soon")).others == .retry(after: nil))
    }

    // MARK: Traces

    @Test func `the id for Microsoft's support is found in headers or body`() {
        func answer(_ headers: [String: String], _ body: String) -> String? {
            verdict(.answer(HTTPAnswer(status: 200, headers: headers, body: Array(body.utf8)))).traceID
        }
        #expect(answer(["x-ms-request-id": "a-1"], #"{"eventsReceived":3,"traceId":"b-2"}"#) == "a-1")
        #expect(answer(["x-request-id": "c-3"], #"{"eventsReceived":3}"#) == "c-3")
        #expect(answer([:], #"{"eventsReceived":3,"traceId":"b-2"}"#) == "b-2")
        #expect(answer([:], #"{"eventsReceived":3,"traceId":"ada@example.com"}"#) == nil)
        #expect(answer(["x-ms-request-id": "ada@example.com"], #"{"eventsReceived":3}"#) == nil)
        #expect(answer(["request-id": String(repeating: "a", count: 65)], #"{"eventsReceived":3}"#) == nil)
    }
}
