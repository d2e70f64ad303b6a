/// Reads back what became of conversions: GetOfflineConversionReportByGoalIds of Campaign Management, one request after
/// another. A value: it says what to ask, and is told what came back.
public struct GoalReport: Sendable {
    /// Of one request. (Microsoft's page has named more goals at times; fewer are never wrong.)
    static let daysPerRequest: Int64 = 7
    static let goalsPerRequest = 20
    /// Microsoft keeps conversions for so long.
    public static let longest: Int64 = 90
    /// Somebody may be waiting.
    public static let longestTimeout = Duration.seconds(20)
    /// Other uploads of the account, by file or Bulk API, are not this program's.
    private static let channel = "CampaignManagementAPI"

    /// What is not in the report although it was asked for.
    public struct Gap: Sendable, Equatable {
        /// nil: all goals of a request.
        public var goal: String?
        /// In one word.
        public var reason: String
    }

    private struct Question: Sendable {
        var days: ClosedRange<CalendarDay>
        var goals: [OfflineSettings.Goal]
    }

    /// Each id once.
    public let goals: [OfflineSettings.Goal]
    public let days: ClosedRange<CalendarDay>
    public private(set) var found: [GoalDay] = []
    public private(set) var gaps: [Gap] = []
    /// What ended it before everything was asked.
    public private(set) var trouble: Verdict.Others?
    private let service: CampaignManagement
    private var questions: [Question] = []

    /// nil if the destination has no goal whose id is configured.
    public init?(_ settings: DestinationSettings, since: Timestamp, now: Timestamp) {
        guard case .offlineConversions(let offline) = settings.kind, !offline.goalsWithID.isEmpty else { return nil }
        goals = offline.goalsWithID
        service = CampaignManagement(
            offline, endpoint: settings.endpoint, timeout: min(settings.requestTimeout, GoalReport.longestTimeout))
        let today = CalendarDay(of: now)
        days = min(max(CalendarDay(of: since), today + (1 - GoalReport.longest)), today)...today
        var first = days.lowerBound
        while first <= today {
            let last = min(first + (GoalReport.daysPerRequest - 1), today)
            for start in stride(from: 0, to: goals.count, by: GoalReport.goalsPerRequest) {
                let part = goals[start..<min(start + GoalReport.goalsPerRequest, goals.count)]
                questions.append(Question(days: first...last, goals: Array(part)))
            }
            first = last + 1
        }
    }

    /// The next request; nil when nothing is left to ask.
    public func request(_ credential: MicrosoftInterface.Credential) -> HTTPRequest? {
        guard let question = questions.first else { return nil }
        var body = JSONWriter()
        body.object {
            $0.member("StartDateUtc", "\(question.days.lowerBound.text)T00:00:00Z")
            $0.member("EndDateUtc", "\(question.days.upperBound.text)T23:59:59Z")
            $0.member("GoalIds", array: question.goals.compactMap(\.id))
            $0.member("UploadChannelFilter", GoalReport.channel)
        }
        return service.request(
            "OfflineConversionReport/QueryByGoalIds", body.bytes, accessToken: credential.token,
            developerToken: credential.developerToken)
    }

    /// What came of that request.
    public mutating func answered(_ outcome: HTTPOutcome, now: Timestamp) {
        guard !questions.isEmpty else { return }
        let question = questions.removeFirst()
        let verdict = CampaignManagement.verdict(outcome, entryCount: question.goals.count, now: now)
        if case .answer(let answer) = outcome, answer.status == 200, let root = answer.readableRoot {
            take(root, question)
        }
        for entry in verdict.entries { add(Gap(goal: question.goals[entry.index].name, reason: entry.code)) }
        switch verdict.others {
        case .delivered: break
        case .notProcessed where !verdict.entries.isEmpty:
            let refused = Set(verdict.entries.map(\.index))
            ask(question, of: question.goals.indices.filter { !refused.contains($0) })
        case .tooLarge where question.goals.count > 1:
            let middle = question.goals.count / 2
            ask(question, of: Array(middle..<question.goals.count))
            ask(question, of: Array(0..<middle))
        // Whatever it was, another request may fare better.
        case .notProcessed, .tooLarge, .refusedWhole, .unexplained, .unconfirmed: add(Gap(reason: verdict.reason))
        case .retry, .unclear, .busy, .throttled, .credentialRefused, .parked: stop(verdict.reason, verdict.others)
        }
    }

    /// There is no time, or no credential, to ask on.
    public mutating func stop(_ reason: String, _ trouble: Verdict.Others? = nil) {
        questions = []
        add(Gap(reason: reason))
        self.trouble = trouble
    }

    private mutating func ask(_ question: Question, of goals: [Int]) {
        guard !goals.isEmpty else { return }
        questions.insert(Question(days: question.days, goals: goals.map { question.goals[$0] }), at: 0)
    }

    private mutating func add(_ gap: Gap) {
        if !gaps.contains(gap) { gaps.append(gap) }
    }

    // MARK: Answers

    private mutating func take(_ root: JSONElement, _ question: Question) {
        for summary in root["OfflineGoalConversionSummaries"]?.elements ?? [] {
            guard let id = summary["GoalId"]?.digits, let goal = question.goals.first(where: { $0.id == id }) else {
                continue
            }
            // What is sent goes by the name, and this report by the id: they must be of one goal.
            if let name = summary["ConversionName"]?.string, name != goal.name {
                add(Gap(goal: goal.name, reason: "id_of_another_goal"))
                continue
            }
            for daily in summary["DailySummaries"]?.elements ?? [] { take(daily, of: goal.name, question.days) }
        }
    }

    private mutating func take(_ daily: JSONElement, of goal: String, _ days: ClosedRange<CalendarDay>) {
        guard let day = daily["UploadDate"]?.string.flatMap({ CalendarDay($0) }), days.contains(day),
            let attributed = daily["SuccessCount"]?.count, let unattributed = daily["UnattributedCount"]?.count,
            !found.contains(where: { $0.goal == goal && $0.day == day })
        else { return }
        var counts = GoalCounts(attributed: attributed, unattributed: unattributed)
        for alert in daily["Alerts"]?.elements ?? [] {
            guard let word = alert["UnattributedReason"]?.string, let count = alert["Count"]?.count else { continue }
            let sum = counts.reasons[UnattributedReason(microsoft: word), default: 0] + count
            counts.reasons[UnattributedReason(microsoft: word)] = min(sum, JSONElement.countLimit)
        }
        found.append(GoalDay(goal: goal, day: day, counts: counts))
    }
}

extension OfflineSettings {
    /// Those that Microsoft can be asked about, each id once.
    public var goalsWithID: [Goal] {
        var known: Set<String> = []
        return goals.filter { goal in goal.id.map { known.insert($0).inserted } ?? false }
    }
}

extension JSONElement {
    fileprivate static let countLimit = 1_000_000_000_000

    /// Numbers of 64 bits come as text, the others as numbers.
    fileprivate var digits: String? { string ?? integer.map { "\($0)" } }

    fileprivate var count: Int? {
        digits.flatMap { Int($0) }.flatMap { 0...JSONElement.countLimit ~= $0 ? $0 : nil }
    }
}
