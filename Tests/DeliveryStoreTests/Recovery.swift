import ForwarderCore

@testable import DeliveryStore

/// Opens what a disk has after a death of the process or a power cut, and looks whether it is one of the states it may
/// be in.
struct Recovery {
    let directory = TemporaryDirectory(isInMemory: true)

    /// - Parameter candidates: what the store may hold. A transaction that was on its way is there as a whole or not.
    /// - Returns: what is wrong; nil if nothing is.
    func check(_ state: ModelDisk.State, _ candidates: [Life.Expected]) -> String? {
        let (found, difference) = open(state, candidates)
        guard let found else { return difference }
        // What a start has seen may settle records for Kafka: it must outlive the next power cut.
        let (again, later) = open(found.disk.afterPowerCut(.dropAll), [found.expected])
        return again == nil ? "after another power cut: \(later ?? "")" : nil
    }

    func open(
        _ state: ModelDisk.State, _ candidates: [Life.Expected]
    ) -> (found: (expected: Life.Expected, disk: ModelDisk.State)?, difference: String?) {
        let life = Life(ModelDisk(state), directory: directory.store)
        do throws(StoreError) {
            try life.open()
            var differences: [String] = []
            for candidate in candidates.map({ $0.afterCrash() }) {
                guard let difference = try life.store?.difference(from: candidate) else {
                    return ((candidate, life.disk.state), nil)
                }
                differences.append(difference)
            }
            return (nil, differences.joined(separator: "\nnor: "))
        } catch {
            return (nil, "not opened: \(error)")
        }
    }
}

extension Life {
    /// Some of everything that is done with a store.
    static let script: [Step] = [
        .open, .register, .register, .work(.enqueue), .work(.enqueue), .claim, .work(.enqueue), .work(.remove),
        .work(.reschedule), .claim, .work(.deadLetterRows), .work(.deadLetter), .work(.reject), .work(.setState),
        .replay, .work(.enqueue), .work(.expire), .discardLetters, .purge, .checkpoint, .work(.enqueue), .several,
        .work(.remember), .work(.enqueue), .work(.enqueue), .identify, .review,
        .work(.deadLetter), .close, .open, .work(.enqueue), .replay, .discardQueue, .purge, .close,
    ]
    /// A life in which each step of the script has something to do.
    static let scriptSeed: UInt64 = 3
}
