import ForwarderCore
import Glibc
import Testing

@testable import DeliveryStore

/// The store against a model of it: many short random lives with reopenings, deaths of the process and power cuts. The
/// model is the one that the simulation of the whole daemon uses for a store.
@Suite struct ModelTests {
    private static let lives: UInt64 = 10_000
    /// Failed once; run first, always.
    private static let oldFailures: [UInt64] = [98, 141, 5023, 5407]

    /// STORE_SEED=N runs one life alone; a run starts with other seeds if STORE_FIRST_SEED=N says so.
    @Test func `random lives of the store are those of its model`() async throws {
        let seeds: [UInt64]
        if let seed = number("STORE_SEED") {
            seeds = [seed]
        } else {
            let first = number("STORE_FIRST_SEED") ?? 1
            seeds = Self.oldFailures + Array(first..<first + Self.lives)
        }
        async let half = onThread { try run(seeds.prefix(seeds.count / 2)) }
        async let otherHalf = onThread { try run(seeds.suffix(from: seeds.count / 2)) }
        let (one, other) = try await (half, otherHalf)
        for failure in [one.failure, other.failure] { if let failure { Issue.record("\(failure)") } }
        print("lives of seeds \(seeds[0]) … \(seeds[seeds.count - 1]): \(seeds.count)")
        let steps = one.steps.merging(other.steps, uniquingKeysWith: +)
        if seeds.count > 1, one.failure == nil, other.failure == nil {
            #expect(Life.Step.random.allSatisfy { steps[$0, default: 0] > 500 }, "\(steps)")
        }
    }
}

private func number(_ variable: String) -> UInt64? {
    getenv(variable).flatMap { UInt64(String(cString: $0)) }
}

private struct Lives {
    var steps: [Life.Step: Int] = [:]
    var failure: String?
}

private func run(_ seeds: ArraySlice<UInt64>) throws -> Lives {
    let directory = TemporaryDirectory(isInMemory: true)
    let (empty, expected) = try emptyStore(directory)
    var lives = Lives()
    for seed in seeds {
        if let difference = try run(seed, empty, expected, directory, &lives.steps) {
            lives.failure = "STORE_SEED=\(seed): \(difference)"
            break
        }
    }
    return lives
}

/// A store with two destinations: making one takes longer than a life.
private func emptyStore(_ directory: TemporaryDirectory) throws -> (ModelDisk.State, Life.Expected) {
    let life = Life(ModelDisk(), directory: directory.store)
    for step in [Life.Step.open, .register, .register, .close] { _ = try life.take(step) }
    return (life.disk.state, life.expected)
}

/// - Returns: what went wrong; nil if nothing did.
private func run(
    _ seed: UInt64, _ empty: ModelDisk.State, _ expected: Life.Expected, _ directory: TemporaryDirectory,
    _ steps: inout [Life.Step: Int]
) throws -> String? {
    var life = Life(ModelDisk(empty), directory: directory.store, seed: seed, expected: expected)
    try life.open()
    for number in 1...8 {
        // One step in three fills the queues, or most of the others would have nothing to do.
        let step = number % 3 == 1 ? .work(.enqueue) : life.work.any(Life.Step.random)
        steps[step, default: 0] += 1
        if let difference = try life.take(step) { return "step \(number), \(difference)" }
        guard life.work.number(1...10) == 1 else { continue }
        if let difference = try life.compare() { return "step \(number), \(step): \(difference)" }
        life = try reborn(life, directory)
        if let difference = try life.compare() { return "step \(number), \(step), reopened: \(difference)" }
    }
    return try life.compare().map { "at the end: \($0)" }
}

/// The same store after it was closed, its process died, or the power was cut.
private func reborn(_ life: Life, _ directory: TemporaryDirectory) throws -> Life {
    let state: ModelDisk.State
    switch life.work.number(0...3) {
    case 0:
        _ = try life.take(.close)
        state = life.disk.state
    case 1: state = life.disk.state
    default: state = life.disk.state.afterPowerCut(.chance(seed: life.work.random.next()))
    }
    life.drop()
    let next = Life(ModelDisk(state), directory: directory.store, expected: life.expected.afterCrash())
    next.work = life.work
    try next.open()
    return next
}
