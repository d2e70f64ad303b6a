import DeliveryStore
import ForwarderCore
import Glibc

extension StoreLoop {
    private static let retryInterval = Duration.seconds(1)
    /// A fault in reading is told again after this long.
    private static let readFaultInterval = Duration.seconds(60)

    /// Why nothing new can be written.
    enum Trouble: Equatable {
        /// The disk is full: only what is settled is written.
        case full
        /// Somebody deleted or replaced the file under the open store. What is in it can still be sent and ticked off, but
        /// what would be added would be lost with this process.
        case vanished
        case other(StoreError.Kind)

        /// Whether the lanes go on as ever. What they hand over is not confirmed, so nothing is settled by it.
        var takesWork: Bool { self == .vanished }
    }

    func writeFailed(_ error: StoreError) {
        if store.unknownState != nil { return }
        nextRetry = now.uptime + StoreLoop.retryInterval
        if error.isDiskFull, hasBallast {
            ballast.release()
            hasBallast = false
            // There is room now for what is settled.
            nextRetry = now.uptime
        }
        if trouble != .vanished { enter(error.isDiskFull ? .full : .other(error.kind), error.description) }
    }

    /// The caller goes without an answer; whether writing works shows elsewhere.
    func readFailed(_ error: StoreError) {
        if store.unknownState != nil { return }
        if let last = lastReadFault, last.kind == error.kind,
            now.uptime - last.at < StoreLoop.readFaultInterval
        {
            return
        }
        lastReadFault = (error.kind, now.uptime)
        telemetry.report(.storeFailing(reason: error.description))
    }

    /// Sees whether writing works again. On a full disk only what is settled is written until the reserve can be taken
    /// back: else the first delivery would eat it.
    func recover() -> Bool {
        guard let trouble, nextRetry <= now.uptime else { return false }
        nextRetry = now.uptime + StoreLoop.retryInterval
        switch trouble {
        case .vanished:
            _ = attempt(backlog.nextOnFullDisk())
            return false
        case .full:
            guard attempt(backlog.nextOnFullDisk()) else { return false }
            guard hasBallast || takeBallast() else { return false }
        case .other: break
        }
        guard attempt(backlog.next()) else { return false }
        leave()
        return true
    }

    /// Returns whether there is nothing more to wait for: without a reserve that cannot be had the store is better than
    /// none.
    @discardableResult
    func takeBallast() -> Bool {
        let taking = ballast.take()
        hasBallast = taking == .taken
        if case .impossible(let reason) = taking {
            telemetry.report(
                .storeFailing(
                    reason: """
                        \(reason): no reserve for a full disk can be kept here; put right what is in its place, or set \
                        state.ballast to 0
                        """))
        }
        return taking != .noRoom
    }

    /// Looks whether the file of the store is still where the next start would look for it.
    func checkFile(pending: Int) {
        let isThere = file.isUnchanged
        if isThere, trouble == .vanished { leave() }
        guard !isThere else { return }
        enter(
            .vanished,
            """
            \(file.path): deleted or replaced while it was in use. Put it back, or let the daemon end: what is in it is \
            still being sent, and when nothing is left the daemon stops with exit code 1, to start with a new one.
            """)
        if pending == 0 { end.ask(.orderly) }
    }

    private func enter(_ trouble: Trouble, _ text: String) {
        guard self.trouble != trouble else { return }
        self.trouble = trouble
        numbers.isWritable = false
        telemetry.report(trouble == .full ? .storeFull : .storeFailing(reason: text))
        sendState()
    }

    private func leave() {
        trouble = nil
        numbers.isWritable = true
        telemetry.report(.storeRecovered)
        sendState()
    }

    /// A sync that failed, whoever waited for it, says nothing about what it wrote, and a later one says nothing either.
    /// So nothing may be settled any more by what this store says: Kafka still has what was not committed, and a new
    /// start reads what is really there.
    func giveUpIfStateIsUnknown() {
        guard let unknown = store.unknownState, !hasGivenUp else { return }
        hasGivenUp = true
        telemetry.report(.storeFailing(reason: unknown.description))
        end.ask(.atOnce)
    }
}

/// The file of an open store, as the file system knows it.
struct StoreFile {
    let path: String
    private let identity: (device: dev_t, number: ino_t)?

    init(_ path: String) {
        self.path = path
        identity = StoreFile.identity(path)
    }

    /// Whether the path still leads to the same file.
    var isUnchanged: Bool {
        guard let identity, let current = StoreFile.identity(path) else { return identity == nil }
        return identity == current
    }

    /// Free bytes (for whoever is not root) and size of the file system; nil if it does not say.
    var space: (free: Int?, size: Int?) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return (nil, nil) }
        let block = Int(status.f_frsize)
        return (Int(status.f_bavail) * block, Int(status.f_blocks) * block)
    }

    private static func identity(_ path: String) -> (device: dev_t, number: ino_t)? {
        var status = stat()
        return stat(path, &status) == 0 ? (status.st_dev, status.st_ino) : nil
    }
}

extension StoreError {
    var isDiskFull: Bool { kind == .diskFull }
}
