import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc

/// What the sink must have in the end: each event once, and nothing else.
struct SinkExpectation {
    /// How many, and the sum of their ids' hashes.
    private var counts: SinkCounts
    /// Of the daemon: what each of its destinations has delivered, by name.
    private var delivered: [String: Int] = [:]

    /// What the daemon makes of the topic for these tags.
    init(_ expectation: Expectation, tags: [String], hasOffline: Bool = false) {
        counts = SinkCounts()
        counts.idSum = expectation.mapped.idSum &* UInt64(tags.count)
        for (number, tag) in tags.enumerated() {
            counts.eventsByPath["/v1/\(tag)/events"] = expectation.capi.count
            delivered[number == 0 ? "capi" : "capi\(tag)"] = expectation.capi.count
        }
        if hasOffline {
            counts.eventsByPath["/CampaignManagement/v13/OfflineConversions/Apply"] = expectation.offline
            delivered["offline"] = expectation.offline
        }
        counts.events = counts.eventsByPath.values.reduce(0, +)
    }

    init(_ expectation: Expectation, _ work: Contestant.Work) {
        switch work {
        case .mapped: counts = expectation.mapped
        case .raw: counts = expectation.named
        case .objects: counts = expectation.objects
        }
    }

    var events: Int { counts.events }

    /// Waits until it has so many. Returns how long that took from the first.
    func seconds(
        _ sink: FakeMicrosoftServer, of name: String, exitCode: () -> Int32?
    ) throws(HarnessFailure) -> Double {
        var began: Uptime?
        var last = 0
        var lastMoved = SystemClock.now.uptime
        while true {
            let count = sink.sinkCounts.events
            let now = SystemClock.now.uptime
            if count > 0, began == nil { began = now }
            if count != last { (last, lastMoved) = (count, now) }
            if let began, count >= events { return Double(max(1, (now - began).milliseconds)) / 1000 }
            if let code = exitCode() { throw HarnessFailure("\(name) ended with exit code \(code)") }
            guard now - lastMoved < .seconds(60) else {
                throw HarnessFailure("\(name): \(count) of \(events) events arrived, and then none for a minute")
            }
            usleep(2000)
        }
    }

    func check(_ sink: FakeMicrosoftServer, of name: String) throws(HarnessFailure) {
        let arrived = sink.sinkCounts
        guard arrived.events == counts.events else {
            throw HarnessFailure("\(name): \(arrived.events) events arrived instead of \(counts.events)")
        }
        guard arrived.idSum == counts.idSum else {
            throw HarnessFailure("\(name): other events arrived than should have")
        }
        for (path, count) in counts.eventsByPath where arrived.eventsByPath[path] != count {
            throw HarnessFailure(
                "\(name): \(arrived.eventsByPath[path] ?? 0) events came to \(path) instead of \(count)")
        }
    }

    /// The daemon's own books: even in all that it said, and in the end all delivered.
    func check(booksOf directory: DaemonDirectory) throws(HarnessFailure) {
        let last = try requireBalance(directory)
        for (name, count) in delivered {
            let books = last["destinations"]?[name]
            guard books?["delivered"]?.integer == Int64(count), books?["pending"]?.integer == 0,
                books?["in_flight"]?.integer == 0
            else { throw HarnessFailure("by its own books \(name) did not deliver \(count); log: \(directory.log)") }
        }
    }
}

/// Returns the last numbers that the daemon has told.
@discardableResult
func requireBalance(_ directory: DaemonDirectory) throws(HarnessFailure) -> JSONElement {
    let lines = directory.logLines("metrics")
    guard let last = lines.last, lines.allSatisfy({ $0["unaccounted"]?.integer == 0 }) else {
        throw HarnessFailure("the daemon's books do not balance; log: \(directory.log)")
    }
    return last
}
