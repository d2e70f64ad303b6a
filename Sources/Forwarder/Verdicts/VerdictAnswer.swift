import ForwarderCore

/// What `verdicts` asks for.
struct VerdictRequest: Sendable, Equatable {
    /// No question begins later. The control socket waits for a minute.
    static let timeLimit = Duration.seconds(25)

    var destination: String
    var since: Timestamp
}

/// What Microsoft made of the conversions of one destination.
struct VerdictAnswer: Sendable {
    private let destination: String
    /// nil if there is nothing to ask.
    var report: GoalReport?
    /// Why nothing was asked.
    var obstacle: String?

    init(_ request: VerdictRequest, _ configuration: Configuration, now: Timestamp) {
        destination = request.destination
        guard let settings = configuration.destinations.first(where: { $0.name == request.destination }) else {
            let names = configuration.destinations.map(\.name).joined(separator: ", ")
            obstacle = "there is no destination \(request.destination); there are: \(names)"
            return
        }
        guard case .offlineConversions = settings.kind else {
            obstacle = "\(settings.name) is of type \(settings.kind.type): only offline conversions are reported on"
            return
        }
        report = GoalReport(settings, since: request.since, now: now)
        if report == nil {
            obstacle =
                "no goal of \(settings.name) has an id; write goals: {EVENT: {name: …, id: …}}, with the id that "
                + "Microsoft lists the conversion goal under"
        }
    }

    /// Says what could not be asked for want of time.
    mutating func endInTime(_ credential: MicrosoftInterface.Credential) {
        if report?.request(credential) != nil { report?.stop("no_time") }
    }

    var json: [UInt8] {
        if let obstacle { return StoreCommand.error(obstacle) }
        guard let report else { return StoreCommand.error("nothing was asked") }
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.member("destination", destination)
            writer.member("since", report.days.lowerBound.text)
            writer.member("until", report.days.upperBound.text)
            writer.name("goals")
            writer.array { writer in
                for goal in report.goals { writer.object { VerdictAnswer.write(goal, report, &$0) } }
            }
            writer.name("gaps")
            writer.array { writer in
                for gap in report.gaps {
                    writer.object { writer in
                        if let goal = gap.goal { writer.member("goal", goal) }
                        writer.member("reason", gap.reason)
                    }
                }
            }
        }
        return writer.bytes
    }

    private static func write(_ goal: OfflineSettings.Goal, _ report: GoalReport, _ writer: inout JSONWriter) {
        let days = report.found.filter { $0.goal == goal.name }.sorted { $0.day > $1.day }
        var sum = GoalCounts()
        for day in days { sum += day.counts }
        writer.member("goal", goal.name)
        writer.member("id", goal.id ?? "")
        sum.write(&writer)
        writer.name("days")
        writer.array { writer in
            for day in days {
                writer.object { writer in
                    writer.member("day", day.day.text)
                    day.counts.write(&writer)
                }
            }
        }
    }
}

/// Microsoft's verdict in words, of the JSON: the daemon may have made it.
enum VerdictWords {
    static func text(_ root: JSONElement) -> String {
        func word(_ name: String) -> String { root[name]?.string ?? "" }
        var lines = [
            "\(word("destination")): what Microsoft made of what was uploaded by API, \(word("since")) to \(word("until")) (UTC)"
        ]
        var table = TextTable(["GOAL", "DAY", "ATTRIBUTED", "UNATTRIBUTED", "REASONS"])
        var found: Set<UnattributedReason> = []
        for goal in root["goals"]?.elements ?? [] {
            let name = goal["goal"]?.string ?? ""
            found.formUnion(reasons(goal).map(\.reason))
            table.add([name, "all", goal["attributed"]?.rawText ?? "", goal["unattributed"]?.rawText ?? "", ""])
            for day in goal["days"]?.elements ?? [] {
                table.add([
                    "", day["day"]?.string ?? "", day["attributed"]?.rawText ?? "", day["unattributed"]?.rawText ?? "",
                    list(day),
                ])
            }
        }
        lines.append(table.text)
        for reason in UnattributedReason.allCases where found.contains(reason) {
            lines.append("\(reason.rawValue): \(reason.meaning).\n  \(reason.advice).")
        }
        for gap in root["gaps"]?.elements ?? [] {
            lines.append("not read: \(gap["goal"]?.string ?? "the rest"): \(words(of: gap["reason"]?.string ?? ""))")
        }
        return lines.joined(separator: "\n")
    }

    /// `NoMatchingClickFound 12, AccountMismatch 1`, of an object with `reasons`.
    static func list(_ counts: JSONElement) -> String {
        reasons(counts).map { "\($0.reason.rawValue) \($0.count)" }.joined(separator: ", ")
    }

    /// One entry of the delivery log: `2026-08-06: 12 attributed, 3 not (NoMatchingClickFound 3)`.
    static func summary(_ entry: JSONElement) -> String {
        let reasons = list(entry)
        let counts =
            "\(entry["day"]?.string ?? ""): \(entry["attributed"]?.rawText ?? "0") attributed, "
            + "\(entry["unattributed"]?.rawText ?? "0") not"
        return reasons.isEmpty ? counts : "\(counts) (\(reasons))"
    }

    private static func reasons(_ counts: JSONElement) -> [(reason: UnattributedReason, count: Int64)] {
        (counts["reasons"]?.members ?? []).map { name, count in
            (UnattributedReason(name: name) ?? .other, count.integer ?? 0)
        }
    }

    /// Reasons of this program in words; codes as they are.
    private static func words(of reason: String) -> String {
        switch reason {
        case "id_of_another_goal": "the id belongs to a goal of another name at Microsoft; look both up on its page"
        case "no_time": "Microsoft answers slowly; ask for less: --since"
        case "campaign_117": "Microsoft throttles; try again in a few minutes (campaign_117)"
        case "campaign_105", "campaign_106", "campaign_109":
            "the credential is not accepted, or may not read this account (\(reason))"
        default: reason
        }
    }
}
