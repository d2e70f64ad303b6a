import FakeMicrosoft

/// Compares what became of each record with what the shop said must become of it.
struct ChaosOracle {
    var events: [ChaosEvent]
    /// Where each stands in Kafka.
    var places: [String: [TopicReader.Place]]
    var store: StoreView

    /// Everything that is not as it must be, one line each; empty when all is well.
    func differences(_ microsoft: FakeMicrosoftServer) -> [String] {
        var differences: [String] = []
        var known: Set<String> = []
        for event in events where known.insert(event.id).inserted {
            guard let places = places[event.id] else {
                differences.append("\(event.id): not in Kafka, although the producer said so")
                continue
            }
            let accepted = microsoft.withModel { model in
                (
                    capi: model.timesAccepted(tag: Microsoft.tag, eventID: event.id),
                    offline: event.conversion.map { model.timesAccepted(account: Microsoft.account, $0) } ?? 0
                )
            }
            let refusals = microsoft.withModel { model in
                (
                    capi: model.refusals(tag: Microsoft.tag, eventID: event.id),
                    offline: event.conversion.map { model.refusals(account: Microsoft.account, $0) } ?? []
                )
            }
            for (destination, fate, times, refusals) in [
                ("capi", event.capi, accepted.capi, refusals.capi),
                ("offline", event.offline, accepted.offline, refusals.offline),
            ] {
                for place in places {
                    guard let wrong = difference(destination, fate, place, times, refusals) else { continue }
                    differences.append(
                        "\(event.id) (\(event.kind)) at partition \(place.partition), offset \(place.offset), "
                            + "\(destination): \(wrong)")
                }
            }
        }
        return differences
    }

    private func difference(
        _ destination: String, _ fate: ChaosEvent.Fate, _ place: TopicReader.Place, _ times: Int,
        _ refusals: Set<String>
    ) -> String? {
        let letter = store.letters[StoreView.Key(place: place, destination: destination)]
        let rejected =
            store.rejects[StoreView.Key(place: place, destination: destination)]
            ?? store.rejects[StoreView.Key(place: place, destination: nil)]
        // By Microsoft, and in the words that it used. What was refused alone and without a word has the status.
        let isRefused =
            letter.map { letter in
                letter.reasonClass == "refused"
                    && refusals.intersection(ChaosPlan.finalWords).contains {
                        ($0.isEmpty ? "http_400" : $0) == letter.reason
                    }
            } ?? false
        switch fate {
        case .delivered:
            if let rejected { return "rejected for \(rejected)" }
            if let letter, !isRefused { return "a dead letter: \(letter.reasonClass) \(letter.reason)" }
            return times > 0 || isRefused ? nil : "lost"
        case .deliveredOrExpired:
            if let rejected { return rejected == ["too_old"] ? nil : "rejected for \(rejected)" }
            let isExpired = letter?.reasonClass == "expired" && letter?.reason == "expired"
            if let letter, !isRefused, !isExpired { return "a dead letter: \(letter.reasonClass) \(letter.reason)" }
            return times > 0 || isRefused || isExpired ? nil : "lost"
        case .skipped:
            if times > 0 { return "accepted, and should have been skipped" }
            if let letter { return "a dead letter: \(letter.reasonClass) \(letter.reason)" }
            // A record that no destination can take has no destination; one that this one skips anyway may be such.
            return store.rejects[StoreView.Key(place: place, destination: destination)].map { "rejected for \($0)" }
        case .rejected(let reasons):
            if times > 0 { return "accepted, and should have been rejected for \(reasons)" }
            if let letter { return "a dead letter: \(letter.reasonClass) \(letter.reason)" }
            guard let rejected else { return "not among the rejects (\(reasons))" }
            return rejected == reasons ? nil : "rejected for \(rejected) instead of \(reasons)"
        }
    }

    /// What Microsoft has against the daemons.
    static func findings(_ microsoft: FakeMicrosoftServer) -> [String] {
        microsoft.withModel { model in
            var findings: [String] = []
            for destination in model.destinations {
                guard let books = model.books(of: destination) else { continue }
                if books.judgedInvalid > 0 || books.changed > 0 {
                    findings.append(
                        "\(destination.name): \(books.judgedInvalid) against the contract, \(books.changed) repeats that "
                            + "differ: \(books.findings.prefix(3))")
                }
            }
            if model.strayBooks.judgedInvalid > 0 { findings.append("strays: \(model.strayBooks.findings.prefix(3))") }
            return findings
        }
    }
}
