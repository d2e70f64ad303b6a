import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import Glibc
import ScenarioKit
import Testing

/// Orders that are published twice, and orders that are taken back.
@Suite struct TransactionTests {
    /// What a shop says of one order.
    private struct Order {
        var number: Int
        var time = SystemClock.now.wall.seconds - 60

        var transaction: String { "order-\(number)" }
        var clickID: String { String(repeating: "0", count: 24) + String(10_000_000 + number) }

        func purchase(_ copy: String = "first") -> String {
            """
            {"event":"Purchase","event_id":"\(transaction)-\(copy)","event_time":\(time),"url":"https://shop.example/",\
            "user":{"msclkid":"\(clickID)"},"properties":{"value":79.99,"currency":"USD",\
            "transaction_id":"\(transaction)"}}
            """
        }

        func refund(_ amount: String, _ name: String = "refund") -> String {
            """
            {"event":"Refund","event_id":"\(transaction)-\(name)","event_time":\(time + 30),\
            "properties":{"value":\(amount),"currency":"USD","transaction_id":"\(transaction)"}}
            """
        }

        /// As Microsoft tells it apart.
        var key: ConversionKey {
            ConversionKey(name: "Purchase", time: CivilText.utc(time), clickID: clickID)
        }
    }

    private static func stage() throws -> Stage {
        let stage = try Stage()
        stage.settings.capi.append("adjustments: {account: offline, goals: {Purchase: Purchase}}")
        return stage
    }

    private static func counts(_ order: Order, offline: CountedValue, capi: CountedValue, _ stage: Stage) -> Bool {
        stage.microsoft.withModel { model in
            model.countedValue(account: Microsoft.account, order.key) == offline
                && model.countedValue(tag: Microsoft.tag, transactionID: order.transaction, goal: "Purchase") == capi
        }
    }

    private static func counts(_ order: Order, _ value: CountedValue, _ stage: Stage) -> Bool {
        counts(order, offline: value, capi: value, stage)
    }

    private static func orders(_ numbers: Range<Int>) -> [Order] { numbers.map { Order(number: $0) } }

    @Test(.timeLimit(.minutes(15)))
    func `I-11: an order that is published again counts once, also after a kill and a restart`() async throws {
        try await onThread {
            let stage = try Stage()
            var daemon = try stage.start()
            let orders = TransactionTests.orders(0..<40)
            try stage.publish(orders.map { $0.purchase() })
            try eventually("all to be there") { stage.acceptedOffline == 40 }
            try stage.publish(orders.map { $0.purchase("again") })
            try stage.expect("offline", "skipped", 40)
            try stage.expect("capi", "skipped", 40)
            daemon.kill()
            daemon = try stage.start()
            try stage.publish(orders.map { $0.purchase("once more") })
            try eventually("Kafka to be committed on") { try stage.committedTotal() == 120 }
            try daemon.waitUntilSettled(.seconds(30))
            try requireEqual(stage.acceptedOffline, 40, "conversions")
            try requireEqual(try stage.books(Microsoft.capi).accepted, 40, "events")
            try stage.said("duplicates.skipped")
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-11: an order that comes again while the first waits for Microsoft counts once`() async throws {
        try await onThread {
            let stage = try Stage(plan: FaultPlan([.init(.status(503), targets: .events)]))
            var daemon = try stage.start()
            let orders = TransactionTests.orders(0..<40)
            try stage.publish(orders.map { $0.purchase() })
            try stage.expect("offline", "pending", 40)
            try stage.publish(orders.map { $0.purchase("again") })
            try stage.expect("offline", "pending", 80)
            try stage.expect("capi", "pending", 80)
            daemon.kill()
            daemon = try stage.start()
            stage.follow(.none)
            // Those that wait are looked through a minute after a start.
            try eventually("the first to be taken, and the others skipped", within: .seconds(120)) {
                stage.number("offline", "pending") == 0 && stage.number("capi", "pending") == 0
            }
            // What Kafka repeats after the kill is skipped too, as it is stored already.
            try eventually("all of them to be skipped") { stage.number("offline", "skipped") >= 40 }
            try requireEqual(stage.acceptedOffline, 40, "conversions")
            try requireEqual(try stage.books(Microsoft.capi).accepted, 40, "events")
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `what is refunded is taken back from both, in parts and as a whole`() async throws {
        try await onThread {
            let stage = try TransactionTests.stage()
            let daemon = try stage.start()
            let orders = TransactionTests.orders(0..<6)
            try stage.publish(orders.map { $0.purchase() })
            try eventually("the orders") { stage.acceptedOffline == 6 }
            try stage.publish([
                orders[0].refund("10"), orders[1].refund("10", "a"), orders[1].refund("20", "b"),
                orders[2].refund("79.99"),
                // The shop says it twice.
                orders[3].refund("10"), orders[3].refund("10"),
                orders[4].refund("70", "a"), orders[4].refund("9.99", "b"),
            ])
            func value(_ text: String) -> CountedValue { .amount(text, currency: "USD") }
            let expected = [value("69.99"), value("49.99"), .retracted, value("69.99"), .retracted, value("79.99")]
            for (order, value) in zip(orders, expected) {
                try eventually("\(order.transaction) to count as \(value)") {
                    TransactionTests.counts(order, value, stage)
                }
            }
            try stage.expect("offline-refunds", "delivered", 7)
            try stage.expect("capi-refunds", "delivered", 7)
            try stage.expect("offline-refunds", "skipped", 7)
            let log = try stage.answer("deliveries", "--destination", "offline-refunds")["deliveries"]?.elements ?? []
            try requireEqual(log.count, 7, "refunds in the delivery log")
            try daemon.stop()
            try stage.finish()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `I-11: a refund does not overtake its purchase, whatever stands still or dies`() async throws {
        try await onThread {
            let stage = try TransactionTests.stage()
            stage.settings.offline.append("refund_wait: 1m")
            var daemon = try stage.start()
            let early = Order(number: 1)
            // Before its purchase was ever published.
            try stage.publish([early.refund("10")], partition: 0)
            try stage.expect("offline-refunds", "pending", 1)
            try stage.publish([early.purchase()], partition: 1)
            try eventually("both, in their order") {
                TransactionTests.counts(early, .amount("69.99", currency: "USD"), stage)
            }

            // While the purchases wait in the queue: refunds could go, and do not.
            stage.follow(
                FaultPlan([
                    .init(.status(503), targets: .capi),
                    .init(.partialErrors(.applyFailed, share: 1), targets: .offline),
                ]))
            let late = TransactionTests.orders(10..<20)
            try stage.publish(late.map { $0.purchase() })
            try stage.expect("offline", "pending", 10)
            try stage.publish(late.map { $0.refund("10") } + late.map { $0.refund("69.99", "rest") })
            try stage.expect("offline-refunds", "pending", 20)
            daemon.kill()
            daemon = try stage.start()
            stage.follow(.none)
            for order in late {
                try eventually("\(order.transaction) to be taken back", within: .seconds(150)) {
                    TransactionTests.counts(order, .retracted, stage)
                }
            }
            try daemon.waitUntilSettled(.seconds(30))
            try daemon.stop()
            try stage.finish(kills: 1)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a refund of an order that nobody knows is given up, with the reason`() async throws {
        try await onThread {
            let stage = try Stage()
            stage.settings.offline.append("refund_wait: 1m")
            let daemon = try stage.start()
            try stage.publish([Order(number: 7).refund("10")])
            try stage.expect("offline-refunds", "pending", 1)
            try eventually("it to be given up", within: .seconds(100)) {
                stage.number("offline-refunds", "dead_lettered") == 1
            }
            let letters = try stage.answer("dead-letters", "list")["dead_letters"]?.elements ?? []
            try requireEqual(letters.compactMap { $0["reason"]?.string }, ["purchase_unknown"], "reasons")
            // The purchase turns up; the operator has the refund tried again.
            try stage.publish([Order(number: 7).purchase()])
            try eventually("the order") { stage.acceptedOffline == 1 }
            _ = try stage.answer("dead-letters", "replay", "--destination", "offline-refunds")
            try stage.expect("offline-refunds", "delivered", 1)
            try daemon.stop()
            try stage.finish()
        }
    }
}
