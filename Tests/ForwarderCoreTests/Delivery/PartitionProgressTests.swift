import ForwarderCore
import Testing

@Suite struct PartitionProgressTests {
    /// The same, without any cleverness.
    private struct Model {
        var offsets: [Int64] = []
        var open: [Int] = []

        var settledPrefix: Int { open.firstIndex { $0 > 0 } ?? open.count }
        var watermark: Int64? { settledPrefix == 0 ? nil : offsets[settledPrefix - 1] + 1 }
    }

    @Test func `I-1: the watermark follows the settled prefix, whatever the order`() {
        for seed in 0..<500 { check(seed: UInt64(seed), records: 120) }
        // Long enough for the settled front to be thrown away, several times.
        for seed in 0..<3 { check(seed: UInt64(seed), records: 20_000) }
    }

    private func check(seed: UInt64, records: Int) {
        var random = SeededRandom(seed: seed)
        var progress = PartitionProgress()
        var model = Model()
        var offset = Int64.random(in: 0...1000, using: &random)
        var unsettled: [UInt64] = []
        var lastSettled: UInt64?
        let isShort = records < 1000
        while model.offsets.count < records || !unsettled.isEmpty {
            let mayConsume = model.offsets.count < records && unsettled.count < 300
            if mayConsume, unsettled.isEmpty || Bool.random(using: &random) {
                let sequence = progress.nextSequence
                #expect(sequence == UInt64(model.offsets.count))
                let open = Int.random(in: 0...3, using: &random)
                progress.consume(offset: offset, open: open)
                model.offsets.append(offset)
                model.open.append(open)
                unsettled += Array(repeating: sequence, count: open)
                // Compaction and transaction markers leave holes.
                offset += Int.random(in: 0..<4, using: &random) == 0 ? .random(in: 1...50, using: &random) : 1
            } else {
                let index = Int.random(in: 0..<unsettled.count, using: &random)
                unsettled.swapAt(index, unsettled.count - 1)
                guard let sequence = unsettled.popLast() else { break }
                progress.settle(sequence)
                model.open[Int(sequence)] -= 1
                lastSettled = max(lastSettled ?? 0, sequence)
            }
            guard isShort || model.offsets.count % 997 == 0 else { continue }
            let prefix = model.settledPrefix
            #expect(progress.watermark == model.watermark, "seed \(seed)")
            #expect(progress.uncommittedCount == model.offsets.count - prefix, "seed \(seed)")
            #expect(progress.lastSettled == lastSettled, "seed \(seed)")
            if let probe = model.open.indices.randomElement(using: &random) {
                #expect(progress.isSettled(UInt64(probe)) == (model.open[probe] == 0), "seed \(seed)")
            }
        }
        #expect(progress.watermark == model.offsets.last.map { $0 + 1 }, "seed \(seed)")
        #expect(progress.uncommittedCount == 0)
    }

    @Test func `nothing is committed before the first record`() {
        let progress = PartitionProgress()
        #expect(progress.watermark == nil)
        #expect(progress.lastSettled == nil)
        #expect(progress.uncommittedCount == 0)
    }

    @Test func `a slow early record holds back all that come after it`() {
        var progress = PartitionProgress()
        progress.consume(offset: 10, open: 1)
        progress.consume(offset: 11, open: 1)
        progress.consume(offset: 20, open: 0)
        progress.settle(1)
        #expect(progress.watermark == nil)
        #expect(progress.lastSettled == 1)
        progress.settle(0)
        #expect(progress.watermark == 21)
    }

    @Test func `the settled front is thrown away`() {
        var progress = PartitionProgress()
        let clock = ContinuousClock()
        let time = clock.measure {
            for offset in 0..<200_000 {
                progress.consume(offset: Int64(offset), open: 1)
                progress.settle(UInt64(offset))
            }
        }
        #expect(progress.watermark == 200_000)
        // Quadratic work would take minutes.
        #expect(time < .seconds(30))
    }
}
