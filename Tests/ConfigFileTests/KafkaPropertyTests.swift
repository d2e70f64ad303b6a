import ForwarderCore
import Testing

@Suite struct KafkaPropertyTests {
    private static let commit = "offsets are committed when their events are settled, see kafka.commit_interval"
    private static let storage = "offsets are kept by the brokers"

    @Test(arguments: [
        ("bootstrap.servers", "write kafka.brokers"), ("metadata.broker.list", "write kafka.brokers"),
        ("group.id", "write kafka.group_id"), ("enable.auto.commit", commit), ("auto.commit.enable", commit),
        ("auto.commit.interval.ms", commit), ("enable.auto.offset.store", commit), ("offset.store.method", storage),
        ("offset.store.path", storage), ("offset.store.sync.interval.ms", storage),
        ("statistics.interval.ms", "the daemon reads them every five seconds to know whether Kafka is there"),
    ])
    func `a property that the promises depend on is refused with what to do instead`(name: String, advice: String) {
        #expect(
            problems(capi(kafka: "properties: {\(name): 1}"))
                == ["line 1: kafka.properties.\(name): is not passed through; \(advice)"])
    }

    @Test(arguments: [
        ("earliest", KafkaSettings.OffsetReset.earliest), ("smallest", .earliest), ("beginning", .earliest),
        ("latest", .latest), ("largest", .latest), ("end", .latest), ("error", .stop),
    ])
    func `the offset reset of librdkafka wins over our defaults`(word: String, reset: KafkaSettings.OffsetReset) throws
    {
        let kafka = try configuration(capi(kafka: "properties: {auto.offset.reset: \(word), client.id: x}")).kafka
        #expect(kafka.startFrom == reset && kafka.outOfRange == reset)
        #expect(kafka.properties == [.init(name: "client.id", value: "x")])
    }

    @Test(arguments: ["start_from", "offset_out_of_range"])
    func `two keys that say the same are refused`(key: String) {
        #expect(
            problems(capi(kafka: "\(key): latest, properties: {auto.offset.reset: latest}"))
                == ["line 1: kafka.properties.auto.offset.reset: says the same as kafka.\(key); keep one of them"])
    }

    @Test func `an offset reset that librdkafka does not know is refused`() {
        #expect(
            problems(capi(kafka: "properties: {auto.offset.reset: none}"))
                == ["line 1: kafka.properties.auto.offset.reset: is unknown; write earliest, latest or error"])
    }

    @Test func `a property without a single value is refused`() {
        let form = "write a text, a number, true or false, {file: /path} or {env: NAME}"
        #expect(
            problems(capi(kafka: "properties: {client.id: [a], client.rack: }")) == [
                "line 1: kafka.properties.client.id: is a list; \(form)",
                "line 1: kafka.properties.client.rack: has no value; \(form)",
            ])
    }

    @Test(arguments: [
        "sasl.username", "ssl.key.location", "ssl.ca.pem", "ssl.certificate.pem", "ssl.keystore.location",
        "sasl.mechanisms", "sasl.oauthbearer.client.id", "sasl.oauthbearer.token.endpoint.url", "client.id",
        "security.protocol", "sasl.oauthbearer.method",
    ])
    func `a property that is no secret may stand in the file`(name: String) throws {
        let kafka = try configuration(capi(kafka: "properties: {\(name): x}")).kafka
        #expect(kafka.properties == [.init(name: name, value: "x")])
    }
}
