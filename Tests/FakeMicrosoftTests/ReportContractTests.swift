import FakeMicrosoft
import ForwarderCore
import Testing

/// What became of conversions, by goal and day: GetOfflineConversionReportByGoalIds.
@Suite struct ReportContractTests {
    private static let path = "/CampaignManagement/v13/OfflineConversionReport/QueryByGoalIds"

    private static func bench() -> Bench {
        Bench { settings in
            settings.accounts[0].goals["Purchase"]?.id = "9007199254740993"
            settings.accounts[0].goals["Plain"]?.id = "7"
            settings.accounts[0].goals["Plain"]?.unattributedReason = "NoMatchingClickFound"
        }
    }

    private static func question(
        from: String = "2026-07-31T00:00:00Z", to: String = "2026-08-06T23:59:59Z",
        ids: String = #""9007199254740993","7""#, filter: String = #""CampaignManagementAPI""#, more: String = ""
    ) -> String {
        #"{"StartDateUtc":"\#(from)","EndDateUtc":"\#(to)","GoalIds":[\#(ids)],"UploadChannelFilter":\#(filter)\#(more)}"#
    }

    private func ask(_ bench: inout Bench, _ body: String = question()) throws -> Answer {
        var request = Bench.offline(body, token: try bench.accessToken())
        request.path = ReportContractTests.path
        return try bench.send(request)
    }

    @Test func `it counts what was accepted, repeats as duplicates, and by the day of the upload`() throws {
        var bench = ReportContractTests.bench()
        let sale = Bench.conversion(time: "2026-08-05T06:00:00Z")
        let other = Bench.conversion(time: "2026-08-05T07:00:00Z")
        let plain = Bench.conversion(name: "Plain", time: "2026-08-05T06:00:00Z")
        _ = try bench.apply([sale, plain])
        bench.now = bench.now + .seconds(86_400)
        _ = try bench.apply([sale, other])

        let question = ReportContractTests.question(from: "2026-08-01T00:00:00Z", to: "2026-08-07T23:59:59Z")
        let answer = try ask(&bench, question)
        #expect(answer.status == 200 && answer.json["PartialErrors"]?.elements?.isEmpty == true)
        let summaries = answer.json["OfflineGoalConversionSummaries"]?.elements ?? []
        #expect(summaries.compactMap { $0["GoalId"]?.string } == ["9007199254740993", "7"])
        #expect(summaries.compactMap { $0["OverallSuccessCount"]?.string } == ["2", "0"])
        #expect(summaries.compactMap { $0["OverallUnattributedCount"]?.string } == ["1", "1"])
        let days = summaries.first?["DailySummaries"]?.elements ?? []
        #expect(days.compactMap { $0["UploadDate"]?.string } == ["2026-08-06T00:00:00", "2026-08-07T00:00:00"])
        #expect(days.compactMap { $0["SuccessCount"]?.integer } == [1, 1])
        let alert = days.last?["Alerts"]?.elements?.first
        #expect(alert?["UnattributedReason"]?.string == "DuplicateConversionKey" && alert?["Count"]?.string == "1")
        let reason = summaries.last?["OverallAlerts"]?.elements?.first?["UnattributedReason"]?.string
        #expect(reason == "NoMatchingClickFound")

        // What was uploaded by file is not what was uploaded by API.
        let file = try ask(&bench, ReportContractTests.question(filter: #""WebUpload, BulkAPI""#))
        #expect(file.json["OfflineGoalConversionSummaries"]?.elements?.first?["OverallSuccessCount"]?.string == "0")
        #expect(bench.model.goalReports == 2)
    }

    @Test func `a goal that the account does not have is a partial error`() throws {
        var bench = ReportContractTests.bench()
        let answer = try ask(&bench, ReportContractTests.question(ids: #""7","8""#))
        #expect(answer.status == 200)
        #expect(answer.json["OfflineGoalConversionSummaries"]?.elements?.count == 1)
        #expect(answer.json["PartialErrors"]?.elements?.compactMap { $0["Index"]?.integer } == [1])
        #expect(try bench.offline.judgedInvalid == 0)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var body: String
        var code: Int64
        var testDescription: String { body }
    }

    private static let refusals = [
        Refusal(body: question(to: "2026-08-07T00:00:01Z"), code: 99_102),
        Refusal(body: question(to: "2026-07-30T00:00:00Z"), code: 99_102),
        Refusal(body: question(from: "2026-07-31"), code: 99_102),
        Refusal(body: question(ids: ""), code: 99_103),
        Refusal(body: question(ids: "7"), code: 99_103),
        Refusal(body: question(ids: #""seven""#), code: 99_103),
        Refusal(body: question(ids: Array(repeating: #""7""#, count: 21).joined(separator: ",")), code: 99_103),
        Refusal(body: question(filter: "1"), code: 100),
        Refusal(body: question(filter: #""Fax""#), code: 100),
        Refusal(body: question(more: #","Goals":[]"#), code: 99_101),
        Refusal(body: "[]", code: 100),
    ]

    @Test(arguments: refusals)
    func `more than seven days, more than twenty goals and what the reference does not have is refused`(
        refusal: Refusal
    ) throws {
        var bench = ReportContractTests.bench()
        let answer = try ask(&bench, refusal.body)
        #expect(answer.status == 400)
        #expect(answer.faultCode == refusal.code)
        #expect(try bench.offline.judgedInvalid == 1)
    }

    @Test func `whoever is not let in gets no report`() throws {
        var bench = ReportContractTests.bench()
        var request = Bench.offline(ReportContractTests.question(), token: "nobody's")
        request.path = ReportContractTests.path
        let stranger = try bench.send(request)
        #expect(stranger.status == 401)
        request.headers["authorization"] = "Bearer \(try bench.accessToken())"
        request.headers["developertoken"] = nil
        let nameless = try bench.send(request)
        #expect(nameless.status == 401)
    }

    @Test func `everything may be throttled`() throws {
        var bench = ReportContractTests.bench()
        bench.model.follow(
            FaultPlan([.init(.campaignFault(.callRateExceeded), targets: .reports, most: 1)]), from: bench.now)
        let refused = try ask(&bench)
        #expect(refused.status == 429)
        let answer = try ask(&bench)
        #expect(answer.status == 200)
    }
}
