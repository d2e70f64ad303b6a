import ForwarderCore
import KafkaClient

/// What librdkafka is told: our defaults, then what the configuration says of the group, then the user's properties.
enum KafkaProperties {
    static func all(_ settings: KafkaSettings) throws(Secrets.Unreadable) -> [(name: String, value: String)] {
        var properties = KafkaConsumer.defaultProperties(libraryVersion: KafkaConsumer.libraryVersion)
        properties.append(("client.id", "conversion-forwarder"))
        // Says whether brokers are there; and without it nobody looks up where a partition begins.
        properties.append(("statistics.interval.ms", "5000"))
        properties.append(("bootstrap.servers", settings.brokers.joined(separator: ",")))
        properties.append(("group.id", settings.groupID))
        for property in settings.properties {
            switch property.value {
            case .text(let text): properties.append((property.name, text))
            case .secret(let reference): properties.append((property.name, try read(reference, for: property.name)))
            }
        }
        return properties
    }

    private static func read(_ reference: SecretReference, for name: String) throws(Secrets.Unreadable) -> String {
        do throws(Secrets.Unreadable) {
            return try Secrets.read(reference)
        } catch {
            throw Secrets.Unreadable(reason: "\(name): \(error.reason)")
        }
    }
}
