import ForwarderCore
import Testing

@Suite struct CampaignVerdictTests {
    private static let now = SampleDeliveries.wallStart

    private func verdict(_ outcome: HTTPOutcome, of count: Int = 3) -> Verdict {
        CampaignManagement.verdict(outcome, entryCount: count, now: CampaignVerdictTests.now)
    }

    // MARK: Accepted

    @Test(arguments: [#"{"PartialErrors":[]}"#, #"{"PartialErrors":null}"#, "{}"])
    func `no errors: all is taken`(body: String) {
        #expect(verdict(SampleAnswers.answer(200, body)) == Verdict(.delivered, reason: "ok"))
    }

    @Test(arguments: ["", "[]", "<html>", "{", "null", "\"x\""])
    func `a 200 that cannot be read proves nothing`(body: String) {
        #expect(verdict(SampleAnswers.answer(200, body)) == Verdict(.unconfirmed, reason: "unreadable_200"))
    }

    @Test func `a list of errors that is too long to be read is asked for in parts`() {
        let answer = HTTPAnswer(status: 200, body: Array(#"{"PartialErrors":[]}"#.utf8), isTruncated: true)
        #expect(verdict(.answer(answer)).others == .tooLarge)
        #expect(verdict(.answer(answer), of: 1).others == .unconfirmed)
    }

    /// Everything that the contract lists for single items, and what is not listed anywhere.
    @Test(arguments: [
        (0, Verdict.Fate.retry(after: nil)), (5612, .retry(after: nil)), (5606, .goalMissing),
        (5615, .goalTooYoung), (5614, .retry(after: .seconds(60))),
        (100, .refused), (113, .refused), (5600, .refused), (5602, .refused), (5603, .refused), (5604, .refused),
        (5605, .refused), (5607, .refused), (5608, .refused), (5609, .refused), (5610, .refused), (5611, .refused),
        (5616, .refused), (5617, .refused), (5618, .refused), (5627, .refused), (4204, .refused), (99_999, .refused),
    ])
    func `what an error means for its item`(code: Int, fate: Verdict.Fate) {
        let verdict = verdict(SampleAnswers.applied([(1, code)]))
        #expect(verdict.others == .delivered)
        #expect(verdict.entries == [.init(index: 1, fate: fate, code: "\(code)")])
        #expect(verdict.reason == "ok")
    }

    @Test(arguments: [
        (105, Verdict.Others.credentialRefused), (106, .parked), (108, .parked),
        (109, .credentialRefused), (116, .parked), (120, .parked), (121, .parked), (122, .parked), (123, .parked),
        (124, .parked), (125, .parked), (126, .parked), (1029, .parked), (1030, .parked), (1102, .parked),
        (5613, .parked), (117, .throttled(for: .seconds(60))), (0, .retry(after: nil)), (5612, .retry(after: nil)),
        (207, .retry(after: nil)), (5601, .tooLarge), (100, .refusedWhole), (113, .refusedWhole), (5600, .refusedWhole),
        (5606, .refusedWhole), (99_999, .refusedWhole),
    ])
    func `what an error means for the whole request`(code: Int, others: Verdict.Others) {
        for status in [400, 200] {
            let list = status == 400 ? "OperationErrors" : "PartialErrors"
            let body = #"{"TrackingId":"t-1","\#(list)":[{"Code":\#(code),"ErrorCode":"","Details":null}]}"#
            let verdict = verdict(SampleAnswers.answer(status, body))
            #expect(verdict.others == others)
            #expect(verdict.entries.isEmpty)
            #expect(verdict.reason == "campaign_\(code)")
            #expect(verdict.traceID == "t-1")
        }
    }

    /// The code may have no number, or 0, the number of an internal error: the name counts.
    @Test(arguments: [
        ("AuthenticationTokenExpired", Verdict.Others.credentialRefused), ("InvalidCredentials", .credentialRefused),
        ("UserIsNotAuthorized", .parked), ("CallRateExceeded", .throttled(for: .seconds(60))),
        ("InternalError", .retry(after: nil)), ("OfflineConversionsApplyFailed", .retry(after: nil)),
        ("OfflineConversionPilotNotEnabledForCustomer", .parked), ("OfflineConversionBatchSizeExceedsLimit", .tooLarge),
        ("NotEligibleForEnhancedConversions", .refusedWhole),
    ])
    func `a name counts before a number`(name: String, others: Verdict.Others) {
        for number in ["", #""Code":0,"#, #""Code":-7,"#, #""Code":"x","#] {
            let body = #"{"Errors":[{\#(number)"ErrorCode":"\#(name)"}]}"#
            #expect(verdict(SampleAnswers.answer(400, body)).others == others, "\(number)")
        }
    }

    @Test(arguments: [
        ("OfflineConversionGoalTooRecent", Verdict.Fate.goalTooYoung),
        ("OfflineConversionNameInvalid", .goalMissing), ("NotEligibleForEnhancedConversions", .refused),
        ("ConversionEmailAddressIsNotHashed", .refused), ("", .refused),
    ])
    func `an item's error without a number`(name: String, fate: Verdict.Fate) {
        let body = #"{"PartialErrors":[{"Index":2,"ErrorCode":"\#(name)"}]}"#
        let code = name.isEmpty ? "unknown" : name
        #expect(verdict(SampleAnswers.answer(200, body)).entries == [.init(index: 2, fate: fate, code: code)])
    }

    @Test func `several errors of one item: a chance counts`() {
        let verdict = verdict(SampleAnswers.applied([(1, 5603), (1, 5606), (1, 5604), (0, 5604), (0, 5603)]))
        #expect(
            verdict.entries
                == [.init(index: 0, fate: .refused, code: "5604"), .init(index: 1, fate: .goalMissing, code: "5606")])
    }

    // MARK: Faults

    @Test func `the gravest word counts`() {
        let verdict = verdict(
            SampleAnswers.answer(
                400, #"{"BatchErrors":[{"Code":5604,"Index":0}],"OperationErrors":[{"Code":1102},{"Code":109}]}"#))
        #expect(verdict.others == .credentialRefused)
        #expect(verdict.entries.isEmpty)
    }

    @Test func `a fault about single items: the others were not processed either`() {
        let verdict = verdict(SampleAnswers.answer(400, #"{"BatchErrors":[{"Code":5604,"Index":2}]}"#))
        #expect(verdict.others == .notProcessed)
        #expect(verdict.entries == [.init(index: 2, fate: .refused, code: "5604")])
    }

    @Test func `an item's error without an index condemns somebody; the named ones are known`() {
        let verdict = verdict(SampleAnswers.applied([(0, 5604), (nil, 5603), (7, 5603), (-1, 5603)]))
        #expect(verdict.others == .refusedWhole)
        #expect(verdict.entries.map(\.index) == [0])
    }

    @Test func `of one item it is clear whom an error is about`() {
        #expect(verdict(SampleAnswers.applied([(nil, 5604)]), of: 1).entries.map(\.fate) == [.refused])
        #expect(verdict(SampleAnswers.fault(400, 5606), of: 1).entries.map(\.fate) == [.goalMissing])
        #expect(verdict(SampleAnswers.fault(400, 5615), of: 1).entries.map(\.fate) == [.goalTooYoung])
        // But not from a service that is broken.
        #expect(verdict(SampleAnswers.fault(500, 99_999), of: 1).others == .retry(after: nil))
        #expect(verdict(SampleAnswers.fault(503, 5604), of: 1).entries.isEmpty)
    }

    @Test func `a throttle waits a minute at least and an hour at most`() {
        func wait(_ after: String?) -> Verdict.Others { verdict(SampleAnswers.fault(429, 117, after: after)).others }
        #expect(wait(nil) == .throttled(for: .seconds(60)))
        #expect(wait("5") == .throttled(for: .seconds(60)))
        #expect(wait("90") == .throttled(for: .seconds(90)))
        #expect(wait("99999999999999999999") == .throttled(for: .seconds(3600)))
    }

    @Test(arguments: [
        (400, Verdict.Others.refusedWhole), (401, .credentialRefused), (403, .parked), (404, .parked),
        (408, .busy(after: nil)), (413, .tooLarge), (429, .busy(after: nil)), (500, .retry(after: nil)),
        (503, .retry(after: nil)), (302, .parked),
    ])
    func `without a fault, or with one that says nothing, the status decides`(status: Int, others: Verdict.Others) {
        for body in ["", "<html>", "{}", #"{"Errors":[]}"#, #"{"Errors":[null,7]}"#, #"{"Errors":{"Code":109}}"#] {
            #expect(verdict(SampleAnswers.answer(status, body)) == Verdict(others, reason: "http_\(status)"))
        }
        let unknown = verdict(SampleAnswers.answer(status, #"{"Errors":[{"Code":424242}]}"#))
        #expect(unknown.others == others)
    }

    @Test(arguments: TransportFault.allCases)
    func `no answer: again`(fault: TransportFault) {
        #expect(verdict(.noAnswer(fault)) == Verdict(.retry(after: nil), reason: fault.rawValue))
    }

    @Test func `ten problems are named, whatever there is`() {
        let verdict = verdict(SampleAnswers.applied((0..<200).map { ($0, 5604) }), of: 200)
        #expect(verdict.entries.count == 200)
        #expect(verdict.problems.count == 10)
        #expect(verdict.problems[0] == "5604 ")
    }
}
