import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import ScenarioKit
import Testing

/// The real daemon and Invest's server-side pixels.
struct InvestPixelTests {
    private static func stage(plan: FaultPlan = .none, _ lines: [String] = []) throws -> Stage {
        let stage = try Stage(plan: plan, hasOffline: false)
        stage.settings.hasInvest = true
        stage.settings.invest = ["retry: {base: 50ms, cap: 500ms, parked_probe: 1s}"] + lines
        return stage
    }

    /// What Invest counted of the orders.
    private static func attributed(_ stage: Stage) -> Int {
        stage.microsoft.withModel { $0.pixelCounts[Microsoft.purchasePixel]?.attributed ?? 0 }
    }

    private static func pixel() -> FakeDestination { .pixel(id: Microsoft.purchasePixel) }

    @Test(.timeLimit(.minutes(15)))
    func `each order that an auction led to is counted once, the others are none of Invest's`() async throws {
        try await onThread {
            let stage = try InvestPixelTests.stage()
            let daemon = try stage.start()
            let orders = (0..<200).map { Shop.auctioned($0) }
            // Each is published twice; and some were not led to by any auction.
            try stage.publish(orders + orders + (0..<50).map { Shop.purchase("organic-\($0)") }, partition: 0)
            try stage.expect("invest", "consumed", 450)
            try daemon.waitUntilSettled(.seconds(30))
            try requireEqual(InvestPixelTests.attributed(stage), 200, "counted")
            try requireEqual(try stage.books(InvestPixelTests.pixel()).accepted, 200)
            try requireEqual(stage.number("invest", "delivered"), 200)
            let said = try stage.answer("deliveries", "--destination", "invest", "--limit", "1")
            try requireEqual(said["deliveries"]?.elements?.first?["goal"]?.string, "pixel 37", "the delivery log")
            try daemon.stop()
            let skipped = stage.directory.lastMetrics()?["destinations"]?["invest"]?["skipped"]
            try requireEqual(skipped?["no_sspdata"]?.integer, 50, "skipped without a token")
            try requireEqual(skipped?["duplicate_transaction"]?.integer, 200, "published again")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `while Invest is down its queue grows, killed or not, and all is counted in the end`() async throws {
        try await onThread {
            let stage = try InvestPixelTests.stage(plan: FaultPlan([.init(.status(503), targets: .pixels)]))
            var daemon = try stage.start()
            try stage.publish((0..<100).map { Shop.auctioned($0) })
            try stage.expect("invest", "pending", 100)
            try stage.expect("capi", "delivered", 100)
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 100 }
            daemon.kill()
            stage.follow(.none)
            daemon = try stage.launch()
            try eventually("all to be counted") { InvestPixelTests.attributed(stage) == 100 }
            try daemon.waitUntilReading()
            try daemon.waitUntilSettled(.seconds(20))
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what may have been counted is never fired again where the pixel counts all`() async throws {
        try await onThread {
            // Half of the answers get lost, behind the counting or before it.
            let stage = try InvestPixelTests.stage(
                plan: FaultPlan([
                    .init(.answerLost, targets: .pixels, rate: 0.2), .init(.drop, targets: .pixels, rate: 0.1),
                ]))
            let daemon = try stage.start()
            try stage.publish((0..<150).map { Shop.auctioned($0) })
            try stage.expect("invest", "consumed", 150)
            try daemon.waitUntilSettled(.seconds(60))
            let books = try stage.books(InvestPixelTests.pixel())
            try requireEqual(books.duplicates, 0, "fired again")
            let letters = try stage.answer("dead-letters", "list", "--destination", "invest", "--limit", "1000")
            let dead = letters["dead_letters"]?.elements ?? []
            try require(!dead.isEmpty, "nothing was unclear")
            try require(dead.allSatisfy { $0["class"]?.string == "unclear" }, "another class")
            let delivered = stage.number("invest", "delivered")
            try requireEqual(delivered + dead.count, 150, "delivered or given up")
            try require(books.accepted >= delivered, "delivered, and not counted")
            // By an operator's word they go again.
            stage.follow(.none)
            try requireEqual(try stage.command("dead-letters", "replay", "--destination", "invest").code, 0)
            try stage.expect("invest", "delivered", 150)
            try requireEqual(try stage.books(InvestPixelTests.pixel()).accepted, 150)
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what may have been counted is fired again where a repeat counts nothing`() async throws {
        try await onThread {
            let stage = try InvestPixelTests.stage(
                plan: FaultPlan([.init(.answerLost, targets: .pixels, rate: 0.2)]), ["retry_ambiguous: true"])
            let daemon = try stage.start()
            try stage.publish((0..<100).map { Shop.auctioned($0) })
            try stage.expect("invest", "delivered", 100)
            try daemon.waitUntilSettled(.seconds(30))
            let books = try stage.books(InvestPixelTests.pixel())
            try requireEqual(books.accepted, 100)
            try require(books.duplicates > 0, "nothing was fired again")
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `each fire is in the log at level debug, and no token is`() async throws {
        try await onThread {
            let stage = try InvestPixelTests.stage()
            stage.settings.other = ["log: {level: debug, metrics_interval: 1s}"]
            let daemon = try stage.start()
            try stage.publish((0..<80).map { Shop.auctioned($0) })
            try stage.expect("invest", "delivered", 80)
            try daemon.stop()
            let fires = stage.directory.logLines("pixel.fired")
            try requireEqual(fires.count, 80, "lines")
            let fire = fires[0]
            try requireEqual(fire["pixel_id"]?.string, "37")
            try requireEqual(fire["value"]?.string, "19.99")
            try requireEqual(fire["status"]?.integer, 200)
            try requireEqual(fire["redirects"]?.integer, 1)
            try require(fire["order_id"]?.string?.hasPrefix("o") == true, "the order")
            try require(fire["offset"]?.integer != nil && fire["host"]?.string != nil, "where, and from where")
            let log = String(decoding: try SmallFile.read(stage.directory.log, limit: 64 << 20), as: UTF8.self)
            try require(!log.contains("ams1C"), "a token in the log")
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a way that leads nowhere parks the gate, and what waited goes once it is mended`() async throws {
        try await onThread {
            let stage = try InvestPixelTests.stage(plan: FaultPlan([.init(.status(404), targets: .pixels)]))
            let daemon = try stage.start()
            try stage.publish((0..<10).map { Shop.auctioned($0) })
            try requireEqual(try stage.said("gate.parked")["reason"]?.string, "http_404")
            stage.follow(.none)
            try stage.expect("invest", "delivered", 10)
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `the commands show a pixel without firing it, and fire one when asked to`() async throws {
        try await onThread {
            let stage = try InvestPixelTests.stage()
            try stage.settings.write(to: stage.directory)
            let event = Shop.auctioned(7)
            let explained = try CommandRun(
                daemonBinary, ["explain", "-", "--json", "--config", stage.directory.configuration],
                input: Array(event.utf8))
            let root = try JSONDocument(explained.output).root
            let request = root["destinations"]?.elements?.first { $0["name"]?.string == "invest" }?["request"]
            try requireEqual(request?["method"]?.string, "GET")
            try require(request?["body"]?.isNull == true, "a body")
            try require(
                request?["url"]?.string?.contains("/sspx?id=37&order_id=o7&value=19.99&sspdata=ams1C") == true,
                "the URL")
            let without = try stage.command("send-test", "--destination", "invest")
            try requireEqual(without.code, 1)
            try require(without.output.contains("no_sspdata"), "\(without.output)")
            let token = AuctionToken(.click, user: 1, at: SystemClock.now.wall).text
            let sent = try stage.command("send-test", "--destination", "invest", "--sspdata", token)
            try requireEqual(sent.code, 0, "\(sent.output)\(sent.errors)")
            try require(!sent.output.contains(token), "the token is shown")
            try requireEqual(InvestPixelTests.attributed(stage), 1)
            try requireEqual(try stage.command("check", "--online").code, 0)
            try stage.finish()
        }
    }
}
