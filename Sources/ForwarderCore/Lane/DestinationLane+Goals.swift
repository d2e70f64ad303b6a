/// A goal that Microsoft does not know, or that is too young, holds back what is meant for it, and nothing else.
extension DestinationLane {
    /// Deliveries that were refused because their goal is missing wait under its name. Returns how many there are.
    mutating func hold(_ pending: PendingBatch, _ entries: [(index: Int, code: String)], _ now: Moment) -> Int {
        var count = 0
        var isNews = false
        for (goal, entries) in byGoal(pending, entries) {
            if goals.hold(goal, probeAt: now.uptime + settings.retry.parkedProbe) {
                isNews = true
                actions.append(.signal(.goalHeld(destination: settings.name, goal: goal)))
            }
            count += retryLater(
                pending, entries.map(\.index), dueAt: now.wall, reason: entries[0].code, hold: goal, now)
        }
        if isNews { holdBackFresh(now) }
        return count
    }

    /// Deliveries that were refused because their goal is too young wait until it is old enough, and with them all that is
    /// for it. `isAccepting`: what the answer does not name was accepted; a goal of such a delivery is old enough, whatever
    /// was said of the others. Returns how many there are.
    mutating func putOff(_ pending: PendingBatch, _ fates: Fates, isAccepting: Bool, _ now: Moment) -> Int {
        guard !fates.goalTooYoung.isEmpty else { return 0 }
        let accepting = isAccepting ? Set(fates.others.map { goal(of: $0, in: pending.batch) }) : []
        var count = 0
        var isNews = false
        for (goal, entries) in byGoal(pending, fates.goalTooYoung) {
            let wait = HeldGoals.Wait(until: now.uptime + CampaignCode.goalWait, code: entries[0].code)
            if !accepting.contains(goal), goals.putOff(goal, wait, at: now.uptime) {
                isNews = true
                let waits = Signal.goalTooYoung(destination: settings.name, goal: goal, wait: CampaignCode.goalWait)
                actions.append(.signal(waits))
            }
            let until = goals.wait(for: goal, at: now.uptime)?.until ?? wait.until
            count += retryLater(
                pending, entries.map(\.index), dueAt: now.wall + (until - now.uptime), reason: wait.code,
                hold: goals.isHeld(goal) ? goal : nil, now)
        }
        if isNews { holdBackFresh(now) }
        return count
    }

    private func byGoal(
        _ pending: PendingBatch, _ entries: [(index: Int, code: String)]
    ) -> [(key: String, value: [(index: Int, code: String)])] {
        Dictionary(grouping: entries) { goal(of: $0.index, in: pending.batch) }.sorted { $0.key < $1.key }
    }

    private func goal(of index: Int, in batch: DeliveryBatch) -> String {
        batch.goals[Int(batch.deliveries[index].goal)]
    }

    /// What was taken in before its goal was known to take nothing, and is not sent yet.
    private mutating func holdBackFresh(_ now: Moment) {
        for pending in fresh.removeAll() {
            if let flowing = holdingBack(pending, now) { fresh.append(flowing) }
        }
    }

    /// Sends what is for a goal that takes nothing to wait; returns the rest.
    mutating func holdingBack(_ pending: PendingBatch, _ now: Moment) -> PendingBatch? {
        guard !goals.isEmpty else { return pending.count == 0 ? nil : pending }
        let batch = pending.batch
        var flowing: [Int] = []
        var waiting: [String: [Int]] = [:]
        for index in batch.deliveries.indices {
            let goal = goal(of: index, in: batch)
            if goals.isHeld(goal) || goals.wait(for: goal, at: now.uptime) != nil {
                waiting[goal, default: []].append(index)
            } else {
                flowing.append(index)
            }
        }
        for (goal, indices) in waiting.sorted(by: { $0.key < $1.key }) {
            if goals.isHeld(goal) {
                retryLater(pending, indices, dueAt: now.wall, reason: nil, hold: goal, now)
            } else if let wait = goals.wait(for: goal, at: now.uptime) {
                retryLater(
                    pending, indices, dueAt: now.wall + (wait.until - now.uptime), reason: wait.code, now)
            }
        }
        return pending.picking(flowing)
    }

    mutating func goalAccepted(_ goal: String) {
        guard goals.accepted(goal) else { return }
        actions.append(.signal(.goalReleased(destination: settings.name, goal: goal)))
    }
}
