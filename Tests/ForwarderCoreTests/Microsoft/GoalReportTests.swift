import Testing

@testable import ForwarderCore

@Suite struct GoalReportTests {
    /// 2026-08-06T07:06:40Z.
    private static let now = Timestamp(seconds: 1_786_000_000)
    private static let credential = MicrosoftInterface.Credential(token: "access", developerToken: "developer")

    private static func settings(goalCount: Int = 2) -> DestinationSettings {
        let goals = (1...goalCount).map { number in
            var goal = OfflineSettings.Goal(event: "E\(number)", name: "Goal \(number)")
            goal.id = "90071992547409\(number)"
            return goal
        }
        let offline = OfflineSettings(
            goals: goals + [.init(event: "Other", name: "Without an id")], customerID: "11", accountID: "22",
            developerToken: .environment("D"), oauth: OAuthSettings(clientID: "c", refreshToken: .environment("R")))
        return DestinationSettings(name: "offline", kind: .offlineConversions(offline), endpoint: "https://api.example")
    }

    private static func report(goalCount: Int = 2, days: Int64 = 7) throws -> GoalReport {
        try #require(
            GoalReport(settings(goalCount: goalCount), since: now - .seconds((days - 1) * 86_400), now: now))
    }

    private func body(_ report: GoalReport) throws -> JSONElement {
        try JSONDocument(try #require(report.request(Self.credential)).body).root
    }

    private func answered(_ status: Int, _ body: String, goalCount: Int = 2) throws -> GoalReport {
        var report = try Self.report(goalCount: goalCount)
        report.answered(SampleAnswers.answer(status, body), now: Self.now)
        return report
    }

    // MARK: Requests

    @Test func `the request is as Microsoft's reference has it`() throws {
        let request = try #require(try Self.report().request(Self.credential))
        #expect(request.method == .post)
        #expect(
            request.url == "https://api.example/CampaignManagement/v13/OfflineConversionReport/QueryByGoalIds")
        #expect(
            request.headers == [
                .init("Authorization", "Bearer access"), .init("DeveloperToken", "developer"),
                .init("CustomerId", "11"), .init("CustomerAccountId", "22"), .init("Content-Type", "application/json"),
            ])
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"StartDateUtc":"2026-07-31T00:00:00Z","EndDateUtc":"2026-08-06T23:59:59Z","#
                + #""GoalIds":["900719925474091","900719925474092"],"UploadChannelFilter":"CampaignManagementAPI"}"#)
    }

    @Test(arguments: [(1, 1), (20, 7), (21, 7), (45, 8), (100, 90)] as [(Int, Int64)])
    func `no request asks for more than seven days and twenty goals, and together they ask for all`(
        goalCount: Int, days: Int64
    ) throws {
        var report = try Self.report(goalCount: goalCount, days: days)
        var asked: [String: Int64] = [:]
        while let request = report.request(Self.credential) {
            let root = try JSONDocument(request.body).root
            let ids = root["GoalIds"]?.elements?.compactMap(\.string) ?? []
            let first = try #require(root["StartDateUtc"]?.string.flatMap { CalendarDay($0) })
            let last = try #require(root["EndDateUtc"]?.string.flatMap { CalendarDay($0) })
            #expect(1...20 ~= ids.count && 0...6 ~= last.number - first.number)
            for id in ids { asked[id, default: 0] += last.number - first.number + 1 }
            report.answered(SampleAnswers.answer(200, "{}"), now: Self.now)
        }
        #expect(asked.count == goalCount && asked.values.allSatisfy { $0 == days })
        #expect(report.gaps.isEmpty && report.found.isEmpty && report.trouble == nil)
    }

    @Test func `nothing is asked of what lies further back than Microsoft keeps, or of goals without an id`() throws {
        #expect(try Self.report(days: 1000).days.lowerBound == CalendarDay("2026-05-09"))
        #expect(try Self.report(days: -5).days.lowerBound == CalendarDay("2026-08-06"))
        var without = Self.settings()
        without.kind = .offlineConversions(
            OfflineSettings(
                goals: [.init(event: "A", name: "A")], customerID: "1", accountID: "2",
                developerToken: .environment("D"),
                oauth: OAuthSettings(clientID: "c", refreshToken: .environment("R"))))
        #expect(GoalReport(without, since: Self.now, now: Self.now) == nil)
        let capi = DestinationSettings(
            name: "capi", kind: .capi(CAPISettings(uetTagID: "1", token: .environment("T"))))
        #expect(GoalReport(capi, since: Self.now, now: Self.now) == nil)
    }

    // MARK: Answers

    private static let whole = """
        {"OfflineGoalConversionSummaries":[{"ConversionName":"Goal 1","GoalId":"900719925474091",
        "OverallSuccessCount":"12","OverallUnattributedCount":"4","OverallSuccessRate":0.75,"OverallAlerts":[],
        "DailySummaries":[
        {"GoalId":"900719925474091","UploadDate":"2026-08-06T00:00:00","SuccessCount":2,"UnattributedCount":0,"Alerts":null},
        {"GoalId":"900719925474091","UploadDate":"2026-08-05T00:00:00Z","SuccessCount":10,"UnattributedCount":4,
        "SuccessRate":0.714285,"Alerts":[{"Count":"3","UnattributedReason":"NoMatchingClickFound"},
        {"Count":"1","UnattributedReason":"SomethingNew"}]}]}],"PartialErrors":[]}
        """

    @Test func `a report says for each goal and day what was attributed, what was not, and why`() throws {
        let report = try answered(200, Self.whole)
        #expect(
            report.found == [
                GoalDay(
                    goal: "Goal 1", day: try #require(CalendarDay("2026-08-06")),
                    counts: GoalCounts(attributed: 2)),
                GoalDay(
                    goal: "Goal 1", day: try #require(CalendarDay("2026-08-05")),
                    counts: GoalCounts(
                        attributed: 10, unattributed: 4, reasons: [.noMatchingClickFound: 3, .other: 1])),
            ])
        #expect(report.gaps.isEmpty && report.trouble == nil && report.request(Self.credential) == nil)
    }

    @Test func `a goal that Microsoft does not know is a gap, the others are read`() throws {
        let error = #"{"Code":5101,"ErrorCode":"CampaignServiceInvalidGoalId","Index":1,"Message":"m"}"#
        let report = try answered(
            200, Self.whole.replacing(#""PartialErrors":[]"#, with: #""PartialErrors":[\#(error)]"#))
        #expect(report.found.count == 2 && report.gaps == [.init(goal: "Goal 2", reason: "5101")])
        #expect(report.trouble == nil)
    }

    @Test func `a request refused for one goal is asked again without it`() throws {
        let error = #"{"Code":5101,"ErrorCode":"CampaignServiceInvalidGoalId","Index":0,"Message":"m"}"#
        var report = try answered(400, #"{"TrackingId":"t","BatchErrors":[\#(error)],"OperationErrors":[]}"#)
        #expect(try body(report)["GoalIds"]?.elements?.compactMap(\.string) == ["900719925474092"])
        report.answered(SampleAnswers.answer(200, "{}"), now: Self.now)
        #expect(report.request(Self.credential) == nil && report.gaps == [.init(goal: "Goal 1", reason: "5101")])
    }

    @Test func `an id that belongs to a goal of another name is not taken for the goal`() throws {
        let report = try answered(200, Self.whole.replacing("\"Goal 1\"", with: "\"Newsletter\""))
        #expect(report.found.isEmpty && report.gaps == [.init(goal: "Goal 1", reason: "id_of_another_goal")])
    }

    @Test func `an answer that is too long is asked for in halves, down to one goal`() throws {
        var report = try Self.report(goalCount: 20)
        var counts: [Int] = []
        let long = HTTPAnswer(status: 200, body: Array("{".utf8), isTruncated: true)
        while report.request(Self.credential) != nil, counts.count < 100 {
            counts.append(try body(report)["GoalIds"]?.elements?.count ?? 0)
            report.answered(.answer(long), now: Self.now)
        }
        #expect(counts.count == 39 && counts.prefix(5) == [20, 10, 5, 2, 1])
        #expect(report.gaps == [.init(goal: nil, reason: "unreadable_200")])
    }

    private struct Trouble {
        var status: Int
        var body: String
        var others: Verdict.Others?
        var reason: String
    }

    @Test func `trouble ends the reading, by the same table as deliveries`() throws {
        func fault(_ code: Int) -> String { #"{"TrackingId":"t","Errors":[{"Code":\#(code),"ErrorCode":""}]}"# }
        let troubles = [
            Trouble(status: 429, body: fault(117), others: .throttled(for: .seconds(60)), reason: "campaign_117"),
            Trouble(status: 401, body: fault(109), others: .credentialRefused, reason: "campaign_109"),
            Trouble(status: 403, body: fault(106), others: .parked, reason: "campaign_106"),
            Trouble(status: 400, body: fault(1030), others: .parked, reason: "campaign_1030"),
            Trouble(status: 503, body: "", others: .retry(after: nil), reason: "http_503"),
            Trouble(status: 404, body: "", others: .parked, reason: "http_404"),
        ]
        for trouble in troubles {
            var report = try Self.report(goalCount: 45)
            report.answered(SampleAnswers.answer(trouble.status, trouble.body), now: Self.now)
            #expect(report.trouble == trouble.others && report.request(Self.credential) == nil, "\(trouble)")
            #expect(report.gaps == [.init(goal: nil, reason: trouble.reason)])
        }
        var report = try Self.report(goalCount: 45)
        report.answered(.noAnswer(.timeout), now: Self.now)
        #expect(report.request(Self.credential) == nil && report.gaps == [.init(goal: nil, reason: "timeout")])
    }

    // MARK: Hostile answers

    @Test func `counts that are none, days that were not asked for and goals of others are left out`() throws {
        func day(_ date: String, _ success: String, _ unattributed: String = "0", alerts: String = "[]") -> String {
            #"{"UploadDate":\#(date),"SuccessCount":\#(success),"UnattributedCount":\#(unattributed),"Alerts":\#(alerts)}"#
        }
        let days = [
            day(#""2026-08-06""#, "-1"), day(#""2026-08-05""#, "1e9"), day(#""2026-08-04""#, "99999999999999999999"),
            day(#""2026-08-03""#, "1", "null"), day(#""2026-07-30""#, "5"), day(#""2026-08-07""#, "5"),
            day(#""2026-02-31""#, "5"), day(#""yesterday""#, "5"), day("7", "5"), "null", "[]",
            day(
                #""2026-08-02T23:59:59.9999999Z""#, #""7""#, "2",
                alerts: #"[null,{},{"UnattributedReason":7,"Count":1},{"UnattributedReason":"Unknown","Count":-2},"#
                    + #"{"UnattributedReason":"Unknown","Count":"2"},{"UnattributedReason":"Unknown","Count":999999999999},"#
                    + #"{"UnattributedReason":"Unknown","Count":999999999999}]"#),
            day(#""2026-08-02""#, "8"),
        ].joined(separator: ",")
        func goal(_ id: String) -> String { #"{"GoalId":\#(id),"DailySummaries":[\#(days)]}"# }
        let goals = [goal(#""900719925474091""#), goal(#""5""#), goal("null"), goal("{}"), "7"].joined(separator: ",")
        let report = try answered(200, #"{"OfflineGoalConversionSummaries":[\#(goals)]}"#)
        #expect(
            report.found == [
                GoalDay(
                    goal: "Goal 1", day: try #require(CalendarDay("2026-08-02")),
                    counts: GoalCounts(attributed: 7, unattributed: 2, reasons: [.unknown: 1_000_000_000_000]))
            ])
    }

    @Test func `I-6: nothing of Microsoft's free text is in a report`() throws {
        let secret = "ada@example.com"
        let report = try answered(
            200,
            #"{"OfflineGoalConversionSummaries":[{"GoalId":"900719925474091","ConversionName":"\#(secret)"},"#
                + #"{"GoalId":"900719925474092","DailySummaries":[{"UploadDate":"2026-08-06","SuccessCount":1,"#
                + #""UnattributedCount":1,"Alerts":[{"UnattributedReason":"\#(secret)","Count":1}]}]}],"PartialErrors":"#
                + #"[{"Index":0,"Code":"\#(secret)","ErrorCode":"\#(secret)","Message":"\#(secret)"}]}"#)
        #expect(report.found.count == 1 && report.gaps.count == 2)
        #expect(!"\(report.found) \(report.gaps) \(String(describing: report.trouble))".contains(secret))
    }

    @Test func `answers changed at random are survived, and each reading comes to an end`() throws {
        for seed in 0..<2000 {
            var random = SeededRandom(seed: UInt64(seed))
            var report = try Self.report(goalCount: 41)
            var rounds = 0
            while report.request(Self.credential) != nil {
                var body = Array(Self.whole.utf8)
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    let place = Int.random(in: 0..<body.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: body[place] = .random(in: 0...255, using: &random)
                    case 1: body.remove(at: place)
                    default: body.insert(body[.random(in: 0..<body.count, using: &random)], at: place)
                    }
                }
                let status = Bool.random(using: &random) ? 200 : 400
                report.answered(.answer(HTTPAnswer(status: status, body: body)), now: Self.now)
                rounds += 1
                #expect(rounds < 200, "seed \(seed)")
                if rounds >= 200 { break }
            }
            #expect(report.found.count <= 41 * 7 && report.gaps.count <= 200, "seed \(seed)")
        }
    }

    // MARK: Reasons and the book

    @Test func `reasons have Microsoft's words, and names that are fit for a label`() {
        #expect(UnattributedReason(microsoft: "AccountMismatch") == .accountMismatch)
        #expect(UnattributedReason(microsoft: "ada@example.com") == .other)
        #expect(UnattributedReason.noMatchingClickFound.name == "no_matching_click_found")
        for reason in UnattributedReason.allCases {
            #expect(UnattributedReason(name: reason.name) == reason)
            #expect(reason.name.utf8.allSatisfy { isLetter($0) || $0 == UInt8(ascii: "_") })
            #expect(!reason.meaning.isEmpty && !reason.advice.hasSuffix("."))
        }
    }

    @Test func `only what is new or has changed is news, and sums are of today and yesterday`() throws {
        var book = GoalBook()
        func day(_ text: String, _ attributed: Int) throws -> GoalDay {
            GoalDay(
                goal: "A", day: try #require(CalendarDay(text)),
                counts: GoalCounts(attributed: attributed, unattributed: 1, reasons: [.unknown: 1]))
        }
        let read = [try day("2026-08-06", 1), try day("2026-08-05", 2), try day("2026-08-01", 4)]
        #expect(book.enter(read, now: Self.now).map(\.counts.attributed) == [4, 2, 1])
        #expect(book.enter(read, now: Self.now).isEmpty)
        #expect(book.enter([try day("2026-08-06", 3)], now: Self.now).map(\.counts.attributed) == [3])
        let sums = book.recent(of: ["A", "B"], now: Self.now)
        #expect(sums[0].counts == GoalCounts(attributed: 5, unattributed: 2, reasons: [.unknown: 2]))
        #expect(sums[1] == GoalSum(goal: "B", counts: GoalCounts()))
        // A week later all of it is forgotten.
        let later = Self.now + .seconds(7 * 86_400)
        #expect(book.enter(read, now: later).count == 3)
    }

    @Test func `days are those of UTC`() {
        #expect(CalendarDay(of: Timestamp(seconds: 86_399)).text == "1970-01-01")
        #expect(CalendarDay(of: Timestamp(seconds: -1)).text == "1969-12-31")
        #expect(CalendarDay("2026-08-06T23:59:59")?.text == "2026-08-06")
        #expect(CalendarDay("2026-08-6") == nil && CalendarDay("") == nil)
    }
}

extension String {
    fileprivate func replacing(_ text: String, with other: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
