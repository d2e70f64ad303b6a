import Synchronization

/// What has to be known at once, and not in the order of the mailboxes: whether the process is stopping, and how much is
/// waiting somewhere, so that the intake does not read more than can be held.
final class Pressure: Sendable {
    /// Bytes of batches that the delivery loop has been handed and has not looked at.
    static let handedOverLimit = 64 << 20
    /// Rejects on their way to disk.
    static let rejectLimit = 100_000
    /// Bytes of batches on their way to the delivery log; beyond it they are not logged.
    static let loggedLimit = 64 << 20

    private let flags = Atomic<UInt8>(0)
    private let stopping = Atomic(false)
    private let handedOverBytes = Atomic(0)
    private let rejects = Atomic(0)
    private let loggedBytes = Atomic(0)
    private let unlogged = Atomic(0)

    /// More is in memory than may be: wait a little.
    var isBackedUp: Bool {
        flags.load(ordering: .relaxed) & 1 != 0 || handedOverBytes.load(ordering: .relaxed) > Pressure.handedOverLimit
            || rejects.load(ordering: .relaxed) > Pressure.rejectLimit
    }

    /// A queue is at its limit: pause.
    var isQueueFull: Bool { flags.load(ordering: .relaxed) & 2 != 0 }

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// What the lanes say.
    func set(isBackedUp: Bool, isQueueFull: Bool) {
        flags.store((isBackedUp ? 1 : 0) | (isQueueFull ? 2 : 0), ordering: .relaxed)
    }

    func setStopping() {
        stopping.store(true, ordering: .relaxed)
    }

    func addHandedOver(bytes: Int) {
        handedOverBytes.add(bytes, ordering: .relaxed)
    }

    var hasRejects: Bool { rejects.load(ordering: .relaxed) > 0 }

    func addRejects(_ count: Int) {
        rejects.add(count, ordering: .relaxed)
    }

    /// Whether the delivery log can take more.
    var takesLog: Bool { loggedBytes.load(ordering: .relaxed) < Pressure.loggedLimit }

    func addLogged(bytes: Int) {
        loggedBytes.add(bytes, ordering: .relaxed)
    }

    /// Deliveries that the delivery log does not tell of.
    var unloggedCount: Int { unlogged.load(ordering: .relaxed) }

    func addUnlogged(_ count: Int) {
        unlogged.add(count, ordering: .relaxed)
    }
}
