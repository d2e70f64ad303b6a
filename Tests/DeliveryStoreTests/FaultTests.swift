import CSQLite
import ForwarderCore
import Glibc
import Testing

@testable import DeliveryStore

/// Each single call to the disk fails once, or from then on, in each way it can, in a script of everything that is done
/// with a store.
///
/// SQLite keeps some faults to itself, and may: that it could not lock the database or delete the log at the end of a
/// connection (the next one finds both), and that it could not tell the size of a log it wanted to shorten. Its own VFS
/// for Unix also ignores that a directory could not be synced, so the store does that itself. It told nobody of a
/// checkpoint that failed, until the store took checkpoints over.
@Suite struct FaultTests {
    struct Kind: CustomTestStringConvertible, Sendable {
        var call: ModelDisk.Call
        var code: Int32
        var systemError: Int32 = EIO
        var isShort = false
        /// Whether all later calls fail as well.
        var lasts = false

        var testDescription: String {
            "\(call) with SQLite code \(code), errno \(systemError), \(lasts ? "from then on" : "once")"
        }
    }

    private static let once: [Kind] = [
        Kind(call: .open, code: SQLITE_CANTOPEN, systemError: EMFILE),
        Kind(call: .delete, code: SQLiteFault.delete),
        Kind(call: .access, code: SQLiteFault.access),
        Kind(call: .read, code: SQLiteFault.read),
        Kind(call: .write, code: SQLiteFault.write),
        Kind(call: .write, code: SQLITE_FULL, systemError: ENOSPC),
        Kind(call: .write, code: SQLITE_FULL, systemError: ENOSPC, isShort: true),
        Kind(call: .truncate, code: SQLiteFault.truncate),
        Kind(call: .sync, code: SQLiteFault.sync),
        Kind(call: .sync, code: SQLiteFault.sync, systemError: ENOSPC),
        Kind(call: .size, code: SQLiteFault.size),
        Kind(call: .lock, code: SQLiteFault.lock),
        Kind(call: .sharedMap, code: SQLiteFault.sharedMap),
        Kind(call: .sharedMap, code: SQLiteFault.sharedSize, systemError: ENOSPC),
        Kind(call: .sharedLock, code: SQLiteFault.sharedLock),
    ]

    /// Each of them once, and the first of each call for good.
    static let kinds =
        once
        + ModelDisk.Call.allCases.compactMap { call in
            guard var kind = once.first(where: { $0.call == call }) else { return nil }
            kind.lasts = true
            return kind
        }

    @Test(arguments: kinds)
    func `whichever call fails, nothing is lost and nothing half done`(kind: Kind) async throws {
        let (count, failures, unseen) = try await onThread { () throws -> (Int, [String], [Int]) in
            let (directory, recovery) = (TemporaryDirectory(isInMemory: true), Recovery())
            var (failures, unseen): ([String], [Int]) = ([], [])
            for number in 1... {
                let trial = FaultTrial(
                    ModelDisk.Fault(
                        call: kind.call, number: number, code: kind.code, systemError: kind.systemError,
                        isShort: kind.isShort, lasts: kind.lasts), directory, recovery)
                if let failure = try trial.run() { failures.append("call \(number): \(failure)") }
                guard trial.cameAbout else { return (number - 1, failures, unseen) }
                if !trial.isSeen { unseen.append(number) }
                if let error = trial.error, kind.call == .sync, !error.isStateUnknown {
                    failures.append("call \(number): \(error)")
                }
            }
            return (0, [], [])
        }
        if ![.delete, .lock, .size].contains(kind.call) { #expect(unseen.isEmpty) }
        print("\(kind.testDescription): \(count) calls, \(unseen.count) unseen")
        #expect(count >= 3)
        #expect(failures.isEmpty, "\(failures.count) of \(count): \(failures.first ?? "")")
    }
}

/// One fault in one life.
private final class FaultTrial {
    private var life: Life
    private let directory: TemporaryDirectory
    private let recovery: Recovery
    /// The first error the store reported.
    private(set) var error: StoreError?
    private(set) var cameAbout = false
    /// Whether the store said anything at all.
    private(set) var isSeen = false
    private let fault: ModelDisk.Fault

    init(_ fault: ModelDisk.Fault, _ directory: TemporaryDirectory, _ recovery: Recovery) {
        self.fault = fault
        self.directory = directory
        self.recovery = recovery
        life = Life(ModelDisk(), directory: directory.store, seed: Life.scriptSeed)
        life.disk.fault = fault
    }

    /// - Returns: what went wrong; nil if nothing did.
    func run() throws -> String? {
        for (index, step) in Life.script.enumerated() {
            let failure: String?
            do throws(StoreError) {
                failure = try life.take(step)
                noteFault()
                if life.store?.checkpointFault != nil { isSeen = true }
            } catch {
                isSeen = true
                noteFault()
                failure = try goOn(after: error, at: step)
            }
            if let failure { return "step \(index), \(step): \(failure)" }
        }
        if !cameAbout { return nil }
        let disk = life.disk.state
        return recovery.check(disk.afterPowerCut(.dropAll), [life.expected]).map { "in the end: \($0)" }
    }

    private func noteFault() {
        cameAbout = cameAbout || life.disk.hasFailed
    }

    private func goOn(after error: StoreError, at step: Life.Step) throws -> String? {
        if !cameAbout { return "\(error) without a fault" }
        self.error = self.error ?? error
        let disk = life.disk.state
        let candidates = [life.expected, life.intended]
        life.disk.fault = nil
        if fault.lasts {
            if let difference = recovery.open(disk, candidates).difference { return "process dead: \(difference)" }
        } else {
            let cut = disk.afterPowerCut(.dropAll)
            if let failure = recovery.check(cut, candidates) { return "power cut: \(failure)" }
            if let failure = recovery.check(disk, candidates) { return "process dead: \(failure)" }
        }
        if error.isStateUnknown || step == .close { return try startAnew(disk, candidates, at: step) }
        // It goes on as if it had not been asked, and can be asked again.
        if let difference = try life.compare() { return "after \(error): \(difference)" }
        return try life.take(step).map { "again: \($0)" }
    }

    private func stillAnswers() -> String? {
        do throws(StoreError) {
            return try life.compare() ?? "it goes on although nobody knows what is on the disk"
        } catch {
            return error.isStateUnknown ? nil : "\(error)"
        }
    }

    private func startAnew(
        _ disk: ModelDisk.State, _ candidates: [Life.Expected], at step: Life.Step
    ) throws -> String? {
        if step != .open, step != .close, let answer = stillAnswers() { return answer }
        life.drop()
        let (found, difference) = recovery.open(disk, candidates)
        guard let found else { return difference }
        let work = life.work
        life = Life(ModelDisk(found.disk), directory: directory.store, expected: found.expected)
        life.work = work
        if step == .close { return nil }
        try life.open()
        return step == .open ? nil : try life.take(step).map { "in a new process: \($0)" }
    }
}

extension StoreError {
    fileprivate var isStateUnknown: Bool { kind == .stateUnknown }
}
