import FakeMicrosoft
import ForwarderCore
import ForwarderHarness

/// What came of a demo, from three sides: what was published, what the daemon says, what Microsoft has.
struct DemoSummary {
    struct Destination {
        var name: String
        var consumed: Int
        var delivered: Int
        var skipped: Int
        /// Of the skipped: orders that were published again.
        var repeated: Int
        var rejected: Int
        var deadLettered: Int
        var pending: Int
        var attempts: Int
        var accepted: Int
        var duplicates: Int
        var judgedInvalid: Int

        /// Everything published is accounted for, and what counts as delivered is what Microsoft has.
        func isBalanced(produced: Int) -> Bool {
            consumed == produced && delivered + skipped + rejected + deadLettered + pending == produced
                && accepted == delivered && judgedInvalid == 0
        }
    }

    let produced: Int
    let refunds: Int
    /// In what Microsoft differs from what was published.
    let differences: [String]
    let unaccounted: Int
    let destinations: [Destination]
    let elapsed: Duration

    init(expectation: Expectation, metrics: JSONElement, microsoft: FakeMicrosoftServer, elapsed: Duration) {
        produced = expectation.records
        refunds = expectation.refunds.count
        differences = expectation.differences(microsoft, hasInvest: true)
        self.elapsed = elapsed
        unaccounted = Int(metrics["unaccounted"]?.integer ?? -1)
        let books: [(name: String, books: [DestinationBooks?])] = microsoft.withModel { model in
            [
                ("capi", [model.books(of: Microsoft.capi)]),
                ("offline", [model.books(of: Microsoft.offline)]),
                ("invest", [Microsoft.purchasePixel, Microsoft.leadPixel].map { model.books(of: .pixel(id: $0)) }),
                ("capi-refunds", [model.books(of: Microsoft.capiRefunds)]),
                ("offline-refunds", [model.books(of: Microsoft.offlineRefunds)]),
            ]
        }
        destinations = books.map { name, books in
            let numbers = metrics["destinations"]?[name]
            func number(_ member: String) -> Int { Int(numbers?[member]?.integer ?? 0) }
            let books = books.compactMap(\.self)
            func sum(_ member: String) -> Int {
                numbers?[member]?.members?.reduce(0) { $0 + Int($1.value.integer ?? 0) } ?? 0
            }
            return Destination(
                name: name, consumed: number("consumed"), delivered: number("delivered"), skipped: sum("skipped"),
                repeated: Int(numbers?["skipped"]?["duplicate_transaction"]?.integer ?? 0),
                rejected: number("rejected"), deadLettered: sum("dead_lettered"), pending: number("pending"),
                attempts: number("attempts"), accepted: books.reduce(0) { $0 + $1.accepted },
                duplicates: books.reduce(0) { $0 + $1.duplicates },
                judgedInvalid: books.reduce(0) { $0 + $1.judgedInvalid })
        }
    }

    var isBalanced: Bool {
        unaccounted == 0 && differences.isEmpty && destinations.allSatisfy { $0.isBalanced(produced: produced) }
    }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("produced", produced)
            writer.member("consumed", destinations.map(\.consumed).min() ?? 0)
            writer.name("destinations")
            writer.object { writer in
                for destination in destinations {
                    writer.name(destination.name)
                    writer.object {
                        $0.member("delivered", destination.delivered)
                        $0.member("skipped", destination.skipped)
                        $0.member("rejected", destination.rejected)
                        $0.member("dead_lettered", destination.deadLettered)
                        $0.member("pending", destination.pending)
                        $0.member("attempts", destination.attempts)
                    }
                }
            }
            writer.name("fake_microsoft")
            writer.object { writer in
                for destination in destinations {
                    writer.name(destination.name)
                    writer.object {
                        $0.member("accepted", destination.accepted)
                        $0.member("duplicates", destination.duplicates)
                        $0.member("judged_invalid", destination.judgedInvalid)
                    }
                }
            }
            writer.member("elapsed_seconds", Double(elapsed.milliseconds) / 1000)
            writer.member("unaccounted", unaccounted)
        }
        return writer.bytes
    }

    var text: String {
        var lines = ["", "published to Kafka: \(produced) records", ""]
        for destination in destinations {
            let isBalanced = destination.isBalanced(produced: produced)
            lines += [
                "\(destination.name)",
                "  the daemon:  \(destination.consumed) consumed = \(destination.delivered) delivered"
                    + " + \(destination.skipped) skipped + \(destination.rejected) rejected"
                    + " + \(destination.deadLettered) dead-lettered + \(destination.pending) pending",
                "  Microsoft:   \(destination.accepted) accepted, \(destination.duplicates) repeats recognised,"
                    + " \(destination.judgedInvalid) against the contract",
                "  \(isBalanced ? "adds up" : "DOES NOT ADD UP"); \(destination.attempts) deliveries attempted",
            ]
            if destination.repeated > 0 {
                lines.append("  of the skipped, \(destination.repeated) are orders that were published again")
            }
        }
        if differences.isEmpty {
            lines += ["", "refunds: \(refunds) orders; to Microsoft each is worth what is left of it"]
        }
        lines += differences.map { "NOT AS EXPECTED: \($0)" }
        lines += [
            "", "unaccounted: \(unaccounted); \(Double(elapsed.milliseconds / 100) / 10) seconds",
            isBalanced ? "The books balance." : "The books do NOT balance.",
        ]
        return lines.joined(separator: "\n")
    }
}
