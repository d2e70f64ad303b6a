import ForwarderHarness

/// What an event costs with many partitions, and with many destinations.
struct ScaleBench {
    var ground: Ground
    var records: Int
    var rounds: Int
    var say: (String) -> Void

    static let partitions = [1, 16, 256]
    private static let copies = [1, 2, 8]

    func run() throws(HarnessFailure) {
        var rows: [FiguresRow] = []
        var runs: [(Contestant, topic: String, Expectation)] = []
        for count in ScaleBench.partitions {
            let topic = "partitions\(count)"
            say("publishing \(records) records to \(topic)")
            let expectation = try ground.publish(records, to: topic)
            let name = "\(count) partition\(count == 1 ? "" : "s")"
            runs.append((Contestant(name: name, program: .forwarder()), topic, expectation))
        }
        guard let (_, topic, expectation) = runs.dropFirst().first else { return }
        for count in ScaleBench.copies {
            let name = "\(count) CAPI destination\(count == 1 ? "" : "s")"
            runs.append((Contestant(name: name, program: .forwarder(copies: count)), topic, expectation))
        }
        rows = runs.map { FiguresRow(name: $0.0.name, runs: []) }
        for _ in 1...rounds {
            for (index, (contestant, topic, expectation)) in runs.enumerated() {
                rows[index].runs.append(try contestant.run(ground, topic: topic, expectation))
            }
        }
        say(FiguresRow.header)
        for row in rows { say(row.line) }
    }
}
