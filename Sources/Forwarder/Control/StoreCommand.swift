import DeliveryStore
import ForwarderCore

/// What the command line asks of the store; carried out by the daemon between two transactions, or by the command itself
/// while no daemon runs.
enum StoreCommand: Sendable, Equatable {
    case queueStats
    case queueList(StoreSelection)
    case queueDiscard(StoreSelection)
    case queueMove(QueueMove)
    case deadLettersList(StoreSelection)
    case deadLettersShow(Int64)
    case deadLettersReplay(StoreSelection)
    case deadLettersDiscard(StoreSelection)
    case rejectsList(StoreSelection)

    var isReadOnly: Bool {
        switch self {
        case .queueStats, .queueList, .deadLettersList, .deadLettersShow, .rejectsList: true
        case .queueDiscard, .queueMove, .deadLettersReplay, .deadLettersDiscard: false
        }
    }

    var selection: StoreSelection? {
        switch self {
        case .queueStats, .queueMove, .deadLettersShow: nil
        case .queueList(let selection), .queueDiscard(let selection), .deadLettersList(let selection),
            .deadLettersReplay(let selection), .deadLettersDiscard(let selection), .rejectsList(let selection):
            selection
        }
    }

    static func error(_ text: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { $0.member("error", text) }
        return writer.bytes
    }
}

/// Which rows are meant.
struct StoreSelection: Sendable, Equatable {
    var destination: String?
    var reason: String?
    var since: Timestamp?
    var id: Int64?
    var limit: Int?
    /// Map dead letters anew before they are put back.
    var isRemapped = false
}

/// What a command that changes the store has to know of its surroundings.
struct StoreContext {
    var now: Moment
    /// As configured.
    var destinations: [DestinationSettings]
    /// Whether a daemon runs, which has records in its hands that Kafka would not repeat to it.
    var isRunning: Bool
    var nextRow: () -> RowID
}

/// How far a command has come that is carried out in slices.
struct StoreProgress: Sendable {
    var moved = 0
    var refusedExpired = 0
    var alreadyQueued = 0
    var discarded = 0
    var taken = 0
    var after: DeadLetterID?
    var kept = 0
    var reasons: [String: Int] = [:]
    var claimed = 0
    var row = RowID.none
}

/// What a slice has changed that the lanes must hear of.
struct StoreEffects: Sendable {
    var replayed: [DestinationID: Int] = [:]
    var discarded: [DestinationID: Int] = [:]
    var erased: [DestinationID: Int] = [:]
    var depths: [DestinationID: QueueDepth] = [:]
}

struct StoreStep: Sendable {
    enum Next: Sendable {
        /// The answer, as one JSON object.
        case done([UInt8])
        case more(StoreProgress)
    }

    var next: Next
    var effects = StoreEffects()
}

extension StoreCommand {
    /// Rows listed where no limit is given.
    private static let listLimit = 100
    /// Rows changed in one transaction.
    private static let slice = 1000

    /// Carries out a command that reads, or a slice of one that changes.
    func step(
        _ store: DeliveryStore, _ progress: StoreProgress, _ context: StoreContext
    ) -> StoreStep {
        do throws(StoreError) {
            let names = Dictionary(uniqueKeysWithValues: try store.destinations().map { ($0.id, $0.name) })
            if let name = selection?.destination, !names.values.contains(name) {
                let known = names.values.sorted().joined(separator: ", ")
                return StoreStep(
                    next: .done(
                        StoreCommand.error(
                            "the store knows no destination \(name); it knows: \(known.isEmpty ? "none" : known)")))
            }
            switch self {
            case .deadLettersReplay(let selection):
                return try replay(store, selection, names, progress, context)
            case .queueMove(let move): return try move.step(store, progress, context)
            case .deadLettersDiscard(let selection): return try discard(store, selection, names, progress)
            case .queueDiscard(let selection): return try discardQueue(store, selection, names, progress)
            default: return StoreStep(next: .done(try read(store, names, now: context.now.wall)))
            }
        } catch {
            return StoreStep(next: .done(StoreCommand.error(error.description)))
        }
    }

    private func read(
        _ store: DeliveryStore, _ names: [DestinationID: String], now: Timestamp
    ) throws(StoreError) -> [UInt8] {
        switch self {
        case .queueStats: return try StoreReport.stats(store, now: now)
        case .queueList(let selection):
            let rows = try store.queueRows(
                QueueFilter(
                    destination: names.id(selection.destination), lastFailure: selection.reason,
                    since: selection.since, limit: selection.limit ?? StoreCommand.listLimit))
            return StoreReport(names).list(rows)
        case .deadLettersList(let selection):
            let letters = try store.deadLetters(
                filter(selection, names, limit: selection.limit ?? StoreCommand.listLimit))
            return StoreReport(names).list(letters)
        case .deadLettersShow(let id):
            guard let found = try store.deadLetter(DeadLetterID(id)) else {
                return StoreCommand.error("there is no dead letter \(id); `dead-letters list` shows those there are")
            }
            return StoreReport(names).show(found)
        case .rejectsList(let selection):
            let rejects = try store.rejects(
                RejectFilter(
                    destination: names.id(selection.destination), reason: selection.reason, since: selection.since,
                    limit: selection.limit ?? StoreCommand.listLimit))
            return StoreReport(names).list(rejects)
        case .queueDiscard, .queueMove, .deadLettersReplay, .deadLettersDiscard:
            preconditionFailure("a command that changes the store is carried out in slices")
        }
    }

    private func filter(
        _ selection: StoreSelection, _ names: [DestinationID: String], limit: Int
    ) -> DeadLetterFilter {
        // A class is one of few words; anything else is a reason.
        let reasonClass = selection.reason.flatMap(DeadLetterCause.Class.init(rawValue:))
        return DeadLetterFilter(
            id: selection.id.map { DeadLetterID($0) }, destination: names.id(selection.destination),
            reasonClass: reasonClass, reason: reasonClass == nil ? selection.reason : nil, since: selection.since,
            limit: limit)
    }

    // MARK: Changing

    private static func nextLimit(_ selection: StoreSelection, _ progress: StoreProgress) -> Int {
        min((selection.limit ?? .max) - progress.taken, slice)
    }

    private func replay(
        _ store: DeliveryStore, _ selection: StoreSelection, _ names: [DestinationID: String],
        _ progress: StoreProgress, _ context: StoreContext
    ) throws(StoreError) -> StoreStep {
        var filter = filter(selection, names, limit: StoreCommand.nextLimit(selection, progress))
        filter.after = progress.after
        let slice = try replay(store, filter, selection, names, context)
        if let id = selection.id, slice.selected == 0 { return StoreCommand.noDeadLetter(id) }
        var progress = progress
        progress.moved += slice.moved.values.reduce(0, +)
        progress.refusedExpired += slice.refused.values.reduce(0, +)
        progress.alreadyQueued += slice.alreadyQueued.values.reduce(0, +)
        progress.kept += slice.kept
        progress.reasons.merge(slice.notRemapped, uniquingKeysWith: +)
        progress.taken += filter.limit
        progress.after = slice.next
        let effects = StoreEffects(replayed: slice.moved, depths: slice.depths)
        if slice.next != nil, progress.taken < selection.limit ?? .max {
            return StoreStep(next: .more(progress), effects: effects)
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("moved", progress.moved)
            // Their last moment has passed: Microsoft would refuse them.
            writer.member("refused_expired", progress.refusedExpired)
            writer.member("already_queued", progress.alreadyQueued)
            if selection.isRemapped {
                writer.member("kept", progress.kept)
                writer.name("reasons")
                writer.object { writer in
                    for (reason, count) in progress.reasons.sorted(by: { $0.key < $1.key }) {
                        writer.member(reason, count)
                    }
                }
            }
        }
        return StoreStep(next: .done(writer.bytes), effects: effects)
    }

    private func replay(
        _ store: DeliveryStore, _ filter: DeadLetterFilter, _ selection: StoreSelection,
        _ names: [DestinationID: String], _ context: StoreContext
    ) throws(StoreError) -> ReplayResult {
        guard selection.isRemapped else {
            return try store.replay(filter, now: context.now.wall, nextRow: context.nextRow)
        }
        var remappers: [DestinationID: Remapper] = [:]
        for (id, name) in names {
            if let settings = context.destinations.first(where: { $0.name == name }) {
                remappers[id] = Remapper(id, settings)
            }
        }
        return try store.replayRemapped(filter, now: context.now, nextRow: context.nextRow) { id, event in
            remappers[id]?.remap(event, now: context.now)
        }
    }

    private static func noDeadLetter(_ id: Int64) -> StoreStep {
        StoreStep(
            next: .done(error("there is no dead letter \(id); `dead-letters list` shows those there are")))
    }

    private func discard(
        _ store: DeliveryStore, _ selection: StoreSelection, _ names: [DestinationID: String],
        _ progress: StoreProgress
    ) throws(StoreError) -> StoreStep {
        let limit = StoreCommand.nextLimit(selection, progress)
        let slice = try store.discardDeadLetters(filter(selection, names, limit: limit))
        if let id = selection.id, slice.discarded.isEmpty { return StoreCommand.noDeadLetter(id) }
        return discarded(slice, limit, selection, progress, StoreEffects())
    }

    private func discardQueue(
        _ store: DeliveryStore, _ selection: StoreSelection, _ names: [DestinationID: String],
        _ progress: StoreProgress
    ) throws(StoreError) -> StoreStep {
        guard let id = names.id(selection.destination) else {
            return StoreStep(next: .done(StoreCommand.error("which destination's queue is meant? --destination NAME")))
        }
        let limit = StoreCommand.nextLimit(selection, progress)
        let slice = try store.discardQueue(of: id, limit: limit)
        let effects = StoreEffects(discarded: slice.discarded, depths: slice.depths)
        return discarded(slice, limit, selection, progress, effects)
    }

    private func discarded(
        _ slice: DiscardResult, _ limit: Int, _ selection: StoreSelection, _ progress: StoreProgress,
        _ effects: StoreEffects
    ) -> StoreStep {
        var progress = progress
        progress.discarded += slice.discarded.values.reduce(0, +)
        progress.taken += limit
        if !slice.isComplete, progress.taken < selection.limit ?? .max {
            return StoreStep(next: .more(progress), effects: effects)
        }
        var writer = JSONWriter()
        writer.object { $0.member("discarded", progress.discarded) }
        return StoreStep(next: .done(writer.bytes), effects: effects)
    }
}

extension [DestinationID: String] {
    fileprivate func id(_ name: String?) -> DestinationID? {
        name.flatMap { name in first { $0.value == name }?.key }
    }
}
