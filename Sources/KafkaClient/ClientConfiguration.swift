import CRdKafka

/// The properties of a client before the client exists.
package struct ClientConfiguration: ~Copyable {
    package let raw: OpaquePointer

    package init() {
        raw = rd_kafka_conf_new()
    }

    deinit {
        rd_kafka_conf_destroy(raw)
    }

    /// Sets the properties in order; a later one wins.
    package func set(_ properties: [(name: String, value: String)]) throws(KafkaError) {
        for (name, value) in properties {
            var reason = [CChar](repeating: 0, count: 512)
            switch rd_kafka_conf_set(raw, name, value, &reason, reason.count) {
            case RD_KAFKA_CONF_OK:
                continue
            case RD_KAFKA_CONF_UNKNOWN:
                throw KafkaError(
                    .invalidArgument,
                    "property \(name): librdkafka \(KafkaConsumer.libraryVersionText) has no such property")
            default:
                throw KafkaError(.invalidArgument, "property \(name): \(Self.reason(reason, hiding: value))")
            }
        }
    }

    /// Makes the client, which takes the properties over.
    package consuming func makeClient(_ type: rd_kafka_type_t) throws(KafkaError) -> OpaquePointer {
        var reason = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, raw, &reason, reason.count) else {
            // A fault of the properties (`invalidArgument`), or the system has no thread to give.
            let code = KafkaError.Code(rd_kafka_last_error())
            _ = consume self
            throw KafkaError(code, "starting the Kafka client: \(Self.text(reason))")
        }
        discard self
        return client
    }

    /// librdkafka's reason without the value, which may be a password in the wrong place.
    private static func reason(_ buffer: [CChar], hiding value: String) -> String {
        var reason = text(buffer)
        // If the buffer was too small, the end may be a piece of the value that would not be recognised.
        guard reason.utf8.count < buffer.count - 1 else { return "its value is not accepted" }
        // Of a list librdkafka names the element it does not like.
        let elements = value.split(separator: ",").map { $0.drop { $0 == " " } }
        for secret in [value[...]] + elements where !secret.isEmpty {
            for range in reason.ranges(of: secret).reversed() where isWhole(range, in: reason) {
                reason.replaceSubrange(range, with: "…")
            }
        }
        return reason
    }

    /// Whether the range is not just a part of a longer word or number.
    private static func isWhole(_ range: Range<String.Index>, in text: String) -> Bool {
        let before = text[..<range.lowerBound].last
        let after = text[range.upperBound...].first
        return ![before, after].contains { $0.map { $0.isLetter || $0.isNumber } ?? false }
    }

    static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension KafkaConsumer {
    /// Sets the properties and throws them away again: what librdkafka has against one of them shows without a client.
    public static func check(properties: [(name: String, value: String)]) throws(KafkaError) {
        try ClientConfiguration().set(properties)
    }
}
