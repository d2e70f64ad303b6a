/// A goal that Microsoft does not know holds back what is meant for it, and nothing else.
extension DestinationLane {
    /// Deliveries that were refused because their goal is missing wait under its name. Returns how many there are.
    mutating func hold(_ pending: PendingBatch, _ entries: [(index: Int, code: String)], _ now: Moment) -> Int {
        var count = 0
        let byGoal = Dictionary(grouping: entries) { pending.batch.goals[Int(pending.batch.deliveries[$0.index].goal)] }
        for (goal, entries) in byGoal.sorted(by: { $0.key < $1.key }) {
            if goals.hold(goal, probeAt: now.uptime + settings.retry.parkedProbe) {
                actions.append(.signal(.goalHeld(destination: settings.name, goal: goal)))
            }
            count += retryLater(
                pending, entries.map(\.index), dueAt: now.wall, reason: entries[0].code, hold: goal, now)
        }
        return count
    }

    /// Sends what is for a goal that is held to wait with the others; returns the rest.
    mutating func holdingBack(_ pending: PendingBatch, _ now: Moment) -> PendingBatch? {
        guard !goals.isEmpty else { return pending.count == 0 ? nil : pending }
        let batch = pending.batch
        var flowing: [Int] = []
        var held: [String: [Int]] = [:]
        for index in batch.deliveries.indices {
            let goal = batch.goals[Int(batch.deliveries[index].goal)]
            if goals.isHeld(goal) { held[goal, default: []].append(index) } else { flowing.append(index) }
        }
        for (goal, indices) in held.sorted(by: { $0.key < $1.key }) {
            retryLater(pending, indices, dueAt: now.wall, reason: nil, hold: goal, now)
        }
        return pending.picking(flowing)
    }

    mutating func goalAccepted(_ goal: String) {
        guard goals.accepted(goal) else { return }
        actions.append(.signal(.goalReleased(destination: settings.name, goal: goal)))
    }
}
