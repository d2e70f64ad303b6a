import ForwarderCore

extension Section {
    /// What comes after the intake.
    static var settlement: [Section] {
        [
            Section(
                name: "request", summary: "the request of a batch of 1,000, around what is written already",
                unit: "batch", rounds: 10
            ) {
                let service = ConversionsAPI(
                    CAPISettings(uetTagID: "1", token: .environment("TOKEN")), endpoint: "", timeout: .zero)
                let contents = [UInt8](repeating: UInt8(ascii: "x"), count: 530_000)
                return { rounds in
                    for _ in 0..<rounds { _ = service.request(contents, isStrict: false, token: "token") }
                }
            },
            Section(name: "verdict", summary: "read an answer that refuses ten of 1,000", unit: "answer", rounds: 10) {
                let outcome = HTTPOutcome.answer(HTTPAnswer(status: 200, body: Samples.tenRefused))
                return { rounds in
                    for _ in 0..<rounds {
                        _ = ConversionsAPI.verdict(outcome, entryCount: 1000, now: Timestamp(seconds: Samples.now))
                    }
                }
            },
            Section(
                name: "settle", summary: "from the hand-over of 1,000 page views to their settlement", unit: "1,000",
                rounds: 10
            ) {
                var path = EventPath()
                let batch = EventPath.batch(of: [Samples.pageView])
                return { rounds in for _ in 0..<rounds { path.take(batch) } }
            },
            Section(name: "watermark", summary: "note a record, settle it, move the offset to commit") {
                var progress = PartitionProgress()
                var offset: Int64 = 0
                return { rounds in
                    // A thousand are on their way at any time.
                    for _ in 0..<rounds {
                        progress.consume(offset: offset, open: 1)
                        if offset >= 1000 { progress.settle(UInt64(offset - 1000)) }
                        offset += 1
                    }
                }
            },
            Section(name: "path", summary: "a shop's events from the record to the watermark, all decisions") {
                var path = EventPath()
                let records = Samples.shop
                return { rounds in
                    for round in 0..<rounds { records[round % records.count].withUnsafeBufferPointer { path.take($0) } }
                }
            },
        ]
    }
}
