import ForwarderCore

/// A service that judges truthfully which deliveries are bad, and words its answers in all the ways it may.
struct SampleService {
    var isOffline: Bool
    /// Numbers of deliveries that it will never take, and goals that it does not know.
    var bad: Set<Int> = []
    var missingGoals: Set<String> = []
    var youngGoals: Set<String> = []
    /// Of all requests, so many get an answer that says nothing about their content.
    var troublePercent = 30
    /// Numbers of deliveries that it has taken.
    private(set) var accepted: Set<Int> = []

    /// One delivery of a request: its number, its goal, and how many entries it is.
    struct Item {
        var number: Int
        var goal: String
        var entries: Int
    }

    mutating func answer(_ items: [Item], isStrict: Bool, using random: inout SeededRandom) -> HTTPOutcome {
        if Int.random(in: 0..<100, using: &random) < troublePercent, let trouble = trouble(items, &random) {
            return trouble
        }
        return judge(items, isStrict: isStrict, &random)
    }

    private mutating func trouble(_ items: [Item], _ random: inout SeededRandom) -> HTTPOutcome? {
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return .noAnswer(TransportFault.allCases.randomElement(using: &random) ?? .reset)
        case 1: return SampleAnswers.answer([500, 502, 503, 504].randomElement(using: &random) ?? 500)
        case 2: return SampleAnswers.answer(503, after: "\(Int.random(in: 0...20, using: &random))")
        case 3: return SampleAnswers.answer([408, 425, 429].randomElement(using: &random) ?? 429)
        case 4: return SampleAnswers.answer([403, 404, 302].randomElement(using: &random) ?? 403)
        case 5: return isOffline ? SampleAnswers.fault(401, 109) : SampleAnswers.answer(401)
        case 6: return items.count > 1 ? SampleAnswers.answer(413) : nil
        case 7: return items.count > 1 ? SampleAnswers.answer(400, "<html>") : nil
        case 8 where isOffline: return SampleAnswers.fault(400, 117)
        case 9 where isOffline: return SampleAnswers.fault(500, 0)
        case 10 where isOffline: return SampleAnswers.applied(items.indices.map { (index: $0, code: 5612) })
        // The answer is lost, or says nothing, or the count is wrong: but what is good was taken.
        case 11, 12:
            take(items)
            return .noAnswer(.reset)
        case 13:
            take(items)
            return SampleAnswers.answer(200, ["", "<html>", "[]"].randomElement(using: &random) ?? "")
        case 14 where !isOffline:
            take(items)
            let count = items.reduce(0) { $0 + (isBad($1) ? 0 : $1.entries) }
            return SampleAnswers.processed(max(0, count + Int.random(in: -2...2, using: &random)), details(items))
        case 15 where isOffline:
            take(items)
            return .answer(HTTPAnswer(status: 200, body: Array("{".utf8), isTruncated: true))
        default: return nil
        }
    }

    private mutating func judge(_ items: [Item], isStrict: Bool, _ random: inout SeededRandom) -> HTTPOutcome {
        if isOffline {
            take(items)
            return SampleAnswers.applied(
                items.enumerated().compactMap { index, item in
                    missingGoals.contains(item.goal)
                        ? (index, 5606)
                        : youngGoals.contains(item.goal)
                            ? (index, 5615) : bad.contains(item.number) ? (index, 5604) : nil
                })
        }
        let all = details(items)
        // Only some are listed, and not always with their places.
        let listed = Array(all.prefix(Int.random(in: 1...4, using: &random)))
        let good = items.reduce(0) { $0 + (isBad($1) ? 0 : $1.entries) }
        if all.isEmpty || (!isStrict && good > 0) {
            take(items)
            return SampleAnswers.processed(good, listed)
        }
        return Bool.random(using: &random) ? SampleAnswers.invalid(listed) : SampleAnswers.answer(400, "{}")
    }

    private func isBad(_ item: Item) -> Bool {
        bad.contains(item.number)
            || isOffline && (missingGoals.contains(item.goal) || youngGoals.contains(item.goal))
    }

    private mutating func take(_ items: [Item]) {
        for item in items where !isBad(item) { accepted.insert(item.number) }
    }

    private func details(_ items: [Item]) -> [(index: Int, code: String)] {
        var details: [(index: Int, code: String)] = []
        var index = 0
        for item in items {
            if isBad(item) { for entry in 0..<item.entries { details.append((index + entry, "Empty")) } }
            index += item.entries
        }
        return details
    }
}
