import ForwarderHarness

/// Several things measured as often as each other and in turns, as the machine's speed drifts.
struct Rounds {
    /// One thing, which may come to several rows.
    struct Entry {
        var names: [String]
        var measure: () throws(HarnessFailure) -> [Figures]
    }

    var count: Int
    var say: (String) -> Void

    /// Prints the table. A run that fails has no result, and the others go on.
    /// - Returns: whether none has failed.
    func run(_ entries: [Entry]) -> Bool {
        var rows = entries.map { entry in entry.names.map { FiguresRow(name: $0) } }
        var hasFailed = false
        for round in 0..<count {
            say("round \(round + 1) of \(count)")
            for turn in entries.indices {
                // Nobody is always the first.
                let index = (turn + round) % entries.count
                do throws(HarnessFailure) {
                    let figures = try entries[index].measure()
                    for (row, figures) in figures.enumerated() { rows[index][row].runs.append(figures) }
                } catch {
                    hasFailed = true
                    say("NO RESULT of \(entries[index].names.joined(separator: ", ")): \(error)")
                }
            }
        }
        say(FiguresRow.header)
        for row in rows.joined() { say(row.line(of: count)) }
        return !hasFailed
    }
}

extension Contestant {
    func entry(_ ground: Ground, topic: String, _ expectation: Expectation) -> Rounds.Entry {
        Rounds.Entry(names: [name]) { () throws(HarnessFailure) in [try run(ground, topic: topic, expectation)] }
    }
}
