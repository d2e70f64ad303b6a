import ForwarderCore
import Testing

@testable import DeliveryStore

/// The process dies, or the power is cut, before each single change of the disk in a script of everything that is done
/// with a store.
@Suite struct PowerCutTests {
    private struct Moment {
        var number: Int
        var step: Int
        var disk: ModelDisk.State
        var before: Life.Expected
        var after: Life.Expected
    }

    private static func moments() throws -> [Moment] {
        let directory = TemporaryDirectory(isInMemory: true)
        let life = Life(ModelDisk(), directory: directory.store, seed: Life.scriptSeed)
        var moments: [Moment] = []
        for (index, step) in Life.script.enumerated() {
            life.disk.beforeChange = { [unowned life] in
                moments.append(
                    Moment(
                        number: moments.count, step: index, disk: life.disk.state, before: life.expected,
                        after: life.intended))
            }
            if let difference = try life.take(step) { throw Unexpected(what: difference) }
            life.disk.beforeChange = nil
            // What was reported as done is done.
            moments.append(
                Moment(
                    number: moments.count, step: index, disk: life.disk.state, before: life.expected,
                    after: life.expected))
        }
        return moments
    }

    @Test func `whenever the power is cut, each transaction is there as a whole or not at all`() async throws {
        let (count, failures) = try await onThread { () throws -> (Int, [String]) in
            let moments = try Self.moments()
            let recovery = Recovery()
            var failures: [String] = []
            for moment in moments {
                let seeds = (0..<3).map { PowerCut.Choice.chance(seed: UInt64(moment.number * 3 + $0)) }
                for choice in [.dropAll, .keepAll] + seeds {
                    let left = moment.disk.afterPowerCut(choice)
                    guard let failure = recovery.check(left, [moment.before, moment.after]) else { continue }
                    failures.append(
                        "before change \(moment.number), \(Life.script[moment.step]), \(choice): \(failure)")
                }
            }
            return (moments.count, failures)
        }
        #expect(failures.isEmpty, "\(failures.count) of \(count): \(failures.first ?? "")")
        #expect(count > 350)
    }

    @Test func `whenever the process dies, what the next one finds outlives a power cut`() async throws {
        let failures = try await onThread { () throws -> [String] in
            let recovery = Recovery()
            return try Self.moments().compactMap { moment in
                recovery.check(moment.disk, [moment.before, moment.after]).map {
                    "before change \(moment.number), \(Life.script[moment.step]): \($0)"
                }
            }
        }
        #expect(failures.isEmpty, "\(failures.count): \(failures.first ?? "")")
    }
}
