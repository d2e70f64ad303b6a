import DeliveryStore
import ForwarderCore

/// Gives what waits for one destination to another one of the same type, which carries it on as it is.
struct QueueMove: Sendable, Equatable {
    var from: String
    var to: String
    /// Events may reach Microsoft twice by it.
    var mayRepeat = false
    /// What was made for one account or tag goes to another.
    var isToOtherAccount = false

    private static let slice = 1000

    func step(
        _ store: DeliveryStore, _ progress: StoreProgress, _ context: StoreContext
    ) throws(StoreError) -> StoreStep {
        let known = try store.destinations()
        guard let source = known.first(where: { $0.name == from }), let target = known.first(where: { $0.name == to })
        else {
            let names = known.map(\.name).sorted().joined(separator: ", ")
            let missing = known.contains { $0.name == from } ? to : from
            return refused("the store knows no destination \(missing); it knows: \(names)")
        }
        // Asked once: what is moved changes the answers.
        if progress.row == .none, let problem = try problem(source, target, store, context) { return refused(problem) }
        let slice = try store.move(
            from: source.id, to: target.id, after: progress.row, now: context.now.wall, limit: QueueMove.slice)
        var progress = progress
        progress.moved += slice.moved
        progress.alreadyQueued += slice.alreadyThere
        progress.claimed += slice.claimed
        var effects = StoreEffects(depths: slice.depths)
        if slice.moved > 0 {
            effects.discarded = [source.id: slice.moved]
            effects.replayed = [target.id: slice.moved]
        }
        if let next = slice.next {
            progress.row = next
            return StoreStep(next: .more(progress), effects: effects)
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("moved", progress.moved)
            writer.member("already_there", progress.alreadyQueued)
            writer.member("in_flight", progress.claimed)
        }
        return StoreStep(next: .done(writer.bytes), effects: effects)
    }

    /// What speaks against it.
    private func problem(
        _ source: KnownDestination, _ target: KnownDestination, _ store: DeliveryStore, _ context: StoreContext
    ) throws(StoreError) -> String? {
        func type(_ destination: KnownDestination) -> Substring? { destination.fingerprint.split(separator: " ").first }
        guard source.id != target.id else { return "\(from) and \(to) are the same destination" }
        guard type(source) == type(target) else {
            return """
                \(from) is for \(source.fingerprint), \(to) for \(target.fingerprint): what was made for one type is nothing \
                for another
                """
        }
        guard context.destinations.contains(where: { $0.name == to }) else {
            return "\(to) is not configured: nothing would be sent"
        }
        if source.fingerprint != target.fingerprint, !isToOtherAccount {
            return """
                \(from) is for \(source.fingerprint), \(to) for \(target.fingerprint): the conversions would count there. \
                If that is meant, say --to-other-account
                """
        }
        if context.destinations.contains(where: { $0.name == from }) {
            guard source.state != .running else {
                return """
                    \(from) is sending; stop it before: `destinations pause \(from)`, or take it out of the configuration
                    """
            }
            if !mayRepeat {
                return """
                    \(from) is still configured: after a crash or a rewind Kafka repeats to it what is moved now. Take it out \
                    of the configuration, or say --may-repeat
                    """
            }
        }
        guard !mayRepeat else { return nil }
        let both = try store.rows(of: source.id, queuedSince: target.firstSeen)
        guard both > 0 else { return nil }
        return """
            \(both) of these deliveries were queued when \(to) was there already, which may have had the same events. If they \
            may go out twice, say --may-repeat: CAPI recognises a repeat by its event id, offline conversions by click id, \
            goal and time
            """
    }

    private func refused(_ text: String) -> StoreStep {
        StoreStep(next: .done(StoreCommand.error(text)))
    }
}
