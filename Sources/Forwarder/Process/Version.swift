import KafkaClient

/// What this program is.
public enum Version {
    public static let text = "0.1.0"

    /// What it runs with, as far as that is loaded at run time.
    public static var libraries: String { "librdkafka \(KafkaConsumer.libraryVersionText)" }
}
