import KafkaClient
import MockKafka
import Testing

struct PropertyTests {
    @Test func `an unknown property is named with the version that does not know it`() {
        let error = #expect(throws: KafkaError.self) {
            _ = try KafkaConsumer(properties: [("group.id", "g"), ("no.such.thing", "1")])
        }
        #expect(
            error?.text
                == "property no.such.thing: librdkafka \(KafkaConsumer.libraryVersionText) has no such property")
    }

    @Test(
        arguments: [
            ("session.timeout.ms", "hunter2"), ("enable.partition.eof", "hunter2"), ("session.timeout.ms", "-77123"),
            ("security.protocol", "hunter2"), ("debug", "cgrp, hunter2"), ("fetch.min.bytes", "hunter2 3"),
            ("security.protocol", String(repeating: "hunter2 ", count: 100)),
        ]
    )
    func `a refused value is named by its property and never shown`(name: String, value: String) throws {
        let error = #expect(throws: KafkaError.self) {
            _ = try KafkaConsumer(properties: [("group.id", "g"), (name, value)])
        }
        let text = try #require(error?.text)
        #expect(text.contains(name))
        #expect(!text.contains("hunter2"))
        #expect(!text.contains("77123"))
    }

    @Test func `a refused key is not shown either`() throws {
        let error = #expect(throws: KafkaError.self) {
            _ = try KafkaConsumer(properties: [
                ("group.id", "g"), ("security.protocol", "ssl"), ("ssl.key.pem", "hunter2"),
            ])
        }
        let text = try #require(error?.text)
        #expect(text.contains("ssl.key.pem") && !text.contains("hunter2"))
    }

    @Test func `librdkafka's reason is kept`() {
        let error = #expect(throws: KafkaError.self) {
            _ = try KafkaConsumer(properties: [("group.id", "g"), ("session.timeout.ms", "0")])
        }
        #expect(error?.text.contains("value … is outside allowed range 1..3600000") == true)
    }

    @Test func `properties that do not fit together are refused`() {
        let error = #expect(throws: KafkaError.self) {
            _ = try KafkaConsumer(properties: [
                ("group.id", "g"), ("session.timeout.ms", "60000"), ("max.poll.interval.ms", "50000"),
            ])
        }
        #expect(error?.text.contains("max.poll.interval.ms") == true)
    }

    @Test func `a consumer without a group is refused`() {
        let error = #expect(throws: KafkaError.self) { _ = try KafkaConsumer(properties: []) }
        #expect(error?.text.contains("group.id") == true)
    }

    @Test func `a later property wins`() throws {
        _ = try KafkaConsumer(properties: [
            ("group.id", "g"), ("partition.assignment.strategy", "nonsense"),
            ("partition.assignment.strategy", "range"),
        ])
    }

    @Test func `the defaults suit the library that is linked`() throws {
        let defaults = KafkaConsumer.defaultProperties(libraryVersion: KafkaConsumer.libraryVersion)
        _ = try KafkaConsumer(properties: [("group.id", "g")] + defaults)
    }

    @Test func `prefetching is tuned by the version of the library`() {
        func properties(_ version: Int32) -> [String: String] {
            Dictionary(
                KafkaConsumer.defaultProperties(libraryVersion: version).map { ($0.name, $0.value) },
                uniquingKeysWith: { $1 })
        }
        for version: Int32 in [0x0200_02ff, 0x0201_01ff] {
            #expect(properties(version)["fetch.queue.backoff.ms"] == nil)
            #expect(properties(version)["queued.min.messages"] == "200000")
            #expect(properties(version)["queued.max.messages.kbytes"] == "131072")
        }
        for version: Int32 in [0x0202_00ff, 0x020c_00ff] {
            #expect(properties(version)["fetch.queue.backoff.ms"] == "5")
        }
        for version: Int32 in [0x0200_02ff, 0x020c_00ff] {
            #expect(properties(version)["enable.auto.commit"] == "false")
            #expect(properties(version)["enable.auto.offset.store"] == "false")
            #expect(properties(version)["auto.offset.reset"] == "error")
            #expect(properties(version)["partition.assignment.strategy"] == "cooperative-sticky")
        }
    }
}
