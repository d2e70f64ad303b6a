/// What happened in a run, and what was wrong in the end.
public struct ChaosReport: Sendable {
    public var differences: [String] = []
    /// What this machine could not do.
    public var leftOut: [String] = []
    public var directory = ""
    var events = 0
    var kills = 0
    var rebalances = 0
    var brokerOutages = 0
    var diskFills = 0
    var clockSteps = 0
    var halts = 0
    var youngGoals = 0
    /// By answer, of all interfaces.
    var requests: [String: Int] = [:]
    var accepted = 0
    var repeats = 0
    var rejects = 0
    var deadLetters = 0
    var settleSeconds = 0.0

    public var isGood: Bool { differences.isEmpty }

    /// All figures in one line.
    public var line: String {
        let answers = requests.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        return "\(events) events, \(kills) kills, \(rebalances) rebalances, \(brokerOutages) broker outages, "
            + "\(diskFills) disk fills, \(clockSteps) clock steps, \(halts) halts, \(youngGoals) of a young goal; requests: \(answers); \(accepted) accepted, "
            + "\(repeats) repeats, \(rejects) rejects, \(deadLetters) dead letters; settled in \(settleSeconds) s"
    }
}
