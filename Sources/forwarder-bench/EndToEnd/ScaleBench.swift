import ForwarderHarness

/// What an event costs with many partitions, and with many destinations.
struct ScaleBench {
    var ground: Ground
    var records: Int
    var rounds: Int
    var say: (String) -> Void

    static let partitions = [1, 16, 256]
    private static let copies = [1, 2, 8]

    /// Returns whether every run has a result.
    func run() throws(HarnessFailure) -> Bool {
        var entries: [Rounds.Entry] = []
        for count in ScaleBench.partitions {
            let topic = "partitions\(count)"
            say("publishing \(records) records to \(topic)")
            let expectation = try ground.publish(records, to: topic)
            // Of one destination, with the partitions of the middle, there is a row already.
            let copies = count == ScaleBench.partitions[1] ? ScaleBench.copies : [1]
            for copies in copies {
                let name = "\(count) partition\(count == 1 ? "" : "s")" + (copies > 1 ? ", \(copies) x CAPI" : "")
                entries.append(
                    Contestant(name: name, program: .forwarder(copies: copies)).entry(ground, topic: topic, expectation)
                )
            }
        }
        return Rounds(count: rounds, say: say).run(entries)
    }
}
