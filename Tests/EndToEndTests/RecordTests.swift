import FakeMicrosoft
import ForwarderCore
import ForwarderHarness
import ScenarioKit
import Testing

struct RecordTests {
    /// A page view of exactly so many bytes.
    private static func pageView(_ id: String, bytes: Int) throws -> String {
        let empty = Shop.pageView(id, more: ",\"junk\":\"\"").utf8.count
        let event = Shop.pageView(id, more: ",\"junk\":\"\(String(repeating: "x", count: bytes - empty))\"")
        try requireEqual(event.utf8.count, bytes, "bytes")
        return event
    }

    @Test(.timeLimit(.minutes(15)))
    func `tombstones, nonsense and giants are states, not crashes`() async throws {
        try await onThread {
            let stage = try Stage()
            let daemon = try stage.start()
            let items = (0..<10_000).map { "{\"id\":\"i\($0)\"}" }.joined(separator: ",")
            let good = [
                Shop.pageView("ordinary"), try RecordTests.pageView("largest", bytes: 256 << 10),
                Shop.purchase("items", more: ",\"items\":[\(items)]"),
            ]
            let bad: [(record: String, reason: RejectReason)] = [
                (try RecordTests.pageView("too-large", bytes: 256 << 10 + 1), .eventTooLarge),
                ("{\"event\":", .malformedJSON), ("", .malformedJSON), ("[1,2]", .notAnObject), ("null", .notAnObject),
                (String(repeating: "[", count: 5000), .tooDeep),
                (Shop.purchase("late", secondsAgo: 8 * 86_400), .tooOld),
                (Shop.purchase("early", secondsAgo: -3600), .inTheFuture),
            ]
            try stage.publish(good)
            for _ in 0..<5 { try stage.publishTombstone() }
            try stage.publish(bad.map(\.record))
            let count = Int64(good.count + 5 + bad.count)
            try eventually("all to be read") { stage.number("capi", "consumed") == Int(count) }
            try eventually("the good ones") { stage.missing(["ordinary", "largest", "items"]).isEmpty }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == count }
            try stage.expect("capi", "rejected", bad.count)
            let rejects = try stage.answer("rejects", "--limit", "1000")["rejects"]?.elements ?? []
            let reasons = rejects.flatMap { $0["reasons"]?.elements?.compactMap(\.string) ?? [] }
            for (_, reason) in bad {
                try require(reasons.contains("\(reason.name)"), "\(reason.name) is not listed: \(reasons)")
            }
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            let capi = stage.directory.lastMetrics()?["destinations"]?["capi"]
            try requireEqual(capi?["skipped"]?["tombstone"]?.integer, 5, "tombstones")
            try requireEqual(capi?["reject_reasons"]?["event_too_large"]?.integer, 1, "too large")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a shadow maps and counts and sends nothing`() async throws {
        try await onThread {
            let stage = try Stage()
            stage.settings.capi += ["mode: shadow"]
            let daemon = try stage.start()
            let ids = Shop.ids("shadow", 0..<50)
            try stage.publish(ids.map { Shop.purchase($0) })
            try eventually("the other to have them") { stage.acceptedOffline == 50 }
            try eventually("them to be counted") { stage.number("capi", "skipped") == 50 }
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 50 }
            try stage.said("delivery.shadowed")
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).received, 0, "received")
            try requireEqual(
                stage.directory.lastMetrics()?["destinations"]?["capi"]?["skipped"]?["shadow"]?.integer, 50)
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a rate limit is kept to`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            stage.settings.capi = ["rate_limit: 100", "batch: {linger: 20ms, max_events: 20}"]
            let daemon = try stage.start()
            let ids = Shop.ids("rate", 0..<500)
            let took = try ContinuousClock().measure {
                try stage.publish(ids.map { Shop.purchase($0) })
                try eventually("them to arrive") { stage.missing(ids).isEmpty }
            }
            try require(
                (.milliseconds(3500)...(.milliseconds(20_000))).contains(took), "500 at 100 a second took \(took)")
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a page with a value becomes two items of one delivery`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            stage.settings.capi += ["page_value: true"]
            let daemon = try stage.start()
            let value = ",\"properties\":{\"value\":12.5,\"currency\":\"EUR\"}"
            try stage.publish([Shop.pageView("page", more: value), Shop.pageView("plain")])
            try eventually("both items") { stage.missing(["page", "page-value", "plain"]).isEmpty }
            try daemon.waitUntilSettled(.seconds(10))
            try stage.expect("capi", "delivered", 2)
            try daemon.stop()
            try requireEqual(try stage.books(Microsoft.capi).accepted, 3, "accepted")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what a clock ahead sends waits until its time has come`() async throws {
        try await onThread {
            let stage = try Stage(hasOffline: false)
            let daemon = try stage.start()
            try stage.publish([Shop.purchase("soon", secondsAgo: -10), Shop.purchase("now")])
            try eventually("the one") { stage.missing(["now"]).isEmpty }
            try requireEqual(stage.timesAccepted("soon"), 0, "before its time")
            let took = try ContinuousClock().measure {
                try eventually("the other") { stage.missing(["soon"]).isEmpty }
            }
            try require(took < .seconds(26), "it took \(took)")
            try daemon.waitUntilSettled(.seconds(10))
            try daemon.stop()
            try stage.finish()
        }
    }
}
