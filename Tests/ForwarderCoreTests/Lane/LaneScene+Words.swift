import ForwarderCore
import ForwarderTestKit
import Testing

/// What a line says, made into what the lane is told.
extension LaneScene {
    mutating func fresh(_ words: inout ScriptWords) {
        let count = words.next().flatMap { Int($0) } ?? 1
        var form = SampleDeliveries.Form()
        if let goal = words.named["goal"] { form.goal = String(goal) }
        if let assignment = words.integer("assignment") { form.assignment = AssignmentID(UInt32(assignment)) }
        if let due = words.duration("due") { form.dueAt = now.wall + due }
        if let limit = words.duration("send_by") { form.sendBy = now.wall + limit }
        form.items = words.integer("items") ?? 1
        form.bytes = words.integer("bytes") ?? 0
        form.offset = words.integer("offset")
        var batch = SampleDeliveries.batch(nextNumber..<(nextNumber + count), form)
        // `assignments=1,2`: in turns.
        if let ids = words.named["assignments"]?.split(separator: ",").compactMap({ UInt32($0) }) {
            for index in batch.deliveries.indices {
                batch.deliveries[index].assignment = AssignmentID(ids[index % ids.count])
            }
        }
        // `transactions=7,8`: in turns; 0 is none.
        if let keys = words.named["transactions"]?.split(separator: ",").compactMap({ Int64($0) }) {
            for index in batch.deliveries.indices {
                batch.deliveries[index].transaction = TransactionKey(rawValue: keys[index % keys.count])
            }
        }
        nextNumber += count
        tell(.fresh(batch))
    }

    mutating func answer(_ words: inout ScriptWords) {
        var chosen = Array(requests.prefix(1))
        if let word = words.words.first, word == "all" || word.hasPrefix("r") && Int(word.dropFirst()) != nil {
            _ = words.next()
            chosen = word == "all" ? requests : requests.filter { shown($0.id) == word }
        }
        if chosen.isEmpty { Issue.record("no request waits for an answer") }
        for request in chosen {
            requests.removeAll { $0.id == request.id }
            tell(.answered(request.id, outcome(words, entries: request.entries), elapsed: .milliseconds(20)))
        }
    }

    private func outcome(_ words: ScriptWords, entries: Int) -> HTTPOutcome {
        var words = words
        let word = words.next() ?? ""
        // `3:5604`, or `0-99:5604` for many.
        let problems = words.words.flatMap { problem in
            let parts = problem.split(separator: ":")
            let bounds = parts[0].split(separator: "-").compactMap { Int($0) }
            return ((bounds.first ?? 0)...(bounds.last ?? 0)).map {
                (index: $0, code: parts.last.map(String.init) ?? "")
            }
        }
        let numbers = problems.map { (index: Optional($0.index), code: Int($0.code) ?? 0) }
        let isOffline = settings.kind.type == "offline_conversions"
        let after = words.named["after"].map(String.init)
        switch word {
        case "ok":
            return isOffline
                ? SampleAnswers.applied(numbers) : SampleAnswers.processed(entries - problems.count, problems)
        case "received": return SampleAnswers.processed(words.integer("count") ?? 0, problems)
        case "400" where !problems.isEmpty: return SampleAnswers.invalid(problems)
        case "fault": return SampleAnswers.fault(400, words.integer("code") ?? 0, after: after)
        case "empty": return SampleAnswers.answer(200)
        case "cut": return .answer(HTTPAnswer(status: 200, body: Array("{".utf8), isTruncated: true))
        default:
            if let fault = TransportFault(rawValue: String(word)) { return .noAnswer(fault) }
            guard let status = Int(word) else {
                Issue.record("no such answer: \(word)")
                return .noAnswer(.local)
            }
            return SampleAnswers.answer(status, after: after)
        }
    }
}
