import FakeMicrosoft
import Forwarder
import ForwarderCore
import ForwarderHarness
import MockKafka
import ScenarioKit
import Testing

/// Records that nobody should have published, each followed by an ordinary one.
struct HostileRecordTests {
    private enum Fate {
        case delivered
        case rejected(RejectReason)
        case tombstone
    }

    private struct Case {
        var name: String
        var value: [UInt8]?
        var headers = 0
        var fate: Fate

        init(_ name: String, _ value: [UInt8]?, headers: Int = 0, _ fate: Fate) {
            (self.name, self.value, self.headers, self.fate) = (name, value, headers, fate)
        }

        init(_ name: String, _ value: String, _ fate: Fate) {
            self.init(name, Array(value.utf8), fate)
        }
    }

    /// A page view whose id is `id`, with more members behind it.
    private static func event(_ id: String, _ more: String) -> String {
        Shop.pageView(id, more: "," + more)
    }

    private static func text(_ count: Int, _ unit: String = "x") -> String {
        String(repeating: unit, count: count)
    }

    private static var cases: [Case] {
        let time = "\"event_time\":"
        let ordinary = Shop.pageView("time")
        func at(_ value: String) -> String {
            guard let found = ordinary.firstRange(of: time) else { return "" }
            return ordinary[..<found.upperBound] + value + ordinary[found.upperBound...].drop { $0.isNumber }
        }
        return [
            // Nothing, or next to nothing.
            Case("tombstone", nil, .tombstone),
            Case("no byte", [], .rejected(.malformedJSON)),
            Case("white space", " \t\r\n ", .rejected(.malformedJSON)),
            Case("a byte order mark alone", [0xEF, 0xBB, 0xBF], .rejected(.malformedJSON)),
            Case("NULs", [UInt8](repeating: 0, count: 1000), .rejected(.malformedJSON)),
            Case(
                "another encoding", ordinary.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] },
                .rejected(.malformedJSON)),
            Case("two events", ordinary + ordinary, .rejected(.malformedJSON)),
            // Too much of something.
            // The mock keeps no more than five.
            Case("four megabytes", event("giant", "\"junk\":\"\(text(4 << 20))\""), .rejected(.eventTooLarge)),
            Case("a name of a megabyte", event("name", "\"\(text(1 << 20))\":1"), .rejected(.eventTooLarge)),
            Case(
                "a million elements", event("million", "\"junk\":[\(text(999_999, "0,"))0]"), .rejected(.eventTooLarge)),
            Case(
                "ten thousand levels", event("deep", "\"junk\":\(text(10_000, "["))\(text(10_000, "]"))"),
                .rejected(.tooDeep)),
            Case("ten thousand open objects", text(10_000, "{\"a\":"), .rejected(.tooDeep)),
            Case("a long name", event("long-name", "\"\(text(200_000))\":1"), .delivered),
            Case("many elements", event("elements", "\"junk\":[\(text(120_000, "0,"))0]"), .delivered),
            Case(
                "many members", event("members", (0..<20_000).map { "\"m\($0)\":0" }.joined(separator: ",")), .delivered
            ),
            Case("31 levels", event("levels", "\"junk\":\(text(31, "["))\(text(31, "]"))"), .delivered),
            Case("ten thousand headers", Array(Shop.pageView("headers").utf8), headers: 10_000, .delivered),
            // Text that is none.
            Case("a lone byte", Array(Shop.pageView("bytes").utf8) + [0xFF], .rejected(.malformedJSON)),
            Case(
                "invalid UTF-8 in a text", Array("{\"event\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8),
                .rejected(.invalidUTF8)),
            Case(
                "a surrogate in UTF-8", Array("{\"event\":\"".utf8) + [0xED, 0xA0, 0x80] + Array("\"}".utf8),
                .rejected(.invalidUTF8)),
            Case("a control character", event("control", "\"title\":\"a\u{1}b\""), .rejected(.malformedJSON)),
            Case("an escaped NUL", event("nul", "\"title\":\"a\\u0000b\""), .delivered),
            Case("a lone surrogate", event("surrogate", "\"title\":\"a\\ud800b\""), .delivered),
            Case("a byte order mark", "\u{FEFF}" + Shop.pageView("mark"), .delivered),
            Case("a name twice", event("first", "\"event_id\":\"second\""), .delivered),
            // Numbers.
            Case(
                "an endless exponent", event("exponent", "\"junk\":1e999999,\"properties\":{\"value\":1e999999}"),
                .delivered),
            Case(
                "400 digits", event("digits", "\"properties\":{\"value\":\(text(400, "9")),\"currency\":\"EUR\"}"),
                .delivered),
            Case("a time beyond all", at("1e999999"), .rejected(.timestampNotANumber)),
            Case("a time of 400 digits", at(text(400, "9")), .rejected(.timestampNotANumber)),
            Case("infinity", at("Infinity"), .rejected(.malformedJSON)),
        ]
    }

    /// The ids under which the delivered ones arrive.
    private static let delivered = [
        "long-name", "elements", "members", "levels", "headers", "nul", "surrogate", "mark", "second", "exponent",
        "digits",
    ]

    @Test(.timeLimit(.minutes(15)))
    func `I-4: no record is a crash, none costs memory for good, and the one behind it is delivered`() async throws {
        try await onThread {
            let stage = try Stage(partitions: 1, hasOffline: false)
            let daemon = try stage.start()
            let producer = try KafkaProducer(properties: [
                ("bootstrap.servers", stage.kafka.bootstrapServers), ("message.max.bytes", "20000000"),
            ])
            for (index, hostile) in HostileRecordTests.cases.enumerated() {
                if hostile.headers > 0 {
                    let headers = (0..<hostile.headers).map { (name: "header-\($0)", value: "value") }
                    try producer.produce(Stage.topic, partition: 0, headers: headers, value: hostile.value ?? [])
                } else {
                    try producer.produce(Stage.topic, partition: 0, value: hostile.value)
                }
                // A batch of its own.
                try producer.flush(timeoutMilliseconds: 20_000)
                try producer.produce(Stage.topic, partition: 0, value: Array(Shop.pageView("good-\(index)").utf8))
                try producer.flush(timeoutMilliseconds: 20_000)
                try eventually("the one behind \(hostile.name)") { stage.missing(["good-\(index)"]).isEmpty }
            }
            let cases = HostileRecordTests.cases
            try eventually("Kafka to be committed on") {
                try stage.committed(partitions: 1)[0] == Int64(2 * cases.count)
            }
            try stage.expect("capi", "consumed", 2 * cases.count)
            try HostileRecordTests.compare(try stage.answer("rejects", "--limit", "1000"))
            try require(
                stage.missing(HostileRecordTests.delivered).isEmpty, "\(stage.missing(HostileRecordTests.delivered))")
            try requireEqual(try stage.books(Microsoft.capi).accepted, HostileRecordTests.delivered.count + cases.count)
            try HostileRecordTests.requireBounded(daemon)
            try daemon.stop()
            let capi = stage.directory.lastMetrics()?["destinations"]?["capi"]
            try requireEqual(capi?["skipped"]?["tombstone"]?.integer, 1, "tombstones")
            try stage.finish()
        }
    }

    /// Each record has the reason of its table, and no other.
    private static func compare(_ answer: JSONElement) throws {
        var reasons: [Int64: [String]] = [:]
        for reject in answer["rejects"]?.elements ?? [] {
            guard let offset = reject["offset"]?.integer else { continue }
            reasons[offset] = reject["reasons"]?.elements?.compactMap(\.string)
        }
        for (index, hostile) in cases.enumerated() {
            var expected: [String]?
            if case .rejected(let reason) = hostile.fate { expected = ["\(reason.name)"] }
            try requireEqual(reasons[Int64(2 * index)], expected, hostile.name)
            try requireEqual(reasons[Int64(2 * index + 1)], nil, "the one behind \(hostile.name)")
        }
    }

    /// The most memory the process ever had.
    private static func requireBounded(_ daemon: DaemonProcess) throws {
        let status = String(decoding: try SmallFile.read("/proc/\(daemon.id)/status", limit: 1 << 16), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        guard let kilobytes = line.flatMap({ Int($0.filter(\.isNumber)) }) else { throw Disappointment("no VmHWM") }
        try require(kilobytes < 150 << 10, "it took \(kilobytes) KB at its worst")
    }

    @Test(.timeLimit(.minutes(15)))
    func `a batch that is larger than anything asked for is read to its end`() async throws {
        try await onThread {
            let stage = try Stage(partitions: 1, hasOffline: false)
            // One batch of Kafka's, of some four megabytes: a fetch asks for one.
            let producer = try KafkaProducer(properties: [
                ("bootstrap.servers", stage.kafka.bootstrapServers), ("message.max.bytes", "20000000"),
                ("batch.size", "20000000"), ("linger.ms", "1000"),
            ])
            let junk = HostileRecordTests.text(200_000)
            let ids = Shop.ids("batch", 0..<20)
            for id in ids {
                let event = HostileRecordTests.event(id, "\"junk\":\"\(junk)\"")
                try producer.produce(Stage.topic, partition: 0, value: Array(event.utf8))
            }
            try producer.flush(timeoutMilliseconds: 20_000)
            let daemon = try stage.start()
            try eventually("everything to arrive") { stage.missing(ids).isEmpty }
            try daemon.waitUntilSettled(.seconds(10))
            try HostileRecordTests.requireBounded(daemon)
            try daemon.stop()
            try stage.finish()
        }
    }
}
