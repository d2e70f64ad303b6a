extension KafkaSettings {
    static func read(_ map: MapReader) -> KafkaSettings {
        var kafka = KafkaSettings(
            brokers: map.require("brokers", listOf: .broker, count: 1...64),
            topics: map.require("topics", listOf: .topic, count: 1...100))
        map.set(&kafka.groupID, "group_id", .text(249))
        map.set(&kafka.startFrom, "start_from", .choice)
        map.set(&kafka.outOfRange, "offset_out_of_range", .choice)
        map.set(&kafka.commitInterval, "commit_interval", .duration(.milliseconds(100) ... .minutes(1)))
        kafka.properties = map.entries("properties", count: 0...200) { readProperty($0) }
        kafka.translateOffsetReset(map)
        return kafka
    }

    private static func readProperty(_ entry: MapReader.OpenEntry) -> Property? {
        if let advice = ownedProperties[entry.key] {
            entry.refuse("is not passed through; \(advice)")
            return nil
        }
        if entry.value.isMap || isSensitive(entry.key) {
            return entry.read(.secret).map { Property(name: entry.key, value: .secret($0)) }
        }
        return entry.read(.propertyValue).map { Property(name: entry.key, value: $0) }
    }

    // MARK: Where to start

    /// The property that others know says the same as two keys of ours; as every property it wins over the defaults.
    private mutating func translateOffsetReset(_ map: MapReader) {
        guard let index = properties.firstIndex(where: { $0.name == "auto.offset.reset" }) else { return }
        func refuse(_ text: String) { map.refuse("properties", "auto.offset.reset", because: text) }
        guard case .text(let text) = properties.remove(at: index).value, let reset = OffsetReset(property: text) else {
            return refuse("is unknown; write earliest, latest or error")
        }
        for key in ["start_from", "offset_out_of_range"] where map.holds(key) {
            return refuse("says the same as kafka.\(key); keep one of them")
        }
        startFrom = reset
        outOfRange = reset
    }

    // MARK: Properties

    /// Properties that what is promised depends on, and what to do instead of setting them.
    private static let ownedProperties: [String: String] = {
        let brokers = "write kafka.brokers"
        let commit = "offsets are committed when their events are settled, see kafka.commit_interval"
        let storage = "offsets are kept by the brokers"
        return [
            "bootstrap.servers": brokers,
            "metadata.broker.list": brokers,
            "group.id": "write kafka.group_id",
            "enable.auto.commit": commit,
            "auto.commit.enable": commit,
            "auto.commit.interval.ms": commit,
            "enable.auto.offset.store": commit,
            "offset.store.method": storage,
            "offset.store.path": storage,
            "offset.store.sync.interval.ms": storage,
            "statistics.interval.ms": "the daemon reads them every five seconds to know whether Kafka is there",
        ]
    }()

    /// Properties that hold a secret. Librdkafka knows more of them with every version, and a mistyped name must not
    /// make a password public, so what looks like one is taken for one.
    static func isSensitive(_ name: String) -> Bool {
        let last = name.split(separator: ".").last ?? ""
        if ["password", "passphrase", "secret", "token", "credentials"].contains(last) { return true }
        return name.hasSuffix("key.pem") || sensitiveProperties.contains { isAlmost(name, $0) }
    }

    private static let sensitiveProperties = [
        "sasl.password", "sasl.jaas.config", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
        "ssl.key.password", "ssl.key.pem", "ssl.keystore.password",
    ]
}

extension KafkaSettings.OffsetReset {
    /// In the words of librdkafka.
    fileprivate init?(property: String) {
        switch property {
        case "earliest", "smallest", "beginning": self = .earliest
        case "latest", "largest", "end": self = .latest
        case "error": self = .stop
        default: return nil
        }
    }
}

extension ConfigForm<KafkaSettings.Property.Value> {
    fileprivate static var propertyValue: ConfigForm {
        ConfigForm("a text, a number, true or false, {file: /path} or {env: NAME}") { node throws(Refusal) in
            .text(try node.scalar())
        }
    }
}
