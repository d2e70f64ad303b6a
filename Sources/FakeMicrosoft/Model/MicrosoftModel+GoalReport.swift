import ForwarderCore

/// GetOfflineConversionReportByGoalIds. What it says comes from the books: a new conversion is counted for a click unless
/// its goal says why not, a repeated one never is.
extension MicrosoftModel {
    private static let longestRange = Duration.seconds(7 * 86_400)
    private static let goalLimit = 20
    private static let channels: Set<String> = ["Unknown", "CampaignManagementAPI", "BulkAPI", "WebUpload"]
    private static let members: Set<String> = ["StartDateUtc", "EndDateUtc", "GoalIds", "UploadChannelFilter"]

    private struct Question {
        var days: ClosedRange<CalendarDay>
        var goalIDs: [String]
        var hasUploadsByAPI: Bool
    }

    mutating func answerGoalReport(_ request: FakeRequest, _ exchange: Exchange) -> FakeReply {
        goalReports += 1
        return answerQuestion("report", request, exchange) { model, account, destination in
            switch MicrosoftModel.read(request.body) {
            case .failure(let refusal):
                model.withBooks(destination) {
                    $0.blame(Finding(reason: refusal.code.name, property: refusal.property))
                }
                return OfflineAnswers.fault(refusal.code, exchange)
            case .success(let question):
                let uploads = model.withBooks(destination) { $0.uploads }
                return MicrosoftModel.answer(question, goals: account.goals, uploads)
            }
        }
    }

    private struct Refusal: Error {
        var code: CampaignCode
        var property: String
    }

    private static func read(_ body: [UInt8]) -> Result<Question, Refusal> {
        guard let root = (try? JSONDocument(body))?.root, let members = root.members else {
            return .failure(Refusal(code: .nullRequest, property: "body"))
        }
        if let unknown = members.first(where: { !MicrosoftModel.members.contains($0.name) }) {
            return .failure(Refusal(code: .unknownField, property: unknown.name))
        }
        guard let from = root["StartDateUtc"]?.string.flatMap({ Timestamp(iso8601: $0) }),
            let to = root["EndDateUtc"]?.string.flatMap({ Timestamp(iso8601: $0) }), from <= to,
            to - from <= longestRange
        else { return .failure(Refusal(code: .reportRangeInvalid, property: "EndDateUtc")) }
        // Numbers of 64 bits travel as text.
        let ids = root["GoalIds"]?.elements ?? []
        let digits = ids.compactMap(\.string).filter { !$0.isEmpty && $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }
        guard 1...goalLimit ~= ids.count, digits.count == ids.count else {
            return .failure(Refusal(code: .reportGoalsInvalid, property: "GoalIds"))
        }
        // A set of flags, by their names.
        let filter = root["UploadChannelFilter"]
        var wanted =
            filter.flatMap(\.string).map { $0.split(separator: ",").map { String($0.drop { $0 == " " }) } } ?? []
        if filter?.isNull ?? true { wanted = Array(channels) }
        guard !wanted.isEmpty, wanted.allSatisfy(channels.contains) else {
            return .failure(Refusal(code: .nullRequest, property: "UploadChannelFilter"))
        }
        return .success(
            Question(
                days: CalendarDay(of: from)...CalendarDay(of: to), goalIDs: digits,
                hasUploadsByAPI: wanted.contains("CampaignManagementAPI")))
    }

    private static func answer(
        _ question: Question, goals: [String: OfflineGoal], _ uploads: [UInt64: [CalendarDay: Upload]]
    ) -> FakeReply {
        var unknown: [Int] = []
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.name("OfflineGoalConversionSummaries")
            writer.array { writer in
                for (index, id) in question.goalIDs.enumerated() {
                    guard let (name, goal) = goals.first(where: { $0.value.id == id }) else {
                        unknown.append(index)
                        continue
                    }
                    let days = question.hasUploadsByAPI ? uploads[ContentHash.of(name)] ?? [:] : [:]
                    let asked = days.filter { question.days.contains($0.key) }.sorted { $0.key < $1.key }
                    writer.object { GoalReportAnswer.write(id, name, goal, asked, to: &$0) }
                }
            }
            writePartialErrors(unknown, .reportGoalUnknown, "The account has no such goal.", to: &writer)
        }
        return .json(200, writer.bytes)
    }
}

/// The words of a report. Numbers of 64 bits are text in it, the others are not.
private enum GoalReportAnswer {
    static func write(
        _ id: String, _ name: String, _ goal: OfflineGoal, _ days: [(key: CalendarDay, value: Upload)],
        to writer: inout JSONWriter
    ) {
        var all = Upload()
        for day in days {
            all.new += day.value.new
            all.repeated += day.value.repeated
        }
        writer.member("GoalId", id)
        writer.member("ConversionName", name)
        let counts = counts(all, goal)
        writer.member("OverallSuccessCount", "\(counts.success)")
        writer.member("OverallUnattributedCount", "\(counts.unattributed)")
        writer.member("OverallSuccessRate", rate(counts))
        writer.name("OverallAlerts")
        write(counts.alerts, to: &writer)
        writer.name("DailySummaries")
        writer.array { writer in
            for day in days {
                let counts = self.counts(day.value, goal)
                writer.object { writer in
                    writer.member("GoalId", id)
                    writer.member("UploadDate", "\(day.key.text)T00:00:00")
                    writer.member("SuccessCount", counts.success)
                    writer.member("UnattributedCount", counts.unattributed)
                    writer.member("SuccessRate", rate(counts))
                    writer.name("Alerts")
                    write(counts.alerts, to: &writer)
                }
            }
        }
    }

    private typealias Counts = (success: Int, unattributed: Int, alerts: [(reason: String, count: Int)])

    private static func counts(_ upload: Upload, _ goal: OfflineGoal) -> Counts {
        let isAttributed = goal.unattributedReason == nil
        let alerts = [
            (goal.unattributedReason ?? "", isAttributed ? 0 : upload.new), ("DuplicateConversionKey", upload.repeated),
        ]
        return (
            isAttributed ? upload.new : 0, (isAttributed ? 0 : upload.new) + upload.repeated, alerts.filter { $0.1 > 0 }
        )
    }

    private static func rate(_ counts: Counts) -> Double {
        let all = counts.success + counts.unattributed
        return all == 0 ? 0 : Double(counts.success * 1_000_000 / all) / 1_000_000
    }

    private static func write(_ alerts: [(reason: String, count: Int)], to writer: inout JSONWriter) {
        writer.array { writer in
            for alert in alerts {
                writer.object {
                    $0.member("UnattributedReason", alert.reason)
                    $0.member("Count", "\(alert.count)")
                }
            }
        }
    }
}
