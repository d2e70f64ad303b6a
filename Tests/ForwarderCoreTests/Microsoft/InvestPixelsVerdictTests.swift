import ForwarderCore
import Testing

/// What the answer to a pixel's call means, and how the call is made.
@Suite struct InvestPixelsVerdictTests {
    private static let now = SampleDeliveries.wallStart

    private static func pixels(_ change: (inout InvestPixelSettings) -> Void = { _ in }) -> InvestPixels {
        var settings = InvestPixelSettings(events: [.init(event: "Purchase", pixelID: 37)])
        change(&settings)
        return InvestPixels(settings, endpoint: "https://sspx-router.adnxs.com", timeout: .seconds(30))
    }

    private func others(_ outcome: HTTPOutcome) -> Verdict.Others {
        InvestPixels.verdict(outcome, now: InvestPixelsVerdictTests.now).others
    }

    private func redirected(_ status: Int) -> HTTPOutcome {
        var answer = HTTPAnswer(status: status)
        answer.redirect = HTTPAnswer.Redirect(count: 1, host: "ams1-ib.adnxs.com")
        return .answer(answer)
    }

    @Test func `the call is a GET of nothing but the query`() {
        let request = InvestPixelsVerdictTests.pixels().request(Array(#""id=37&value=1&sspdata=a%2Bb.""#.utf8))
        #expect(request.method == .get)
        #expect(request.url == "https://sspx-router.adnxs.com/sspx?id=37&value=1&sspdata=a%2Bb.")
        #expect(request.headers.isEmpty && request.body.isEmpty)
        #expect(request.redirectLimit == 5)
    }

    @Test func `asked whether it is there, it fires nothing`() {
        #expect(InvestPixelsVerdictTests.pixels().request([]).url == "https://sspx-router.adnxs.com/sspx")
    }

    @Test func `a connection is used again only where a repeat counts nothing`() {
        func mayReuse(_ change: (inout InvestPixelSettings) -> Void) -> Bool {
            InvestPixelsVerdictTests.pixels(change).request([]).mayReuseConnection
        }
        #expect(mayReuse { _ in })
        #expect(mayReuse { $0.events[0].repetition = .onePerUser })
        #expect(mayReuse { $0.events[0].repetition = .minutes(120) })
        #expect(!mayReuse { $0.events[0].repetition = .minutes(0) })
        #expect(!mayReuse { $0.retryAmbiguous = false })
        #expect(
            mayReuse {
                $0.events[0].repetition = .minutes(0)
                $0.retryAmbiguous = true
            })
    }

    @Test(arguments: [200, 202, 204])
    func `an answer of 2xx at the end of the way is a conversion`(status: Int) {
        #expect(others(SampleAnswers.answer(status, "GIF89a")) == .delivered)
        #expect(others(redirected(status)) == .delivered)
    }

    @Test(arguments: [301, 302, 303, 307, 308, 401, 403, 404, 405])
    func `what nothing can be sent through parks the gate`(status: Int) {
        let isCredential = status == 401
        #expect(others(SampleAnswers.answer(status)) == (isCredential ? .credentialRefused : .parked))
    }

    @Test(arguments: [302, 401, 403, 404, 405])
    func `one token sent astray holds up no other`(status: Int) {
        #expect(others(redirected(status)) == .retry(after: nil))
    }

    @Test(arguments: [500, 501, 502, 504])
    func `a server's fault leaves it open whether it was counted`(status: Int) {
        #expect(others(SampleAnswers.answer(status)) == .unclear)
        #expect(others(redirected(status)) == .unclear)
    }

    @Test func `who is too busy has counted nothing`() {
        #expect(others(SampleAnswers.answer(503, after: "7")) == .retry(after: .seconds(7)))
        #expect(others(SampleAnswers.answer(429, after: "7")) == .busy(after: .seconds(7)))
    }

    @Test(arguments: [400, 413, 414, 431])
    func `a query that is not taken is the event's fault`(status: Int) {
        #expect(others(SampleAnswers.answer(status)) == .refusedWhole)
    }

    @Test(arguments: TransportFault.allCases)
    func `only what was sent may have been counted`(fault: TransportFault) {
        let wasSent = [.reset, .timeout, .protocolViolation].contains(fault)
        #expect(others(.noAnswer(fault)) == (wasSent ? .unclear : .retry(after: nil)))
    }
}
